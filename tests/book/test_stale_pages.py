"""A book that is built again has the pages of a book that is built for the first time."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CONF = """
import sys
sys.path.insert(0, "..")
extensions = [
    "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinxcontrib.bibtex", "stale_pages"
]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2
bibtex_bibfiles = ["references.bib"]
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_show_copyright = False
"""
INDEX = """# Book

:::{toctree}
one
two
books
reference
:::
"""
ONE = """# One

Text. See {doc}`two`, {eq}`energy`, {ref}`here` and [](two.md#a-part).
"""
TWO = """# Two

(here)=
## A part

$$E = m c^2$$ (energy)

{cite}`one`
"""
REFERENCES = "".join(
    f"@book{{{key}, author={{{name}, A.}}, title={{T {key}}}, publisher={{P}}, year={{2000}}}}\n"
    for key, name in (("one", "First"), ("two", "Second"))
)
MODULE = "def one():\n    '''First.'''\n\n\ndef two():\n    '''Second.'''\n"


class Book:
    """The sources of a book, and its pages."""

    def __init__(self, folder: Path, sphinx: Callable[[Path], tuple[int, str]]) -> None:
        self.source = folder / "book"
        self.site = folder / "build" / "html"
        self.sphinx = sphinx
        (self.source / "_static").mkdir(parents=True)
        (folder / "stale_example.py").write_text(MODULE)
        for name, text in {
            "conf.py": CONF,
            "index.md": INDEX,
            "one.md": ONE,
            "two.md": TWO,
            "books.md": "# Books\n\n```{bibliography}\n```\n",
            "reference.rst": "Reference\n=========\n\n.. autofunction:: stale_example.one\n",
            "references.bib": REFERENCES,
            "_static/book.css": "p { color: red; }",
        }.items():
            (self.source / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.source / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def build(self) -> None:
        status, messages = self.sphinx(self.source)
        assert status == 0, messages

    def pages(self) -> dict[str, str]:
        # myst-nb copies its style sheet last, so that a first build knows no checksum of it.
        return {
            path.relative_to(self.site).as_posix(): re.sub(
                r"(mystnb\.\w+\.css)\?v=\w+", r"\1", path.read_text()
            )
            for path in self.site.rglob("*.html")
        }

    def written(self) -> set[str]:
        """Build, and return the pages of sources that have been written."""
        before = {path: path.stat().st_mtime_ns for path in self.site.glob("*.html")}
        self.build()
        written = {path.stem for path, time in before.items() if path.stat().st_mtime_ns != time}
        return written - {"genindex", "search"}  # always


@pytest.fixture
def book(
    tmp_path: Path,
    sphinx: Callable[[Path], tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Book:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "stale_example", raising=False)
    book = Book(tmp_path, sphinx)
    book.build()
    return book


CHANGES = {
    "title": ("two.md", "# Two", "# Second"),
    "heading": ("two.md", "## A part", "## A part\n\n## Another part"),
    "text of a label": ("two.md", "## A part", "## Some part\n\n## A part"),
    "number of an equation": ("two.md", "$$E = m", "$$a = b$$ (first)\n\n$$E = m"),
    "citation": ("one.md", "Text.", "Text. {cite}`two`"),
    "reference": ("references.bib", "First, A.", "Primus, A."),
    "order": ("index.md", "one\ntwo\n", "two\none\n"),
    "function": ("reference.rst", "one\n", "one\n.. autofunction:: stale_example.two\n"),
    "style": ("_static/book.css", "red", "blue"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_pages_are_those_of_a_first_build(book: Book, change: str) -> None:
    book.edit(*CHANGES[change])
    before = book.pages()
    book.build()
    again = book.pages()
    shutil.rmtree(book.site.parent)
    book.build()
    first = book.pages()
    assert again.keys() == first.keys()
    for name, page in first.items():
        assert again[name].splitlines() == page.splitlines()
    assert again != before


def test_pages_of_sources_that_are_gone_go(book: Book) -> None:
    (book.source / "one.md").unlink()
    book.edit("index.md", "one\n", "")
    (book.source / "reference.rst").unlink()
    book.edit("index.md", "reference\n", "")
    book.build()
    again = book.pages()
    assert not {"one.html", "reference.html", "_modules/stale_example.html"} & again.keys()
    shutil.rmtree(book.site.parent)
    book.build()
    assert again == book.pages()


def test_pages_of_a_forgotten_book_go(book: Book) -> None:
    (book.site / "forgotten.html").write_text("")
    (book.site / ".doctrees" / "environment.pickle").unlink()
    book.build()
    assert not (book.site / "forgotten.html").exists()
    assert (book.site / "one.html").is_file()


def test_text_alone_writes_its_page_alone(book: Book) -> None:
    assert book.written() <= {"index"}
    book.edit("one.md", "Text.", "More text.\n\nA paragraph.")
    assert book.written() == {"one", "index"}


def test_edited_extension_reads_all_pages(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    import stale_pages

    copy = book.source.parent / "extensions"
    shutil.copytree(stale_pages.EXTENSIONS, copy)
    (copy / "slides.py").write_text("edited")
    monkeypatch.setattr(stale_pages, "EXTENSIONS", copy)
    assert book.written() == {"index", "one", "two", "books", "reference"}
