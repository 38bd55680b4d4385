"""The page that shows what a class can do, as HTML that needs nothing else."""

from collections.abc import Iterator
from html import escape

from nhlib.classroom.class_statistics import ClassStatistics

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


def class_page(statistics: ClassStatistics) -> str:
    """Return the page of a class.

    Parameters
    ----------
    statistics : ClassStatistics

    Returns
    -------
    str
    """
    name, n = escape(statistics.assignment), statistics.n_submissions
    page = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<title>{name}: the class</title><style>{STYLE}</style>",
        f"<h1>{name}: the class</h1>",
        f"<p>{n} submissions. Points for functions; those by hand are in nbgrader.</p>",
    ]
    if statistics.unread:
        names = ", ".join(map(escape, statistics.unread))
        page.append(f"<p>Files that could not be read: {names}.</p>")
    page += [
        "<h2>Marks by task</h2><div class=wide><table><tr><th>function<th class=n>mean points"
        "<th class=n>full marks<th class=n>no points<th>mean</tr>",
        *_tasks(statistics),
        "</table></div><h2>Points in all</h2><div class=wide><table>",
        "<tr><th class=n>points<th class=n>students<th></tr>",
        *_totals(statistics),
        "</table></div><h2>What fails most often</h2><div class=wide><table>",
        "<tr><th>function<th>kind of input<th class=n>students<th></tr>",
        *_failures(statistics),
        "</table></div><h2>Mistakes that were recognised</h2><ul>",
        *(
            f"<li>{count} × <code>{escape(task)}</code>: {escape(hint)}"
            for (task, hint), count in statistics.hints.most_common()
        ),
        "</ul>" if statistics.hints else "<li>none</ul>",
        "</html>\n",
    ]
    return "\n".join(page)


def _tasks(statistics: ClassStatistics) -> Iterator[str]:
    for task in statistics.tasks:
        yield (
            f"<tr><th><code>{escape(task.name)}</code></th><td class=n>{task.mean:.1f} of "
            f"{task.possible}</td><td class=n>{task.n_full}</td><td class=n>{task.n_none}</td>"
            f"<td>{_bar(task.mean / task.possible)}</td></tr>"
        )


def _totals(statistics: ClassStatistics) -> Iterator[str]:
    possible = sum(task.possible for task in statistics.tasks)
    for points, count in sorted(statistics.totals.items(), reverse=True):
        yield (
            f"<tr><td class=n>{points} of {possible}</td><td class=n>{count}</td>"
            f"<td>{_bar(count / statistics.n_submissions)}</td></tr>"
        )


def _failures(statistics: ClassStatistics) -> Iterator[str]:
    for (task, kind), count in statistics.failures.most_common():
        yield (
            f"<tr><td><code>{escape(task)}</code></td><td>{escape(kind)}</td>"
            f"<td class=n>{count}</td><td>{_bar(count / statistics.n_submissions)}</td></tr>"
        )


def _bar(share: float) -> str:
    return f"<span class=bar style='width: {share:.0%}'></span>"
