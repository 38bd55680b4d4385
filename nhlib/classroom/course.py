"""A course on a teacher's disk, kept in nbgrader's layout."""

import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import GenerateAssignment, GenerateSolution
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import capture_log, temp_attrs
from sqlalchemy.exc import DatabaseError, OperationalError
from traitlets.config import Config

from nhlib._files import replacing
from nhlib.classroom.assignments import Assignment

CONFIG = '''\
"""nbgrader's settings for this course, made by ``python -m nhlib.classroom release``."""

from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "neural-codes"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
# Code is marked by ``python -m nhlib.classroom grade``, in a sandbox. nbgrader's own way runs it in
# a kernel with the teacher's rights, so its button is kept from doing so.
c.Autograde.sanitize_preprocessors = ["nhlib.classroom.course.MarkedElsewhere"]
'''
SECRET = "secret.txt"


class GradeBookError(RuntimeError):
    """The grade book can't be used; it says nothing about a submission."""


class MarkedElsewhere(NbGraderPreprocessor):  # type: ignore[misc]
    """Stands where nbgrader would run students' code with the teacher's rights."""

    def preprocess(self, notebook: NotebookNode, resources: object) -> None:
        """Refuse, and say what to do instead."""
        raise RuntimeError(
            "code is marked in a sandbox: run `python -m nhlib.classroom grade ASSIGNMENT FOLDER`"
        )


class Course:
    """A course.

    Parameters
    ----------
    folder : Path
        Where it is kept, or will be. ``source`` and ``release`` hold the teacher's and the
        students' version of each assignment, ``solution`` the one to hand out afterwards;
        ``autograded``, ``feedback`` and ``gradebook.db`` what students have handed in, and earned.
        ``secret.txt`` is what the inputs of the tests are drawn from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @property
    def secret(self) -> str:
        """The text that the tests' inputs are drawn from; `release` has drawn it."""
        file = self.folder / SECRET
        if not file.exists():
            raise FileNotFoundError(
                f"{file} is missing: inputs of the tests are drawn from it, so restore it from a "
                f"backup, or write any text into it and grade everybody again"
            )
        secret = file.read_text().strip()
        if not secret:
            raise ValueError(
                f"{file} is empty: inputs of the tests are drawn from it, so restore it from a "
                f"backup, or write any text into it and grade everybody again"
            )
        return secret

    def release(self, assignment: Assignment) -> Path:
        """Make the students' version of an assignment, and the solution.

        Parameters
        ----------
        assignment : Assignment

        Returns
        -------
        Path
            The notebook for students.

        Raises
        ------
        RuntimeError
            When nbgrader can't, with what it says.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock():
            return self._release(assignment)

    def _release(self, assignment: Assignment) -> Path:
        source = self.folder / "source" / assignment.name / assignment.path.name
        source.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(assignment.path, source)
        (self.folder / "nbgrader_config.py").write_text(CONFIG)
        if not (self.folder / SECRET).exists():
            with replacing(self.folder / SECRET) as partial:
                partial.touch(mode=0o600)
                partial.write_text(secrets.token_hex(16) + "\n")
        api = self._nbgrader()
        with temp_attrs(api.coursedir, assignment_id=assignment.name):
            with _programs_of_this_python(), self.gradebook(new=True) as book:
                book.update_or_create_assignment(assignment.name)
            # The students' version last: both write the cells into the grade book.
            for make in (GenerateSolution, GenerateAssignment):
                maker = make(coursedir=api.coursedir, parent=api)
                maker.force = True
                _demand(capture_log(maker))
        return self.released(assignment)

    def released(self, assignment: Assignment) -> Path:
        """Where the students' version is."""
        return self.folder / "release" / assignment.name / assignment.path.name

    def marked(self, assignment: Assignment, student: str) -> Path:
        """Where a student's marked notebook is."""
        return self.folder / "autograded" / student / assignment.name / assignment.path.name

    def feedback(self, assignment: Assignment, *, exclude: Sequence[str]) -> str:
        """What nbgrader says while it writes pages of feedback for all students but some."""
        api = self._nbgrader()
        with temp_attrs(api.coursedir, student_id_exclude=",".join(exclude)):
            outcome = api.generate_feedback(assignment.name)
        return str(outcome.get("log") or outcome.get("error") or "")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other graders out of the course.

        Raises
        ------
        RuntimeError
            When there is one in it.
        """
        with (self.folder / ".lock").open("a+") as file:
            with suppress(ImportError):  # Windows
                import fcntl

                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise RuntimeError(
                        f"another grader is at work in {self.folder}: wait until it has finished"
                    ) from None
            yield

    @contextmanager
    def gradebook(self, *, new: bool = False) -> Iterator[Gradebook]:
        """Open the grade book.

        Parameters
        ----------
        new : bool
            Whether to begin one where there is none.

        Raises
        ------
        GradeBookError
            When it can't be used, with what to do.
        """
        file = self.folder / "gradebook.db"
        again = (
            "restore it from a backup, or run `python -m nhlib.classroom release` and grade again "
            "(marks by hand are lost)"
        )
        if not new and not file.exists():
            raise GradeBookError(f"{file} is missing: {again}")
        try:
            with Gradebook(self._database(), "neural-codes") as book:
                yield book
        except MissingEntry as e:
            raise GradeBookError(f"{file} lacks something ({e}): {again}") from None
        except OperationalError as e:
            raise GradeBookError(
                f"{file} can't be used now ({e.orig}): close what else uses it, perhaps nbgrader's "
                f"Formgrader, and grade again"
            ) from None
        except DatabaseError as e:
            raise GradeBookError(
                f"{file} can't be read ({e.orig}): restore it from a backup"
            ) from None

    def entered(self, assignment: Assignment) -> set[str]:
        """The students who have something in the grade book."""
        with self.gradebook() as book:
            return {s.student.id for s in book.find_assignment(assignment.name).submissions}

    def by_hand(self, assignment: Assignment) -> dict[str, list[object]]:
        """For each student in the grade book, all marks and comments."""
        with self.gradebook() as book:
            return {
                s.student.id: [
                    *sorted([g.name, g.score, g.needs_manual_grade] for n in s.notebooks
                            for g in n.grades),
                    *sorted([c.name, str(c.comment)] for n in s.notebooks for c in n.comments),
                ]
                for s in book.find_assignment(assignment.name).submissions
            }  # fmt: skip

    def enter(self, assignment: Assignment, student: str, notebook: NotebookNode) -> None:
        """Enter a marked notebook into the grade book, where people can mark the rest by hand.

        Parameters
        ----------
        assignment : Assignment
        student : str
        notebook : NotebookNode
            The outputs of its tests are the points.
        """
        target = self.marked(assignment, student)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as partial:
            nbformat.write(notebook, partial)
        where = {
            "notebook": assignment.name,
            "assignment": assignment.name,
            "student": student,
            "db_url": self._database(),
        }
        with self.gradebook() as book:
            book.update_or_create_student(student)
            book.update_or_create_submission(assignment.name, student)
        with self.gradebook():  # which says what is wrong with it
            SaveAutoGrades().preprocess(notebook, {"nbgrader": where})

    def _database(self) -> str:
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    def _nbgrader(self) -> NbGraderAPI:
        config = Config()
        config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.course_id = "neural-codes"
        config.CourseDirectory.db_url = self._database()
        config.NbGraderAPI.log_level = logging.WARNING
        return NbGraderAPI(config=config)


def _demand(outcome: dict[str, Any]) -> None:
    """Raise what nbgrader only reports."""
    if not outcome["success"]:
        raise RuntimeError(f"nbgrader failed:\n{outcome.get('log') or outcome['error']}")


@contextmanager
def _programs_of_this_python() -> Iterator[None]:
    """Let a new grade book find the program alembic, whose version it notes, beside this Python."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
