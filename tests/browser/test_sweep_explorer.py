"""SweepExplorer in a browser: factors, measures and points change, and its call repeats them."""

import re
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from explorer_page import frame, state_of, words
from playwright.sync_api import Page
from visits import violations

import nhlib as nh
from nhlib.explorers.sweeps.sweep_explorer import SweepExplorer

RESULTS = Path(__file__).parents[2] / "book" / "results"
EXPERIMENTS = "layer_width training_time sample_size regularization label_noise".split()
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Return the stored runs, and a small sweep of the digits with everything measured."""
    stored = pd.concat(
        pd.read_csv(RESULTS / f"mnist_{name}.csv", dtype={"widths": str}) for name in EXPERIMENTS
    )
    small = nh.sweep(
        *("digits", [6, 12, [6, 6]], [0, 2], [200, 400]),
        protocols=["A", "B"],
        seeds=range(2),
        progress=False,
    )
    return {"MNIST": stored, "digits": small}


def picture(page: Page) -> str:
    """Return the chart, once it has been drawn."""
    frame(page)
    return page.locator("svg.nh-drawing").inner_html()


def choose(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).select_option(label=text)


def offered(page: Page, label: str) -> list[str]:
    return page.get_by_label(label, exact=True).locator("option").all_inner_texts()


def told(page: Page) -> list[float]:
    """Return mean, least and greatest of the point that is read out."""
    found = re.search(
        r"is ([\d.]+), the mean of \d+ seeds, which span ([\d.]+) to (\d\.\d+)", words(page)
    )
    assert found, words(page)
    return [float(number) for number in found.groups()]


def test_untouched(opened: Opened, tables: dict) -> None:
    page = opened(SweepExplorer(tables, lines="epoch", epoch=1))
    mnist = tables["MNIST"].query("widths == '50' and epoch == 1 and train_size == 48000")
    plain = mnist.query("protocol == 'A' and l2 == 0 and dropout == 0 and label_noise == 0")
    plain = plain[~plain["batch_norm"]].drop_duplicates("seed")["redundancy_train"]
    assert told(page) == pytest.approx([plain.mean(), plain.min(), plain.max()], abs=1e-3)
    legend = page.locator(".nh-legend li").all_inner_texts()
    assert len(legend) == 7
    assert "untrained" in legend[0]
    assert page.get_by_role("button", name="Run").count() == 0


def test_pairs_that_were_not_measured_are_not_offered(opened: Opened, tables: dict) -> None:
    page = opened(SweepExplorer(tables))
    for along in offered(page, "Along"):
        choose(page, "Along", along)
        assert picture(page).count("<path") > 2  # marks
        if page.get_by_label("A curve for each").is_hidden():  # no other factor varies with it
            continue
        for lines in offered(page, "A curve for each"):
            choose(page, "A curve for each", lines)
            entries = page.locator(".nh-legend li").count()
            assert (entries >= 2) == (lines != "nothing: one curve"), (along, lines)
    choose(page, "Along", "share of shuffled labels")
    assert "sample" not in " ".join(offered(page, "A curve for each"))


def test_measures_and_data(opened: Opened, tables: dict) -> None:
    page = opened(SweepExplorer(tables))
    seen = {picture(page)}
    for measure, said in [
        ("K-NN accuracy on codes", "the K-NN accuracy on codes is"),
        ("all accuracies", "K-Means accuracy on codes 0."),
        ("all redundancy ratios", "redundancy ratio of all test examples 0."),
    ]:
        choose(page, "Measure", measure)
        seen.add(picture(page))
        assert said in words(page)
    choose(page, "Data", "digits")
    seen.add(picture(page))
    assert len(seen) == 5
    assert words(page).startswith("digits, protocol A, 400 training examples, epoch 2")


def test_the_point_by_mouse_and_keyboard(opened: Opened, tables: dict) -> None:
    page = opened(SweepExplorer(tables, lines="epoch", epoch=1))
    chart = page.locator("svg.nh-drawing")
    before = words(page)
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    hovered = words(page)
    assert hovered != before
    page.mouse.move(5, 5)
    assert words(page) == before
    chart.focus()
    chart.press("ArrowRight")
    assert "At 53 units, epoch 1" in words(page)
    assert page.get_by_label("Width", exact=True).get_attribute("aria-valuetext") == "53 units"
    chart.press("ArrowDown")
    assert "At 53 units, epoch 3" in words(page)
    chart.press("Home")
    assert "At 3 units, epoch 3" in words(page)
    slider = page.get_by_label("Width", exact=True)
    slider.focus()
    slider.press("ArrowRight")
    assert "At 7 units" in words(page)


def test_the_address_holds_the_state(opened: Opened, tables: dict) -> None:
    state = "#sweep-explorer?table=digits&measure=knn&along=train_size&lines=width&width=12&epoch=2"
    page = opened(SweepExplorer(tables), state)
    assert "digits" in words(page)
    assert "12 units" in words(page)
    page.get_by_label("Epoch", exact=True).press("Home")
    page.wait_for_function("() => location.hash.includes('epoch=0')")
    assert "lines=width" in page.url


@pytest.mark.parametrize(
    "settings",
    [
        {"lines": "epoch", "measure": "redundancy_test_n", "width": 12},
        {"along": "epoch", "lines": "protocol", "measure": "knn", "protocol": "B"},
        {"along": "train_size", "lines": "none", "measure": "categorization", "depth": 2},
        {"along": "depth", "lines": "none", "measure": "redundancy_train", "width": 6},
    ],
)
def test_the_call_repeats_what_is_shown(opened: Opened, tables: dict, settings: dict) -> None:
    page = opened(SweepExplorer(tables, table="digits", **settings))
    code = page.locator(".nh-call code").text_content()
    assert code
    said = StringIO()
    with redirect_stdout(said):
        exec(code.replace("    measures=", "    progress=False,\n    measures="), {})
    numbers = [float(number) for number in re.findall(r" (\d\.\d+)", said.getvalue())]
    if settings["measure"] == "categorization":
        # A line each for mean, least and greatest, a column for each measure.
        shown = re.findall(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)", words(page))
        assert len(shown) == 4
        expected = [float(one[i]) for i in range(3) for one in shown]
        assert numbers == pytest.approx(expected, abs=1.2e-3)
    else:
        assert numbers == pytest.approx(told(page), abs=1.2e-3)


def test_what_is_embedded_is_small(tables: dict) -> None:
    # 100,000 of these are the digits, which the page trains on.
    assert len(state_of(SweepExplorer(tables))) <= 500_000


@pytest.mark.parametrize(("screen", "theme"), [(1280, "light"), (375, "dark")])
def test_it_is_accessible_and_fits(opened: Opened, tables: dict, screen: int, theme: str) -> None:
    page = opened(SweepExplorer(tables, lines="epoch"), screen=screen, theme=theme)
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= screen
