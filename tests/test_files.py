"""`replacing`: a file is there complete, or as it was before."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nhlib._files import check_folder, replacing


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


@pytest.fixture
def read_only():
    """Return a folder that nobody may write to: a super-user becomes somebody else."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    yield folder
    if root:
        os.setresuid(0, 0, 0)
    folder.rmdir()


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux to become somebody else")
def test_a_read_only_folder_is_named(read_only):
    text = f"store: table.csv cannot be written, since the folder {read_only} is read-only"
    with pytest.raises(PermissionError) as caught, replacing(read_only / "table.csv", "store"):
        pass
    assert str(caught.value) == text
    with pytest.raises(PermissionError) as caught:
        check_folder(read_only / "table.csv", "store")
    assert str(caught.value) == text


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux' /proc")
def test_a_folder_that_takes_no_files_is_told_without_the_name_of_the_partial_file():
    text = r"^table: /proc/table.csv cannot be written \(No such file or directory\)$"
    with (
        pytest.raises(OSError, match=text),
        replacing(Path("/proc/table.csv"), "table") as partial,
    ):
        partial.write_text("new")


def test_a_folder_in_its_place_is_told_without_the_name_of_the_partial_file(tmp_path):
    (tmp_path / "table.csv" / "inside").mkdir(parents=True)
    text = re.escape(f"path: {tmp_path / 'table.csv'} cannot be written (")
    with pytest.raises(OSError, match=text), replacing(tmp_path / "table.csv") as partial:
        partial.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


FULL = """
import resource, sys
from pathlib import Path
import nhlib as nh
from nhlib._files import replacing

def table(path):
    with replacing(path, "table") as partial:
        partial.write_text("x" * 5000)

def train(path):
    nh.fit(nh.mlp(64, [20], 10), nh.load("digits", train_size=50), checkpoint=path)

codes = nh.encode(nh.mlp(64, [20], 10), nh.load("digits").train)
folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
for write, name in ((table, "old"), (codes.save, "codes"), (train, "run")):
    try:
        write(folder / name)
    except OSError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sets no such limits")
def test_a_full_disk_leaves_what_was_there(tmp_path):
    """A limit to the size of files stands for it."""
    (tmp_path / "old").write_text("old")
    command = [sys.executable, "-c", FULL, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"{name}: {tmp_path / file} cannot be written (File too large)"
        for name, file in (("table", "old"), ("path", "codes"), ("checkpoint", "run"))
    ]
    assert contents(tmp_path) == {"old": "old"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_others_may_read_it_as_they_may_read_any_new_file(tmp_path):
    before = os.umask(0o022)
    try:
        with replacing(tmp_path / "table.csv") as partial:
            partial.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "table.csv").stat().st_mode & 0o777 == 0o644
