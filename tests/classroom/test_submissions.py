"""Whatever is handed in becomes the released notebook with the student's answers in it."""

import copy
import json
import os

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nhlib.classroom.submissions import (
    Submission,
    UnreadableError,
    answers,
    find_submissions,
    in_order,
    read_notebook,
)


def known(cell, grade_id, **settings):
    cell.metadata.nbgrader = nbformat.from_dict(
        {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False,
         "locked": False, "task": False} | settings
    )  # fmt: skip
    return cell


@pytest.fixture
def released():
    return new_notebook(
        cells=[
            known(new_markdown_cell("# Read this"), "text", locked=True),
            known(new_code_cell("def f():\n    raise NotImplementedError"), "f", solution=True),
            known(new_code_cell("assert f() == 1"), "f-tests", grade=True, locked=True, points=2),
            new_code_cell("try it here"),
            known(
                new_markdown_cell("YOUR ANSWER HERE"), "words", grade=True, solution=True, points=2
            ),
        ]
    )


def sources(notebook):
    return [c.source for c in notebook.cells]


def test_answers_are_kept_and_the_rest_is_as_released(released):
    submitted = copy.deepcopy(released)
    submitted.cells[0].source = "# Something else"
    submitted.cells[1].source = "def f():\n    return 1"
    submitted.cells[2].source = "assert True"
    submitted.cells[2].metadata.nbgrader.points = 1000
    submitted.cells[2].metadata.nbgrader.locked = False
    submitted.cells[2].metadata.nbgrader.solution = True
    submitted.cells[3].source = "I tried"
    submitted.cells[4].source = "In my opinion"
    found = in_order(submitted, released)
    assert sources(found) == [
        "# Read this", "def f():\n    return 1", "assert f() == 1", "I tried", "In my opinion",
    ]  # fmt: skip
    assert found.cells[2].metadata == released.cells[2].metadata
    assert answers(found) == ["def f():\n    return 1", "I tried"]
    nbformat.validate(found)


def test_deleted_cells_come_back_empty(released):
    submitted = copy.deepcopy(released)
    del submitted.cells[1:3]
    found = in_order(submitted, released)
    assert sources(found)[-2:] == ["def f():\n    raise NotImplementedError", "assert f() == 1"]
    assert "missing" in sources(found)[-3]
    nbformat.validate(found)


def test_cells_that_are_doubled_count_once(released):
    submitted = copy.deepcopy(released)
    double = copy.deepcopy(submitted.cells[2])
    double.source = "assert True"
    submitted.cells.append(double)
    found = in_order(submitted, released)
    assert [c.metadata.get("nbgrader", {}).get("grade_id") for c in found.cells].count(
        "f-tests"
    ) == 1
    assert found.cells[-1].metadata == {}
    nbformat.validate(found)


def test_a_function_in_another_cell_is_seen(released):
    submitted = copy.deepcopy(released)
    submitted.cells.append(new_code_cell("def f():\n    return 1"))
    assert answers(in_order(submitted, released))[-1] == "def f():\n    return 1"


def test_of_outputs_only_pictures_and_text_are_kept(released):
    submitted = copy.deepcopy(released)
    submitted.cells[3].outputs = [
        new_output("stream", name="stderr", text="x" * 10**6),
        new_output("display_data", data={"text/html": "<script>alert(1)</script>"}),
        new_output("display_data", data={"image/svg+xml": "<svg onload='alert(1)'/>"}),
        new_output("display_data", data={"image/png": "AAAA", "text/html": "<b>"}),
        new_output("display_data", data={"application/javascript": "alert(1)"}),
        new_output("error", ename="E", evalue="e", traceback=["<script>"]),
    ]
    submitted.cells[2].outputs = [new_output("execute_result", data={"text/plain": "2"})]
    found = in_order(submitted, released)
    kept = found.cells[3].outputs
    assert [o.output_type for o in kept] == ["stream", "display_data"]
    assert len(kept[0].text) == 20_000
    assert set(kept[1].data) == {"image/png", "text/plain"}
    assert "script" not in json.dumps(found)


def test_answers_are_text_with_pictures(released):
    submitted = copy.deepcopy(released)
    submitted.cells[4].source = "a<b, 1 < 2, <script>x</script>, <!-- -->, ![](attachment:a.png)"
    submitted.cells[4].source += "[a](javascript:b) [c][d]\n\n[d]: javascript:e"
    submitted.cells[4].attachments = {
        "a.png": {"image/png": "AAAA", "text/html": "<b>"}, "b": {"image/png": ["A"]}, "c": 3,
    }  # fmt: skip
    found = in_order(submitted, released).cells[4]
    assert found.source == (
        "a< b, 1 < 2, < script>x< /script>, < !-- -->, ![](attachment:a.png)"
        "[a] (javascript:b) [c] [d]\n\n[d] : javascript:e"
    )
    assert found.attachments == {"a.png": {"image/png": "AAAA"}}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["cells", "metadata", "nbgrader", "grade_id", "source", "outputs", "data",
                         "cell_type", "nbformat", "text/plain", "output_type", "id"]),
        inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(anything, anything, anything)
def test_whatever_is_in_a_file_it_is_read_or_refused(tmp_path_factory, content, metadata, outputs):
    released = new_notebook(
        cells=[known(new_code_cell("def f(): ..."), "f", solution=True), new_markdown_cell("text")]
    )
    cell = {"cell_type": "code", "source": "x = 1", "metadata": metadata, "outputs": outputs}
    text = {"cell_type": "markdown", "source": "x", "metadata": {}, "attachments": outputs}
    path = tmp_path_factory.getbasetemp() / "any.ipynb"
    for whole in (
        content,
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell, text]},
    ):
        path.write_text(json.dumps(whole))
        try:
            submitted = read_notebook(path)
        except UnreadableError:
            continue
        found = in_order(submitted, released)
        nbformat.validate(found)
        assert any(c.metadata.get("nbgrader") for c in found.cells)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 10**5,
        b"{}",
        b"[1, 2",
        b'{"cells": 3}',
        b"NaN",
        b"1e999",
        b'{"nbformat": 3, "worksheets": []}',
    ],
)
def test_files_that_are_no_notebooks_are_refused(tmp_path, content):
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match="not a notebook"):
        read_notebook(path)


def test_links_pipes_and_giants_are_not_opened(tmp_path):
    (tmp_path / "link.ipynb").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(UnreadableError, match="not a file"):
            read_notebook(tmp_path / f"{name}.ipynb")
    with (tmp_path / "giant.ipynb").open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(UnreadableError, match="larger than 32 MiB"):
        read_notebook(tmp_path / "giant.ipynb")


def test_submissions_are_found_in_every_layout(tmp_path):
    for name in ("ada.ipynb", "bob/any.ipynb", "cleo/one/x.ipynb", "cleo/two/y.ipynb",
                 "dan/one.ipynb", "dan/notes.ipynb", ".git/z.ipynb", "readme.txt"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "eve").mkdir()
    assert find_submissions(tmp_path, "one") == [
        Submission("ada", tmp_path / "ada.ipynb"),
        Submission("bob", tmp_path / "bob/any.ipynb"),
        Submission("cleo", tmp_path / "cleo/one/x.ipynb"),
        Submission("dan", tmp_path / "dan/one.ipynb"),
    ]


def test_folders_that_are_not_clear_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        find_submissions(tmp_path / "none", "one")
    with pytest.raises(FileNotFoundError, match="nothing to grade"):
        find_submissions(tmp_path, "one")
    (tmp_path / "ada").mkdir()
    for name in ("a", "b"):
        (tmp_path / "ada" / f"{name}.ipynb").touch()
    with pytest.raises(ValueError, match="2 notebooks, and none is called one.ipynb"):
        find_submissions(tmp_path, "one")
    (tmp_path / "ada" / "a.ipynb").unlink()
    (tmp_path / "ada.ipynb").touch()
    with pytest.raises(ValueError, match="more than one notebook of 'ada'"):
        find_submissions(tmp_path, "one")
