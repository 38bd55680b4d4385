"""Grade a class of thirty, and one of the hostile, and print Markdown.

    python benchmarks/classroom.py [--slowest]

How long it takes, and how much memory the grader and all of its sandboxes take together. With
``--slowest``, also the batch that takes as long as the limits allow.
"""

import os
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import nbformat
from conftest import surroundings

from nhlib.classroom.__main__ import main
from nhlib.classroom.assignments import load_assignment

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "reference"))
from students import HOSTILE, attempt, slowest, with_code  # noqa: E402

ASSIGNMENTS = ROOT / "book" / "assignments"
FIRST, FOURTH = "1-regions-on-a-line", "4-categorization"
MIXED = {"ordinary": 18, "solved": 5, "hostile": 7}
PAGE = 4096  # bytes; what the kernel counts memory in
CLASS = 30


def resident(pid):
    """MiB of a process and all that it has started."""
    parents, sizes = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
        sizes[int(stat.parent.name)] = int(fields[21]) * PAGE
    family = {pid}
    while more := {p for p, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(sizes.get(p, 0) for p in family) / 2**20


@contextmanager
def watched(results):
    """Note how long the block takes, and the largest memory on the way."""
    stop, largest = threading.Event(), [0.0]

    def watch():
        while not stop.wait(0.05):
            largest[0] = max(largest[0], resident(os.getpid()))

    thread = threading.Thread(target=watch)
    thread.start()
    start = time.monotonic()
    yield
    results += [time.monotonic() - start]
    stop.set()
    thread.join()
    results += [largest[0]]


def run(course, *arguments):
    """The command line, without what it prints."""
    with redirect_stdout(sys.stderr):
        status = main(
            ["--course", str(course), "--assignments", str(ASSIGNMENTS), *map(str, arguments)]
        )
    assert status == 0


def released(course, name):
    return nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)


def print_tables():
    print(surroundings(), end="\n\n")
    print("| | submissions | time | a submission | peak memory, all processes |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        course = Path(scratch) / "course"
        names = sorted(f.parent.name for f in ASSIGNMENTS.glob("*/checks.py"))
        seconds: list[float] = []
        with watched(seconds):
            run(course, "release")
        print(f"| releasing all {len(names)} | | {seconds[0]:.0f} s | | {seconds[1]:.0f} MiB |")
        for name in names:
            folder = Path(scratch) / name
            folder.mkdir()
            assignment = load_assignment(ASSIGNMENTS / name)
            for i in range(CLASS):
                work = attempt(assignment, released(course, name), i)
                nbformat.write(work, folder / f"student-{i:02}.ipynb")
            report(name, CLASS, course, folder, name)
        folder = Path(scratch) / "hostile"
        folder.mkdir()
        assignment = load_assignment(ASSIGNMENTS / FIRST)
        for who, code in HOSTILE.items():
            nbformat.write(
                with_code(assignment, released(course, FIRST), code), folder / f"{who}.ipynb"
            )
        report("the hostile ones", len(HOSTILE), course, folder, FIRST)
        report_mixed(course, Path(scratch) / "mixed")
        if "--slowest" in sys.argv:
            folder = Path(scratch) / "slowest"
            folder.mkdir()
            assignment = load_assignment(ASSIGNMENTS / FOURTH)
            for i in range(CLASS):
                work = slowest(assignment, released(course, FOURTH))
                nbformat.write(work, folder / f"slow-{i:02}.ipynb")
            report("as slow as can be", CLASS, course, folder, FOURTH)


def report_mixed(course, folder):
    """A class in which most are ordinary, some have solved everything, and some are hostile."""
    folder.mkdir()
    assignment = load_assignment(ASSIGNMENTS / FIRST)
    works = {f"ordinary-{i}": attempt(assignment, released(course, FIRST), 100 + i)
             for i in range(MIXED["ordinary"])}  # fmt: skip
    works |= {f"solved-{i}": assignment.notebook for i in range(MIXED["solved"])}
    for who, code in list(HOSTILE.items())[: MIXED["hostile"]]:
        works[who] = with_code(assignment, released(course, FIRST), code)
    for who, work in works.items():
        nbformat.write(work, folder / f"mixed-{who}.ipynb")
    report("mixed", len(works), course, folder, FIRST)


def report(what, n, course, folder, name):
    results: list[float] = []
    with watched(results):
        run(course, "grade", name, folder)
    seconds, memory = results
    print(
        f"| {what} | {n} | {seconds:.0f} s | {seconds / n:.1f} s | {memory:,.0f} MiB |", flush=True
    )


if __name__ == "__main__":
    print_tables()
