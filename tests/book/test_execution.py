"""A notebook runs again when something changes that its outputs depend on, and only then."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import execution
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

Sphinx = Callable[[Path], tuple[int, str]]
EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
CONF = """
extensions = ["myst_nb", "execution"]
nb_execution_mode = "off"
nb_execution_timeout = 100
"""
FILES = {
    "nhlib/__init__.py": "from nhlib.numbers import THREE",
    "nhlib/numbers.py": "THREE = 3",
    "nhlib/other.py": "FOUR = 4",
    "nhlib/room/explorer.js": "export default {};",
    "nhlib/room/explorer.css": "p { color: red; }",
    "nhlib/book.mplstyle": "axes.grid: True",
    "book/results/table.csv": "width,ratio\n10,0.5\n",
    "README.md": "Words.",
}


class Repository:
    """A package, a book of two notebooks, and a plain Sphinx to build it."""

    def __init__(self, root: Path, sphinx: Sphinx) -> None:
        self.root = root
        self.sphinx = sphinx
        for name, text in FILES.items():
            self.write(name, text)
        self.write("book/conf.py", CONF)
        self.notebook("index", "1 + 1", text=":::{toctree}\nuser\n:::")
        self.notebook("user", "import nhlib", "nhlib.THREE * 2", "open('results/table.csv').read()")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def notebook(self, name: str, *code: str, text: str = "", **metadata: object) -> None:
        """Write a page; the last cell has the metadata."""
        cells = [new_code_cell(cell) for cell in code]
        cells[-1]["metadata"].update(metadata)
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = new_notebook(
            cells=[new_markdown_cell(f"# {name}\n\n{text}"), *cells],
            metadata={"kernelspec": kernel},
        )
        nbformat.write(notebook, self.root / "book" / f"{name}.ipynb")

    def build(self, **environment: str) -> tuple[int, str, list[str]]:
        """Return exit status, messages, and the notebooks that were executed."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(execution, "ROOT", self.root)
            for name, value in ({"PYTHONPATH": str(self.root)} | environment).items():
                patch.setenv(name, value)
            status, messages = self.sphinx(self.root / "book")
        executed = re.findall(r"^executed (\S+) in", messages, re.MULTILINE)
        return status, messages, sorted(executed)

    def executed(self, **environment: str) -> list[str]:
        status, messages, executed = self.build(**environment)
        assert status == 0, messages
        return executed

    def page(self, name: str) -> str:
        html = (self.root / "build" / "html" / f"{name}.html").read_text("utf-8")
        return BeautifulSoup(html, "html.parser").get_text()


@pytest.fixture
def repository(tmp_path: Path, sphinx: Sphinx) -> Repository:
    return Repository(tmp_path, sphinx)


def test_what_changes_outputs_executes_and_nothing_else(repository: Repository) -> None:
    status, messages, executed = repository.build()
    assert status == 0, messages
    assert executed == ["index", "user"]
    assert "(2 of 2)" in messages
    assert "6\n" in repository.page("user")
    assert repository.executed() == []

    for name in ("room/explorer.js", "room/explorer.css", "other.py"):
        repository.write(f"nhlib/{name}", "/* new */" if "room" in name else "FOUR = 5")
        assert repository.executed() == [], name
    repository.write("README.md", "New words.")
    assert repository.executed() == []

    repository.write("nhlib/numbers.py", "THREE = 30")
    assert repository.executed() == ["user"]
    assert "60\n" in repository.page("user")

    repository.write("book/results/table.csv", "width,ratio\n10,0.25\n")
    assert "user" in repository.executed()
    assert "0.25" in repository.page("user")
    repository.write("nhlib/book.mplstyle", "axes.grid: False")
    assert "user" in repository.executed()
    assert "user" in repository.executed(NHLIB_DATASET="mnist")
    assert repository.executed(NHLIB_DATASET="mnist") == []


def test_other_version_of_a_loaded_package_executes(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(name: str, version: str) -> None:
        repository.write(f"{name}.py", "")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        repository.write(f"{name}-0.dist-info/METADATA", metadata)
        repository.write(f"{name}-0.dist-info/top_level.txt", name)

    monkeypatch.syspath_prepend(repository.root)
    install("loaded_package", "1.0")
    repository.notebook("user", "import loaded_package")
    assert repository.executed() == ["index", "user"]
    install("other_package", "1.0")
    assert repository.executed() == []
    install("loaded_package", "1.1")
    assert repository.executed() == ["user"]
    assert repository.executed() == []


def test_page_has_its_own_text_with_outputs_that_are_kept(repository: Repository) -> None:
    code = "from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')"
    caption = {"mystnb": {"figure": {"caption": "An old caption."}, "image": {"alt": "Nothing."}}}
    repository.notebook("user", "2 * 21", code, text="Old text.", **caption)
    assert repository.executed() == ["index", "user"]
    assert "An old caption." in repository.page("user")

    caption["mystnb"]["figure"]["caption"] = "A new caption."
    repository.notebook("user", "2 * 21", code, text="New text.", **caption)
    assert repository.executed() == []
    page = repository.page("user")
    assert "New text." in page
    assert "A new caption." in page
    assert "old" not in page.lower()
    assert "42" in page

    repository.notebook("user", "2 * 21", "2 * 22", text="New text.")
    assert repository.executed() == ["user"]
    assert "44" in repository.page("user")


def test_what_the_text_says_is_held_against_the_results(repository: Repository) -> None:
    repository.notebook("user", "answer = 6 * 7", "answer")
    said = "import comparison\n\ncomparison.near(answer, {})"
    repository.write("book/claims/pages/user.py", said.format(42))
    near = "def near(found, said):\n    assert found == said, f'found {found}, not {said}'"
    repository.write("book/claims/pages/comparison.py", near)
    assert repository.executed() == ["index", "user"]
    assert "comparison" not in repository.page("user")
    assert repository.executed() == []

    repository.write("book/claims/pages/user.py", said.format(41))
    status, messages, executed = repository.build()
    assert (status, executed) == (1, [])
    assert re.search(r"user\.ipynb: ERROR: stopped in what is said of it in .*user\.py", messages)
    assert "comparison.near(answer, 41)" in messages
    assert "found 42, not 41" in messages
    other_data = {"NHLIB_DATASET": "mnist"}  # of which the text says nothing
    assert "user" in repository.executed(**other_data)


def test_module_edited_while_notebooks_run_is_executed_again(repository: Repository) -> None:
    edit = "from pathlib import Path\nPath(nhlib.numbers.__file__).write_text('THREE = 7')"
    repository.notebook("user", "import nhlib", edit, "nhlib.THREE")
    assert "user" in repository.executed()
    assert "user" in repository.executed()
    assert "7\n" in repository.page("user")
    assert repository.executed() == []


def test_error_is_told_fails_the_build_and_is_executed_again(repository: Repository) -> None:
    repository.notebook("user", "1 + 1", "def f(x):\n    return 1 / x\n\nf(0)", "3")
    for expected in (["index"], []):
        status, messages, executed = repository.build()
        assert status == 1
        assert executed == expected
        assert re.search(r"user\.ipynb: ERROR: stopped in code cell \[2\]", messages)
        assert "return 1 / x" in messages
        assert "ZeroDivisionError: division by zero" in messages
    repository.notebook("user", "1 + 1", "1 / 0", tags=["raises-exception"])
    assert repository.executed() == ["user"]
    assert "ZeroDivisionError" in repository.page("user")
    repository.notebook("user", "1 + 1", "1 / 0")
    status, messages, _ = repository.build()
    assert status == 1
    assert "stopped in code cell [2]" in messages


@pytest.mark.skipif(sys.platform == "win32", reason="no signal for a single process")
def test_interrupt_ends_the_build_and_its_kernels(repository: Repository) -> None:
    wait = "import os, time, pathlib\npathlib.Path(f'{os.getpid()}.pid').touch()\ntime.sleep(1000)"
    repository.notebook("user", wait)
    repository.notebook("index", wait)
    command = (
        f"import sys; sys.path.append({str(EXTENSIONS)!r}); from sphinx.cmd.build import main; "
        f"sys.exit(main({[str(repository.root / name) for name in ('book', 'build')]}))"
    )
    process = subprocess.Popen([sys.executable, "-c", command], stderr=subprocess.PIPE, text=True)
    while not (started := list((repository.root / "book").glob("*.pid"))):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate()
    assert process.returncode != 0
    assert "Interrupted" in messages
    for file in started:
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.stem), 0)
