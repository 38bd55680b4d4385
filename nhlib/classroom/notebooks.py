"""Notebooks from whoever, read with care.

A file may be something else altogether, come from an old editor or another system, or be made to
harm whoever opens it.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

LARGEST = 32 * 2**20  # bytes of a notebook, pictures included
MOST_CELLS = 5_000
MOST_PARTS = 2_000_000  # commas and brackets, before JSON makes an object of each
MOST_OBJECTS = 200_000  # braces: these become large ones
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
OPENING = ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")  # no system has all of them
HALF = re.compile("[\ud800-\udfff]+")  # of a character, as a file cut in two leaves it


class UnreadableError(ValueError):
    """A file that is no notebook, in words for the student."""


def read_bytes(path: Path) -> bytes:
    """What a file holds.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bytes

    Raises
    ------
    UnreadableError
        When it is a link, no file, or larger than any notebook.
    """
    try:
        file = os.open(path, sum(getattr(os, name, 0) for name in OPENING))
    except OSError as e:
        raise UnreadableError("it is a link" if path.is_symlink() else str(e.strerror)) from None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise UnreadableError("it is not a file")
        if os.fstat(file).st_size > LARGEST:
            raise UnreadableError(f"it is larger than {LARGEST // 2**20} MiB")
        with os.fdopen(os.dup(file), "rb") as opened:
            return opened.read(LARGEST)
    finally:
        os.close(file)


def read_notebook(data: bytes) -> NotebookNode:
    """Read a notebook from whoever.

    Parameters
    ----------
    data : bytes
        What the file holds: JSON in UTF-8 or, with a mark of it in front, UTF-16.

    Returns
    -------
    NotebookNode
        In version 4, which Jupyter has written since 2015; a notebook of version 3 is converted.

    Raises
    ------
    UnreadableError
        When it is not one, with the reason.
    """
    content = _content(data)
    try:
        if "cells" not in content:
            content = {"cells": list(_cells_of_version_3(content))}
        notebook: NotebookNode = nbformat.from_dict(content)
        cells = list(notebook.cells)
        for cell in cells:
            if not isinstance(cell.get("metadata"), dict):
                cell.metadata = nbformat.from_dict({})
            cell.source = _text(cell.get("source", ""))
            if cell.get("cell_type") not in ("code", "markdown"):
                cell.cell_type = "raw"
    except Exception as e:  # JSON of any form has many ways to be something else
        raise UnreadableError(f"it is not a notebook ({type(e).__name__})") from None
    if len(cells) > MOST_CELLS:
        raise UnreadableError(f"it has {len(cells):,} cells: {MOST_CELLS:,} are the most")
    notebook.cells = cells
    return notebook


def _content(data: bytes) -> dict[str, Any]:
    """The JSON object in a file."""
    if not data.strip():
        raise UnreadableError("it is empty")
    if data.startswith(b"PK"):
        raise UnreadableError("it is a zip file: unpack it, and hand in the notebook")
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_PARTS:
        raise UnreadableError(f"it has more than {MOST_PARTS:,} parts")
    if data.count(b"{") > MOST_OBJECTS:
        raise UnreadableError(f"it has more than {MOST_OBJECTS:,} braces")
    try:
        text = data.decode(MARKS.get(data[:2], MARKS.get(data[:3], "utf-8")))
    except UnicodeDecodeError as e:
        raise UnreadableError(f"it is not text in UTF-8, at byte {e.start}") from None
    try:
        content = _mended(json.loads(text))
    except RecursionError:
        raise UnreadableError("it is nested too deep") from None
    except json.JSONDecodeError as e:
        raise UnreadableError(f"it is not JSON: line {e.lineno}: {e.msg}") from None
    except ValueError:
        raise UnreadableError("it is not JSON") from None
    if not isinstance(content, dict) or not ("cells" in content or "worksheets" in content):
        raise UnreadableError("it is not a notebook: it has no cells")
    return content


def _cells_of_version_3(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells of an old notebook, without their outputs."""
    for sheet in content["worksheets"]:
        for cell in sheet["cells"]:
            text = _text(cell.get("input", cell.get("source", "")))
            if cell["cell_type"] == "heading":
                yield {
                    "cell_type": "markdown",
                    "source": f"{'#' * min(int(cell['level']), 6)} {text}",
                }
            else:
                yield {"cell_type": cell["cell_type"], "source": text}


def _mended(value: Any) -> Any:
    """The same, in which no character is half of one."""
    if isinstance(value, str):
        return HALF.sub(_whole, value)
    if isinstance(value, list):
        return [_mended(v) for v in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(v) for key, v in value.items()}
    return value


def _whole(halves: re.Match[str]) -> str:
    return halves[0].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(source: object) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
