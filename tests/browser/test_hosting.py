"""The book on servers that forbid much, as book/appendix/hosting.md describes them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from serving import served

HOSTING = Path(__file__).parents[2] / "book" / "appendix" / "hosting.md"
# The policies that the page names, the shorter one first.
POLICIES = re.findall(r"^    (default-src .*)$", HOSTING.read_text("utf-8"), re.MULTILINE)


def trains(page: Page) -> None:
    """Wait until the region explorer of chapter 1 has drawn, and trains."""
    words = page.locator(".nh-words").first
    words.wait_for()
    before = words.inner_text()
    page.get_by_role("button", name="Play").first.click()
    page.wait_for_function(
        "(before) => document.querySelector('.nh-words').innerText !== before", arg=before
    )


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    yield page
    context.close()


def test_the_page_names_two_policies() -> None:
    assert len(POLICIES) == 2
    assert "'wasm-unsafe-eval'" not in POLICIES[0]
    assert POLICIES[1] == POLICIES[0].replace(
        "'unsafe-inline' blob:", "'unsafe-inline' 'wasm-unsafe-eval' blob:"
    )


@pytest.mark.parametrize("policy", POLICIES)
def test_explorers_work_under_the_policies(
    policy: str, site: Path, page: Page, complaints: list[str]
) -> None:
    with served(site, Content_Security_Policy=policy) as address:
        page.goto(f"{address}/chapters/01-linear-regions.html")
        trains(page)
    assert complaints == []


def test_explorers_work_in_a_sandboxed_frame(
    site: Path, page: Page, tmp_path: Path, server: str
) -> None:
    frame = f'<iframe sandbox="allow-scripts" src="{server}/explorers.html"></iframe>'
    (tmp_path / "index.html").write_text(f"<!doctype html>{frame}", "utf-8")
    with served(tmp_path) as address:
        page.goto(f"{address}/index.html")
        inside = page.frame_locator("iframe")
        inside.locator(".nh-words").first.wait_for()
