"""Assignments that grade themselves, for a class (needs ``pip install nhlib[classroom]``).

nbgrader keeps the course: versions for students, the grade book, marks by hand, feedback. The
points for code come from here, because nbgrader's own tests run inside the student's kernel, where
the student's code can reach them. Here two processes take part: the student's notebook runs in a
sandbox, which holds no tests; the grader sends its functions inputs, takes back plain values, and
compares them with answers that it has computed itself. `check` lets students see the same before
they hand in.

On the command line, ``python -m nhlib.classroom --help``. The instructor guide of the book walks
through a course.
"""

from nhlib.classroom.rehearsal import check
from nhlib.classroom.tasks import Mark, Property, Task

__all__ = ["Mark", "Property", "Task", "check"]
