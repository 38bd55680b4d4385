"""Whatever became of the cells: what the student wrote is run and shown, and nothing else."""

import copy
import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from nhlib.classroom.kernel import Program
from nhlib.classroom.notebooks import read_notebook
from nhlib.classroom.order import in_order, names_of, program

EMPTY = "def f():\n    raise NotImplementedError"
RIGHT = "def f():\n    return 1"
QUESTION = "# In words\n\nWhy?"
SETUP = "import numpy as np"


def known(cell, grade_id, **settings):
    cell.metadata.nbgrader = nbformat.from_dict(
        {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False,
         "locked": False, "task": False} | settings
    )  # fmt: skip
    return cell


def build():
    return new_notebook(
        cells=[
            known(new_markdown_cell("# Read this"), "text", locked=True),
            known(new_code_cell(SETUP), "setup", locked=True),
            known(new_code_cell(EMPTY), "f", solution=True),
            known(new_code_cell("assert f() == 1"), "f-tests", grade=True, locked=True, points=2),
            new_code_cell("try it here"),
            known(new_markdown_cell(QUESTION), "question", locked=True),
            known(
                new_markdown_cell("YOUR ANSWER HERE"), "words", grade=True, solution=True, points=2
            ),
            known(new_markdown_cell("# An experiment"), "text-2", locked=True),
            known(new_code_cell("# YOUR CODE HERE"), "try", grade=True, solution=True, points=1),
        ]
    )


@pytest.fixture
def released():
    return build()


@pytest.fixture
def submitted(released):
    return copy.deepcopy(released)


def sources(notebook):
    return [c.source for c in notebook.cells]


def named(notebook, grade_id):
    (cell,) = (
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )
    return cell


def runs(submitted, released):
    found, said = program(submitted, released)
    assert said == []
    return found


def stripped(notebook, *, ids):
    """As editors leave it that know nothing of nbgrader's marks, nor perhaps of ids."""
    for number, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({})
        if ids:
            cell.id = f"new-{number}"
    return notebook


def test_answers_are_kept_and_the_rest_is_as_released(submitted, released):
    for number, text in {0: "# Something else", 2: RIGHT, 3: "assert True", 4: "I tried",
                         6: "In my opinion"}.items():  # fmt: skip
        submitted.cells[number].source = text
    changed = submitted.cells[3].metadata.nbgrader
    changed.points, changed.locked, changed.solution = 1000, False, True
    found = in_order(submitted, released)
    expected = ["# Read this", SETUP, RIGHT, "assert f() == 1", "I tried", QUESTION,
                                  "In my opinion"]  # fmt: skip
    assert sources(found)[:7] == expected
    assert found.cells[3].metadata == released.cells[3].metadata
    nbformat.validate(found)


def test_everything_runs_in_her_order_and_tests_are_the_places(submitted, released):
    submitted.cells[2].source = RIGHT
    submitted.cells.insert(0, new_code_cell("first = 1"))
    submitted.cells.append(new_code_cell("last = 1"))
    assert runs(submitted, released) == Program(
        ("first = 1", SETUP, RIGHT, "try it here", "# YOUR CODE HERE", "last = 1"), {"f": 3}
    )


# --- Nothing that she did not write runs after what she wrote


@pytest.mark.parametrize("ids", [False, True])
def test_without_marks_cells_are_known_by_id_or_text(submitted, released, ids):
    submitted.cells[2].source = RIGHT
    submitted.cells[6].source = "Because."
    stripped(submitted, ids=ids)
    assert runs(submitted, released).cells.count(RIGHT) == 1
    assert EMPTY not in runs(submitted, released).cells
    assert runs(submitted, released).places == {"f": 2}
    found = in_order(submitted, released)
    assert "Because." in named(found, "words").source
    nbformat.validate(found)


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: [cells[0], cells[1], new_code_cell(RIGHT), *cells[3:]],
        lambda cells: [*cells[:2], *cells[3:], new_code_cell(RIGHT)],
        lambda cells: [new_code_cell(RIGHT), *cells[:2], *cells[3:]],
        lambda cells: [new_code_cell(RIGHT)],
    ],
    ids=["a cell of her own", "at the end", "at the top", "nothing else"],
)
def test_a_template_that_is_missing_is_not_run(submitted, released, change):
    submitted.cells = change(submitted.cells)
    found = runs(submitted, released)
    assert EMPTY not in found.cells
    assert RIGHT in found.cells
    shown = in_order(submitted, released)
    assert RIGHT in sources(shown)
    assert named(shown, "f").source == EMPTY  # shown, where it stood
    nbformat.validate(shown)


def test_merged_cells_run_as_they_are(submitted, released):
    submitted.cells[2].source = f"{RIGHT}\n\nassert f() == 1\n\ntry it here"
    del submitted.cells[3:5]
    assert runs(submitted, released) == Program(
        (SETUP, submitted.cells[2].source, "# YOUR CODE HERE"), {}
    )


def test_imports_added_to_the_given_cell_are_run(submitted, released):
    submitted.cells[1].source = f"{SETUP}\nimport math"
    assert runs(submitted, released).cells[0] == f"{SETUP}\nimport math"
    assert named(in_order(submitted, released), "setup").source == SETUP


def test_a_given_cell_that_is_gone_runs_before_all(submitted, released):
    del submitted.cells[1]
    assert runs(submitted, released).cells[0] == SETUP


def test_code_typed_into_a_test_cell_is_run(submitted, released):
    submitted.cells[3].source = f"{RIGHT}\nassert f() == 1"
    found = runs(submitted, released)
    assert found.cells[2] == submitted.cells[3].source
    assert found.places == {"f": 3}


@pytest.mark.parametrize("make", [new_markdown_cell, new_raw_cell])
def test_a_function_in_a_cell_that_became_text_is_run(submitted, released, make):
    submitted.cells[2] = make(RIGHT, metadata=submitted.cells[2].metadata)
    assert runs(submitted, released).cells[1] == RIGHT


def test_cells_that_are_doubled_count_once(submitted, released):
    double = copy.deepcopy(submitted.cells[3])
    double.source = "assert True"
    submitted.cells.append(double)
    found = in_order(submitted, released)
    assert names_of(submitted, released).count("f-tests") == 1
    assert found.cells[-1].metadata == {}
    nbformat.validate(found)


def test_a_cell_that_is_too_long_is_named_and_not_run(submitted, released):
    submitted.cells[4].source = "x = 1\n" * 10**6
    found, said = program(submitted, released)
    assert said == ["Cell 5 has 6,000,000 characters, and was not run: 200,000 are the most"]
    assert len(found.cells) == 3
    assert len(in_order(submitted, released).cells[4].source) < 21_000


# --- Words reach the teacher


@pytest.mark.parametrize("make", [new_code_cell, new_raw_cell])
@pytest.mark.parametrize("marks", [True, False])
def test_an_answer_that_became_code_or_raw_is_told(submitted, released, make, marks):
    text = "Because 13 < 4096 and <b>depth</b> doubles."
    kept = {"metadata": submitted.cells[6].metadata} if marks else {}
    submitted.cells[6] = make(text, **kept)
    found = named(in_order(submitted, released), "words").source
    assert "Because 13 < 4096 and < b>depth< /b> doubles." in found
    assert found.startswith("*(This answer stood ")


@pytest.mark.parametrize("left", ["YOUR ANSWER HERE", "", " \n"])
def test_an_answer_typed_into_the_question_is_told(submitted, released, left):
    submitted.cells[5].source = f"{QUESTION}\n\nBecause."
    submitted.cells[6].source = left
    found = in_order(submitted, released)
    assert named(found, "words").source == "*(This answer stood beside its own cell.)*\n\nBecause."
    assert named(found, "question").source == QUESTION


@pytest.mark.parametrize("place", [6, 7])
@pytest.mark.parametrize("make", [new_markdown_cell, new_raw_cell, new_code_cell])
def test_an_answer_in_a_cell_beside_it_is_told(submitted, released, place, make):
    submitted.cells.insert(place, make("Because."))
    found = in_order(submitted, released)
    assert named(found, "words").source == "*(This answer stood beside its own cell.)*\n\nBecause."
    assert "Because." in sources(found)  # where it stands, too


def test_an_answer_whose_cell_is_gone_is_told(submitted, released):
    submitted.cells[6] = new_markdown_cell("Because.")
    assert "Because." in named(in_order(submitted, released), "words").source


def test_an_answer_in_code_that_became_text_is_told(submitted, released):
    submitted.cells[8] = new_markdown_cell("plot(1)", metadata=submitted.cells[8].metadata)
    assert named(in_order(submitted, released), "try").source == (
        "# (This answer stood in a cell that has been turned into markdown.)\nplot(1)"
    )


def test_who_has_said_nothing_has_nothing_to_mark(submitted, released):
    found = in_order(submitted, released)
    assert [c.source for c in found.cells] == [c.source for c in released.cells]
    submitted.cells.insert(1, new_markdown_cell("My notes"))
    assert named(in_order(submitted, released), "words").source == "YOUR ANSWER HERE"


def test_pictures_in_an_answer_are_kept(submitted, released):
    submitted.cells[6].source = "![](attachment:a.gif) and ![](attachment:gone.png)"
    submitted.cells[6].attachments = {"a.gif": {"image/gif": "AAAA"}, "b": {"image/png": "AAAA"}}
    found = named(in_order(submitted, released), "words")
    assert found.source == ("![](attachment:picture-0) and (a picture that is not there: gone.png)")
    assert found.attachments == {"picture-0": {"image/gif": "AAAA"}}


# --- Whatever it is


def test_there_is_not_too_much_to_show(submitted, released):
    submitted.cells += [new_markdown_cell("[a]" * 10**4) for _ in range(10**3)]
    found = in_order(submitted, released)
    assert len(found.cells) <= 310
    assert sum(len(c.source) for c in found.cells) < 200_000


KINDS = ["code", "markdown", "raw", "heading"]
SOURCES = ["", RIGHT, "assert f() == 1", QUESTION, "Because.", "%%time\nx", "\ud83d"]
NAMES = [None, "f", "f-tests", "words", "question", "setup", "try", "other", 3]
OTHERS = [None, 3, [], {}, [{"output_type": "stream", "text": "x"}], {"a": {"image/png": "A"}}]
drawn_cells = st.lists(
    st.tuples(*map(st.sampled_from, (KINDS, SOURCES, NAMES, OTHERS))), max_size=12
)


@given(drawn_cells)
def test_whatever_cells_there_are_they_are_put_in_order(drawn):
    released = build()
    cells = [
        {"cell_type": kind, "source": source, "outputs": other, "attachments": other, "id": other,
         "metadata": {"nbgrader": {"grade_id": name} if name else other}}
        for kind, source, name, other in drawn
    ]  # fmt: skip
    submitted = read_notebook(json.dumps({"cells": cells}).encode())
    found, runs = in_order(submitted, released), program(submitted, released)[0]
    nbformat.validate(found)
    nbformat.writes(found).encode()
    for cell in released.cells:
        if name := cell.metadata.get("nbgrader", {}).get("grade_id"):
            assert named(found, name).metadata == cell.metadata
    assert EMPTY not in runs.cells
    assert all(0 <= place <= len(runs.cells) for place in runs.places.values())
    hers = [c.source for c in submitted.cells if c.cell_type == "code"]
    assert all(source in runs.cells for source in hers if source != "assert f() == 1")
