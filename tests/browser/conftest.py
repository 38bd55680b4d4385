"""The built book, a server for it, a browser, and pages of single explorers."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from explorer_page import write_page
from playwright.sync_api import Browser, Page, sync_playwright
from serving import served

SITE = Path(__file__).parents[2] / "_build" / "html"
PAGES = [
    str(path.relative_to(SITE).as_posix())
    for path in sorted(SITE.rglob("*.html"))
    if not {"_static", "_modules", "reports", "slides"} & set(path.relative_to(SITE).parts)
    and path != SITE / "index.html"  # it leads on to the introduction at once
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `page_name` on every page of the book."""
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", PAGES or ["no page"])


def missing(what: str) -> None:
    """Skip, except in continuous integration, which has built the book before."""
    if os.environ.get("NHLIB_REQUIRE_SITE") == "1":
        pytest.fail(f"NHLIB_REQUIRE_SITE=1, but {what}")
    pytest.skip(what)


@pytest.fixture(scope="session")
def site() -> Path:
    """Return the folder of the built book."""
    if not (SITE / "index.html").is_file():
        missing("there is no built book: run make book first")
    return SITE


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """Return the address of the book on a local web server."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def address(request: pytest.FixtureRequest, site: Path) -> str:
    """Return where the book is opened: from a server, or from the disk."""
    if request.param == "http":
        return str(request.getfixturevalue("server"))
    return site.as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium: best the one without windows, which computes half as much."""
    chromium = (
        os.environ.get("NHLIB_CHROMIUM")
        or shutil.which("chromium-headless-shell")
        or shutil.which("chromium")
    )
    if not chromium:
        missing("there is no chromium: install it, or say in NHLIB_CHROMIUM where it is")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page_of(tmp_path: Path) -> Callable[..., str]:
    """Return what writes a page with explorers, as the book embeds them; it gives the address."""
    return lambda *explorers: write_page(tmp_path / "explorers.html", *explorers)


@pytest.fixture
def opened(browser: Browser, page_of: Callable[..., str]) -> Iterator[Callable[..., Page]]:
    """Return what opens a page with one explorer: opened(explorer, state, screen, theme).

    In the end, no page may have complained or asked any other host.
    """
    complaints: list[str] = []
    contexts = []

    def requested(url: str) -> None:
        if not url.startswith(("blob:", "data:", "file:")):
            complaints.append(url)

    def open_page(explorer: Any, state: str = "", screen: int = 1280, theme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": screen, "height": 900}, has_touch=screen < 500
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requested(request.url))
        page.goto(page_of(explorer) + state)
        page.evaluate("(theme) => document.documentElement.dataset.theme = theme", theme)
        page.wait_for_selector(".nh-words:not(:empty), .nh-message:not([hidden])")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
