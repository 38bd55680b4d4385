"""Notebooks as students use them: what `make check-notebooks` runs.

Each check executes all notebooks of the book in another way. What has passed is kept in
``build/check-notebooks`` until something changes that it depends on, so that a run which was
stopped goes on where it was.
"""

import copy
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
sys.path.append(str(BOOK / "_ext"))

from kept_outputs import KeptOutputs  # noqa: E402
from kernels import Execution, execute  # noqa: E402
from notebook_downloads import FOLDER, pack  # noqa: E402

NAMES = [
    path.relative_to(BOOK).with_suffix("").as_posix()
    for folder in (".", "chapters", "appendix")
    for path in sorted((BOOK / folder).glob("*.ipynb"))
]
TIMEOUT = 1800  # seconds that a cell may take

# What a reader may change: a pattern in the code, and what takes its place.
CHANGES = {
    "another seed": [(r"\bseed=0\b", lambda _: "seed=7")],
    "another width": [
        (r"\[50\]", lambda _: "[30]"),
        (r"\bwidth=50\b", lambda _: "width=30"),
        (r"\[16, 16, 16\]", lambda _: "[12, 12, 12]"),
    ],
    "fewer epochs": [
        (r"\b(epochs=)(\d\d+)\b", lambda m: f"{m[1]}{int(m[2]) * 2 // 3}"),
        (  # the last moment of several
            r"^((?:EPOCHS|MOMENTS|ENDS|LATE) = \(.*?)(\d+), (\d+)\)",
            lambda m: f"{m[1]}{m[2]}, {(int(m[2]) + int(m[3])) // 2})",
        ),
    ],
}


def changed(notebook: NotebookNode, change: str) -> NotebookNode | None:
    """Return a notebook with other numbers in its code, or None where it has none of them."""
    other = copy.deepcopy(notebook)
    for cell in code_cells(other):
        for pattern, number in CHANGES[change]:
            cell["source"] = re.sub(pattern, number, cell["source"], flags=re.MULTILINE)
    return None if other == notebook else other


def run_again(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook whose cells run once more after the last one, from bottom to top."""
    other = copy.deepcopy(notebook)
    other["cells"] += [
        new_code_cell(cell["source"], metadata=cell["metadata"])
        for cell in code_cells(notebook)[::-1]
    ]
    return other


def other_words(executed: NotebookNode) -> list[str]:
    """Return what cells printed or returned as text when they ran again, where it has changed."""
    cells = code_cells(executed)
    pairs = zip(cells, cells[::-1], strict=True)
    half = list(pairs)[: len(cells) // 2]
    return [
        f"cell {number} of code gives another output when it is run again:\n{words(second)}"
        for number, (first, second) in enumerate(half, 1)
        if words(first) != words(second)
    ]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def words(cell: NotebookNode) -> str:
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell["outputs"]
        if output.get("name") != "stderr"
    ]
    return re.sub(r"\b(0x[0-9a-f]+|IPY_MODEL_\w+)", "", "".join(texts))


@contextmanager
def environment(**settings: str) -> Iterator[None]:
    before = os.environ.copy()
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


PROCESSORS = {
    "a processor with AVX2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "a processor without AVX": {"ATEN_CPU_CAPABILITY": "default"},
}
DOWNLOAD = "the download, in an empty folder"
CHECKS: dict[str, Callable[[NotebookNode], NotebookNode | None]] = {
    **dict.fromkeys(PROCESSORS, copy.deepcopy),
    "each cell again, from bottom to top": run_again,
    **{change: partial(changed, change=change) for change in CHANGES},
    DOWNLOAD: copy.deepcopy,
}


def check(title: str, downloads: Path) -> Iterator[str]:
    """Execute all notebooks in one way, and yield what is wrong."""
    kept = KeptOutputs(ROOT / "build" / "check-notebooks" / title.replace(" ", "-"), ROOT)
    notebooks, names = {}, {}
    for name in NAMES:
        path = BOOK / f"{name}.ipynb"
        notebook = CHECKS[title](nbformat.read(path, as_version=4))
        if notebook is None or kept.of(name, notebook):
            continue
        if title == DOWNLOAD:
            with zipfile.ZipFile(BytesIO(pack(path, BOOK))) as archive:
                archive.extractall(downloads / path.stem)
            path = downloads / path.stem / FOLDER / f"{name}.ipynb"
        notebooks[path], names[path] = notebook, name
    print(f"{title}: {len(notebooks)} notebooks to run", flush=True)
    # Of other numbers the text says nothing; and it speaks of tables that a notebook does not read.
    claims = {} if title in (*CHANGES, DOWNLOAD) else {p: kept.claims(n) for p, n in names.items()}
    outcomes = execute(notebooks, TIMEOUT, allow_errors=False, claims=claims.get)
    for number, (path, outcome) in enumerate(outcomes, 1):
        if isinstance(outcome, Execution):
            again = CHECKS[title] is run_again
            wrong = list(other_words(outcome.notebook)) if again else []
        else:
            wrong = [str(outcome)]
        if not wrong:
            kept.keep(names[path], outcome)
        yield from (f"{title}: {names[path]}: {words}" for words in wrong)
        result = "FAILED" if wrong else f"passed in {outcome.seconds:.0f} s"
        print(f"  {names[path]} {result} ({number} of {len(names)})", flush=True)


def main() -> int:
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for title in CHECKS:
            with environment(NHLIB_DATASET="digits", **PROCESSORS.get(title, {})):
                wrong += check(title, Path(folder))
    print("\n\n".join(wrong))
    print(f"{len(wrong)} faults" if wrong else "all notebooks pass all checks")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
