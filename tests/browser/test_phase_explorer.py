"""PhaseExplorer in a browser: a border is drawn and scored, and cells tell their numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from explorer_page import frame, state_of, words
from playwright.sync_api import Page
from visits import violations

import nhlib as nh
from nhlib.explorers.phases.phase_explorer import PhaseExplorer

FILE = Path(__file__).parents[2] / "book" / "results" / "mnist_phase_chart.csv"
OWN = {"samples": "train_size", "redundancy": "redundancy_train", "accuracy": "knn"}
Opened = Callable[..., Page]
Theme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def mnist() -> pd.DataFrame:
    """Return the stored runs."""
    table = pd.read_csv(FILE)
    return table.assign(width=table["widths"])


@pytest.fixture
def opened(opened: Callable[..., Page]) -> Opened:
    """Return what opens a page with the explorer of the stored runs, and of few of them."""

    def open_page(
        state: str = "", screen: int = 1280, theme: Theme = "light", **settings: Any
    ) -> Page:
        few = pd.read_csv(FILE).query("train_size <= 300 and widths <= 40")
        few = few.drop(columns=["kmeans", "logreg"])
        explorer = PhaseExplorer(
            {"MNIST": FILE, "few": few}, redundancy="redundancy_train", **settings
        )
        page = opened(explorer, state, screen, theme)
        page.wait_for_selector(".nh-explorer svg.nh-drawing text")
        return page

    return open_page


def task(page: Page) -> str:
    """Return what stands above the chart."""
    return page.locator(".nh-task").inner_text()


def middle(page: Page, width: int, epoch: int) -> tuple[float, float]:
    """Return where a cell of the chart is, which is beside and above its labels."""
    labels = page.locator("svg[role=application]")
    row = labels.locator("text[text-anchor=end]").get_by_text(str(width), exact=True)
    column = labels.locator("text[text-anchor=middle]").get_by_text(str(epoch), exact=True)
    beside, above = row.first.bounding_box(), column.first.bounding_box()
    assert beside
    assert above
    return above["x"] + above["width"] / 2, beside["y"] + beside["height"] / 2


def picture(page: Page) -> str:
    """Return the chart, as it is drawn once the next frames have passed."""
    frame(page)
    return page.locator("svg[role=application]").inner_html()


def test_it_begins_with_a_question(opened: Opened, mnist: pd.DataFrame) -> None:
    page = opened()
    assert "Predict first" in task(page)
    means = mnist.query("epoch == 60 and train_size == 48000").groupby("width")
    ratios = means["redundancy_train"].mean()
    for width in (10, 40, 100):
        assert f"width {width} has {ratios[width]:.4f}" in words(page)
    legend = page.locator(".nh-legend").inner_text()
    assert "critically" not in legend
    assert "expected to be under-expressive" in legend
    assert page.get_by_label("Threshold δ").is_hidden()
    # The page trains on the digits only.
    assert page.get_by_text("Fill in a missing cell").is_hidden()
    assert page.get_by_text("Train networks of your own").is_hidden()


def right_of(chart: pd.DataFrame, below: dict[int, int]) -> tuple[int, int]:
    """Count cells that a border is right about: of each epoch how many widths lie below it."""
    widths = sorted(chart["width"].unique())
    cells = chart.query("epoch > 0 and train_size == 48000")
    guess = [
        widths.index(w) < below[e] for w, e in zip(cells["width"], cells["epoch"], strict=True)
    ]
    return int((cells["regime"].eq("under-expressive") == guess).sum()), len(cells)


def test_a_border_drawn_with_the_pointer(opened: Opened, mnist: pd.DataFrame) -> None:
    page = opened()
    before = picture(page)
    (x, y), (right, down) = middle(page, 60, 1), middle(page, 30, 60)
    page.mouse.move(x, y + 12)
    page.mouse.down()
    page.mouse.move(right, down + 12)  # at once, over three columns
    page.mouse.up()
    assert picture(page) != before
    assert "Your border at epoch 60: between widths 20 and 30." in words(page)
    page.get_by_role("button", name="Reveal the regimes").click()
    right, cells = right_of(nh.phase_chart(mnist, **OWN), {1: 5, 3: 4, 10: 4, 30: 3, 60: 2})
    assert f"right in {right} of {cells} cells" in task(page)
    assert "stroke-linejoin" in picture(page)
    legend = page.locator(".nh-legend").inner_text()
    assert "critically-expressive" in legend
    assert "your border" in legend
    page.get_by_role("button", name="Draw again").click()
    assert picture(page) == before


def test_a_border_drawn_with_the_keyboard(opened: Opened, mnist: pd.DataFrame) -> None:
    page = opened()
    page.locator("svg[role=application]").focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert "Your border at epoch 1: between widths 60 and 80." in words(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the button that reveals
    right, cells = right_of(nh.phase_chart(mnist, **OWN), {1: 6, 3: 5, 10: 4, 30: 4, 60: 4})
    assert f"right in {right} of {cells} cells at τ = 0.05" in task(page)
    crosses = page.locator("svg[role=application] text", has_text="✗").count()
    assert crosses == cells - right
    # The border stays, and another threshold scores it anew.
    page.get_by_label("Threshold τ").fill("13")
    right, _ = right_of(nh.phase_chart(mnist, **OWN, tau=0.1), {1: 6, 3: 5, 10: 4, 30: 4, 60: 4})
    assert f"right in {right} of {cells} cells at τ = 0.1" in task(page)


def test_cells_tell_their_numbers(opened: Opened, mnist: pd.DataFrame) -> None:
    page = opened("#phase-explorer?revealed=true")
    before, curves = picture(page), page.locator("svg[role=img]").last.inner_html()
    chart = nh.phase_chart(mnist, **OWN).set_index(["width", "epoch", "train_size"])
    page.mouse.move(*middle(page, 60, 3))
    cell = chart.loc[(60, 3, 48000)]
    assert f"Width 60, epoch 3, 48,000 training examples (3 seeds): {cell['regime']}" in words(page)
    assert f"{cell['redundancy_train']:.4f}" in words(page)
    for gain in (cell["gain_size"], cell["gain_time"]):
        assert f"{gain:+.4f}".replace("-", "−") in words(page)
    assert picture(page) != before
    assert page.locator("svg[role=img]").last.inner_html() != curves
    page.mouse.move(1, 1)
    assert picture(page) == before
    page.locator("svg[role=application]").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert "Width 60, epoch 30" in words(page)
    call = page.locator(".nh-call code").text_content()
    assert call
    assert "width == 60 and epoch == 30 and train_size == 48000" in call


def test_thresholds_move_borders(opened: Opened, mnist: pd.DataFrame) -> None:
    page = opened(revealed=True, width=60, epoch=30)
    crossed = page.locator("svg[role=application] rect[fill*=cross]")
    for place, tau in ((3, 0.01), (19, 0.4)):
        page.get_by_label("Threshold τ").fill(str(place))
        picture(page)
        shown = nh.phase_chart(mnist, **OWN, tau=tau).query("train_size == 48000")
        assert crossed.count() == (shown["regime"] == "under-expressive").sum()
    page.get_by_label("Threshold δ").fill("12")
    picture(page)
    shown = nh.phase_chart(mnist, **OWN, tau=0.4, delta=0.1).query("train_size == 48000")
    strokes = page.locator("svg[role=application] rect[fill*=stroke]").count()
    assert strokes == (shown["regime"] == "critically-expressive").sum()
    page.get_by_label("Accuracy by").select_option(label="K-Means")
    cell = nh.phase_chart(mnist, **(OWN | {"accuracy": "kmeans"}))
    value = cell.query("width == 60 and epoch == 30 and train_size == 48000")["kmeans"].item()
    assert f"K-Means accuracy {value:.4f}" in words(page)


def test_other_axes_and_tables(opened: Opened) -> None:
    page = opened(revealed=True)
    page.get_by_label("Slider moves").select_option(label="epoch")
    page.locator(".nh-control:visible", has_text="Epoch").locator("input").fill("3")
    assert "Regimes on MNIST, epoch 10" in task(page)
    page.get_by_label("Slider moves").select_option(label="width")
    assert "Regimes on MNIST, width 50." in task(page)
    page.get_by_label("Data").select_option(label="few")
    assert "Regimes on few" in task(page)
    accuracies = page.locator("select", has_text="K-Means")
    assert accuracies.locator("option:not([disabled])").all_inner_texts() == ["K-NN"]
    page.get_by_label("Slider moves").select_option(label="epoch")
    page.locator(".nh-control:visible", has_text="Epoch").locator("input").fill("0")
    assert "before training" in words(page)


def test_the_address_holds_the_state(opened: Opened) -> None:
    page = opened()
    page.get_by_role("button", name="Reveal the regimes").click()
    page.get_by_label("Threshold τ").fill("13")
    page.locator("svg[role=application]").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.hash.includes('tau=0.1')")
    there = page.evaluate("location.hash")
    assert there.startswith("#phase-explorer?")
    said = words(page)
    assert words(opened(there)) == said


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", ["", "#phase-explorer?revealed=true"])
def test_on_a_phone_and_for_everyone(opened: Opened, state: str, theme: Theme) -> None:
    page = opened(state, screen=375, theme=theme)
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_what_is_embedded_is_small() -> None:
    explorer = PhaseExplorer({"MNIST": FILE, "again": FILE})
    assert len(state_of(explorer)) <= 400_000
