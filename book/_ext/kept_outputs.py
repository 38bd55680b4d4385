"""Outputs of executed notebooks, kept until something changes that they depend on.

That is: the code of the notebook, what is claimed of its results, the modules of nhlib and the
packages that it has loaded, the data of nhlib and of the book, the chosen data set, Python, and how
notebooks are executed. Scripts and styles of explorers are not: they are the page's (see
`explorer_scripts`).
"""

import hashlib
import json
import os
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import kernels
from kernels import Execution

# Modules count where they are loaded; the rest is the page's, or made of modules.
NO_DATA = {".py", ".js", ".css", ".pyc"}
# Tags that change an execution. The others are about the page.
TAGS = {"raises-exception", "skip-execution"}


class KeptOutputs:
    """What the notebooks of a book have put out, a file for each.

    Made before any is executed: who edits a module meanwhile has them executed once more.

    Parameters
    ----------
    folder : Path
        Where the files are.
    root : Path
        The repository, with ``nhlib`` and ``book/results``.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root.resolve()
        self._version = cache(_version)  # notebooks load the same packages
        self._modules = _digests(root, [*root.glob("nhlib/**/*.py"), *root.glob("book/**/*.py")])
        data = [*root.glob("nhlib/**/*"), *root.glob("book/results/*")]
        self._surroundings = [
            _digests(root, [path for path in data if path.suffix not in NO_DATA]),
            os.environ.get("NHLIB_DATASET", ""),
            sys.version,
            Path(kernels.__file__).read_text("utf-8"),
        ]

    def of(self, name: str, notebook: NotebookNode) -> NotebookNode | None:
        """Return a notebook with the outputs kept of it, or None if there are none that hold."""
        kept = self._read(name)
        if kept is None:
            return None
        about = kept["metadata"].pop("kept")
        holds = (
            about["code"] == self._key(name, notebook)
            and all(self._modules.get(name) == then for name, then in about["modules"].items())
            and all(self._version(name) == then for name, then in about["packages"].items())
        )
        return kept if holds else None

    def claims(self, name: str) -> Path | None:
        """Return the script that compares the text with the results, for the book's own data."""
        path = self._root / "book" / "claims" / "pages" / f"{Path(name).name}.py"
        own = os.environ.get("NHLIB_DATASET", "digits") == "digits"
        return path if own and path.is_file() else None

    def seconds(self, name: str) -> float | None:
        """Return how long a notebook took when it was last executed, if it ever was."""
        kept = self._read(name)
        return None if kept is None else float(kept["metadata"]["kept"]["seconds"])

    def keep(self, name: str, execution: Execution) -> None:
        """Keep the outputs of a notebook in the place of earlier ones."""
        notebook = execution.notebook
        names = {
            path.resolve().relative_to(self._root).as_posix()
            for path in execution.modules
            if path.resolve().is_relative_to(self._root)
        }
        notebook["metadata"]["kept"] = {
            "code": self._key(name, notebook),
            "modules": {name: now for name, now in self._modules.items() if name in names},
            "packages": _packages(execution.modules),
            "seconds": execution.seconds,
        }
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(nbformat.writes(notebook), "utf-8")
        part.replace(path)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.ipynb"

    def _read(self, name: str) -> NotebookNode | None:
        path = self._path(name)
        return nbformat.read(path, as_version=4) if path.is_file() else None

    def _key(self, name: str, notebook: NotebookNode) -> str:
        code = [
            (cell["source"], sorted(TAGS.intersection(cell["metadata"].get("tags", ()))))
            for cell in notebook["cells"]
            if cell["cell_type"] == "code"
        ]
        kernel = notebook["metadata"].get("kernelspec", {}).get("name")
        claims = self.claims(name)
        said = claims.read_text("utf-8") if claims else ""
        text = json.dumps([code, kernel, said, self._surroundings])
        return hashlib.sha256(text.encode()).hexdigest()


def _digests(root: Path, files: list[Path]) -> dict[str, str]:
    names = {path.relative_to(root).as_posix(): path for path in sorted(files) if path.is_file()}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if not re.search(r"(^|/)\.", name)  # what systems and tools leave
    }


def _packages(modules: frozenset[Path]) -> dict[str, str | None]:
    parts = {part.partition(".")[0] for path in modules for part in path.parts}
    known = packages_distributions()
    return {name: _version(name) for part in parts & known.keys() for name in known[part]}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def with_outputs(notebook: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """Return a notebook's text and settings with the outputs of an execution of the same code."""
    code = iter([cell for cell in executed["cells"] if cell["cell_type"] == "code"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            done = next(code)
            cell["outputs"] = done["outputs"]
            cell["execution_count"] = done["execution_count"]
    for name in ("language_info", "widgets"):
        if name in executed["metadata"]:
            notebook["metadata"][name] = executed["metadata"][name]
    return notebook
