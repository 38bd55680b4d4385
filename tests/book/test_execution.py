"""A notebook runs again when something changes that its outputs depend on."""

from pathlib import Path

import execution
import pytest

FILES = [
    *"nhlib/codes.py nhlib/sub/more.py nhlib/book.mplstyle nhlib/sub/widget.js".split(),
    *"nhlib/sub/widget.css constraints.txt".split(),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "nhlib" / "sub").mkdir(parents=True)
    for name in FILES:
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_changed_file_changes_the_folder(root: Path, name: str) -> None:
    before = execution.fingerprint(root, "digits")
    (root / name).write_text("changed")
    assert execution.fingerprint(root, "digits") != before


def test_new_and_renamed_files_change_the_folder(root: Path) -> None:
    seen = {execution.fingerprint(root, "digits")}
    (root / "nhlib" / "new.py").write_text("")
    seen.add(execution.fingerprint(root, "digits"))
    (root / "nhlib" / "new.py").rename(root / "nhlib" / "other.py")
    seen.add(execution.fingerprint(root, "digits"))
    assert len(seen) == 3


def test_data_set_changes_the_folder(root: Path) -> None:
    assert execution.fingerprint(root, "digits") != execution.fingerprint(root, "mnist")


def test_other_files_do_not(root: Path) -> None:
    before = execution.fingerprint(root, "digits")
    (root / "README.md").write_text("words")
    (root / "nhlib" / "__pycache__").mkdir()
    (root / "nhlib" / "__pycache__" / "codes.cpython-311.pyc").write_bytes(b"")
    assert execution.fingerprint(root, "digits") == before
