"""Small books, built with the configuration and the extensions of the real one, or plainly."""

import io
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from sphinx.cmd.build import build_main

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "book" / "_ext"), str(ROOT / "tests" / "book")]


@pytest.fixture(scope="session")
def build(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., tuple[int, str, Path]]:
    """Return a function that builds one notebook into a book: exit status, messages, pages."""

    def build_book(cells: list[dict[str, Any]], repository: str = "") -> tuple[int, str, Path]:
        folder = tmp_path_factory.mktemp("book")
        shutil.copytree(ROOT / "book" / "_static", folder / "_static")
        config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
        config["repository"]["url"] = repository
        extensions = config["sphinx"]["local_extensions"]
        extensions.update({name: str(ROOT / path) for name, path in extensions.items()})
        (folder / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")
        (folder / "_toc.yml").write_text("{format: jb-book, root: page}", "utf-8")
        (folder / "references.bib").write_text("", "utf-8")
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, folder / "page.ipynb")
        command = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
        assert command
        done = subprocess.run(
            [command, "build", folder, "-W", "--keep-going"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        )
        messages = re.sub("\x1b\\[[0-9;]*m", "", done.stdout)  # IPython's tracebacks are coloured
        return done.returncode, messages, folder / "_build" / "html"

    return build_book


@pytest.fixture(scope="session")
def sphinx() -> Callable[[Path], tuple[int, str]]:
    """Return a function that builds a folder with a conf.py, in this process: status, messages.

    The pages are in ``build/html`` beside the folder.
    """

    def build_book(book: Path) -> tuple[int, str]:
        messages = io.StringIO()
        with warnings.catch_warnings(), redirect_stdout(messages), redirect_stderr(messages):
            warnings.simplefilter("ignore")  # of other packages
            site = book.parent / "build" / "html"
            status = build_main(["--no-color", "--keep-going", str(book), str(site)])
        return status, messages.getvalue()

    return build_book
