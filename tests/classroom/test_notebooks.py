"""Files as they come: read, or the real reason."""

import json
import os
import tracemalloc

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from nhlib.classroom.notebooks import MOST_PARTS, UnreadableError, read_bytes, read_notebook

CELL = {"cell_type": "code", "source": "x = 'é'", "metadata": {}, "outputs": []}
WHOLE = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL]}


def sources(content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [cell.source for cell in read_notebook(data).cells]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_may_be_marked_by_its_encoding(encoding):
    text = json.dumps(WHOLE, ensure_ascii=False)
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    assert sources(mark + text.encode(encoding)) == ["x = 'é'"]


@pytest.mark.parametrize(
    "cell",
    [
        {"cell_type": "code", "source": ["x = ", "1"], "outputs": []},
        {"cell_type": "code", "source": "x = 1", "metadata": None},
        {"cell_type": "code", "source": "x = 1", "metadata": []},
        {"source": "x = 1"},
        {"cell_type": "unknown", "source": "x = 1", "metadata": {"nbgrader": 3}},
    ],
)
def test_what_is_missing_is_not_missed(cell):
    assert sources({**WHOLE, "cells": [cell]}) == ["x = 1"]
    assert sources({"cells": [cell]}) == ["x = 1"]


def test_a_notebook_of_version_3_is_converted():
    code = {"cell_type": "code", "language": "python", "input": "x = 1", "outputs": [{"text": "1"}]}
    old = {
        "nbformat": 3,
        "worksheets": [
            {"cells": [{"cell_type": "heading", "level": 10**10, "source": "Title"}, code]},
            {"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["Be", "cause."]}]},
        ],
    }
    found = read_notebook(json.dumps(old).encode())
    assert [c.source for c in found.cells] == ["###### Title", "x = 1", "Because."]
    assert [c.cell_type for c in found.cells] == ["markdown", "code", "markdown"]


def test_half_a_character_is_one_that_cannot_be_read():
    data = json.dumps(WHOLE).replace("x =", r"\ud83d \ud83d\ude00 \ude00 \ude00\ud83d").encode()
    (found,) = sources(data)
    assert found.startswith("� 😀 � ��")
    found.encode()
    key = json.dumps({**WHOLE, "metadata": {"\ud83d": 1}}).encode()
    json.dumps(read_notebook(key), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"PK\x03\x04...", "it is a zip file"),
        (b"\xff\xfe", "it is not JSON"),
        (b"caf\xe9", "not text in UTF-8, at byte 3"),
        (b"[" * 10**5, "nested too deep"),
        (b"{}", "it has no cells"),
        (b"[1, 2", "it is not JSON: line 1: "),
        (b'{"a":\n 1,\n}', "it is not JSON: line 3: "),
        (b"<html>", "it is not JSON: line 1: "),
        (b'{"cells": 3}', "it is not a notebook"),
        (b'{"cells": [3]}', "it is not a notebook"),
        (b"NaN", "it has no cells"),
        (b"1" * 5000, "it is not JSON"),
        (b'{"nbformat": 3, "worksheets": [3]}', "it is not a notebook"),
        (b"[" + b"[]," * MOST_PARTS, "parts"),
        (b'{"cells": [' + b"{}," * 200_000 + b"{}]}", "more than 200,000 braces"),
    ],
)
def test_files_that_are_no_notebooks_are_refused_with_the_reason(content, reason):
    with pytest.raises(UnreadableError, match=reason):
        read_notebook(content)


def test_many_small_parts_become_no_giant():
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="more than 2,000,000 parts"):
        read_notebook(b"[" + b"[]," * 10**7)
    assert tracemalloc.get_traced_memory()[1] < 2**20 + 2 * 3 * 10**7
    tracemalloc.stop()


def test_many_cells_are_refused():
    many = json.dumps({"cells": [{"cell_type": "code", "source": ""}] * 6000}).encode()
    with pytest.raises(UnreadableError, match="it has 6,000 cells: 5,000 are the most"):
        read_notebook(many)


def test_links_pipes_and_giants_are_not_opened(tmp_path):
    (tmp_path / "link.ipynb").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    for name, reason in {
        "link": "it is a link",
        "pipe": "not a file",
        "folder": "not a file",
    }.items():
        with pytest.raises(UnreadableError, match=reason):
            read_bytes(tmp_path / f"{name}.ipynb")
    with (tmp_path / "giant.ipynb").open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(UnreadableError, match="larger than 32 MiB"):
        read_bytes(tmp_path / "giant.ipynb")
    with pytest.raises(UnreadableError, match="No such file"):
        read_bytes(tmp_path / "none.ipynb")
    (tmp_path / "own.ipynb").write_bytes(b"{}")
    assert read_bytes(tmp_path / "own.ipynb") == b"{}"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["cells", "metadata", "nbgrader", "grade_id", "source", "outputs", "data",
                         "cell_type", "nbformat", "worksheets", "input", "text/plain", "id"]),
        inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(anything)
def test_whatever_is_in_a_file_it_is_read_or_refused(content):
    try:
        found = read_notebook(json.dumps(content).encode())
    except UnreadableError:
        return
    assert all(isinstance(c.source, str) and isinstance(c.metadata, dict) for c in found.cells)


def test_a_notebook_of_today_is_read_as_nbformat_reads_it():
    own = new_notebook(cells=[new_code_cell("x = 1\ny = 2")])
    assert read_notebook(nbformat.writes(own).encode()) == nbformat.reads(nbformat.writes(own), 4)
