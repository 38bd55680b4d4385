"""RegionExplorer in a browser: it trains, its picture moves, and it says what PyTorch would."""

import re
from collections.abc import Callable

import pytest
import torch
from explorer_page import words
from playwright.sync_api import Browser, Page, expect
from visits import violations

import nhlib as nh
from nhlib.explorers.regions.region_explorer import RegionExplorer

Opened = Callable[..., Page]
WHEN = re.compile(
    r"After ([\d,]+) epochs?: ([\d,]+) regions? .*? have ([\d,]+) distinct codes?: "
    r"a redundancy ratio of ([\d.]+) %\. Loss ([-+\d.e]+), training accuracy ([\d.]+) %"
)


def numbers(page: Page) -> list[float]:
    """Return epoch, regions, codes, redundancy, loss and accuracy from the summary."""
    found = WHEN.search(words(page))
    assert found, words(page)
    return [float(number.replace(",", "")) for number in found.groups()]


def at_epoch(page: Page, epoch: int) -> list[float]:
    """Wait until the network has been trained for so long; return its numbers."""
    page.wait_for_function(
        """(epoch) => document.querySelector(".nh-words").textContent
             .startsWith(`After ${epoch.toLocaleString("en")} epoch`)""",
        arg=epoch,
    )
    return numbers(page)


def picture(page: Page) -> str:
    return page.locator("canvas").evaluate("(canvas) => canvas.toDataURL()")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def slide(page: Page, label: str, key: str, times: int = 1) -> None:
    slider = page.get_by_label(label, exact=True)
    slider.focus()
    for _ in range(times):
        slider.press(key)


@pytest.mark.parametrize(
    "settings",
    [{"epochs": 40}, {"epochs": 30, "data": "spirals", "width": 5, "depth": 3, "label_noise": 0.1}],
)
def test_page_trains_the_network_that_pytorch_does(opened: Opened, settings: dict) -> None:
    explorer = RegionExplorer(**settings)
    page = opened(explorer)
    _, regions, codes, redundancy, _, _ = at_epoch(page, explorer.epochs)
    network, data = explorer.network(), explorer.dataset()
    assert regions == pytest.approx(nh.partition(network).n_regions, rel=0.05)  # but for rounding
    expected = nh.encode(network, data.train)
    assert abs(codes - expected.n_distinct) <= 1  # a point may lie on a line, up to rounding
    assert redundancy == pytest.approx(100 * nh.redundancy_ratio(expected), abs=1.1)


def test_untouched_picture_teaches(opened: Opened) -> None:
    page = opened(RegionExplorer())
    _, regions, codes, redundancy, _, accuracy = at_epoch(page, 300)
    assert regions > 60
    assert codes < 60
    assert redundancy > 40
    assert accuracy == 100
    legend = page.locator(".nh-legend li").all_inner_texts()
    assert [text.replace("\n", " ").strip() for text in legend] == [
        *("● class 0", "■ class 1", "decision boundary"),
        *("a unit turns on or off", "✛ cursor", "◇ pinned point"),
    ]


def test_buttons(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=5))
    at_epoch(page, 5)
    before = picture(page)
    press(page, "Step")
    at_epoch(page, 6)
    assert picture(page) != before
    press(page, "Reset")
    first = at_epoch(page, 0)
    assert first[2] < 40
    press(page, "Play")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.wait_for_function(
        """() => Number(/After ([\\d,]+)/.exec(
             document.querySelector(".nh-words").textContent)[1].replace(",", "")) > 20"""
    )
    press(page, "Pause")
    page.wait_for_timeout(300)
    epoch, *_, loss, _ = numbers(page)
    assert epoch > 20
    assert loss < first[4]
    page.wait_for_timeout(300)
    assert numbers(page)[0] == epoch  # it rests
    # Played or not, it is the same network.
    again = opened(RegionExplorer(epochs=int(epoch)))
    assert at_epoch(again, int(epoch))[1:] == numbers(page)[1:]


def test_sliders_by_keyboard(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=10))
    seen = [at_epoch(page, 10)]
    for label, key in [
        ("Units a layer", "ArrowRight"),
        ("Layers", "ArrowLeft"),
        ("How many", "ArrowRight"),
        ("Label noise", "End"),
        ("Learning rate", "ArrowRight"),
        ("Seed", "ArrowRight"),
    ]:
        before = words(page)
        slide(page, label, key)
        page.wait_for_function(
            "(before) => document.querySelector('.nh-words').textContent !== before", arg=before
        )
        seen.append(at_epoch(page, 10))
    assert len({tuple(one) for one in seen}) == len(seen)
    code = page.locator(".nh-call code").text_content()
    assert code is not None
    assert "nh.with_label_noise" in code
    assert "nh.mlp(2, [9], 2, seed=1)" in code
    assert "train_size=200" in code


def test_bits_flip_under_the_cursor(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=20))
    at_epoch(page, 20)
    canvas = page.locator("canvas")
    box = canvas.bounding_box()
    assert box
    texts = set()
    for share in (0.1, 0.4, 0.7, 0.95):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_timeout(60)
        texts.add(page.locator(".nh-code").inner_text())
    assert len(texts) >= 3
    canvas.focus()
    for _ in range(3):
        canvas.press("Shift+ArrowUp")
    page.wait_for_timeout(60)
    assert not re.search(r"\b0 bits from the pinned point", words(page))
    canvas.press("Enter")
    page.wait_for_timeout(60)
    assert "0 bits from the pinned point" in words(page)
    assert page.locator(".nh-bit.nh-differs").count() == 0


def test_code_under_the_cursor_is_nhlibs(opened: Opened) -> None:
    explorer = RegionExplorer(epochs=20)
    page = opened(explorer)
    at_epoch(page, 20)
    found = re.search(r"At \(0.35, 0.10\) the code is (\d+) (\d+)", words(page))
    assert found
    bits = nh.encode(explorer.network(), torch.tensor([explorer.cursor])).bits()[0]
    assert "".join(map(str, bits)) == found[1] + found[2]


def test_state_in_the_address(opened: Opened) -> None:
    page = opened(RegionExplorer(), "#region-explorer?width=3&depth=1&seed=7&epochs=12")
    at_epoch(page, 12)
    assert page.get_by_label("Seed", exact=True).input_value() == "7"
    slide(page, "Seed", "ArrowLeft")
    page.wait_for_function("() => location.hash.includes('seed=6')")
    assert "width=3" in page.url
    # What Python would refuse is refused here too.
    page = opened(RegionExplorer(epochs=3), "#region-explorer?width=99&depth=x&data=cats&pace=1")
    at_epoch(page, 3)
    assert page.get_by_label("Units a layer").input_value() == "8"


def test_training_that_explodes_says_so(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=60, width=24, depth=3, learning_rate=100.0))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Training has left all bounds")
    press(page, "Start again at 0.01")
    expect(alert).to_be_hidden()
    assert at_epoch(page, 60)[4] < 1


def test_state_of_another_version_says_so(opened: Opened) -> None:
    explorer = RegionExplorer()
    explorer._version = 99
    page = opened(explorer)
    expect(page.get_by_role("alert")).to_contain_text("another version of nhlib (99")


def test_reduced_motion_repaints_seldom(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=2))
    page.emulate_media(reduced_motion="reduce")
    at_epoch(page, 2)
    press(page, "Step")
    at_epoch(page, 3)


@pytest.mark.parametrize(("screen", "theme"), [(1280, "light"), (375, "dark")])
def test_it_is_accessible_and_fits(opened: Opened, screen: int, theme: str) -> None:
    page = opened(RegionExplorer(epochs=10), screen=screen, theme=theme)
    at_epoch(page, 10)
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= screen


def test_the_graph_of_neighbours_is_a_view(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=5))
    at_epoch(page, 5)
    before = picture(page)
    page.get_by_label("Picture").select_option(label="neighbours")
    expect(page.locator(".nh-legend")).to_contain_text("two regions that share a side")
    page.wait_for_function("location.hash.includes('view=graph')")
    assert picture(page) != before


def test_play_ends_at_the_largest_number_of_epochs(opened: Opened) -> None:
    explorer = RegionExplorer(epochs=0)
    explorer._allowed = explorer._allowed | {"epochs": {"min": 0, "max": 40, "whole": True}}
    page = opened(explorer)
    press(page, "Play")
    at_epoch(page, 40)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    press(page, "Play")  # there is nothing to do
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.wait_for_function("location.hash.includes('epochs=40')")


def test_a_page_in_the_background_does_not_train(opened: Opened) -> None:
    page = opened(RegionExplorer(epochs=0))
    press(page, "Play")
    page.wait_for_function("!document.querySelector('.nh-words').textContent.includes('After 0')")
    show = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, "
    show += "configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(show, True)
    page.wait_for_timeout(300)
    epoch = numbers(page)[0]
    page.wait_for_timeout(1500)
    assert numbers(page)[0] == epoch
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.evaluate(show, False)
    page.wait_for_function(
        "(epoch) => !document.querySelector('.nh-words').textContent.includes(`After ${epoch} `)",
        arg=f"{epoch:,.0f}",
    )
    assert numbers(page)[0] > epoch


@pytest.mark.parametrize(
    "script",
    [
        "window.Worker = class { constructor() { throw new Error('no'); } };",
        # A policy of the page: Chromium tells the worker, later.
        """addEventListener("DOMContentLoaded", () => document.head.insertAdjacentHTML("beforeend",
          "<meta http-equiv='Content-Security-Policy' content=\\"worker-src 'none'\\">"), true);""",
    ],
)
def test_without_a_worker_a_sentence_says_so(
    browser: Browser, page_of: Callable[..., str], script: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(script)
        page.goto(page_of(RegionExplorer(epochs=5)))
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("is not trained here")
        expect(page.locator(".nh-words")).to_contain_text("After 0 epochs: 30 regions")
        slide(page, "Seed", "ArrowRight")  # all else works
        expect(page.locator(".nh-words")).to_contain_text("After 0 epochs: 2")
        expect(alert).to_be_visible()
        press(page, "Play")
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
