"""Each assignment marks its own solution, its typical mistakes and empty answers as it should."""

import ast
import copy
import re
from pathlib import Path

import numpy as np
import pytest
from nbclient import NotebookClient
from students import helpers, source

from nhlib.classroom.assignments import graded_cells, load_assignment
from nhlib.classroom.sandbox import CallError
from nhlib.classroom.tasks import difference

FOLDER = Path(__file__).parents[2] / "book" / "assignments"
ASSIGNMENTS = {f.parent.name: load_assignment(f.parent) for f in sorted(FOLDER.glob("*/checks.py"))}
TASKS = {
    f"{name}/{task.name}": (assignment, task)
    for name, assignment in ASSIGNMENTS.items()
    for task in assignment.tasks
}
SECRET = "tests"


@pytest.fixture(params=TASKS)
def pair(request):
    return TASKS[request.param]


def code(assignment):
    return [c.source for c in assignment.notebook.cells if c.cell_type == "code"]


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_notebook_runs_and_its_own_tests_pass(name):
    place = {"metadata": {"path": str(ASSIGNMENTS[name].folder)}}
    NotebookClient(ASSIGNMENTS[name].notebook, timeout=120, resources=place).execute()


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_an_assignment_gives_twenty_points_and_asks_for_words(name):
    cells = dict(graded_cells(ASSIGNMENTS[name].notebook)).values()
    graded = [c for c in cells if c.metadata.nbgrader.grade]
    assert sum(c.metadata.nbgrader.points for c in graded) == 20
    by_hand = [c for c in graded if c.metadata.nbgrader.solution]
    assert by_hand
    for cell in by_hand:
        points = re.findall(r"(?:\*|#) (\d) points?: ", cell.source)
        assert sum(map(int, points)) == cell.metadata.nbgrader.points
        assert cell.cell_type == "code" or "**A sample answer**" in cell.source


def test_the_solution_gets_full_marks(pair):
    assignment, task = pair
    mark = task.mark(code(assignment), secret=SECRET)
    assert mark.points == mark.possible, mark.words()


def test_each_mistake_loses_its_points_and_is_recognised(pair):
    _, task = pair
    assert len(task.mistakes) >= 4
    for mistake in task.mistakes:
        mark = task.mark([helpers(task), source(mistake.function)], secret=SECRET)
        assert set(mark.failed) == mistake.loses, (mistake.words, mark.words())
        lost = sum(p.points for p in task.properties if p.name in mistake.loses)
        assert mark.points == task.points - lost
        assert mark.hint == mistake.words, mark.words()


def test_the_same_holds_whatever_the_secret(pair):
    """In this process, since there are many."""
    _, task = pair
    for secret in map(str, range(10)):
        for mistake in task.mistakes:
            wrong = {
                prop.name
                for prop, inputs, answers in asked(task, secret)
                if any(
                    difference(answer, attempt(mistake.function, arguments))
                    for arguments, answer in zip(inputs, answers, strict=True)
                )
            }
            assert wrong == mistake.loses, (secret, mistake.words)


def asked(task, secret):
    return [(q.property, q.inputs, q.answers) for q in task.questions(secret)]


def attempt(function, arguments):
    try:
        return function(*copy.deepcopy(arguments))
    except Exception as error:
        return CallError(type(error).__name__)


def test_no_constant_earns_a_property(pair):
    _, task = pair
    for prop, _, answers in asked(task, SECRET):
        assert any(difference(answers[0], a) for a in answers[1:]), prop.name


def test_answers_to_the_visible_tests_by_heart_earn_nothing(pair):
    """The visible tests' inputs are not asked again."""
    assignment, task = pair
    cells = dict(graded_cells(assignment.notebook))
    shown = []

    def recording(*arguments):
        shown.append(arguments)
        raise LookupError

    tests = ast.parse(cells[f"{task.name}-tests"].source)
    for call in ast.walk(tests):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == task.name:
            names = {"np": np, task.name: recording}
            for statement in tests.body:
                try:
                    exec(compile(ast.Module([statement], []), "tests", "exec"), names)
                except LookupError:
                    continue
                except Exception:
                    continue
            break
    for _, inputs, _ in asked(task, SECRET):
        for arguments in inputs:
            assert not any(
                len(a) == len(arguments)
                and all(not difference(x, y) for x, y in zip(a, arguments, strict=True))
                for a in shown
            )
