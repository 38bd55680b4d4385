"""Whose notebook is whose, in folders as they come."""

import os
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhlib.classroom.collection import Submission, find_submissions, readable, student_name


def fill(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.touch()
    return folder


def students(folder, assignment="one"):
    return [s.student for s in find_submissions(folder, assignment).submissions]


def test_submissions_are_found_in_every_layout(tmp_path):
    names = (
        "ada.ipynb bob/any.ipynb cleo/one/x.ipynb cleo/two/y.ipynb dan/one.ipynb dan/notes.ipynb"
    )
    fill(tmp_path, *names.split(), ".git/z.ipynb", ".x.ipynb/one.ipynb", "eve.IPYNB", "zoë/x.ipynb")
    found = find_submissions(tmp_path, "one")
    assert found.submissions == [
        Submission("ada", tmp_path / "ada.ipynb"),
        Submission("bob", tmp_path / "bob/any.ipynb"),
        Submission("cleo", tmp_path / "cleo/one/x.ipynb"),
        Submission("dan", tmp_path / "dan/one.ipynb"),
        Submission("eve", tmp_path / "eve.IPYNB"),
        Submission("zoë", tmp_path / "zoë/x.ipynb"),
    ]
    assert found.notes == []


def test_a_notebook_that_begins_with_a_dot_is_somebodys(tmp_path):
    found = find_submissions(fill(tmp_path, ".kim.ipynb", "...ipynb"), "one")
    assert [s.path.name for s in found.submissions] == [".kim.ipynb", "...ipynb"]


@pytest.mark.parametrize(
    "files",
    [
        ("kim.ipynb", "._kim.ipynb", "__MACOSX/._kim.ipynb"),
        ("kim/My a1.ipynb", "kim/._My a1.ipynb", ".DS_Store"),
        ("__MACOSX/._kim.ipynb", "__MACOSX/._ben.ipynb", "kim.ipynb", "Thumbs.db"),
        ("kim/one.ipynb", "kim/.ipynb_checkpoints/one-checkpoint.ipynb", "desktop.ini"),
    ],
)
def test_what_systems_leave_behind_is_nobodys(tmp_path, files):
    found = find_submissions(fill(tmp_path, *files), "one")
    assert [s.student for s in found.submissions] == ["kim"]
    assert found.notes == []


def test_what_is_not_taken_is_named(tmp_path):
    names = (
        "kim.ipynb ida/deep/a1.ipynb lee/ mia.ipynb.txt zip/a1.zip all.zip two/a.ipynb two/b.ipynb"
    )
    fill(tmp_path, *names.split(), "pat/essay.pdf", "sam.ipynb", "sam/x.ipynb")
    found = find_submissions(tmp_path, "one")
    assert [s.student for s in found.submissions] == ["kim"]
    told = dict(note.split(" was not taken: ") for note in found.notes)
    assert set(told) == {"ida", "lee", "mia.ipynb.txt", "zip", "all.zip", "two", "pat", "sam"}
    assert told["ida"].startswith("its notebook lies too deep, at ")
    assert told["ida"].endswith("ida/deep/a1.ipynb")
    assert told["lee"] == "it holds no notebook"
    assert told["mia.ipynb.txt"] == "the name mia.ipynb.txt does not end in .ipynb"
    assert told["zip"] == "it holds no notebook: a1.zip is to be unpacked first"
    assert told["two"] == "it has 2 notebooks, and none is called one.ipynb"
    assert told["sam"] == "there are 2 notebooks of that name, keep one of them"


def test_links_are_followed_nowhere(tmp_path):
    solutions = fill(tmp_path / "elsewhere", "one.ipynb", "one/one.ipynb")
    folder = fill(tmp_path / "subs", "kim.ipynb", "own/", "part/")
    (folder / "whole").symlink_to(solutions)
    (folder / "kims").symlink_to(folder)
    (folder / "own" / "one").symlink_to(solutions)
    (folder / "part" / "one.ipynb").symlink_to(solutions / "one.ipynb")
    (folder / "loose.ipynb").symlink_to(solutions / "one.ipynb")
    found = find_submissions(folder, "one")
    assert [note.partition(" ")[0] for note in found.notes] == ["kims", "own", "whole"]
    assert all("link, which is not followed" in note for note in found.notes)
    # The other two are files that `read_bytes` refuses, and their owners get to know.
    assert [s.student for s in found.submissions] == ["kim", "loose", "part"]


def test_nothing_at_all_is_an_error_that_says_what_is_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        find_submissions(tmp_path / "none", "one")
    with pytest.raises(FileNotFoundError, match="nothing to grade"):
        find_submissions(tmp_path, "one")
    fill(tmp_path, "all.zip")
    with pytest.raises(FileNotFoundError, match=r"all\.zip is to be unpacked first"):
        find_submissions(tmp_path, "one")


# --- What students are called

STRANGE = [
    *"<img src=x onerror=alert(1)> | .. | . | a* | [ab] | ada[1] | a;=1+1; | =1+1 | +1 | -1".split(
        " | "
    ),
    *"@SUM(A1) | a/b | a\\b | a,b | 'a' | ~root | $(ls) | -rf | Kim Lee (1) | %2e%2e".split(" | "),
    *["", "x" * 249, "é" * 249, "\r=1+1", "\t1", "a\nb", "caf\udce9", "\u202eabc", "a\0b", "a?b#c"],
]


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_become_harmless_ones(name):
    called = student_name(name)
    assert re.fullmatch(r"\w[\w.@-]*-[0-9a-f]{6}", called)
    assert student_name(called) == called
    assert len(os.fsencode(called)) < 240


@pytest.mark.parametrize(
    "name", ["ada", "Zoë", "मोहन", "김철수", "o.k_a-y", "kim@uni.example", "s1234567", "x" * 50]
)
def test_ordinary_names_stay(name):
    assert student_name(name) == unicodedata.normalize("NFC", name)


def test_a_name_is_the_same_however_a_system_composes_it():
    assert student_name("Zoe\u0308") == student_name("Zoë") == "Zoë"


@given(st.text() | st.text("abc .-_@<>*'", max_size=8) | st.binary().map(os.fsdecode))
def test_every_name_is_fit_for_files_pages_tables_and_patterns(name):
    called = student_name(name)
    assert called[0] not in "._-@=+\t\r "
    assert not set(called) & set("<>&\"'*?[]{}/\\;,|:\n\r\t \0$`~#%()!")
    assert 0 < len(called) <= 50
    assert student_name(called) == called


@given(st.text(), st.text())
def test_different_names_stay_different(one, other):
    if unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other):
        assert student_name(one) != student_name(other)


def test_who_is_called_otherwise_is_told(tmp_path):
    fill(tmp_path, "ada.ipynb", "ada[1].ipynb", "caf\udce9\x1b[2J.ipynb")
    found = find_submissions(tmp_path, "one")
    strange = ("ada", "ada[1]", "caf\udce9\x1b[2J")
    assert [s.student for s in found.submissions] == sorted(map(student_name, strange))
    assert found.notes == [
        f"ada[1] is called {student_name('ada[1]')}",
        rf"caf\udce9\x1b[2J is called {student_name('caf' + chr(0xDCE9) + chr(27) + '[2J')}",
    ]


@given(st.text())
def test_what_is_printed_moves_no_cursor(name):
    assert readable(name).isprintable()
    readable(name).encode()
