"""What all explorers share in a page: addresses, the still that stands in, screens, words."""

from collections.abc import Callable, Iterator

import pytest
from explorer_page import words
from playwright.sync_api import Browser, Page, expect

import nhlib as nh

Opened = Callable[..., Page]


@pytest.fixture
def broken(browser: Browser, page_of: Callable[..., str]) -> Iterator[Callable[[str], Page]]:
    """Return what opens a page in a browser from which a script has taken something away."""
    contexts = []

    def open_page(script: str) -> Page:
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.goto(page_of(nh.RegionExplorer(epochs=1)))
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("hash", ["#100%", "#%E0%A4%A", "#region-explorer?seed=%E0%A4"])
def test_whatever_stands_in_the_address(opened: Opened, hash: str) -> None:
    page = opened(nh.RegionExplorer(epochs=1), hash)
    expect(page.locator(".nh-words")).to_contain_text("After 1 epoch")


def test_the_still_goes_when_the_explorer_is_drawn(opened: Opened) -> None:
    page = opened(nh.RegionExplorer(epochs=1))
    expect(page.locator(".nh-still")).to_have_count(0)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("delete URL.createObjectURL", "This explorer does not run here: the browser is too old"),
        ("addEventListener('DOMContentLoaded', () => { nhExplorers = {}; }, true)", "missing"),
        ("delete CanvasRenderingContext2D.prototype.setTransform", "This cannot be drawn here."),
    ],
)
def test_without_something_the_still_stays_with_a_sentence(
    broken: Callable[[str], Page], script: str, sentence: str
) -> None:
    page = broken(script)
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    page.wait_for_timeout(200)
    expect(page.locator(".nh-still")).to_have_count(1)


def test_only_what_changed_is_read_out(opened: Opened) -> None:
    page = opened(nh.RegionExplorer(epochs=1))
    heard = page.locator(".nh-explorer > [aria-live='polite']")
    expect(heard).to_contain_text("After 1 epoch")
    page.evaluate(
        """() => {
          window.messages = [];
          const live = document.querySelector(".nh-explorer > [aria-live='polite']");
          new MutationObserver(() => messages.push(live.textContent))
            .observe(live, { childList: true, characterData: true, subtree: true });
        }"""
    )
    canvas = page.locator("canvas").first
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        canvas.press(key)
    page.wait_for_function("messages.length > 0")
    canvas.press("Shift")  # moves nothing
    page.wait_for_timeout(1000)
    (message,) = page.evaluate("messages")
    assert "epoch" not in message
    assert message in words(page)
    assert message.startswith("At (0.37, 0.10)")


def test_fingers_scroll_and_zoom_the_page(opened: Opened) -> None:
    page = opened(nh.RegionExplorer(epochs=1), screen=375)
    action = page.locator("canvas").first.evaluate("(one) => getComputedStyle(one).touchAction")
    assert set(action.split()) == {"pan-y", "pinch-zoom"}


def test_a_canvas_is_as_fine_as_its_screen(opened: Opened) -> None:
    page = opened(nh.RegionExplorer(epochs=1))
    fineness = "(one) => Math.round(10 * one.width / one.clientWidth) / 10"
    canvas = page.locator("canvas").first
    devtools = page.context.new_cdp_session(page)
    for width, ratio in ((1300, 2), (1301, 1), (1302, 3), (1303, 1.5)):
        # Beside the wide page the canvas keeps its size; without a change of width, emulation
        # tells no page of the ratio.
        devtools.send(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": ratio, "mobile": False},
        )
        page.wait_for_function(
            f"(one) => ({fineness})(one) === {ratio}", arg=canvas.element_handle()
        )
