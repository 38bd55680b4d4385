"""The built book as a reader sees it."""

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from visits import DESKTOP, PHONE, THEMES, WAYS, Visit, violations

CHAPTER = "chapters/02-neural-codes.html"


def unfold(page: Page) -> None:
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")


@WAYS
def test_page_asks_no_other_host_and_has_no_errors(
    browser: Browser, address: str, page_name: str
) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        visit = Visit(context, f"{address}/{page_name}")
        elsewhere = [
            url for url in visit.requests if not url.startswith((f"{address}/", "data:", "blob:"))
        ]
        assert not elsewhere
        assert not visit.complaints
        # The fonts of icons and formulas have come from the book itself.
        loaded = visit.page.evaluate("document.fonts.ready.then(() => document.fonts.size)")
        assert loaded


def test_page_fits_a_phone(browser: Browser, server: str, page_name: str) -> None:
    with browser.new_context(viewport=PHONE) as context:
        page = Visit(context, f"{server}/{page_name}").page
        unfold(page)
        for width in (320, PHONE["width"]):
            page.set_viewport_size(PHONE | {"width": width})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        for image in page.locator("article figure img:visible").all():
            box = image.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize(
    ("theme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["light", "dark phone"]
)
def test_page_is_accessible(
    browser: Browser, server: str, page_name: str, theme: str, viewport: dict[str, int]
) -> None:
    with browser.new_context(viewport=viewport, color_scheme=theme) as context:
        page = Visit(context, f"{server}/{page_name}").page
        assert not violations(page)


@WAYS
def test_book_opens_at_the_introduction(browser: Browser, address: str) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        page = context.new_page()
        page.goto(f"{address}/index.html")
        page.wait_for_url("**/intro.html")


def visible_figures(page: Page) -> tuple[int, int]:
    return tuple(
        sum(image.is_visible() for image in page.locator(f"img.only-{theme}").all())
        for theme in ("light", "dark")
    )


@WAYS
@THEMES
def test_figures_follow_the_theme(browser: Browser, address: str, theme: str) -> None:
    with browser.new_context(viewport=DESKTOP, color_scheme=theme) as context:
        page = Visit(context, f"{address}/{CHAPTER}").page
        unfold(page)
        light, dark = visible_figures(page)
        assert (light > 0, dark > 0) == (theme == "light", theme == "dark")
        shown = light or dark
        # The button goes first to the theme that is not shown.
        page.locator(".theme-switch-button:visible").click()
        expected = (0, shown) if theme == "light" else (shown, 0)
        assert visible_figures(page) == expected


@THEMES
def test_page_reads_without_scripts(browser: Browser, server: str, theme: str) -> None:
    with browser.new_context(
        viewport=DESKTOP, color_scheme=theme, java_script_enabled=False
    ) as context:
        page = Visit(context, f"{server}/{CHAPTER}").page
        light, dark = visible_figures(page)
        assert light > 0
        assert dark == 0
        assert page.locator("article .katex").count() > 0
        summary = page.locator("article details > summary").first
        content = summary.locator("xpath=following-sibling::*").first
        assert not content.is_visible()
        summary.click()
        assert content.is_visible()


def test_captions_are_visible(browser: Browser, server: str) -> None:
    for theme in ("light", "dark"):
        with browser.new_context(viewport=DESKTOP, color_scheme=theme) as context:
            page = Visit(context, f"{server}/{CHAPTER}").page
            unfold(page)
            figures = page.locator("article figure")
            assert figures.count() > 0
            for figure in figures.all():
                assert figure.locator("img:visible").count() > 0
                assert figure.locator("figcaption").is_visible()


def test_formulas_are_set_in_the_fonts_of_katex(browser: Browser, server: str) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        visit = Visit(context, f"{server}/{CHAPTER}")
        assert visit.page.locator("article .katex").count() > 10
        assert visit.page.locator(".katex-error").count() == 0
        assert visit.page.locator("article .katex math").count() > 0  # for screen readers
        fonts = [url for url in visit.requests if "/_static/katex/fonts/" in url]
        assert fonts
        assert all(url.endswith(".woff2") for url in fonts)
        text = visit.page.locator("article").inner_text()
        assert "$" not in text.replace("$ ", "")
        assert "\\(" not in text


@WAYS
def test_search_finds_a_word(browser: Browser, address: str) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        page = Visit(context, f"{address}/{CHAPTER}").page
        page.keyboard.press("Control+k")
        page.locator("#pst-search-dialog input[type=search]").fill("redundancy")
        page.keyboard.press("Enter")
        results = page.locator("#search-results ul.search li a")
        results.first.wait_for()
        titles = results.all_inner_texts()
        assert any("Neural codes" in title for title in titles), titles
        results.filter(has_text="2 Neural codes").first.click()
        page.wait_for_load_state("load")
        assert "02-neural-codes.html" in page.url


def test_notebook_is_saved_without_outputs(browser: Browser, server: str, tmp_path: Path) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        page = Visit(context, f"{server}/{CHAPTER}").page
        page.get_by_role("button", name="Download this page").click()
        with page.expect_download() as download:
            page.locator("a.btn-download-source-button").click()
        assert download.value.suggested_filename == "02-neural-codes.zip"
        download.value.save_as(tmp_path / "saved.zip")
        with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
            saved = archive.read("neural-codes/chapters/02-neural-codes.ipynb")
        cells = json.loads(saved)["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code
        assert not any(cell["outputs"] for cell in code)


def test_glossary_terms_are_linked(browser: Browser, server: str) -> None:
    with browser.new_context(viewport=DESKTOP) as context:
        page = Visit(context, f"{server}/{CHAPTER}").page
        page.locator("article a[href*='glossary.html#term-']").first.click()
        page.wait_for_load_state("load")
        assert page.locator("dt:target").count() == 1


@pytest.mark.parametrize("screen", [375, 1280])
def test_a_mark_opens_how_often_its_sentence_held(
    browser: Browser, server: str, screen: int
) -> None:
    page = browser.new_page(viewport={"width": screen, "height": 700})
    page.goto(f"{server}/chapters/03-determinism.html")
    mark = page.locator(".claim").first
    box, button = mark.locator(".claim-box"), mark.locator("button")
    assert not box.is_visible()
    assert button.get_attribute("aria-label") == "Held in 8 of 8 trials"
    button.focus()
    page.keyboard.press("Enter")
    box.wait_for(state="visible")
    assert "Held in 8 of 8: digits" in box.inner_text()
    place = box.bounding_box()
    assert place
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= screen
    assert place["y"] + place["height"] <= 700
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "How it was tried"
    page.keyboard.press("Escape")
    box.wait_for(state="hidden")
    if screen == 1280:
        button.hover()
        box.wait_for(state="visible")
        page.mouse.move(0, 0)
        box.wait_for(state="hidden")
    page.emulate_media(media="print")
    said = "(mark) => getComputedStyle(mark, '::after').content"
    assert "8 of 8" in str(mark.evaluate(said))
    page.emulate_media(media="screen")
    button.press("Enter")
    box.get_by_role("link").click()
    page.wait_for_url("**/appendix/claims.html#*")
    page.close()
