"""What a class has earned: a table of marks, and a page of statistics."""

import csv
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from nhlib.classroom.assignments import Assignment
from nhlib.classroom.course import Course
from nhlib.classroom.marking import Marks

HEAD = ("student", "assignment", "points", "possible", "to_mark_by_hand")
STYLE = """
:root { color-scheme: light dark; --bar: light-dark(#0072b2, #56b4e9); }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:has(.bar) { width: 14rem; min-width: 6rem; }
.bar { display: block; height: .7rem; background: var(--bar); }
.wide { overflow-x: auto; }
"""


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
    partial = file.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([HEAD, *sorted((_inert(n), *rest) for n, *rest in rows)])
    partial.replace(file)
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
    n = len(class_marks)
    by_task, failing, hints = [], [], Counter[str]()
    for number, task in enumerate(assignment.tasks):
        marks = [m.marks[number] for m in class_marks]
        points = [m.points for m in marks]
        full = sum(p == task.points for p in points)
        by_task.append(
            f"<tr><th><code>{escape(task.name)}</code></th><td class=n>{sum(points) / n:.1f} of "
            f"{task.points}</td><td class=n>{full}</td><td class=n>{points.count(0)}</td>"
            f"<td>{_bar(sum(points) / n / task.points)}</td></tr>"
        )
        for prop in task.properties:
            failing.append((sum(prop.name in m.failed for m in marks), task.name, prop.name))
        hints.update(f"<code>{escape(task.name)}</code>: {escape(m.hint)}" for m in marks if m.hint)
    failing.sort(key=lambda row: -row[0])
    totals = Counter(sum(m.points for m in marks.marks) for marks in class_marks)
    unread = [escape(m.student) for m in class_marks if m.problem]
    best = sum(t.points for t in assignment.tasks)
    page = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<title>{escape(assignment.name)}: the class</title><style>{STYLE}</style>",
        f"<h1>{escape(assignment.name)}: the class</h1>",
        f"<p>{n} submissions. Points for functions; those by hand are in nbgrader.</p>",
    ]
    if unread:
        page.append(f"<p>Files that could not be read: {', '.join(unread)}.</p>")
    page += [
        "<h2>Marks by task</h2><div class=wide><table><tr><th>function<th class=n>mean points"
        "<th class=n>full marks<th class=n>no points<th>mean</tr>",
        *by_task,
        "</table></div><h2>Points in all</h2><div class=wide><table>",
        "<tr><th class=n>points<th class=n>students<th></tr>",
        *(
            f"<tr><td class=n>{p} of {best}</td><td class=n>{totals[p]}</td>"
            f"<td>{_bar(totals[p] / n)}</td></tr>"
            for p in range(best, -1, -1)
            if totals[p]
        ),
        "</table></div><h2>What fails most often</h2><div class=wide><table>",
        "<tr><th>function<th>kind of input<th class=n>students<th></tr>",
        *(
            f"<tr><td><code>{escape(task)}</code></td><td>{escape(name)}</td>"
            f"<td class=n>{count}</td><td>{_bar(count / n)}</td></tr>"
            for count, task, name in failing
            if count
        ),
        "</table></div><h2>Mistakes that were recognised</h2><ul>",
        *(f"<li>{count} × {words}" for words, count in hints.most_common()),
        "</ul>" if hints else "<li>none</ul>",
        "</html>\n",
    ]
    file = course.folder / "statistics" / f"{assignment.name}.html"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(page), encoding="utf-8")
    return file


def _bar(share: float) -> str:
    return f"<span class=bar style='width: {share:.0%}'></span>"


def _inert(name: str) -> str:
    """A student's name that a spreadsheet does not take for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name
