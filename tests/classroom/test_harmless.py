"""What a teacher's browser shows of students' texts and pictures."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from nhlib.classroom.harmless import LONGEST_TEXT, harmless_answer, harmless_outputs

PNG = {"image/png": "iVBORw0KGgo="}


def page(text, attachments=None):
    """The HTML that nbconvert makes of an answer."""
    text, pictures = harmless_answer(text, attachments)
    renderer = IPythonRenderer(escape=False, attachments=pictures)
    return BeautifulSoup(MarkdownWithMath(renderer=renderer).render(text), "html.parser")


ACTIVE = ["script", "iframe", "object", "embed", "form", "base", "link", "meta", "style", "svg"]


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<javascript:alert(1)>",
    "<http://example.org>",
    "<!-- -->",
    "|a|\n|-|\n|<img src=x>|",
    "`<b>`",
    "$<b>$",
    "[a](javascript:alert(1))",
    "[a]\n\n[a]: javascript:alert(1)",
    "[a][b]\n\n[b]: javascript:alert(1)",
    "[a](attachment:x)",
    "[a](ATTACHMENT:x)",
    "![](javascript:alert(1))",
    "![](https://example.org/who-reads-this.png)",
    "![a](attachment:x)",
    "![a](attachment:y)",
    "![a][b]\n\n[b]: attachment:x",
    '!["onerror=alert(1)](attachment:p.png)',
    '![a](attachment:p.png "t")',
    '![](attachment:p.png" onerror="alert(1))',
    "[![](attachment:p.png)](b)",
    "![](<attachment:p.png>)",
    "![](attachment:P%2Epng)",
    "![](attachment:../../etc/passwd)",
    r"$\href{javascript:alert(1)}{13}$",
    r"$$\require{html}\def\x{\href}\style{color:red}{x}$$",
    r'$\mmlToken{mi}[href="javascript:alert(1)"]{x}$',
    r"$\bbox[url(//x)]{x}\unicode[x;y]{65}\texttip{a}{b}$",
    "\0000\0",
    "```mermaid\ngraph TD; A-->B\n```",
    "~~~ mermaid `a`\ngraph TD; A-->B\n~~~",
    "- > ```mermaid\rgraph `TD`\r\n  ```",
    "![](attachment:p.png)\0001\0",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_acts_and_nothing_is_fetched(text):
    assert not re.search(
        r"\\(href|require|style|mmlToken|bbox|unicode|texttip)", harmless_answer(text, None)[0]
    )
    html = page(text, {"p.png": PNG, "x": {"text/html": "<b>"}, "y": {"image/png": '" onerror="'}})
    assert not html.find_all(ACTIVE)
    assert not html.find_all(class_=["mermaid", "highlight"])  # nobody else reads code
    for tag in html.find_all(True):
        assert not any(name.startswith("on") for name in tag.attrs), tag
        assert tag.get("src", "data:image/png;base64,iVBOR").startswith(
            "data:image/png;base64,iVBOR"
        )
        assert tag.get("href", "http").startswith("http")  # an address in the open is a link


@given(
    st.text(max_size=30)
    | st.text("<>[]()!:a\"'`\n|*_attachment.png\0", max_size=60)
    | st.lists(st.sampled_from(["<", "![", "](", "attachment:", "p.png", ")", "[a]", ": ", "\n"
    "", "b"]))
    .map("".join)
)  # fmt: skip
def test_whatever_is_written_nothing_acts(text):
    html = page(text, {"p.png": PNG})
    assert not html.find_all([*ACTIVE, "a"])
    assert all(tag["src"].startswith("data:image/png") for tag in html.find_all("img"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("![image.png](attachment:image.png)", "image.png"),
        ("![my pic.png](attachment:my%20pic.png)", "my pic.png"),
        ("![my pic.png](attachment:my pic.png)", "my pic.png"),
        ("![](<attachment:a.gif>)", "a.gif"),
        ('![](attachment:é.png "a title")', "é.png"),
    ],
)
def test_pasted_pictures_are_shown(text, name):
    kind = "image/gif" if name.endswith("gif") else "image/png"
    (shown,) = page(text, {name: {kind: "AAAA"}}).find_all("img")
    assert shown["src"] == f"data:{kind};base64,AAAA"


@pytest.mark.parametrize(
    "attachments", [None, {}, 3, [], {"a.png": None}, {"a.png": {}}, {"a.png": {"image/png": 3}},
                    {"a.png": {"image/svg+xml": "<svg/>"}}, {"a.png": {"image/png": '"><script>'}}]
)  # fmt: skip
def test_a_picture_that_is_gone_is_said_to_be(attachments):
    assert "(a picture that is not there: a.png)" in page("![](attachment:a.png)", attachments).text


def test_a_large_picture_is_looked_at_once():
    """An expression that goes back over what it has read would take days for these."""
    spaces = " " * 8_000_000
    for data in (spaces + "!", "A" * 8_000_000 + "!", "=" * 8_000_000 + "A"):
        assert "not there" in harmless_answer("![](attachment:a)", {"a": {"image/png": data}})[0]


def test_code_stays_code():
    for fence in ("```", "~~~~"):
        html = page(f"So:\n\n{fence}python\nx = 1\n{fence}\n\nand `x` or ```y``` is 1")
        assert html.find("pre").text.strip() == "python\nx = 1"
        assert [c.text for c in html.find_all("code")][1:] == ["x", "y"]


def test_ordinary_markdown_stays():
    text = "**13** pieces: $2^{12}$, `x < 3`\n\n* one\n* two [x] (3 < 4)\n\n$$a_1 < b$$"
    assert harmless_answer(text, None)[0] == text


@pytest.mark.parametrize(
    "pattern", ["[a]", "![](attachment:a", "**a ", "_a ", "> ", "a\n===\n", "\\begin{a}"]
)
def test_no_text_takes_long_to_show(pattern):
    """A limit of length, since what is costly grows with the square of it."""
    text, _ = harmless_answer(pattern * 10**6, None)
    assert len(text) < 2 * LONGEST_TEXT
    assert "(cut here: it has" in text
    page(pattern * 10**6)  # which comes to an end


def test_of_outputs_only_pictures_and_text_are_kept():
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": "x" * 10**6},
        {"output_type": "display_data", "data": {"text/html": "<script>alert(1)</script>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='alert(1)'/>"}},
        {"output_type": "display_data", "data": {"image/png": ["AA", "AA\n"], "text/html": "<b>"}},
        {"output_type": "display_data", "data": {"image/png": '"><script>alert(1)</script>'}},
        {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}},
        {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["<script>"]},
        3,
        {"data": 3},
    ]
    kept = list(harmless_outputs(outputs))
    assert [o.output_type for o in kept] == ["stream", "display_data"]
    assert len(kept[0].text) < LONGEST_TEXT + 100
    assert kept[1].data == {"image/png": "AAAA\n", "text/plain": ""}
    assert not re.search("script|svg|<b>", nbformat.writes(nbformat.v4.new_notebook()))
    assert list(harmless_outputs("x")) == []
    assert len(list(harmless_outputs([outputs[0]] * 1000))) == 50
