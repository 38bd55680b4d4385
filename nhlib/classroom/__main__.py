"""Release and grade assignments: ``python -m nhlib.classroom --help``."""

import argparse
import logging
import sys
import warnings
from pathlib import Path

try:
    from nhlib.classroom.course import Course
except ModuleNotFoundError as e:
    if e.name not in ("nbgrader", "nbformat", "traitlets"):
        raise
    sys.exit("grading needs nbgrader: pip install 'nhlib[classroom]'")

from nhlib._progress import progress_bar
from nhlib.classroom.assignments import Assignment, load_assignment
from nhlib.classroom.marking import Marks, grade
from nhlib.classroom.promises import promises
from nhlib.classroom.report import write_grades, write_statistics


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process, if not given.

    Returns
    -------
    int
        The exit status: 0, or 1 after an error that is told on standard error.
    """
    parser = argparse.ArgumentParser("python -m nhlib.classroom", description=__doc__)
    parser.add_argument(
        "--course", type=Path, default="classroom",
        help="the folder that the course is kept in (default: classroom)",
    )  # fmt: skip
    parser.add_argument(
        "--assignments", type=Path, default="book/assignments",
        help="the folder that the assignments come from (default: book/assignments)",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    release = commands.add_parser("release", help="make the versions for students, and solutions")
    release.add_argument("names", nargs="*", metavar="ASSIGNMENT", help="(default: all)")
    marking = commands.add_parser("grade", help="mark a folder of submissions")
    marking.add_argument("name", metavar="ASSIGNMENT")
    marking.add_argument(
        "folder", type=Path, metavar="FOLDER", help="holds STUDENT.ipynb or STUDENT/…ipynb"
    )
    given = parser.parse_args(arguments)
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    course = Course(given.course)
    try:
        with warnings.catch_warnings():
            # nbgrader uses SQLAlchemy in ways that it warns of; teachers can do nothing about it.
            warnings.filterwarnings("ignore", module=r"nbgrader\.")
            if given.command == "release":
                _release(course, _assignments(given.assignments, given.names))
            else:
                (assignment,) = _assignments(given.assignments, [given.name])
                _grade(course, assignment, given.folder)
    except (OSError, ValueError, RuntimeError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    return 0


def _assignments(folder: Path, names: list[str]) -> list[Assignment]:
    there = sorted(f.parent.name for f in folder.glob("*/checks.py"))
    if not there:
        raise FileNotFoundError(
            f"there are no assignments in {folder}: run this in the repository's top folder, or "
            f"say where they are with --assignments"
        )
    for name in names:
        if name not in there:
            raise ValueError(f"there is no assignment {name!r}; there are {', '.join(there)}")
    return [load_assignment(folder / name) for name in names or there]


def _release(course: Course, assignments: list[Assignment]) -> None:
    with progress_bar("releasing", len(assignments), "assignments") as bar:
        for assignment in assignments:
            course.release(assignment)
            bar.update()
    print(f"for students:  {course.folder / 'release'}")
    print(f"solutions:     {course.folder / 'solution'}")
    print(f"keep to yourself, and do not lose: {course.folder / 'secret.txt'}")


def _grade(course: Course, assignment: Assignment, folder: Path) -> None:
    held = promises()
    print(f"sandbox: {sum(held.values())} of {len(held)} promises hold on this machine")
    for words in (words for words, holds in held.items() if not holds):
        print(f"  without {words}")
    class_marks, notes = grade(course, assignment, folder)
    print(*notes, sep="\n", end="\n" if notes else "")
    possible = sum(task.points for task in assignment.tasks)
    for marks in class_marks:
        print(f"{marks.student:<30} {_points(marks):>3} of {possible}  {marks.problem}".rstrip())
    print(f"grade book:  {course.folder / 'gradebook.db'}")
    print(f"marks:       {write_grades(course)}")
    print(f"feedback:    {course.folder / 'feedback'}")
    print(f"statistics:  {write_statistics(course, assignment, class_marks)}")


def _points(marks: Marks) -> int:
    return sum(mark.points for mark in marks.marks)


if __name__ == "__main__":
    sys.exit(main())
