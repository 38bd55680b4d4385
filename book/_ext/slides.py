"""A deck of slides for each chapter, made from its page with reveal.js.

Whatever a class looks at goes on slides: figures, explorers, tables, short code, formulas,
predictions and checkpoints. The text between goes into the speaker's notes. A deck asks no other
host for anything.
"""

from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx
from sphinx.config import Config

from npm_package import Package

PACKAGE = Package(
    "reveal.js",
    "5.2.1",
    "r7//6mIM5p34hFiDMvYfXgyjXqGRta+/psd9YtytsgRlrpRzFv4RbH76TXd2qD+7ZPZEbpBDhdRhJaFgfQ7zNQ==",
    r"package/(dist/(?:reveal\.js|reveal\.css|reset\.css)|plugin/notes/notes\.js|LICENSE)",
)
CHAPTERS = "chapters"
LEFT_OUT = {"exercises"}  # for the desk, not for the screen
LONGEST_CODE = 14  # lines that can be read from the last row
SHEETS = ("pygments.css", "mystnb.", "katex.min.css", "book.css")
SCRIPTS = "/_static/explorers"  # the script, and what it finds in the folder
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="icon" href="../_static/favicon.svg">
<link rel="stylesheet" href="../_static/reveal.js/dist/reset.css">
<link rel="stylesheet" href="../_static/reveal.js/dist/reveal.css">
{sheets}
<link rel="stylesheet" href="../_static/slides.css">
</head>
<body class="reveal-viewport">
<main class="reveal" aria-label="Slides"><div class="slides">
{slides}
</div></main>
<script src="../_static/reveal.js/dist/reveal.js"></script>
<script src="../_static/reveal.js/plugin/notes/notes.js"></script>
{scripts}
<script>
Reveal.initialize({{
  hash: true, slideNumber: "c/t", width: 1200, height: 700, margin: 0.03, center: false,
  plugins: [RevealNotes],
  transition: matchMedia("(prefers-reduced-motion: reduce)").matches ? "none" : "slide",
}});
</script>
</body>
</html>
"""


def deck(page: str, address: str) -> str:
    """Turn a chapter's page into slides.

    Parameters
    ----------
    page : str
        Its HTML.
    address : str
        Its address, seen from the deck.

    Returns
    -------
    str
        HTML, to be put into a folder beside that of the page.
    """
    soup = BeautifulSoup(page, "html.parser")
    for anchor in soup.select("a.headerlink, button.copybtn"):
        anchor.decompose()
    chapter = soup.select_one("article.bd-article > section")
    assert chapter is not None
    title = chapter.h1.get_text(strip=True) if chapter.h1 else ""
    first = [e for e in _children(chapter) if e.name != "section"]
    stacks = [_title(title, first, address)]
    for section in chapter.find_all("section"):
        if section.h2 and section.get("id") not in LEFT_OUT and section.h2.parent is section:
            stacks.append(_stack(section.h2.decode_contents(), list(_contents(section))))
    sheets = [e for e in soup.select("head link[rel=stylesheet]") if _is_one(e["href"], SHEETS)]
    scripts = soup.select(f"script[src*='{SCRIPTS}']")
    scripts += soup.select('script[type^="application/vnd.jupyter.widget"]')
    for script in scripts:
        script.attrs.pop("defer", None)
    return PAGE.format(
        title=title,
        sheets="\n".join(map(str, sheets)),
        scripts="\n".join(map(str, scripts)),
        slides="\n".join(f"<section>{stack}</section>" for stack in stacks if stack),
    )


def _title(title: str, content: list[Tag], address: str) -> str:
    """The first two slides: the question, and what one can do afterwards."""
    question = next((e for e in content if e.name == "p" and e.strong), None)
    goals = next((e for e in content if e.name == "ol"), None)
    about = f'<p class="chapter"><a href="{address}">The chapter</a></p>'
    notes = "".join(str(e) for e in content if e.name == "p" and e is not question)
    slides = _slide(f"<h1>{title}</h1>{question or ''}{about}", notes)
    return slides + (_slide(f"<h2>After this chapter you can</h2>{goals}", "") if goals else "")


def _stack(heading: str, content: list[Tag]) -> str:
    """The slides of a section: each thing to look at, with the text before it in its notes."""
    slides: list[tuple[str, str]] = []
    notes = sentence = ""
    for element in content:
        things = list(_to_look_at(element))
        if "take away" in heading and element.name in ("ul", "p"):
            things = [str(element)]
        if not things and element.name in ("p", "ul", "ol", "dl"):
            notes += str(element)
            sentence = str(element) if element.name == "p" else ""
        for thing in things:
            # A formula says little without what its letters mean.
            lead = sentence if "math" in (element.get("class") or []) else ""
            slides.append((lead + thing, notes))
            notes = sentence = ""
    if notes and not slides:
        slides.append((sentence, notes))
    elif notes:
        thing, before = slides.pop()
        slides.append((thing, before + notes))
    return "".join(_slide(f"<h2>{heading}</h2>{thing}", words) for thing, words in slides)


def _to_look_at(element: Tag) -> Iterator[str]:
    """What of an element belongs on slides."""
    classes: list[str] = list(element.get("class") or [])
    if "cell" in classes:
        hidden = any(c.startswith("tag_hide") for c in classes)
        code = element.select_one(".cell_input pre")
        if code and not hidden and code.get_text().strip().count("\n") < LONGEST_CODE:
            yield f'<div class="cell">{element.select_one(".cell_input")}</div>'
        if "tag_hide-cell" not in classes and (output := element.select_one(".cell_output")):
            yield f'<div class="cell">{output}</div>'
    elif {"math", "admonition", "pst-scrollable-table-container"} & set(classes) or (
        element.name in ("table", "figure")
    ):
        yield str(element)


def _slide(content: str, notes: str) -> str:
    aside = f'<aside class="notes">{notes}</aside>' if notes else ""
    return f"<section>{content}{aside}</section>"


def _children(element: Tag) -> Iterator[Tag]:
    return (e for e in element.children if isinstance(e, Tag))


def _contents(section: Tag) -> Iterator[Tag]:
    """What a section holds, that of its subsections included."""
    for element in _children(section):
        if element.name == "section":
            yield from _contents(element)
        else:
            yield element


def _is_one(address: object, names: tuple[str, ...]) -> bool:
    return any(name in str(address).rpartition("/")[2] for name in names)


def stage(app: Sphinx, config: Config) -> None:
    """Let Sphinx copy reveal.js to ``_static``; no page but the decks loads it."""
    PACKAGE.fetch()
    config.html_static_path.append(str(PACKAGE.folder))


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the decks of pages that are newer, and leave none without its page."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "slides"
    folder.mkdir(exist_ok=True)
    chapters = {page.name: page for page in (Path(app.outdir) / CHAPTERS).glob("*.html")}
    for name, page in sorted(chapters.items()):
        slides = folder / name
        if not slides.is_file() or slides.stat().st_mtime_ns <= page.stat().st_mtime_ns:
            slides.write_text(deck(page.read_text("utf-8"), f"../{CHAPTERS}/{name}"), "utf-8")
    for slides in folder.glob("*.html"):
        if slides.name not in chapters:
            slides.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both."""
    app.connect("config-inited", stage)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
