"""Pages load scripts and styles of explorers from files, and only those that they need."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import explorer_scripts
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import nhlib as nh

ROOT = Path(__file__).parents[2]
CONF = """
extensions = ["myst_nb", "execution", "explorer_scripts"]
nb_execution_mode = "off"
nb_execution_timeout = 100
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [["html", "text/html", 5]]
"""
Build = Callable[..., tuple[int, str, Path]]


@pytest.fixture(scope="module")
def site(build: Build) -> Path:
    status, messages, folder = build(
        [
            new_markdown_cell("# Page"),
            new_code_cell("import nhlib as nh\nnh.RegionExplorer(epochs=1)"),
        ]
    )
    assert status == 0, messages
    return folder


def test_page_has_the_state_without_script_and_style(site: Path) -> None:
    page = BeautifulSoup((site / "page.html").read_text("utf-8"), "html.parser")
    (embedded,) = page.select(f"script[type='{explorer_scripts.STATE}']")
    (state,) = (
        model["state"]
        for model in json.loads(embedded.get_text())["state"].values()
        if model["model_name"] == "AnyModel"
    )
    assert not {"_esm", "_css"} & state.keys()
    assert state["epochs"] == 1
    assert state["_anywidget_id"].endswith(".RegionExplorer")
    (loaded,) = page.select("script[src*='_static/explorers/']")
    address, _, checksum = str(loaded["src"]).partition("?v=")
    assert address == "_static/explorers/RegionExplorer.js"
    assert checksum


def test_file_holds_what_the_widget_has_in_jupyter(site: Path) -> None:
    text = (site / "_static" / "explorers" / "RegionExplorer.js").read_text("utf-8")
    match = re.fullmatch(r"\(globalThis\.nhExplorers \?\?= \{\}\)\.RegionExplorer = (.*);\n", text)
    assert match
    widget = nh.RegionExplorer()
    assert json.loads(match[1]) == {"_esm": widget._esm, "_css": widget._css}
    widget.close()


def test_edited_style_executes_nothing(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nhlib", tmp_path / "nhlib", ignore=ignore)
    shutil.copytree(ROOT / "book" / "_ext", tmp_path / "book" / "_ext", ignore=ignore)
    (tmp_path / "book" / "conf.py").write_text(CONF)
    cells = [new_markdown_cell("# Page"), new_code_cell("import nhlib\nnhlib.MarginExplorer()")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "book" / "index.ipynb")
    site = tmp_path / "site" / "html"

    def build() -> tuple[str, str, str]:
        """Return messages, page and script."""
        paths = os.pathsep.join(str(tmp_path / name) for name in ("", "book/_ext"))
        done = subprocess.run(
            [sys.executable, "-m", "sphinx", "--no-color", "book", site],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": paths},
        )
        assert done.returncode == 0, done.stdout
        script = site / "_static" / "explorers" / "MarginExplorer.js"
        return done.stdout, (site / "index.html").read_text("utf-8"), script.read_text("utf-8")

    messages, page, script = build()
    assert "executed index" in messages
    for suffix in ("css", "js"):
        path = next(iter(sorted((tmp_path / "nhlib" / "explorers").rglob(f"*.{suffix}"))))
        path.write_text(path.read_text("utf-8") + "/* edited here */\n", "utf-8")
    messages, edited_page, edited_script = build()
    assert "executed index" not in messages
    assert script.count("/* edited here */") == 0
    assert edited_script.count("/* edited here */") >= 1
    checksum = r"MarginExplorer\.js\?v=(\w+)"
    assert re.findall(checksum, edited_page) != re.findall(checksum, page)
    assert build()[0].count("executed index") == 0
