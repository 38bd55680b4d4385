"""`replacing`: a file is there complete, or as it was before."""

import os
import sys

import pytest

from nhlib._files import replacing


def contents(folder) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_file_appears_at_the_end(tmp_path):
    path = tmp_path / "table.csv"
    with replacing(path) as partial:
        partial.write_text("new")
        # Beside it, because only within a file system is it moved in one step.
        assert partial.parent == tmp_path
        assert partial != path
        assert not path.exists()
    assert contents(tmp_path) == {"table.csv": "new"}


def test_a_file_that_is_there_is_replaced_at_the_end(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old and longer")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old and longer"
    assert contents(tmp_path) == {"table.csv": "new"}


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", [{}, {"table.csv": "old"}])
@pytest.mark.parametrize("written", ["", "half of i"])
def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path, error, old, written):
    for name, text in old.items():
        (tmp_path / name).write_text(text)

    def write():
        with replacing(tmp_path / "table.csv") as partial:
            if written:
                partial.write_text(written)
            raise error("stopped")

    with pytest.raises(error, match="stopped"):
        write()
    assert contents(tmp_path) == old


def test_what_cannot_be_replaced_leaves_no_partial_file(tmp_path):
    (tmp_path / "table.csv").mkdir()
    (tmp_path / "table.csv" / "inside").touch()

    def write():
        with replacing(tmp_path / "table.csv") as partial:
            partial.write_text("new")

    with pytest.raises(OSError, match="table.csv"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_two_writers_do_not_meet(tmp_path):
    path = tmp_path / "table.csv"
    with replacing(path) as one:
        with replacing(path) as other:
            one.write_text("one")
            other.write_text("other")
        assert path.read_text() == "other"
    assert contents(tmp_path) == {"table.csv": "one"}


def test_a_path_in_the_current_folder_needs_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with replacing(type(tmp_path)("table.csv")) as partial:
        partial.write_text("new")
    assert contents(tmp_path) == {"table.csv": "new"}


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "table.csv"
    text = f"path: there is no folder {path.parent} to write table.csv"
    with pytest.raises(FileNotFoundError) as caught, replacing(path):
        pass
    assert str(caught.value) == text
    assert contents(tmp_path) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_others_may_read_it_as_they_may_read_any_new_file(tmp_path):
    before = os.umask(0o022)
    try:
        with replacing(tmp_path / "table.csv") as partial:
            partial.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "table.csv").stat().st_mode & 0o777 == 0o644
