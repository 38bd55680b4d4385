"""Explorers in JupyterLab, with a kernel behind them, and after it has died."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

PATIENCE = 90_000  # milliseconds: a kernel that starts imports PyTorch


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve a folder of notebooks with JupyterLab; return its address and the folder."""
    folder = tmp_path_factory.mktemp("lab")
    home = {
        name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "HOME")
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--IdentityProvider.token=", "--expose-app-in-browser", "--LabApp.news_url="]
    log = folder / "log.txt"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **home}, stdout=out, stderr=out
        )
    try:
        yield address_of(server, folder / "JUPYTER_RUNTIME_DIR", log), folder
    finally:
        server.terminate()
        server.wait(30)


def address_of(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        for file in runtime.glob("jpserver-*.json"):
            # It is written, in pieces, before the server listens.
            with contextlib.suppress(json.JSONDecodeError, OSError):
                url = json.loads(file.read_text())["url"]
                urllib.request.urlopen(f"{url}api/status").close()
                return url
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


class Notebook:
    """A notebook that is open, whose cells are run one by one."""

    def __init__(self, browser: Browser, lab: tuple[str, Path], *cells: str) -> None:
        address, folder = lab
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, folder / "explorer.ipynb")
        self.context = browser.new_context(viewport={"width": 1400, "height": 1600})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        self.page.goto(f"{address}lab/tree/explorer.ipynb?reset")
        self.page.locator(".jp-Notebook .jp-CodeCell").nth(len(cells) - 1).wait_for()
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
            " === 'idle'"
        )

    def run(self, index: int) -> str:
        """Run a cell, and return its text."""
        self.page.evaluate(
            """async (index) => {
                 jupyterapp.shell.currentWidget.content.activeCellIndex = index;
                 await jupyterapp.commands.execute("notebook:run-cell");
               }""",
            index,
        )
        return self.text(index)

    def text(self, index: int) -> str:
        output = self.page.locator(".jp-CodeCell").nth(index).locator(".jp-OutputArea-output pre")
        return output.first.inner_text() if output.count() else ""

    @property
    def words(self) -> str:
        return self.page.locator(".nh-words").first.inner_text()

    def close(self) -> None:
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.context.close()


def test_values_go_both_ways_until_the_kernel_dies(browser: Browser, lab: tuple[str, Path]) -> None:
    notebook = Notebook(
        browser,
        lab,
        "import nhlib as nh\nexplorer = nh.RegionExplorer(width=4, depth=1, epochs=20)\nexplorer",
        "explorer.width, explorer.epochs",
        "explorer.width = 6",
        "import os\nos._exit(1)",
    )
    page = notebook.page
    notebook.run(0)
    expect(page.locator(".nh-words")).to_contain_text("After 20 epochs")
    assert page.locator(".nh-still").count() == 0  # the explorer itself, not what stands for it
    # From the page to Python, and from Python to the page.
    slider = page.get_by_label("Units a layer")
    slider.focus()
    slider.press("ArrowRight")
    expect(page.locator(".nh-words")).to_contain_text("After 20 epochs")
    assert notebook.run(1) == "(5, 20)"
    notebook.run(2)
    expect(slider).to_have_value("6")
    expect(page.locator(".nh-call code")).to_contain_text("nh.mlp(2, [6], 2", timeout=PATIENCE)
    # Keys belong to the explorer, not to the notebook.
    page.locator("canvas.nh-canvas").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("b")
    assert page.locator(".jp-CodeCell").count() == 4
    # A kernel that has gone takes nothing else along.
    notebook.run(3)
    page.get_by_role("button", name=re.compile("OK|Ok")).click()
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.locator(".nh-words")).to_contain_text("After 21 epochs")
    notebook.close()


def test_new_points_stream_in(browser: Browser, lab: tuple[str, Path]) -> None:
    notebook = Notebook(
        browser,
        lab,
        "import nhlib as nh\n"
        'table = nh.sweep("digits", [10, 20], [0, 20], progress=False, measures="redundancy")\n'
        "explorer = nh.SweepExplorer(table, width=10)\nexplorer",
        'len(explorer.tables["digits"])',
        "explorer._run['state']",
        "import os\nos._exit(1)",
    )
    page = notebook.page
    notebook.run(0)
    expect(page.locator(".nh-words")).to_contain_text("At 10 units")
    form = page.locator(".nh-run")
    value = form.get_by_label("Value to add")
    button = form.get_by_role("button", name="Run")
    # What cannot be trained is not sent.
    value.fill("0")
    button.click()
    expect(form.get_by_role("status")).to_contain_text("a whole number from 1 to 10,000 is needed")
    value.fill("40")
    button.click()
    expect(form.get_by_role("status")).to_contain_text("Done: 3 new rows.")
    expect(page.locator(".nh-words")).to_contain_text("At 40 units")
    assert notebook.run(1) == "7"
    # A longer run shows how far it is, and is cancelled; what it has measured stays.
    form.get_by_label("Factor to add a value of").select_option(label="epoch")
    value.fill("3000")
    form.get_by_label("How many seeds").fill("20")
    button.click()
    expect(form.get_by_role("button", name="Cancel")).to_be_visible()
    expect(form.get_by_role("status")).to_contain_text(re.compile("rows are measured|Training"))
    form.get_by_role("button", name="Cancel").click()
    expect(form.get_by_role("status")).to_contain_text(re.compile(r"Cancelled\. \d+ of \d+ rows"))
    expect(button).to_be_enabled()
    assert notebook.run(2) == "'cancelled'"
    # Without Python all but Run goes on.
    notebook.run(3)
    page.get_by_role("button", name=re.compile("OK|Ok")).click()
    slider = page.get_by_label("Width", exact=True)
    slider.focus()
    slider.press("Home")
    expect(page.locator(".nh-words")).to_contain_text("At 10 units")
    button.click()
    expect(form.get_by_role("status")).to_contain_text("Python does not answer")
    notebook.close()


def test_a_missing_cell_is_filled_in(browser: Browser, lab: tuple[str, Path]) -> None:
    notebook = Notebook(
        browser,
        lab,
        "import nhlib as nh\n"
        'measures = ("redundancy", "knn")\n'
        'table = nh.sweep("digits", [10, 20], [0, 3], progress=False, measures=measures)\n'
        "explorer = nh.PhaseExplorer(table, revealed=True)\nexplorer",
        'sorted(explorer.tables["digits"]["width"].unique().tolist())',
    )
    page = notebook.page
    notebook.run(0)
    expect(page.locator(".nh-words")).to_contain_text("epoch 3")
    form = page.locator(".nh-run")
    expect(form).to_contain_text("This cell has been measured.")
    form.get_by_label("width").fill("15")
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_role("status")).to_contain_text("Done:")
    expect(page.locator(".nh-words")).to_contain_text("Width 15, epoch 3")
    assert notebook.run(1) == "[10, 15, 20]"
    notebook.close()
