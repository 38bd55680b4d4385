"""Students' texts and pictures, as a teacher's browser may show them.

Jupyter's pages take HTML, links and pictures in Markdown for what they say, with the rights of
whoever looks. Here they become text, and short enough to be shown at once.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import nbformat
from nbformat import NotebookNode

LONGEST_TEXT = 20_000  # characters of an answer or of printed output that a teacher gets to see
MOST_OUTPUTS = 50
LARGEST_PICTURE = 2**23  # characters, of its base64
PICTURES = ("image/png", "image/jpeg", "image/gif")
# What nbgrader's pages would take for HTML or a link, though it is somebody's answer: a space makes
# text of it.
ACTIVE = re.compile(r"<(?=[a-zA-Z/!?])|\](?=[:\[(])")
PICTURE = re.compile(r"!\[([^\[\]]*)\]\(<?attachment:([^()<>\n]*?)>?( \"[^\"()]*\")?\)")
ATTACHMENT = re.compile(r"attachment:", re.IGNORECASE)
# What MathJax makes links and attributes of, and what could define a name for them.
MATH = re.compile(
    r"\\(?=(?:href|url|require|class|style|cssId|data|csname|mmlToken|bbox|unicode|\w*tip|html\w*)\b)"
)
# A fence of code and what follows it on its line, by which Jupyter's pages choose who reads the
# code: a drawing program, or one of hundreds of lexers, not all of which are quick.
FENCE = re.compile(r"(`{3,}+(?=[^`\n]*$)|~{3,}+)(?=[^\n]*\S)", re.MULTILINE)
BASE64 = re.compile(r"[A-Za-z0-9+/\s]*+=*+\s*+")


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text, cut where it is too long."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n\n(cut here: it has {len(text):,} characters)"


def harmless_answer(text: str, attachments: object) -> tuple[str, NotebookNode]:
    """Markdown that holds no HTML, no link, and no picture but those that came with it.

    Parameters
    ----------
    text : str
    attachments : object
        The pictures that were pasted into the cell, as the file has them.

    Returns
    -------
    tuple of str, NotebookNode
        The text, and the pictures that it shows, under names of their own.

    Examples
    --------
    >>> harmless_answer("1 < 2, <b>, [a](b), ![](attachment:c.png)", {})
    ('1 < 2, < b>, [a] (b), (a picture that is not there: c.png)', {})
    """
    there = _pictures(attachments)
    shown: dict[str, dict[str, str]] = {}

    def keep(found: re.Match[str]) -> str:
        picture = there.get(found[2]) or there.get(unquote(found[2]))
        if picture is None:
            return f"(a picture that is not there: {found[2]})"
        shown[f"picture-{len(shown)}"] = picture
        return f"\0{len(shown) - 1}\0"

    text = re.sub(r"\r\n?|\0", lambda found: "\n" * (found[0] != "\0"), shortened(text))
    text = FENCE.sub(r"\1\n", PICTURE.sub(keep, text))
    text = ACTIVE.sub(r"\g<0> ", ATTACHMENT.sub("attachment ", MATH.sub(r"\\ ", text)))
    text = re.sub("\0(\\d+)\0", r"![](attachment:picture-\1)", text)
    pictures: NotebookNode = nbformat.from_dict(shown)
    return text, pictures


def _pictures(attachments: object) -> dict[str, dict[str, str]]:
    found = attachments.items() if isinstance(attachments, dict) else ()
    pictures = {
        name: {kind: data for kind, data in kinds.items() if _is_picture(kind, data)}
        for name, kinds in found
        if isinstance(name, str) and isinstance(kinds, dict)
    }
    return {name: kinds for name, kinds in pictures.items() if kinds}


def harmless_outputs(outputs: object) -> Iterator[NotebookNode]:
    """Pictures and printed text, of the first outputs of a cell."""
    for output in outputs[:MOST_OUTPUTS] if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data, text = output.get("data"), output.get("text")
        if output.get("output_type") == "stream" and isinstance(text, str | list):
            yield nbformat.v4.new_output("stream", name="stdout", text=shortened(_joined(text)))
        elif isinstance(data, dict):
            kept = {kind: _joined(data[kind]) for kind in PICTURES
                    if kind in data and _is_picture(kind, _joined(data[kind]))}  # fmt: skip
            if kept or isinstance(data.get("text/plain"), str | list):
                kept["text/plain"] = shortened(_joined(data.get("text/plain", "")))
                yield nbformat.v4.new_output("display_data", data=kept)


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _is_picture(kind: object, data: object) -> bool:
    """Whether it is what a browser takes for a picture, and for nothing else."""
    return (
        kind in PICTURES and isinstance(data, str) and len(data) <= LARGEST_PICTURE
        and BASE64.fullmatch(data) is not None
    )  # fmt: skip
