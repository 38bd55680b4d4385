"""CodeExplorer in a browser: three views move, and their numbers are those of nhlib."""

import re
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO

import matplotlib.pyplot as plt
import numpy as np
import pytest
from explorer_page import frame, state_of, tiles, words
from playwright.sync_api import Page
from visits import violations

import nhlib as nh
from nhlib.explorers.codes.code_explorer import CodeExplorer

Opened = Callable[..., Page]


def picture(page: Page) -> str:
    frame(page)
    return page.locator("canvas.nh-canvas").evaluate("(canvas) => canvas.toDataURL()")


def output_of_the_call(page: Page) -> list[str]:
    """Run the Python that is shown, and return the lines that it prints."""
    code = page.locator(".nh-call code").text_content()
    assert code
    said = StringIO()
    with redirect_stdout(said):
        exec(code, {})
    plt.close("all")
    return said.getvalue().splitlines()


def test_matrix(opened: Opened) -> None:
    page = opened(CodeExplorer())
    assert tiles(page)["Distinct codes"] == "782 of 1,437"
    before = picture(page)
    epoch = page.get_by_label("Epoch")
    epoch.focus()
    epoch.press("ArrowLeft")
    assert picture(page) != before
    codes = CodeExplorer(epoch=10).codes()
    assert tiles(page)["Redundancy ratio"] == f"{nh.redundancy_ratio(codes):.3f}"
    assert f"{codes.n_distinct} distinct codes" in words(page)
    # A digit and a unit are read out where the pointer is, and where the keys lead.
    canvas = page.locator("canvas.nh-canvas")
    lens = page.locator(".nh-lens").first
    said = {lens.inner_text()}
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    frame(page)
    said.add(lens.inner_text())
    canvas.focus()
    for key in ("ArrowDown", "ArrowRight"):
        canvas.press(key)
        frame(page)
        said.add(lens.inner_text())
    assert len(said) == 4


def test_collisions(opened: Opened) -> None:
    page = opened(CodeExplorer(view="collisions", network="12", protocol="B"))
    sizes = np.bincount(CodeExplorer(network="12", protocol="B").codes().groups())
    shared = f"in {(sizes > 1).sum()} groups, the largest of {sizes.max()}"
    assert shared in words(page)
    first = page.locator(".nh-view:visible button").first
    assert page.locator(".nh-view:visible button").count() >= 23
    # One stop of the tab key, and arrows from picture to picture.
    assert page.locator(".nh-view:visible button[tabindex='0']").count() == 1
    first.focus()
    first.press("ArrowRight")
    chosen = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    number = int(re.search(r"Digit (\d+)", chosen)[1])
    page.get_by_label("Neighbours", exact=True).check()
    assert page.locator(".nh-view:visible strong").inner_text().startswith(f"Digit {number},")
    page.get_by_label("Shared codes", exact=True).check()
    page.get_by_label("Protocol").select_option(label="B: with batch norm")
    page.get_by_label("Hidden units").select_option(label="50 units")
    assert tiles(page)["Distinct codes"] == "1,435 of 1,437"
    assert "in 2 groups" in words(page)


def test_neighbours(opened: Opened) -> None:
    page = opened(CodeExplorer(view="neighbours", network="25"))
    rows = page.locator(".nh-neighbours tbody tr:visible")
    assert rows.count() == 9
    right = float(tiles(page)["9-NN on codes"].removesuffix(" %"))
    page.get_by_role("button", name="Next digit that codes get wrong").click()
    assert re.search(r"vote for \d \(wrong\)", words(page))
    k = page.get_by_label("Neighbours k")
    k.focus()
    k.press("Home")
    assert rows.count() == 1
    assert float(tiles(page)["1-NN on codes"].removesuffix(" %")) != right
    before = page.locator(".nh-view:visible strong").inner_text()
    rows.first.locator("button").last.click()
    assert page.locator(".nh-view:visible strong").inner_text() != before


def test_layers(opened: Opened) -> None:
    page = opened(CodeExplorer(network="16-16-16", protocol="B"))
    for layer in ("relu1", "relu2", "relu3"):
        page.get_by_label("Code of").select_option(label=f"layer {layer}")
        codes = CodeExplorer(network="16-16-16", protocol="B", layer=layer).codes()
        assert tiles(page)["Distinct codes"] == f"{codes.n_distinct:,} of 1,437"
    # A network that has no such layer shows all of it.
    page.get_by_label("Hidden units").select_option(label="12 units")
    codes = CodeExplorer(network="12", protocol="B").codes()
    assert tiles(page)["Distinct codes"] == f"{codes.n_distinct:,} of 1,437"


@pytest.mark.parametrize("view", ["matrix", "collisions", "neighbours"])
def test_the_call_repeats_what_is_shown(opened: Opened, view: str) -> None:
    settings = {"network": "16-16-16", "layer": "relu2", "epoch": 1, "k": 4, "digit": 11}
    page = opened(CodeExplorer(view=view, **settings))
    lines = output_of_the_call(page)
    distinct, ratio = lines[0].split()
    shown = tiles(page)
    assert shown["Distinct codes"] == f"{int(distinct):,} of 1,437"
    assert shown["Redundancy ratio"] == f"{float(ratio):.3f}"
    assert shown["4-NN on codes"] == f"{100 * float(lines[1]):.1f} %"
    if view == "collisions":
        sharing, groups, largest, mixed = map(int, lines[2].split())
        assert (
            f"{sharing:,} digits share their code with others, in {groups} groups, the largest "
            f"of {largest}; {mixed} of the groups mix classes"
        ) in words(page)
    if view == "neighbours":
        assert shown["4-NN on pixels"] == f"{100 * float(lines[2]):.1f} %"
        labels, apart = re.findall(r"\[[^\[]+\]", lines[3])[1:]
        table = page.locator(".nh-neighbours tbody tr:visible")
        assert table.locator("td:nth-child(1)").all_inner_texts() == [
            f"{'✓' if label == str(nh.load('digits').train.labels[11].item()) else '✗'} {label}"
            for label in re.findall(r"\d+", labels)
        ]
        assert table.locator("td:nth-child(2)").all_inner_texts() == re.findall(r"\d+", apart)


def test_state_in_the_address(opened: Opened) -> None:
    page = opened(CodeExplorer(), "#code-explorer?view=neighbours&network=12&protocol=B&digit=99")
    assert page.locator(".nh-view:visible strong").inner_text().startswith("Digit 99,")
    codes = CodeExplorer(network="12", protocol="B").codes()
    assert tiles(page)["Distinct codes"] == f"{codes.n_distinct:,} of 1,437"
    page.get_by_label("Epoch").press("Home")
    page.wait_for_function("() => location.hash.includes('epoch=0')")
    assert "digit=99" in page.url


def test_what_is_embedded_is_small() -> None:
    assert len(state_of(CodeExplorer())) <= 400_000


@pytest.mark.parametrize("view", ["matrix", "collisions", "neighbours"])
@pytest.mark.parametrize(("screen", "theme"), [(1280, "light"), (375, "dark")])
def test_it_is_accessible_and_fits(opened: Opened, view: str, screen: int, theme: str) -> None:
    page = opened(CodeExplorer(view=view, network="16-16-16"), screen=screen, theme=theme)
    frame(page)
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= screen
