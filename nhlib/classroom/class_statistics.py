"""What a class can do: counts over all marks of an assignment."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nhlib.classroom.assignments import Assignment
from nhlib.classroom.marking import Marks


class TaskMarks(NamedTuple):
    """Marks of a task: the mean, what is possible, and how many have all of it, or nothing."""

    name: str
    mean: float
    possible: int
    n_full: int
    n_none: int


@dataclass(frozen=True)
class ClassStatistics:
    """What a class can do in an assignment.

    Attributes
    ----------
    assignment : str
        Its name.
    n_submissions : int
    tasks : list of TaskMarks
        In the order of the assignment.
    totals : Counter of int
        How many students have so many points in all.
    failures : Counter of (str, str)
        How many students fail at a kind of input, by task and kind; only what fails.
    hints : Counter of (str, str)
        How many made a mistake that was recognised, by task and hint.
    unread : list of str
        Students whose files could not be read.
    """

    assignment: str
    n_submissions: int
    tasks: list[TaskMarks]
    totals: Counter[int]
    failures: Counter[tuple[str, str]]
    hints: Counter[tuple[str, str]]
    unread: list[str]


def class_statistics(assignment: Assignment, class_marks: Sequence[Marks]) -> ClassStatistics:
    """Count over the marks of a class.

    Parameters
    ----------
    assignment : Assignment
    class_marks : sequence of Marks
        What `grade` returns.

    Returns
    -------
    ClassStatistics
    """
    tasks: list[TaskMarks] = []
    failures: Counter[tuple[str, str]] = Counter()
    hints: Counter[tuple[str, str]] = Counter()
    for number, task in enumerate(assignment.tasks):
        marks = [student.marks[number] for student in class_marks]
        points = [mark.points for mark in marks]
        mean = sum(points) / len(points)
        n_full = sum(p == task.points for p in points)
        tasks.append(TaskMarks(task.name, mean, task.points, n_full, points.count(0)))
        for prop in task.properties:
            count = sum(prop.name in mark.failed for mark in marks)
            if count:
                failures[task.name, prop.name] = count
        hints.update((task.name, mark.hint) for mark in marks if mark.hint)
    return ClassStatistics(
        assignment.name,
        len(class_marks),
        tasks,
        Counter(sum(mark.points for mark in student.marks) for student in class_marks),
        failures,
        hints,
        [student.student for student in class_marks if student.problem],
    )
