"""A class from release to feedback, with the submissions that a teacher hopes never to see."""

import copy
import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_output
from nbgrader.converters.base import BaseConverter
from students import HOSTILE, with_code

from nhlib.classroom import kernel, marking, room
from nhlib.classroom.__main__ import main
from nhlib.classroom.assignments import graded_cells, load_assignment
from nhlib.classroom.collection import student_name
from nhlib.classroom.course import Course

pytestmark = pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning")
ROOT = Path(__file__).parents[2]
ASSIGNMENTS = ROOT / "book" / "assignments"
NAME = "1-regions-on-a-line"
ASSIGNMENT = load_assignment(ASSIGNMENTS / NAME)
POINTS = {"kinks": 5, "slopes": 5, "pieces": 6}


@pytest.fixture(scope="module")
def released(tmp_path_factory, worker_id):
    """A course in which the assignment is released; copied, since releasing takes a while."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent  # of all processes that test
    folder = shared / "released"
    with FileLock(shared / "released.lock"):
        if not (folder / "secret.txt").is_file():
            assert run(folder, "release", NAME) == 0
            (folder / "secret.txt").write_text("tests\n")
    return folder


@pytest.fixture
def course(released, tmp_path):
    shutil.copytree(released, tmp_path / "course")
    return Course(tmp_path / "course")


def run(folder, *arguments):
    return main(["--course", str(folder), "--assignments", str(ASSIGNMENTS), *map(str, arguments)])


def notebook(course, kind):
    return nbformat.read(course.folder / kind / NAME / f"{NAME}.ipynb", as_version=4)


def hand_in(folder, student, content):
    folder.mkdir(exist_ok=True)
    path = folder / f"{student}.ipynb"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        nbformat.write(content, path)
    return path


def grades(course):
    with (course.folder / "grades.csv").open() as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def marks(course, student):
    return json.loads((course.folder / "marks" / NAME / f"{student}.json").read_text())


def feedback(course, student):
    return (course.folder / "feedback" / student / NAME / f"{NAME}.html").read_text()


def test_students_get_no_solutions_and_the_teacher_does(course):
    student, teacher = notebook(course, "release"), notebook(course, "solution")
    text = "\n".join(c.source for c in student.cells)
    assert "SOLUTION" not in text
    assert "Mark scheme" not in text
    assert text.count("raise NotImplementedError()") == len(POINTS)
    solved = dict(graded_cells(teacher))
    assert "np.unique" in solved["kinks"].source
    assert "**Mark scheme**" in solved["words"].source
    assert any(
        o.get("data", {}).get("image/png") for c in teacher.cells for o in c.get("outputs", [])
    )
    assert (course.folder / "secret.txt").stat().st_mode & 0o077 == 0


def test_solution_empty_and_half_finished(course, tmp_path, capsys):
    subs = tmp_path / "subs"
    hand_in(subs, "solved", notebook(course, "solution"))
    hand_in(subs, "empty", notebook(course, "release"))
    half = notebook(course, "release")
    cells = dict(graded_cells(half))
    cells["kinks"].source = dict(graded_cells(notebook(course, "solution")))[
        "kinks"
    ].source.replace("np.unique", "np.sort")
    cells["words"].source = "Because it folds."
    half.cells = [
        c for c in half.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "slopes"
    ]
    hand_in(subs, "half", half)
    assert run(course.folder, "grade", NAME, subs) == 0
    assert "half                             4 of 16" in capsys.readouterr().out

    found = grades(course)
    assert [(found[s]["points"], found[s]["possible"]) for s in ("solved", "empty", "half")] == [
        ("16", "20"), ("0", "20"), ("4", "20"),
    ]  # fmt: skip
    assert [found[s]["to_mark_by_hand"] for s in ("solved", "empty", "half")] == [
        "yes",
        "no",
        "yes",
    ]
    kinks, slopes, _ = marks(course, "half")["marks"]
    assert kinks["failed"] == {"units that fold at the same place": "another shape"}
    assert kinks["hint"] == "counts a place twice when two units fold there"
    assert set(slopes["failed"].values()) == {"there is no function `slopes`"}
    page = feedback(course, "half")
    assert "counts a place twice when two units fold there" in page
    assert "Mark scheme" in page
    assert "A sample answer" not in page
    statistics = (course.folder / "statistics" / f"{NAME}.html").read_text()
    assert "<td class=n>3.0 of 5</td><td class=n>1</td><td class=n>1</td>" in statistics
    assert "1 × <code>kinks</code>: counts a place twice" in statistics


def test_the_hostile_earn_nothing_and_harm_nothing(course, tmp_path, capsys, monkeypatch):
    for limit in ("STATEMENT", "STATEMENTS", "CALL", "CALLS"):
        monkeypatch.setattr(kernel, limit, 0.4)
    subs = tmp_path / "subs"
    for student, source in HOSTILE.items():
        hand_in(subs, student, with_code(ASSIGNMENT, notebook(course, "release"), source))
    edited = notebook(course, "release")
    for name, cell in graded_cells(edited):
        if name.endswith("-tests"):
            cell.source = "10**6"
            cell.outputs = [new_output("execute_result", data={"text/plain": "1000000"})]
            cell.metadata.nbgrader.points = 10**6
    hand_in(subs, "edited-tests", edited)
    gone = notebook(course, "release")
    gone.cells = [new_code_cell("print('where are they?')")]
    hand_in(subs, "deleted-cells", gone)
    script = notebook(course, "release")
    dict(graded_cells(script))[
        "words"
    ].source = "<script>alert(1)</script><img src=x onerror=alert(1)>[click](javascript:alert(1))"
    hand_in(subs, "script", script)
    for name, data in {
        "no-json": b"\x80\x81",
        "nested": b"[" * 10**5,
        "no-notebook": b"{}",
    }.items():
        hand_in(subs, name, data)
    (subs / "link.ipynb").symlink_to("/etc/passwd")
    hand_in(subs, "zoe", notebook(course, "solution"))

    before = {
        p: p.stat().st_mtime_ns for p in ASSIGNMENTS.rglob("*.*") if "__pycache__" not in str(p)
    }
    assert run(course.folder, "grade", NAME, subs) == 0
    found = grades(course)
    assert len(found) == len(HOSTILE) + 8
    assert {s for s, row in found.items() if row["points"] != "0"} == {"zoe"}
    assert found["zoe"]["points"] == "16"  # the last in the batch
    assert {p: p.stat().st_mtime_ns for p in before} == before
    for harmed in (Path("/tmp/harm"), Path.home() / "harm", Path("/harm")):
        assert not harmed.exists()
    page = feedback(course, "script")
    assert "<script>alert" not in page
    assert "<img src" not in page
    assert 'href="javascript' not in page
    assert "root:x:0" not in feedback(course, "link")
    assert "it is a link" in feedback(course, "link")
    assert "could not be read" in feedback(course, "nested")
    assert (
        "Files that could not be read: link, nested, no-json, no-notebook."
        in (course.folder / "statistics" / f"{NAME}.html").read_text()
    )
    capsys.readouterr()


def test_twice_is_the_same_and_only_what_changed_is_marked_again(course, tmp_path, capsys):
    subs = tmp_path / "subs"
    for student in ("ada", "bob"):
        hand_in(subs, student, notebook(course, "solution"))
    assert run(course.folder, "grade", NAME, subs) == 0
    first = grades(course)
    with course.gradebook() as book:  # a teacher marks by hand
        grade = book.find_grade("words", NAME, NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 3, False
        book.find_comment("words", NAME, NAME, "ada").manual_comment = "Well observed"
        book.db.commit()
    files = {s: course.folder / "marks" / NAME / f"{s}.json" for s in first}
    stamps = {s: f.stat().st_mtime_ns for s, f in files.items()}
    hand_in(subs, "bob", notebook(course, "release"))
    assert run(course.folder, "grade", NAME, subs) == 0
    assert files["ada"].stat().st_mtime_ns == stamps["ada"]
    assert files["bob"].stat().st_mtime_ns != stamps["bob"]
    second = grades(course)
    assert (second["ada"]["points"], second["ada"]["to_mark_by_hand"]) == ("19", "no")
    assert second["bob"]["points"] == "0"
    assert "Well observed" in feedback(course, "ada")
    pages = {s: (course.folder / "feedback" / s / NAME / f"{NAME}.html") for s in first}
    stamps = {s: page.stat().st_mtime_ns for s, page in pages.items()}
    assert run(course.folder, "grade", NAME, subs) == 0  # nothing has changed
    assert {s: page.stat().st_mtime_ns for s, page in pages.items()} == stamps
    with course.gradebook() as book:
        book.find_comment("words", NAME, NAME, "ada").manual_comment = "Very well observed"
        book.db.commit()
    assert run(course.folder, "grade", NAME, subs) == 0
    assert "Very well observed" in feedback(course, "ada")
    assert pages["bob"].stat().st_mtime_ns == stamps["bob"]
    # Another way of getting there: everything anew, with the same secret.
    shutil.rmtree(course.folder / "marks")
    hand_in(subs, "bob", notebook(course, "solution"))
    assert run(course.folder, "grade", NAME, subs) == 0
    assert grades(course)["bob"] == first["bob"]
    assert grades(course)["ada"]["points"] == "19"
    capsys.readouterr()


def test_a_killed_batch_goes_on_where_it_was(course, tmp_path):
    subs = tmp_path / "subs"
    for i in range(6):
        hand_in(subs, f"student-{i}", notebook(course, "solution"))
    command = [sys.executable, "-m", "nhlib.classroom", "--course", str(course.folder),
               "--assignments", str(ASSIGNMENTS), "grade", NAME, str(subs)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = course.folder / "marks" / NAME
    deadline = time.monotonic() + 60
    while not (folder.is_dir() and list(folder.glob("*.json"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {f: f.stat().st_mtime_ns for f in folder.glob("*.json")}
    assert done
    again = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert again.stdout.count("16 of 16") == 6
    assert {f: f.stat().st_mtime_ns for f in done} == done
    assert all(row["points"] == "16" for row in grades(course).values())
    assert not list(course.folder.rglob("*.partial"))


def test_released_again_answers_are_kept_apart(course, tmp_path, capsys):
    """A teacher who changes the secret gets other inputs, and the same marks for right answers."""
    subs = tmp_path / "subs"
    hand_in(subs, "ada", notebook(course, "solution"))
    assert run(course.folder, "grade", NAME, subs) == 0
    key = marks(course, "ada")["key"]
    (course.folder / "secret.txt").write_text("another")
    assert run(course.folder, "grade", NAME, subs) == 0
    assert marks(course, "ada")["key"] != key
    assert grades(course)["ada"]["points"] == "16"
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grade", "7-none", "subs"], "no assignment '7-none'; there are 1-"),
        (["grade", NAME, "nowhere"], "there is no folder nowhere"),
        (["release", "7-none"], "no assignment '7-none'"),
    ],
)
def test_errors_say_what_would_work(course, capsys, arguments, message):
    assert run(course.folder, *arguments) == 1
    assert message in capsys.readouterr().err


def test_what_is_missing_is_named(course, tmp_path, capsys):
    subs = tmp_path / "subs"
    hand_in(subs, "ada", notebook(course, "solution"))
    assert run(tmp_path / "other", "grade", NAME, subs) == 1
    assert f"run `python -m nhlib.classroom release {NAME}`" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
    (course.folder / "secret.txt").unlink()
    assert run(course.folder, "grade", NAME, subs) == 1
    assert "secret.txt is missing" in capsys.readouterr().err
    assert main(["--assignments", str(tmp_path), "release"]) == 1
    assert "no assignments in" in capsys.readouterr().err


def test_a_grader_without_a_sandbox_gives_no_marks(course, tmp_path, capsys, monkeypatch):
    subs = tmp_path / "subs"
    hand_in(subs, "ada", notebook(course, "solution"))
    room._room.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    assert run(course.folder, "grade", NAME, subs) == 1
    assert "apt install bubblewrap" in capsys.readouterr().err
    assert not (course.folder / "marks").exists()


def test_the_button_of_nbgrader_runs_no_code(course, tmp_path):
    target = course.folder / "submitted" / "ada" / NAME
    target.mkdir(parents=True)
    changed = with_code(
        ASSIGNMENT,
        notebook(course, "release"),
        f"open({str(tmp_path / 'ran')!r}, 'w')\ndef {{f}}(*a): pass",
    )
    nbformat.write(changed, target / f"{NAME}.ipynb")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", NAME],
        cwd=course.folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "python -m nhlib.classroom grade" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_an_assignment_whose_files_disagree_is_refused(tmp_path):
    folder = tmp_path / NAME
    shutil.copytree(ASSIGNMENTS / NAME, folder)
    original = load_assignment(folder).notebook
    wrong = copy.deepcopy(original)
    dict(graded_cells(wrong))["kinks-tests"].metadata.nbgrader.points = 7
    nbformat.write(wrong, folder / f"{NAME}.ipynb")
    with pytest.raises(ValueError, match=r"gives 7 points for kinks, and .* checks.py 5"):
        load_assignment(folder)
    wrong.cells = [
        c for c in wrong.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "kinks"
    ]
    nbformat.write(wrong, folder / f"{NAME}.ipynb")
    with pytest.raises(ValueError, match="no cell with the grade_id 'kinks'"):
        load_assignment(folder)
    with pytest.raises(FileNotFoundError, match="it has no checks.py"):
        load_assignment(tmp_path)


# --- Whatever goes wrong with one submission is that submission's


def test_names_as_they_come(course, tmp_path, capsys):
    names = [
        "ada",
        "ada[1]",
        "<img src=x onerror=alert(1)>",
        "..",
        "*",
        "caf\udce9",
        "Kim\nLee",
        "é" * 124,
    ]
    for name in names:
        hand_in(tmp_path / "subs", name, notebook(course, "solution"))
    before = sorted(p for p in tmp_path.rglob("*") if course.folder not in p.parents)
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    said = capsys.readouterr().out
    assert said.count("16 of 16") == len(names)
    assert said.count(" is called ") == len(names) - 1
    assert set(grades(course)) == set(map(student_name, names))
    for name in names:
        assert "5 of 5 points" in feedback(course, student_name(name))
    assert sorted(p for p in tmp_path.rglob("*") if course.folder not in p.parents) == before


def test_files_as_they_come_harm_nobody_else(course, tmp_path, capsys):
    subs, solved = tmp_path / "subs", notebook(course, "solution")
    text = nbformat.writes(solved)
    assert "folds once" not in text
    for student, data in {
        "half-emoji": text.replace("import numpy", r"x = '\ud83d'\nimport numpy"),
        "marked": "\ufeff" + text,
        "no-metadata": json.dumps({"cells": json.loads(text)["cells"]}),
        "fine": text,
    }.items():
        hand_in(subs, student, data.encode())
    hand_in(subs, "wide", text.encode("utf-16"))
    lost = copy.deepcopy(solved)
    dict(graded_cells(lost))["words"].source = "![](attachment:gone.png) <b>so</b>"
    hand_in(subs, "lost-picture", lost)
    moved = copy.deepcopy(solved)
    cells = dict(graded_cells(moved))
    cells["words"].cell_type, cells["words"].source = "raw", "Because it folds."
    hand_in(subs, "moved", moved)
    (subs / "._fine.ipynb").write_bytes(b"\0\5\x16\7")
    assert run(course.folder, "grade", NAME, subs) == 0
    found = grades(course)
    assert len(found) == 7
    assert {row["points"] for row in found.values()} == {"16"}
    assert found["moved"]["to_mark_by_hand"] == "yes"
    assert "Because it folds." in feedback(course, "moved")
    assert "a picture that is not there: gone.png" in feedback(course, "lost-picture")
    capsys.readouterr()


@pytest.mark.parametrize("step", ["read_notebook", "program", "mark", "in_order"])
def test_one_place_catches_what_goes_wrong(course, tmp_path, capsys, monkeypatch, step):
    subs = tmp_path / "subs"
    for student in ("ada", "bob"):
        released = notebook(course, "release")
        released.cells[-1].source = student
        hand_in(subs, student, released)
    real = getattr(marking, step)

    def failing(*arguments, **others):
        if "bob" in str(arguments[0 if step != "mark" else 1]):
            raise ZeroDivisionError("of bob's")
        return real(*arguments, **others)

    monkeypatch.setattr(marking, step, failing)
    assert run(course.folder, "grade", NAME, subs) == 0
    assert (
        "bob                              0 of 16  could not be marked: ZeroDivisionError: of bob"
        in (capsys.readouterr().out)
    )
    assert set(grades(course)) == {"ada"}
    monkeypatch.undo()
    assert run(course.folder, "grade", NAME, subs) == 0
    assert set(grades(course)) == {"ada", "bob"}
    capsys.readouterr()


def test_a_page_that_cannot_be_made_is_named(course, tmp_path, capsys, monkeypatch):
    subs = tmp_path / "subs"
    for student in ("ada", "bob"):
        hand_in(subs, student, notebook(course, "release"))
    real = BaseConverter.convert_single_notebook

    def failing(self, name):
        if "/bob/" in name:
            raise ZeroDivisionError("of bob's")
        return real(self, name)

    monkeypatch.setattr(BaseConverter, "convert_single_notebook", failing)
    assert run(course.folder, "grade", NAME, subs) == 0
    assert "the page of feedback could not be made (ZeroDivisionError: of bob's)" in (
        capsys.readouterr().out
    )
    assert "0 of 5 points" in feedback(course, "ada")
    monkeypatch.undo()
    assert run(course.folder, "grade", NAME, subs) == 0  # and is made as soon as it can be
    assert "0 of 5 points" in feedback(course, "bob")
    capsys.readouterr()


def test_a_file_of_marks_that_was_cut_off_is_written_again(course, tmp_path, capsys):
    subs = tmp_path / "subs"
    hand_in(subs, "ada", notebook(course, "solution"))
    assert run(course.folder, "grade", NAME, subs) == 0
    file = course.folder / "marks" / NAME / "ada.json"
    whole = file.read_text()
    for rest in ("", whole[:100], "[]", "{}", "null"):
        file.write_text(rest)
        assert run(course.folder, "grade", NAME, subs) == 0
        assert file.read_text() == whole
    capsys.readouterr()


# --- The course itself


def test_two_graders_do_not_meet(course, tmp_path, capsys):
    hand_in(tmp_path / "subs", "ada", notebook(course, "release"))
    with Course(course.folder).lock():
        assert run(course.folder, "grade", NAME, tmp_path / "subs") == 1
        assert run(course.folder, "release", NAME) == 1
    assert capsys.readouterr().err.count("another grader is at work in") == 2
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    capsys.readouterr()


def test_a_grade_book_that_is_in_use_lost_or_broken_is_named(course, tmp_path, capsys):
    hand_in(tmp_path / "subs", "ada", notebook(course, "solution"))
    book, course_run = (
        course.folder / "gradebook.db",
        (course.folder, "grade", NAME, tmp_path / "subs"),
    )
    with closing(sqlite3.connect(book)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert run(*course_run) == 1
    assert "close what else uses it" in capsys.readouterr().err
    assert run(*course_run) == 0
    kept = book.read_bytes()
    book.write_bytes(b"no data base" * 1000)
    assert run(*course_run) == 1
    assert "restore it from a backup" in capsys.readouterr().err
    book.unlink()
    assert run(*course_run) == 1
    assert "gradebook.db is missing: restore it from a backup, or run" in capsys.readouterr().err
    assert not book.exists()
    assert run(course.folder, "release", NAME) == 0  # without a backup
    (course.folder / "secret.txt").write_text("tests\n")
    assert run(*course_run) == 0
    assert grades(course)["ada"]["points"] == "16"
    book.write_bytes(kept)
    assert run(*course_run) == 0
    capsys.readouterr()


def test_marks_are_remembered_of_this_grader_only(course, tmp_path, capsys, monkeypatch):
    hand_in(tmp_path / "subs", "ada", notebook(course, "solution"))
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    key = marks(course, "ada")["key"]
    shutil.copytree(marking.HERE, tmp_path / "mended")
    with (tmp_path / "mended" / "inside" / "wire.py").open("a") as file:
        file.write("# mended")
    monkeypatch.setattr(marking, "HERE", tmp_path / "mended")
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    assert marks(course, "ada")["key"] != key
    capsys.readouterr()


# --- Time


def slow_at_first(monkeypatch, times):
    """A machine on which the first markings take too long."""
    real, seen = marking.mark, []

    def mark(tasks, program, *, secret, patient=True):
        seen.append(patient)
        found, _ = real(tasks, program, secret=secret, patient=patient)
        if len(seen) <= times:
            return [
                replace(found[0], points=0, failed={"all": "it took too long"}),
                *found[1:],
            ], True
        return found, False

    monkeypatch.setattr(marking, "mark", mark)
    return seen


def test_what_took_too_long_is_tried_once_more_alone(course, tmp_path, capsys, monkeypatch):
    hand_in(tmp_path / "subs", "ada", notebook(course, "solution"))
    seen = slow_at_first(monkeypatch, 1)
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    assert seen == [True, False]
    assert grades(course)["ada"]["points"] == "16"
    assert marks(course, "ada")["key"]
    capsys.readouterr()


def test_only_so_many_are_tried_again_the_best_first(course, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(marking, "ALONE", 0.5)
    monkeypatch.setattr(kernel, "CALL", 0.5)
    monkeypatch.setattr(kernel, "CALLS", 0.5)
    endless = HOSTILE["endless"]
    for student in ("bob", "cleo"):
        hand_in(
            tmp_path / "subs", student, with_code(ASSIGNMENT, notebook(course, "release"), endless)
        )
    solved = notebook(course, "solution")
    dict(graded_cells(solved))["pieces"].source = endless.replace("{f}", "pieces")
    hand_in(tmp_path / "subs", "zoe", solved)
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    lines = {
        line.split()[0]: line for line in capsys.readouterr().out.splitlines() if " of 16" in line
    }
    assert lines["zoe"].endswith("10 of 16")
    for student in ("bob", "cleo"):
        assert lines[student].endswith("tried alone: grade again.")


def test_that_it_took_too_long_is_not_remembered(course, tmp_path, capsys, monkeypatch):
    hand_in(tmp_path / "subs", "ada", notebook(course, "solution"))
    seen = slow_at_first(monkeypatch, 2)
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    assert grades(course)["ada"]["points"] == "11"
    assert "it took too long" in feedback(course, "ada")
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    assert seen == [True, False, True]
    assert grades(course)["ada"]["points"] == "16"
    assert "it took too long" not in feedback(course, "ada")
    capsys.readouterr()


def test_an_experiment_that_was_stopped_costs_nothing(course, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(kernel, "STATEMENT", 0.5)
    solved = notebook(course, "solution")
    solved.cells.insert(2, new_code_cell("while True: pass"))
    hand_in(tmp_path / "subs", "ada", solved)
    assert run(course.folder, "grade", NAME, tmp_path / "subs") == 0
    assert marks(course, "ada")["key"]
    assert grades(course)["ada"]["points"] == "16"
    capsys.readouterr()
