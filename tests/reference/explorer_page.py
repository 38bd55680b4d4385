"""A page with explorers in it, made as the book makes them: for tests and benchmarks."""

import json
import sys
from pathlib import Path

from ipywidgets.embed import dependency_state, embed_data
from playwright.sync_api import Page

BOOK = Path(__file__).parents[2] / "book"
STATIC = BOOK / "_static"
sys.path.append(str(BOOK / "_ext"))

import explorer_scripts  # noqa: E402


def state_of(*explorers) -> str:
    """Return what is embedded of explorers: JSON, with scripts and data."""
    own = dependency_state(explorers, drop_defaults=False)  # not of others in this process
    state = embed_data(explorers, drop_defaults=False, state=own)["manager_state"]
    return json.dumps(state).replace("</", "<\\/")


def write_page(path: Path, *explorers) -> str:
    """Write a page, and return its address."""
    # A widget's own class is made for its traits, from the class that holds the texts.
    kinds = {type(explorer).__base__ for explorer in explorers}
    scripts = "".join(map(explorer_scripts.script, kinds)).replace("</", "<\\/")
    stills = [explorer._repr_mimebundle_()[0]["text/html"] for explorer in explorers]
    path.write_text(
        "<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>Explorers</title>"
        "<meta name='viewport' content='width=device-width'>"
        f"<style>{(STATIC / 'book.css').read_text('utf-8')}</style>"
        f"<script>{scripts}</script>"
        f"<script>{(STATIC / 'explorers.js').read_text('utf-8')}</script>"
        "<main style='max-width: 46rem; margin: auto; padding: 0 .5rem'>"
        f"{''.join(stills)}</main>"
        "<script type='application/vnd.jupyter.widget-state+json'>"
        f"{state_of(*explorers)}</script></html>",
        "utf-8",
    )
    return path.as_uri()


def words(page: Page) -> str:
    """Return the summary of what an explorer shows."""
    return page.locator(".nh-words").inner_text()


def tiles(page: Page) -> dict[str, str]:
    """Return its numbers by their names."""
    names = page.locator(".nh-tiles dt").all_inner_texts()
    return dict(zip(names, page.locator(".nh-tiles dd").all_inner_texts(), strict=True))


def frame(page: Page) -> None:
    """Wait until what is asked for has been drawn."""
    page.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
