"""The files of the built book."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

import nhlib

# Where a page names a file that the browser fetches without being asked.
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


def read(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text("utf-8"), "html.parser")


def test_page_loads_nothing_from_another_host(site: Path, page_name: str) -> None:
    html = read(site / page_name)
    for tag, attribute in LOADED.items():
        for element in html.find_all(tag):
            url = str(element.get(attribute) or "")
            assert not re.match(r"(https?:)?//", url), element
    for script in html.find_all("script"):
        assert not re.search(r"https?://(?!www\.w3\.org)", script.get_text()), script


def test_style_sheets_load_nothing_from_another_host(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        found = re.findall(
            r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")]+)", sheet.read_text("utf-8")
        )
        assert not found, sheet


def test_links_lead_somewhere(site: Path, page_name: str) -> None:
    page = site / page_name
    ids: dict[Path, set[str]] = {}
    for element in read(page).select("a[href], img[src], link[href], script[src]"):
        url = urlsplit(str(element.get("href") or element.get("src") or ""))
        if url.scheme or url.netloc:
            continue
        target = (page.parent / unquote(url.path)).resolve() if url.path else page
        assert target.is_file(), f"{element} leads nowhere"
        if url.fragment and target.suffix == ".html":
            if target not in ids:
                ids[target] = {str(e["id"]) for e in read(target).select("[id]")}
            assert unquote(url.fragment) in ids[target], f"{element} leads to no place in its page"


def test_ids_are_unique(site: Path, page_name: str) -> None:
    counts = Counter(str(element["id"]) for element in read(site / page_name).select("[id]"))
    assert not [name for name, count in counts.items() if count > 1]


def test_every_figure_of_a_cell_says_what_it_shows(site: Path, page_name: str) -> None:
    for image in read(site / page_name).select("div.cell_output img"):
        alt = str(image.get("alt", ""))
        assert len(alt) > 20, f"{image} needs mystnb: image: alt in its cell's metadata"
        assert "_images" not in alt, f"{image} needs mystnb: image: alt in its cell's metadata"
        assert image.find_parent("figure"), f"{image} needs mystnb: figure: caption"


def test_reference_has_every_public_name(site: Path) -> None:
    objects = read(site / "appendix/reference.html").select("dt.sig-object")
    documented = {str(signature.get("id", "")).rpartition(".")[2] for signature in objects}
    assert set(nhlib.__all__) <= documented


def test_solutions_of_assignments_are_not_in_the_book(site: Path) -> None:
    sources = Path(__file__).parents[2] / "book" / "assignments"
    names = [folder.parent.name for folder in sources.glob("*/checks.py")]
    assert len(names) == 6
    assert not [p for p in site.rglob("*") if p.stem in names or p.name == "checks.py"]
    for page in site.rglob("*.html"):
        assert "BEGIN SOLUTION" not in page.read_text("utf-8")
