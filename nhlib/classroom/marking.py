"""Mark a folder of submissions, and enter the marks into the grade book."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from nhlib._files import replacing
from nhlib._progress import progress_bar
from nhlib.classroom.assignments import Assignment, graded_cells
from nhlib.classroom.course import Course
from nhlib.classroom.submissions import (
    Submission,
    UnreadableError,
    answers,
    find_submissions,
    in_order,
    read_notebook,
)
from nhlib.classroom.tasks import Mark

SCHEME = "**Mark scheme**"
SAMPLE = "**A sample answer**"


@dataclass(frozen=True)
class Marks:
    """What one submission earned on the functions of an assignment.

    Parameters
    ----------
    student : str
    key : str
        A digest of all that the marks depend on: when it is the same, so are they.
    marks : list of Mark
    problem : str
        Why the file could not be read, if so.
    """

    student: str
    key: str
    marks: list[Mark]
    problem: str = ""


def grade(course: Course, assignment: Assignment, folder: Path) -> list[Marks]:
    """Mark all submissions of an assignment, and write grade book and feedback.

    What has been marked already, and has not changed, is left alone; so this can be stopped at any
    moment and started again, and comes to the same marks. Marks and comments that people have given
    by hand are kept.

    Parameters
    ----------
    course : Course
    assignment : Assignment
        One that has been released in the course.
    folder : Path
        The submissions, as `find_submissions` finds them; they are only read.

    Returns
    -------
    list of Marks
        In the order of the students' names.

    Raises
    ------
    FileNotFoundError
        When the assignment has not been released, or there are no submissions.
    nhlib.classroom.sandbox.SandboxError
        When there is no sandbox to run students' code in.
    """
    if not course.released(assignment).is_file():
        raise FileNotFoundError(
            f"{assignment.name} has not been released in {course.folder}: "
            f"run `python -m nhlib.classroom release {assignment.name}`"
        )
    released = nbformat.read(course.released(assignment), as_version=4)
    submissions = find_submissions(folder, assignment.name)
    secret = course.secret
    for task in assignment.tasks:
        task.questions(secret)  # once, before the threads want them
    common = hashlib.sha256(
        b"\0".join([secret.encode(), (assignment.folder / "checks.py").read_bytes(),
                    course.released(assignment).read_bytes()])
    ).hexdigest()  # fmt: skip

    done: list[Marks] = []
    todo: list[tuple[Submission, str]] = []
    for submission in submissions:
        key = hashlib.sha256(common.encode() + _digest(submission.path)).hexdigest()
        before = read_marks(course, assignment, submission.student)
        if before is not None and before.key == key:
            done.append(before)
        else:
            todo.append((submission, key))

    with (
        progress_bar("marking", len(todo), "submissions") as bar,
        ThreadPoolExecutor(os.cpu_count()) as pool,  # each waits for processes of its own
    ):
        jobs = [pool.submit(_mark, s, key, assignment, released, secret) for s, key in todo]
        try:
            for job in as_completed(jobs):
                marks, notebook = job.result()
                course.enter(assignment, marks.student, notebook)
                _write_marks(course, assignment, marks)  # last: now it is done
                done.append(marks)
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    course.feedback(assignment)
    return sorted(done, key=lambda m: m.student)


def read_marks(course: Course, assignment: Assignment, student: str) -> Marks | None:
    """What `grade` has found for a student, if it has.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    student : str

    Returns
    -------
    Marks or None
    """
    file = _marks_file(course, assignment, student)
    if not file.exists():
        return None
    found = json.loads(file.read_text())
    return Marks(**found | {"marks": [Mark(**m) for m in found["marks"]]})


def _marks_file(course: Course, assignment: Assignment, student: str) -> Path:
    return course.folder / "marks" / assignment.name / f"{student}.json"


def _write_marks(course: Course, assignment: Assignment, marks: Marks) -> None:
    file = _marks_file(course, assignment, marks.student)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as partial:
        partial.write_text(json.dumps(asdict(marks), indent=1))


def _digest(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        return b"no file"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _mark(
    submission: Submission, key: str, assignment: Assignment, released: NotebookNode, secret: str
) -> tuple[Marks, NotebookNode]:
    """Mark one submission; the notebook for the grade book has the points in its tests' outputs."""
    problem = ""
    try:
        submitted = read_notebook(submission.path)
    except UnreadableError as e:
        problem = f"What was handed in could not be read: {e}."
        submitted = released
    notebook = in_order(submitted, released)
    code = answers(notebook)
    marks = [task.mark(code, secret=secret) for task in assignment.tasks]
    cells = dict(graded_cells(notebook))
    for mark in marks:
        cell = cells[f"{mark.task}-tests"]
        cell.outputs = [
            new_output("stream", name="stdout", text=mark.words() + "\n"),
            new_output("execute_result", data={"text/plain": str(mark.points)}),
        ]
    if problem:
        notebook.cells.insert(0, new_markdown_cell(f"**{problem}**"))
    notebook.cells = list(_with_schemes(notebook.cells, assignment.notebook))
    return Marks(submission.student, key, marks, problem), notebook


def _with_schemes(cells: Sequence[NotebookNode], source: NotebookNode) -> Iterator[NotebookNode]:
    """Put what a hand-marked answer is marked by below it, without the sample answer."""
    schemes = dict(graded_cells(source))
    for cell in cells:
        yield cell
        known = cell.metadata.get("nbgrader", {})
        if known.get("grade") and known.get("solution"):
            text = schemes[known["grade_id"]].source
            if cell.cell_type == "code":  # there it is a comment, up to the first line that is none
                after = text[text.index("# Mark scheme") :].splitlines()[1:]
                lines = [SCHEME, ""]
                for line in after:
                    if not line.strip().startswith("#"):
                        break
                    lines.append(line.strip().lstrip("# "))
                text = "\n".join(lines)
            yield new_markdown_cell(text.partition(SAMPLE)[0].strip())
