"""MarginExplorer in a browser: a digit moves, and every number is that of nhlib."""

import re
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO

import pytest
from explorer_page import frame, state_of, tiles, words
from playwright.sync_api import Page
from visits import violations

from nhlib.explorers.margins.margin_explorer import MarginExplorer

Opened = Callable[..., Page]


def pictures(page: Page) -> list[str]:
    frame(page)
    visible = page.locator(".nh-moves figure:visible")
    return visible.evaluate_all(
        "(figures) => figures.map(({ firstChild: one }) => one.toDataURL?.() ?? one.outerHTML)"
    )


def press(page: Page, label: str, *keys: str) -> None:
    slider = page.get_by_label(label, exact=True)
    slider.focus()
    for key in keys:
        slider.press(key)


def output_of_the_call(page: Page) -> list[str]:
    """Run the Python that is shown, and return what it prints, by numbers."""
    code = page.locator(".nh-call code").text_content()
    assert code
    said = StringIO()
    with redirect_stdout(said):
        exec(code, {})
    return re.findall(r"[-+.\de]*\d\.?", said.getvalue())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"digit": 0, "length": 0.1},  # the answer changes before a bit flips
        {"protocol": "A", "digit": 41, "direction": "random", "draw": 5, "length": 2.5},
        {"protocol": "A", "epoch": 0, "digit": 3, "direction": "digit", "length": 1.35},
        {"digit": 52, "direction": "digit", "length": 3},  # two others are as near
        {"digit": 100, "direction": "random", "length": 0},
    ],
    ids=["usual", "no-flip", "random", "untrained", "far", "nothing"],
)
def test_numbers_are_those_of_the_call(opened: Opened, settings: dict[str, object]) -> None:
    page = opened(MarginExplorer(**settings))
    shown, said = tiles(page), words(page)
    margin, n_flipped, before, after, *rest = output_of_the_call(page)
    assert float(shown["Margin"]) == pytest.approx(float(margin), rel=6e-3)
    assert f"Its margin is {shown['Margin']}: no shorter step flips a bit" in said
    assert shown["Flipped bits"] == f"{n_flipped} of 50"
    assert f"{n_flipped} of 50 bits flip" in said
    answer = f"{after} (as before)" if before == after else f"{after} (was {before})"
    assert shown["Answer"] == answer
    assert f"the network takes it for {before}" in said
    assert f"the answer is {after}." in said
    first = re.search(r"the first at ([.\d]+\d)", said)
    assert first
    assert float(first[1]) == pytest.approx(float(rest[0]), rel=6e-3)
    # Where bits flip come in order, and only the change of the answer may come after.
    places = [float(number) for number in rest]
    change = shown["Answer changes at"]
    if change == "not up to 3":
        assert places == sorted(places)
        assert "Up to length 3 the answer stays" in said
    else:
        assert float(change) == pytest.approx(places[-1], rel=6e-3)
        n_before = sum(place < places[-1] for place in places[:-1])
        flips = f"after {n_before} flip" if n_before else "before any bit has flipped"
        assert f"The answer first changes at {change}, {flips}" in said
    # The stairs rise once a flip.
    stairs = page.locator(".nh-drawing path[stroke-width='2.5']").get_attribute("d")
    assert stairs
    n_flips = len(places) - (change != "not up to 3")
    assert stairs.count("V") == n_flips


def test_length(opened: Opened) -> None:
    page = opened(MarginExplorer())
    first = pictures(page)
    assert len(first) == 3
    press(page, "Length", "Home")
    assert tiles(page)["Flipped bits"] == "0 of 50"
    digit, added, moved = pictures(page)
    assert digit == moved == first[0]
    assert 'd="M' not in added
    assert "No bit has flipped." in page.locator(".nh-twocodes").inner_text()
    press(page, "Length", "ArrowRight", "PageUp", "PageUp")
    assert 0 < int(tiles(page)["Flipped bits"].split()[0]) < 20
    assert pictures(page)[2] not in {moved, first[2]}
    # A ticked bit is one that is named.
    flipped = page.locator(".nh-twocodes .nh-differs").last.get_attribute("d") or ""
    named = page.locator(".nh-twocodes p").inner_text()
    assert flipped.count("M") == len(re.findall(r"\d+", named.split(":")[1]))
    # With the mouse.
    chart = page.locator(".nh-drawing")
    box = chart.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 14, box["y"] + box["height"] / 2)
    assert page.get_by_label("Length", exact=True).input_value() == "3"
    assert "Moved by 3 against its class" in words(page)


def test_to_the_places(opened: Opened) -> None:
    page = opened(MarginExplorer(digit=1))
    page.get_by_role("button", name="To the first flip").click()
    assert tiles(page)["Flipped bits"] == "1 of 50"
    assert "(as before)" in tiles(page)["Answer"]
    page.get_by_role("button", name="To the change of answer").click()
    assert "(was 6)" in tiles(page)["Answer"]
    change = float(tiles(page)["Answer changes at"])
    length = float(re.search(r"Moved by ([.\d]+)", words(page))[1])
    assert change - 1e-3 < length < change + 2e-3
    page.get_by_label("Random", exact=True).check()
    assert page.get_by_label("Random seed").is_visible()
    assert page.get_by_role("button", name="To the change of answer").is_disabled() == (
        tiles(page)["Answer changes at"] == "not up to 3"
    )
    page.get_by_label("Another digit", exact=True).check()
    assert len(pictures(page)) == 4
    assert not page.get_by_label("Random seed").is_visible()
    assert re.search(r"towards digit \d+, an? \d", words(page))


def test_every_control_moves_the_numbers(opened: Opened) -> None:
    page = opened(MarginExplorer(direction="random", length=1.5))
    seen = {words(page)}
    press(page, "Digit", "ArrowRight")
    seen.add(words(page))
    press(page, "Random seed", "ArrowRight")
    seen.add(words(page))
    page.get_by_label("Protocol").select_option(label="A: plain")
    seen.add(words(page))
    page.get_by_label("Network").select_option(label="before training")
    seen.add(words(page))
    assert len(seen) == 5
    assert "protocol A, before training" in words(page)
    # It is read out once it has come to rest.
    page.wait_for_timeout(1000)
    assert page.locator("[aria-live='polite']").text_content() == words(page)


def test_state_in_the_address(opened: Opened) -> None:
    page = opened(MarginExplorer(), "#margin-explorer?direction=digit&digit=7&length=1.234&draw=99")
    assert words(page).startswith("Test digit 7,")
    assert "Moved by 1.234 towards" in words(page)
    press(page, "Length", "End")
    page.wait_for_function("() => location.hash.includes('length=3')")
    assert "draw=99" not in page.url  # there are fewer


def test_what_is_embedded_is_small() -> None:
    assert len(state_of(MarginExplorer())) <= 300_000


@pytest.mark.parametrize("direction", ["attack", "random", "digit"])
@pytest.mark.parametrize(("screen", "theme"), [(1280, "light"), (375, "dark")])
def test_it_is_accessible_and_fits(opened: Opened, direction: str, screen: int, theme: str) -> None:
    page = opened(MarginExplorer(direction=direction), screen=screen, theme=theme)
    frame(page)
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= screen
