"""The explorers of the built book: every one moves, and without scripts it is a picture."""

import gzip
import json

import pytest
from playwright.sync_api import Browser, Page, Response
from visits import DESKTOP, PHONE, WAYS, Visit

# Pages, and of every explorer on them a control to move.
EXPLORERS = {
    "chapters/01-linear-regions.html": ["seed"],
    "chapters/02-neural-codes.html": ["epoch"],
    "chapters/03-determinism.html": ["epoch"],
    "chapters/04-categorization.html": ["digit"],
    "chapters/05-what-shapes-the-code.html": ["width"],
    "chapters/06-the-phase-chart.html": ["tau"],
    "chapters/07-deep-networks.html": ["epoch"],
    "chapters/08-codes-at-work.html": ["length"],
    "explorers.html": ["seed", "epoch", "width", "tau", "length"],
}
ON_PAGES = pytest.mark.parametrize("name", EXPLORERS)


def ready(page: Page, name: str) -> None:
    page.wait_for_function(
        "(n) => document.querySelectorAll('.nh-words:not(:empty)').length === n",
        arg=len(EXPLORERS[name]),
    )


DRAWN = """([place, before]) => {
  const explorer = document.querySelectorAll(".nh-explorer")[place];
  const drawn = [
    ...[...explorer.querySelectorAll("canvas")].map((one) => one.toDataURL()),
    ...[...explorer.querySelectorAll("svg")].map((one) => one.outerHTML),
  ].join();
  return drawn !== before && drawn;
}"""


def pictures(page: Page, place: int) -> str:
    """Return what an explorer draws, once it has come to rest."""
    page.wait_for_timeout(600)
    return page.evaluate(DRAWN, [place, ""])


def other_pictures(page: Page, place: int, before: str) -> str:
    """Return what an explorer draws, as soon as it is something else."""
    return page.wait_for_function(DRAWN, arg=[place, before], polling=50).json_value()


@WAYS
@ON_PAGES
def test_every_explorer_moves(browser: Browser, address: str, name: str) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        visit = Visit(context, f"{address}/{name}")
        page = visit.page
        ready(page, name)
        for place, setting in enumerate(EXPLORERS[name]):
            explorer = page.locator(".nh-explorer").nth(place)
            before, words = pictures(page, place), explorer.locator(".nh-words").inner_text()
            if setting == "tau":
                explorer.get_by_role("button", name="Reveal the regimes").click()
                before = other_pictures(page, place, before)
            slider = explorer.locator(f"input[type=range][id$='-{setting}']")
            # With the keyboard, then with the mouse.
            slider.focus()
            slider.press("ArrowLeft" if slider.input_value() != "0" else "ArrowRight")
            moved = other_pictures(page, place, before)
            assert explorer.locator(".nh-words").inner_text() != words
            box = slider.bounding_box()
            assert box
            page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
            other_pictures(page, place, moved)
        assert not visit.complaints


def test_an_explorer_has_no_frame_of_the_theme(browser: Browser, server: str) -> None:
    name = "chapters/08-codes-at-work.html"
    with browser.new_context(viewport=DESKTOP, color_scheme="dark") as context:
        page = Visit(context, f"{server}/{name}").page
        ready(page, name)
        style = page.locator(".text_html:has(.nh-explorer)").evaluate(
            "(one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).padding]"
        )
        assert style == ["rgba(0, 0, 0, 0)", "0px"]
        tile = page.locator(".nh-tiles dd").first
        assert tile.evaluate("(one) => getComputedStyle(one).marginLeft") == "0px"


@ON_PAGES
def test_without_scripts_each_is_a_picture(browser: Browser, server: str, name: str) -> None:
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        page = Visit(context, f"{server}/{name}").page
        stills = page.locator("figure.nh-still")
        assert stills.count() == len(EXPLORERS[name])
        for still in stills.all():
            picture = still.locator("> [role=img]")
            assert len(picture.get_attribute("aria-label") or "") > 60
            assert len(still.locator("figcaption").inner_text()) > 40
            box = picture.locator("svg").bounding_box()
            assert box
            assert 250 < box["width"] <= PHONE["width"]


def test_only_explorers_are_embedded(browser: Browser, server: str, page_name: str) -> None:
    """What needs a kernel shows nothing in a page."""
    with browser.new_context(viewport=DESKTOP) as context:
        page = Visit(context, f"{server}/{page_name}").page
        state = page.locator("script[type='application/vnd.jupyter.widget-state+json']")
        n_explorers = len(EXPLORERS.get(page_name, []))
        assert page.locator("[data-explorer]").count() == 0  # they have been replaced
        assert page.locator(".nh-explorer").count() == n_explorers
        views = page.locator("script[type='application/vnd.jupyter.widget-view+json']")
        assert views.count() == 0
        if n_explorers:
            models = json.loads(state.first.text_content() or "")["state"].values()
            shown = [model for model in models if model["model_module"] != "@jupyter-widgets/base"]
            assert {model["model_module"] for model in shown} == {"anywidget"}


def weight(response: Response) -> int:
    """Return the bytes of an answer from a server that compresses what is not compressed yet."""
    body = response.body()
    packed = response.url.endswith((".woff2", ".png", ".jpg"))
    return len(body if packed else gzip.compress(body))


def test_page_is_small(browser: Browser, server: str, page_name: str) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        page = context.new_page()
        responses: list[Response] = []
        page.on("response", lambda response: responses.append(response))
        page.goto(f"{server}/{page_name}")
        page.wait_for_load_state("networkidle")
        of_server = [one for one in responses if one.url.startswith(server)]
        sizes = {response.url: weight(response) for response in of_server}
    assert sum(sizes.values()) < 1_500_000, sorted(sizes.items(), key=lambda one: -one[1])[:5]


def test_a_link_restores_a_state(browser: Browser, server: str) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        name = "explorers.html"
        state = "#region-explorer?width=3&depth=1&seed=5&epochs=20"
        page = Visit(context, f"{server}/{name}{state}").page
        ready(page, name)
        first = page.locator(".nh-explorer").first
        first.get_by_text("After 20 epochs").first.wait_for()
        assert first.get_by_label("Units a layer").input_value() == "3"
        # The page has come down to it, below the header.
        box = first.bounding_box()
        assert box
        assert -5 <= box["y"] < 300


def test_explorers_follow_the_theme(browser: Browser, server: str) -> None:
    with browser.new_context(viewport=DESKTOP, color_scheme="dark") as context:
        name = "chapters/01-linear-regions.html"
        page = Visit(context, f"{server}/{name}").page
        ready(page, name)
        paper = "getComputedStyle(document.querySelector('.nh-explorer')).backgroundColor"
        dark = page.evaluate(paper)
        page.locator(".theme-switch-button:visible").click()
        assert page.evaluate(paper) != dark
