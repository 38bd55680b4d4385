"""What a build makes of a page, and what stops it."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell

Build = Callable[..., tuple[int, str, Path]]

PAGE = r"""# Page

Inline $x^2$, and numbered

$$
\mathbb{E}[D] = \sum_g p_g
$$ (expectation)

as {eq}`expectation` says.

:::{admonition} Hint with $y$
:class: hint dropdown
Folded away.
:::

:::{admonition} Exercise
:class: exercise
Not folded.
:::
"""
FIGURE = """
%config InlineBackend.figure_formats = ["svg"]
import matplotlib.pyplot as plt
plt.style.use("nhlib.book")
fig, ax = plt.subplots()
ax.plot([0, 1], [1, 0])
None
"""
ALT = "A line falls from 1 to 0."


@pytest.fixture(scope="module")
def cells() -> list[dict[str, object]]:
    metadata = {"mystnb": {"image": {"alt": ALT}, "figure": {"caption": "A *caption*."}}}
    return [
        new_markdown_cell(PAGE),
        new_code_cell(FIGURE, metadata=metadata),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
    ]


@pytest.fixture(scope="module")
def site(build: Build, cells: list[dict[str, object]]) -> Path:
    status, messages, folder = build(cells)
    assert status == 0, messages
    return folder


@pytest.fixture(scope="module")
def page(site: Path) -> BeautifulSoup:
    return BeautifulSoup((site / "page.html").read_text("utf-8"), "html.parser")


def test_formulas_are_set_when_the_book_is_built(site: Path, page: BeautifulSoup) -> None:
    inline = page.select_one("span.math .katex annotation")
    assert inline
    assert inline.text == "x^2"
    display = page.select_one("div.math")
    assert display
    assert display.select_one(".katex-display")
    assert display["id"] == "equation-expectation"
    number = display.select_one(".eqno")
    assert number
    assert number.text.startswith("(1)")
    sheet = (site / "_static/katex/katex.min.css").read_text("utf-8")
    fonts = set(re.findall(r"url\(([^)]+)\)", sheet))
    assert fonts
    for font in fonts:
        assert (site / "_static/katex" / font).is_file()


def test_dropdowns_fold_without_a_script(page: BeautifulSoup) -> None:
    (folded,) = page.select("details.hint")
    summary = folded.find(True)
    assert summary
    assert summary.name == "summary"
    assert summary.get_text().strip().startswith("Hint with")
    assert summary.select_one(".katex")
    assert "Folded away." in folded.get_text()
    assert page.select_one("div.exercise > p.admonition-title")


def test_figure_comes_for_light_and_dark_with_text_and_caption(
    site: Path, page: BeautifulSoup
) -> None:
    (figure,) = page.select("figure")
    light, dark = figure.select("img")
    assert light["class"] == ["only-light"]
    assert dark["class"] == ["only-dark"]
    assert light["alt"] == dark["alt"] == ALT
    for image in (light, dark):
        assert (site / str(image["src"])).is_file()
    caption = figure.find("figcaption")
    assert caption
    assert "A caption." in caption.get_text()
    # The theme hides a caption beside an .only-dark image.
    assert light.parent
    assert light.parent.find("figcaption") is None


def test_error_on_purpose_is_shown(page: BeautifulSoup) -> None:
    assert "ZeroDivisionError" in page.select("div.cell_output")[-1].get_text()


def test_notebook_can_be_saved(site: Path, page: BeautifulSoup) -> None:
    (button,) = page.select("a.btn-download-source-button")
    assert button.has_attr("download")
    assert ".zip" in button.get_text()
    with zipfile.ZipFile(site / str(button["href"])) as archive:
        assert archive.namelist() == ["neural-codes/page.ipynb"]
        notebook = nbformat.reads(archive.read("neural-codes/page.ipynb"), as_version=4)
    assert any(cell["cell_type"] == "code" for cell in notebook["cells"])


def test_page_has_colours_before_a_script_runs(page: BeautifulSoup) -> None:
    assert page.html
    assert not page.html.has_attr("data-theme")


def test_no_address_of_the_repository_no_links(page: BeautifulSoup) -> None:
    assert not page.select(".dropdown-launch-buttons, .dropdown-source-buttons")
    assert not page.find("a", href=re.compile("colab|mybinder|github"))


def test_links_follow_the_address_of_the_repository(
    build: Build, cells: list[dict[str, object]]
) -> None:
    status, messages, folder = build(cells[:1], repository="https://github.com/owner/name")
    assert status == 0, messages
    html = BeautifulSoup((folder / "page.html").read_text("utf-8"), "html.parser")
    links = {str(a["href"]) for a in html.select(".article-header-buttons a")}
    file = "main/book/page.ipynb"
    assert f"https://colab.research.google.com/github/owner/name/blob/{file}" in links
    assert "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/book/page.ipynb" in links
    assert "https://github.com/owner/name" in links
    assert any(link.startswith("https://github.com/owner/name/issues/new") for link in links)


def test_mistakes_stop_the_build(build: Build) -> None:
    status, messages, _ = build(
        [
            new_markdown_cell("# Page\n\n$\\undefinedmacro$ and $$\\frac{1}{$$"),
            new_code_cell("import warnings; warnings.warn('seen by readers')"),
            new_code_cell("raise RuntimeError('cell fails')"),
        ]
    )
    assert status != 0
    assert re.search(r"page\.ipynb:\d+: WARNING: KaTeX cannot set '\\+undefinedmacro'", messages)
    assert "Undefined control sequence" in messages
    assert "WARNING: KaTeX cannot set '\\\\frac{1}{'" in messages
    assert "RuntimeError: cell fails" in messages


def test_warning_in_a_cell_stops_the_build(build: Build) -> None:
    status, messages, _ = build(
        [new_markdown_cell("# Page"), new_code_cell("import warnings; warnings.warn('seen')")]
    )
    assert status != 0
    assert "WARNING: stderr was found in the cell outputs" in messages
