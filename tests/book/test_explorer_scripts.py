"""Pages load scripts and styles of explorers from files, and only those that they need."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import explorer_scripts
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell

import nhlib as nh

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
