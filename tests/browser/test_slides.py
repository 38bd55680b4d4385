"""The decks of slides, on the screen of a classroom that has no network."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from visits import WAYS, Visit, violations

SITE = Path(__file__).parents[2] / "_build" / "html"
DECKS = sorted(p.name for p in (SITE / "slides").glob("*.html")) or ["no deck"]
BEAMER = {"width": 1280, "height": 720}
NOW = "Reveal.getCurrentSlide()"


@pytest.fixture(params=DECKS)
def deck(request, site):
    assert request.param != "no deck"
    return f"slides/{request.param}"


def test_there_is_a_deck_for_every_chapter(site):
    assert sorted(p.name for p in (SITE / "chapters").glob("*.html")) == DECKS


@WAYS
def test_a_deck_asks_no_other_host_and_has_no_errors(browser: Browser, address, deck):
    with browser.new_context(viewport=BEAMER) as context:
        visit = Visit(context, f"{address}/{deck}")
        elsewhere = [
            url for url in visit.requests if not url.startswith((f"{address}/", "data:", "blob:"))
        ]
        assert not elsewhere
        for _ in range(12):
            visit.page.keyboard.press("Space")
        assert not visit.complaints


def test_keys_lead_through_all_slides(browser: Browser, server, deck):
    with browser.new_context(viewport=BEAMER, reduced_motion="reduce") as context:
        page = Visit(context, f"{server}/{deck}").page
        total = page.evaluate("Reveal.getTotalSlides()")
        assert total > 15
        seen = []
        for _ in range(total):
            seen.append(str(page.evaluate("Reveal.getIndices()")))
            # Something is on each, and no picture reaches beyond the edge or is of the dark theme.
            assert page.evaluate(f"{NOW}.textContent.trim().length") > 0
            for image in page.locator("section.present img:visible").all():
                box = image.bounding_box()
                assert "only-dark" not in (image.get_attribute("class") or "")
                assert box
                assert box["x"] >= -1
                assert box["x"] + box["width"] <= BEAMER["width"] + 1
                assert box["height"] < BEAMER["height"]
            page.keyboard.press("Space")
        assert len(set(seen)) == total


def test_the_text_is_in_the_notes(browser: Browser, server, deck):
    with browser.new_context(viewport=BEAMER) as context:
        page = Visit(context, f"{server}/{deck}").page
        words = page.evaluate(
            "[...document.querySelectorAll('aside.notes')].map(n => n.textContent).join(' ')"
        )
        assert len(words.split()) > 300
        assert not page.locator("aside.notes >> visible=true").count()


def test_links_and_pictures_lead_somewhere(browser: Browser, server, deck):
    with browser.new_context(viewport=BEAMER) as context:
        page = Visit(context, f"{server}/{deck}").page
        targets = page.evaluate(
            "[...document.querySelectorAll('.slides [href], .slides img')]"
            ".map(e => e.href || e.src)"
        )
        local = {t.split("#")[0].split("?")[0] for t in targets if t.startswith(server)}
        missing = [t for t in local if not (SITE / t.removeprefix(f"{server}/")).exists()]
        assert not missing


def test_a_deck_is_accessible(browser: Browser, server, deck):
    with browser.new_context(viewport=BEAMER) as context:
        page = Visit(context, f"{server}/{deck}").page
        for _ in range(4):
            assert not violations(page)
            page.keyboard.press("Space")


def test_an_explorer_lives_on_a_slide(browser: Browser, server, site):
    with browser.new_context(viewport=BEAMER) as context:
        page = Visit(context, f"{server}/slides/01-linear-regions.html").page
        explorer = page.locator(".nh-explorer").first
        explorer.wait_for(state="attached")
        page.evaluate(
            "const explorer = document.querySelector('.nh-explorer');"
            "const slide = explorer.closest('.slides > section > section');"
            "const { h, v } = Reveal.getIndices(slide); Reveal.slide(h, v)"
        )
        words = page.locator(".nh-words").first
        before = words.inner_text()
        page.locator(".nh-explorer input[type=range]").first.focus()
        place = page.evaluate("Reveal.getIndices()")
        page.keyboard.press("ArrowRight")
        changed = "before => document.querySelector('.nh-words').innerText !== before"
        page.wait_for_function(changed, arg=before)
        assert page.evaluate("Reveal.getIndices()") == place  # the key was the slider's
