"""Each student's page of feedback, built again when something has changed."""

import hashlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from nhlib.classroom.assignments import Assignment
from nhlib.classroom.course import Course

PACKAGES = ("nbgrader", "nbconvert", "mistune")
FAILED = "There was an error processing assignment"  # what nbgrader says


def write_feedback(course: Course, assignment: Assignment) -> dict[str, str]:
    """Write the pages of all students, with marks and comments as they are now.

    Parameters
    ----------
    course : Course
    assignment : Assignment

    Returns
    -------
    dict
        By student: why there is no page.
    """
    wanted = dict(_states(course, assignment))
    built = {
        student for student, state in wanted.items()
        if _page(course, assignment, student).exists()
        and _note(course, assignment, student).exists()
        and _note(course, assignment, student).read_text() == state
    }  # fmt: skip
    if not wanted.keys() - built:
        return {}
    log = course.feedback(assignment, exclude=sorted(built))
    missing = {}
    for student in wanted.keys() - built:
        if _page(course, assignment, student).exists():
            _note(course, assignment, student).write_text(wanted[student])
        else:
            missing[student] = f"the page of feedback could not be made{_reason(log, student)}"
    return missing


def _states(course: Course, assignment: Assignment) -> Iterator[tuple[str, str]]:
    """For each student, a digest of all that is on the page."""
    common = " ".join(version(package) for package in PACKAGES)
    for student, marked in course.by_hand(assignment).items():
        file = course.marked(assignment, student)
        if file.exists():
            text = f"{common} {json.dumps(marked)} ".encode()
            yield student, hashlib.sha256(text + file.read_bytes()).hexdigest()


def _page(course: Course, assignment: Assignment, student: str) -> Path:
    name = f"{assignment.name}.html"
    return course.folder / "feedback" / student / assignment.name / name


def _note(course: Course, assignment: Assignment, student: str) -> Path:
    """Where it is kept what a page was built of."""
    return course.folder / "marks" / assignment.name / f"{student}.page"


def _reason(log: str, student: str) -> str:
    """The last error in nbgrader's log before the line that names the student."""
    for said, after in pairwise(log.split(FAILED)):
        errors = re.findall(r"^ *([\w.]+(?:Error|Exception|Notebook).*)", said, flags=re.MULTILINE)
        if errors and after.partition("\n")[0].endswith(f"for student '{student}'"):
            return f" ({errors[-1][:200]})"
    return ""
