"""Own points in the RegionExplorer: with mouse, keyboard and finger, as files, and back again."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from explorer_page import frame, words
from playwright.sync_api import Locator, Page, expect

import nhlib as nh
from nhlib.explorers.regions.region_explorer import RegionExplorer

Opened = Callable[..., Page]
OWN = [[-0.5, 0.5, 0], [0.5, 0.5, 1], [0.0, -0.5, 0]]


def own(**settings: object) -> RegionExplorer:
    return RegionExplorer(data="own", points=OWN, epochs=2, width=3, depth=1, **settings)


def points(page: Page) -> list[list[float]]:
    """Return the points that the address holds, once it has come to rest."""
    page.wait_for_timeout(600)
    text = page.url.split("points=")[1].split("&")[0]
    return [[float(number) for number in row.split("_")] for row in text.split("~")]


def at(canvas: Locator, x: float, y: float) -> dict[str, float]:
    """Return where a point of the square is in the canvas."""
    box = canvas.bounding_box()
    assert box
    return {"x": (x + 1) / 2 * box["width"], "y": (1 - y) / 2 * box["height"]}


def tool(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def told(page: Page, text: str) -> None:
    expect(page.locator(".nh-told")).to_contain_text(text)


def test_by_mouse(opened: Opened) -> None:
    page = opened(own())
    canvas = page.locator("canvas")
    tool(page, "Add ■")
    canvas.click(position=at(canvas, 0.5, -0.5))
    told(page, "Added: 4 points.")
    assert points(page)[3] == pytest.approx([0.5, -0.5, 1], abs=0.01)
    expect(page.locator(".nh-words")).to_contain_text("After 2 epochs")  # learnt anew
    tool(page, "Move")
    start, end = at(canvas, 0.5, -0.5), at(canvas, 0.8, -0.2)
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + start["x"], box["y"] + start["y"])
    page.mouse.down()
    page.mouse.move(box["x"] + end["x"], box["y"] + end["y"], steps=4)
    page.mouse.up()
    told(page, "Moved.")
    assert points(page)[3] == pytest.approx([0.8, -0.2, 1], abs=0.01)
    tool(page, "Delete")
    canvas.click(position=at(canvas, 0, -0.5))
    told(page, "Deleted: 3 points.")
    assert len(points(page)) == 3
    canvas.click(position=at(canvas, 0, 0.9))
    told(page, "No point is near enough")
    for left in (4, 4, 3):
        page.get_by_role("button", name="Undo").click()
        told(page, "Undone.")
        assert len(points(page)) == left
    assert points(page) == OWN
    page.get_by_role("button", name="Undo").click()
    told(page, "There is nothing to undo.")


def test_by_keyboard(opened: Opened) -> None:
    page = opened(own(cursor=[0.44, -0.4], tool="add 0"))
    canvas = page.locator("canvas")
    canvas.focus()
    canvas.press("Shift+ArrowRight")
    canvas.press("Enter")
    assert points(page)[3] == [0.54, -0.4, 0]
    canvas.press("Control+z")
    told(page, "Undone.")
    assert points(page) == OWN
    tool(page, "Move")
    canvas.focus()
    canvas.press("Enter")
    told(page, "No point is near enough")
    for _ in range(9):
        canvas.press("Shift+ArrowUp")
    canvas.press("Enter")
    told(page, "Taken along")
    canvas.press("ArrowLeft")
    canvas.press("Escape")
    told(page, "Put back.")
    assert points(page) == OWN
    canvas.press("Enter")
    canvas.press("Shift+ArrowDown")
    canvas.press("Enter")
    told(page, "Moved.")
    assert points(page)[1] == pytest.approx([0.52, 0.4, 1])
    tool(page, "Delete")
    canvas.focus()
    canvas.press("Enter")
    told(page, "Deleted: 2 points.")


def test_by_finger(opened: Opened) -> None:
    page = opened(own(tool="add 1"), screen=375)
    canvas = page.locator("canvas")
    canvas.tap(position=at(canvas, 0.6, -0.6))
    told(page, "Added: 4 points.")
    tool(page, "Move")
    # A finger on a point moves it; beside points it scrolls the page.
    swipe(page, canvas, (0.6, -0.6), (0.6, 0.2))
    told(page, "Moved.")
    assert points(page)[3] == pytest.approx([0.6, 0.2, 1], abs=0.02)
    assert page.evaluate("scrollY") == 0
    swipe(page, canvas, (0, 0), (0, 0.8))
    page.wait_for_function("scrollY > 0")
    assert len(points(page)) == 4


def swipe(
    page: Page, canvas: Locator, start: tuple[float, float], end: tuple[float, float]
) -> None:
    """Draw a finger over the picture."""
    box = canvas.bounding_box()
    assert box
    devtools = page.context.new_cdp_session(page)
    for k in range(9):
        x, y = (a + (b - a) * k / 8 for a, b in zip(start, end, strict=True))
        place = at(canvas, x, y)
        finger = {"x": box["x"] + place["x"], "y": box["y"] + place["y"]}
        kind = "touchMove" if k else "touchStart"
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [finger]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_one_point_stays(opened: Opened) -> None:
    page = opened(RegionExplorer(data="own", points=[[0, 0, 1]], epochs=2, tool="delete"))
    expect(page.locator(".nh-words")).to_contain_text("The 1 point has 1 distinct code")
    canvas = page.locator("canvas")
    canvas.click(position=at(canvas, 0, 0))
    told(page, "One point has to stay")


def test_points_of_a_data_set_become_ones_own(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=2, sample_size=20, tool="add 0"))
    page.locator("canvas").click()
    told(page, "Added: 21 points.")
    expect(page.get_by_label("Points", exact=True)).to_have_value("2")
    expect(page.get_by_label("How many")).to_be_hidden()
    assert len(points(page)) == 21
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("How many")).to_be_visible()
    expect(page.locator(".nh-words")).to_contain_text("The 20 points")


@pytest.mark.parametrize("start", ["a circle", "XOR", "two Gaussians", "two spirals"])
def test_starts(opened: Opened, start: str) -> None:
    page = opened(RegionExplorer(epochs=2))
    page.get_by_label("Start from").select_option(label=start)
    told(page, f"Your own points: {start}")
    expect(page.locator(".nh-words")).to_contain_text("The 60 points")
    if start == "two spirals":
        spirals = nh.load(start[4:], 60).train
        expected = torch.column_stack([spirals.inputs, spirals.labels])
        assert torch.tensor(points(page)).allclose(expected, rtol=0, atol=6e-4)


def test_a_link_brings_all_back(opened: Opened) -> None:
    page = opened(own(cursor=[0.123, -0.7], pinned=[0.5, 0.6], view="graph", tool="move"))
    page.get_by_label("Seed", exact=True).press("ArrowRight")
    page.wait_for_function("location.hash.includes('seed=1')")
    frame(page)
    hash, said = "#" + page.url.split("#")[1], words(page)
    again = opened(RegionExplorer(), hash)
    expect(again.locator(".nh-words")).to_have_text(said)
    assert again.evaluate("location.hash") == hash


def test_files(opened: Opened, tmp_path: Path) -> None:
    page = opened(own())
    with page.expect_download() as download:
        page.get_by_role("button", name="Save points").click()
    saved = tmp_path / "points.csv"
    download.value.save_as(saved)
    assert download.value.suggested_filename == "points.csv"
    assert saved.read_text() == "x,y,class\n-0.5,0.5,0\n0.5,0.5,1\n0,-0.5,0\n"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").click()
    drawing = tmp_path / "regions.svg"
    download.value.save_as(drawing)
    title = ElementTree.parse(drawing).getroot()[0]
    assert title.text == words(page)
    # What is damaged changes nothing.
    saved.write_text("x,y,class\n0.1,0.2,0\n0.3,3,1\n")
    load(page, saved)
    told(page, "Line 3: y is 3, but points lie between −1 and 1. Nothing was changed.")
    large = tmp_path / "large.csv"
    large.write_text("0,0,0\n" * 300_000)
    load(page, large)
    told(page, "This file is larger than a table of points. Nothing was changed.")
    expect(page.locator(".nh-words")).to_contain_text("The 3 points")
    saved.write_text("0.1,0.2,0\n0.3,0.4,1\n")
    load(page, saved)
    told(page, "Loaded: 2 points.")
    assert points(page) == [[0.1, 0.2, 0], [0.3, 0.4, 1]]


def load(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Load points").press("Enter")
    chooser.value.set_files(path)
