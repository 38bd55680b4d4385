"""The built book, a server for it, and a browser."""

import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

SITE = Path(__file__).parents[2] / "_build" / "html"
PAGES = [
    str(path.relative_to(SITE).as_posix())
    for path in sorted(SITE.rglob("*.html"))
    if not {"_static", "_modules", "reports"} & set(path.relative_to(SITE).parts)
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


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not write a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[str]:
    """Return the address of the book on a local web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as httpd:
        threading.Thread(target=httpd.serve_forever).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture(scope="session")
def address(request: pytest.FixtureRequest, site: Path) -> str:
    """Return where the book is opened: from a server, or from the disk."""
    if request.param == "http":
        return str(request.getfixturevalue("server"))
    return site.as_uri()


@pytest.fixture(scope="session")
def browser(site: Path) -> Iterator[Browser]:
    """Start Chromium."""
    chromium = os.environ.get("NHLIB_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        missing("there is no chromium: install it, or say in NHLIB_CHROMIUM where it is")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()
