"""What a class has earned: a table of marks, and a page of statistics."""

import csv
from collections.abc import Sequence
from pathlib import Path

from nhlib._files import replacing
from nhlib.classroom.assignments import Assignment
from nhlib.classroom.class_page import class_page
from nhlib.classroom.class_statistics import class_statistics
from nhlib.classroom.course import Course
from nhlib.classroom.marking import Marks

HEAD = ("student", "assignment", "points", "possible", "to_mark_by_hand")


def write_grades(course: Course) -> Path:
    """Write ``grades.csv``: every student's marks in every assignment, those by hand included.

    Parameters
    ----------
    course : Course

    Returns
    -------
    Path
        The file. Its columns are ``student``, ``assignment``, ``points``, ``possible`` and
        ``to_mark_by_hand`` (``yes`` while an answer waits for somebody's marks).
    """
    with course.gradebook() as book:
        rows = [
            (s.student.id, s.assignment.name, f"{s.score:g}", f"{s.max_score:g}",
             "yes" if s.needs_manual_grade else "no")
            for a in book.assignments for s in a.submissions
        ]  # fmt: skip
    file = course.folder / "grades.csv"
    with replacing(file) as partial, partial.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([HEAD, *sorted(rows)])
    return file


def write_statistics(course: Course, assignment: Assignment, class_marks: Sequence[Marks]) -> Path:
    """Write a page that shows what a class can do, and what it can't yet.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    class_marks : sequence of Marks
        What `grade` returns.

    Returns
    -------
    Path
        An HTML page that needs nothing else.
    """
    file = course.folder / "statistics" / f"{assignment.name}.html"
    file.parent.mkdir(exist_ok=True)
    with replacing(file) as partial:
        page = class_page(class_statistics(assignment, class_marks))
        partial.write_text(page, encoding="utf-8")
    return file
