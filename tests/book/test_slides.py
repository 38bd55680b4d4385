"""What of a page goes on slides, and what into the notes."""

import pytest
import slides
from bs4 import BeautifulSoup

PAGE = """
<head><title>x</title>
<link rel="stylesheet" href="../_static/styles/theme.css">
<link rel="stylesheet" href="../_static/katex/katex.min.css?v=1"></head>
<body><nav>elsewhere</nav><article class="bd-article"><section id="top">
<h1>3 Determinism<a class="headerlink" href="#top">#</a></h1>
<p><strong>Is it unique?</strong></p><p>After this chapter you can</p><ol><li>count</li></ol>
<section id="one"><h2>Many digits<a class="headerlink" href="#one">#</a></h2>
<p>Words before the figure.</p>
<div class="cell tag_hide-input"><div class="cell_input"><pre>hidden()</pre></div>
<div class="cell_output"><img src="../_images/a.svg"></div></div>
<p>Let <em>p</em> be a chance.</p><div class="math">H = p</div>
<div class="cell"><div class="cell_input"><pre>short()</pre></div></div>
<div class="cell"><div class="cell_input"><pre>LONG</pre></div></div>
<div class="admonition predict">Guess.</div>
<p>Words after.</p></section>
<section id="exercises"><h2>Exercises</h2><div class="admonition">Sweat.</div></section>
<section id="end"><h2>What to take away</h2><ul><li>Codes.</li></ul><p>Limits.</p></section>
</section></article>
<script src="../_static/explorers.js" defer></script><script src="../_static/other.js"></script>
<script type="application/vnd.jupyter.widget-state+json">{"state": 1}</script></body>
""".replace("LONG", "\n".join(f"line({i})" for i in range(30)))


@pytest.fixture(scope="module")
def deck() -> BeautifulSoup:
    return BeautifulSoup(slides.deck(PAGE, "../chapters/x.html"), "html.parser")


def on_slides(deck: BeautifulSoup) -> list[str]:
    found = []
    for section in deck.select(".slides > section > section"):
        for notes in section.select("aside"):
            notes.extract()
        found.append(" ".join(section.get_text(" ", strip=True).split()))
    return found


def test_notes_hold_the_words_before_what_is_shown(deck: BeautifulSoup) -> None:
    (figure,) = deck.select(".slides img")
    slide = figure.find_parent("section")
    assert slide is not None
    assert slide.aside is not None
    assert slide.aside.get_text() == "Words before the figure."
    assert "hidden()" not in deck.get_text()
    (guess,) = deck.select(".slides .predict")
    assert "Words after." in str(guess.find_parent("section"))


def test_slides_hold_what_a_class_looks_at() -> None:
    deck = BeautifulSoup(slides.deck(PAGE, "../chapters/x.html"), "html.parser")
    assert on_slides(deck) == [
        "3 Determinism Is it unique? The chapter",
        "After this chapter you can count",
        "Many digits",  # and the figure
        "Many digits Let p be a chance. H = p",
        "Many digits short()",
        "Many digits Guess.",
        "What to take away Codes.",
        "What to take away Limits.",
    ]


def test_a_deck_takes_along_what_it_needs_and_no_more(deck: BeautifulSoup) -> None:
    sheets = [str(e["href"]) for e in deck.select("link[rel=stylesheet]")]
    assert "../_static/katex/katex.min.css?v=1" in sheets
    assert not any("theme.css" in sheet for sheet in sheets)
    scripts = [str(e["src"]) for e in deck.select("script[src]")]
    assert "../_static/explorers.js" in scripts
    assert "../_static/other.js" not in scripts
    assert deck.select('script[type*="widget-state"]')
    assert all(s.startswith("../_static/") for s in sheets + scripts)
    assert not deck.select(".headerlink")
