"""Mark a folder of submissions, and enter the marks into the grade book."""

import hashlib
import json
import os
import platform
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from nhlib._files import replacing
from nhlib._progress import progress_bar
from nhlib.classroom.assignments import Assignment, graded_cells
from nhlib.classroom.collection import Submission, find_submissions, readable
from nhlib.classroom.course import Course, GradeBookError
from nhlib.classroom.feedback import write_feedback
from nhlib.classroom.notebooks import UnreadableError, read_bytes, read_notebook
from nhlib.classroom.order import in_order, program
from nhlib.classroom.tasks import Mark, mark

SCHEME = "**Mark scheme**"
LATER = "It took too long among others, and was not tried alone: grade again."
SAMPLE = "**A sample answer**"
HERE = Path(__file__).parent
ALONE = 120.0  # seconds of work of a batch, for what took too long once more


@dataclass(frozen=True)
class Marks:
    """What one submission earned on the functions of an assignment.

    Parameters
    ----------
    student : str
    key : str
        A digest of all that the marks depend on: when it is the same, so are they. Empty when they
        are not to be relied on, since something went wrong or took too long.
    marks : list of Mark
    problem : str
        What went wrong with the submission, if anything did.
    """

    student: str
    key: str
    marks: list[Mark]
    problem: str = ""


def grade(course: Course, assignment: Assignment, folder: Path) -> tuple[list[Marks], list[str]]:
    """Mark all submissions of an assignment, and write grade book and feedback.

    What has been marked already, and has not changed, is left alone; so this can be stopped at any
    moment and started again, and comes to the same marks. Marks and comments that people have given
    by hand are kept. Whatever goes wrong with one submission is told in its ``problem``.

    Parameters
    ----------
    course : Course
    assignment : Assignment
        One that has been released in the course.
    folder : Path
        The submissions, as `find_submissions` finds them; they are only read.

    Returns
    -------
    tuple of list of Marks, list of str
        In the order of the students' names, and what else there is to say about the folder.

    Raises
    ------
    FileNotFoundError
        When the assignment has not been released, or there are no submissions.
    RuntimeError
        When another grader is at work, or the grade book can't be used.
    """
    if not course.released(assignment).is_file():
        raise FileNotFoundError(
            f"{assignment.name} has not been released in {course.folder}: "
            f"run `python -m nhlib.classroom release {assignment.name}`"
        )
    found = find_submissions(folder, assignment.name)
    with course.lock():
        batch = _Batch(course, assignment)
        done = {marks.student: marks for marks in batch.all(found.submissions)}
        for student, problem in write_feedback(course, assignment).items():
            if student in done:
                done[student] = replace(done[student], problem=problem)
    return [done[student] for student in sorted(done)], found.notes


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
    try:
        found = json.loads(_marks_file(course, assignment, student).read_text())
        return Marks(**found | {"marks": [Mark(**m) for m in found["marks"]]})
    except (OSError, ValueError, TypeError, KeyError):  # there is none, or half of one
        return None


def _marks_file(course: Course, assignment: Assignment, student: str) -> Path:
    return course.folder / "marks" / assignment.name / f"{student}.json"


def _write_marks(course: Course, assignment: Assignment, marks: Marks) -> None:
    file = _marks_file(course, assignment, marks.student)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as partial:
        partial.write_text(json.dumps(asdict(marks), indent=1))


class _Batch:
    """All submissions of an assignment, marked side by side."""

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self._course, self._assignment = course, assignment
        self._released = nbformat.read(course.released(assignment), as_version=4)
        self._secret = course.secret
        self._entered = course.entered(assignment)
        self._entering = threading.Lock()  # the grade book has room for one at a time
        self._left = ALONE
        self._slow: list[tuple[int, float, Submission, Marks]] = []  # points, seconds, whose
        code = [file.read_bytes() for file in sorted(HERE.rglob("*.py"))]
        versions = f"{platform.python_version()} {np.__version__} {nbformat.__version__}"
        self._common = hashlib.sha256(
            b"\0".join([self._secret.encode(), (assignment.folder / "checks.py").read_bytes(),
                        course.released(assignment).read_bytes(), versions.encode(), *code])
        ).digest()  # fmt: skip
        for task in assignment.tasks:
            task.questions(self._secret)  # once, before the threads want them

    def all(self, submissions: Sequence[Submission]) -> Iterator[Marks]:
        """Mark each; then those that took too long once more, each alone, the best first."""
        with (
            progress_bar("marking", len(submissions), "submissions") as bar,
            ThreadPoolExecutor(_cores()) as pool,  # each waits for a process
        ):
            jobs = [pool.submit(self._one, submission) for submission in submissions]
            try:
                for job in as_completed(jobs):
                    yield job.result()
                    bar.update()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        again = sorted(self._slow, key=lambda s: (-s[0], s[1]))
        with progress_bar("once more, alone", len(again), "submissions", bool(again)) as bar:
            for _, _, submission, marks in again:
                if self._left > 0:
                    yield self._one(submission, alone=True)
                else:
                    yield replace(marks, problem=f"{marks.problem} {LATER}".strip())
                bar.update()

    def _one(self, submission: Submission, *, alone: bool = False) -> Marks:
        """Read, mark and enter a submission: the one place for whatever goes wrong with it."""
        try:
            return self._marked(submission, alone=alone)
        except GradeBookError:
            raise
        except Exception as e:
            nothing = [Mark(task.name, 0, task.points) for task in self._assignment.tasks]
            problem = f"could not be marked: {type(e).__name__}: {readable(str(e)[:200])}"
            return Marks(submission.student, "", nothing, problem)

    def _marked(self, submission: Submission, *, alone: bool) -> Marks:
        problems, student, data = [], submission.student, b""
        try:
            data = read_bytes(submission.path)
            submitted = read_notebook(data)
        except UnreadableError as e:
            problems = [f"What was handed in could not be read: {e}."]
            submitted = self._released
        key = hashlib.sha256(self._common + "".join(problems).encode() + data).hexdigest()
        before = read_marks(self._course, self._assignment, student)
        if before is not None and before.key == key and student in self._entered:
            return before
        runs, left_out = program(submitted, self._released)
        tasks = self._assignment.tasks
        marks, slow = mark(tasks, runs, secret=self._secret, patient=not alone)
        self._left -= slow if alone else 0.0
        if alone and slow and before is not None:  # it was not the others' weight
            return before
        lost = slow and any(m.points < m.possible for m in marks)
        found = Marks(student, "" if lost else key, marks, " ".join(problems + left_out))
        if lost and not alone:
            self._slow.append((sum(m.points for m in marks), slow, submission, found))
        notebook = self._page(found, submitted)
        with self._entering:
            self._course.enter(self._assignment, student, notebook)
            _write_marks(self._course, self._assignment, found)  # last: now it is done
        return found

    def _page(self, marks: Marks, submitted: NotebookNode) -> NotebookNode:
        """The notebook for the grade book, with the points in its tests' outputs."""
        notebook = in_order(submitted, self._released)
        cells = dict(graded_cells(notebook))
        for m in marks.marks:
            cells[f"{m.task}-tests"].outputs = [
                new_output("stream", name="stdout", text=m.words() + "\n"),
                new_output("execute_result", data={"text/plain": str(m.points)}),
            ]
        if marks.problem:
            notebook.cells.insert(0, new_markdown_cell(f"**{marks.problem}**", id="problem"))
        notebook.cells = list(_with_schemes(notebook.cells, self._assignment.notebook))
        return notebook


def _cores() -> int:
    """How many processors this process may use, as far as the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
            name = f"scheme-{known['grade_id']}"
            yield new_markdown_cell(text.partition(SAMPLE)[0].strip(), id=name)
