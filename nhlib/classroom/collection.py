"""What students have handed in, found in a folder, and what each of them is called from then on.

**The rule for names.** A student is called by the letters and digits of the name of her file or
folder, with ``.``, ``_``, ``-`` and ``@`` between them, 50 characters at most. In any other name
there is a ``_`` for what does not belong in it, and six characters at the end that tell it from
similar ones. Nothing after this module sees another name.
"""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_NAME = 50
ENDING = ".ipynb"
BETWEEN = "._-@"
OF_THE_SYSTEM = (
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
)  # and what begins with a dot but a notebook
DEEPEST = 4  # folders in a student's folder that are looked into, to say where a notebook lies


@dataclass(frozen=True, order=True)
class Submission:
    """What one student has handed in.

    Parameters
    ----------
    student : str
        Who, as `student_name` makes it of the name of the file or its folder.
    path : Path
        The notebook.
    """

    student: str
    path: Path


@dataclass(frozen=True)
class Collection:
    """What a folder holds.

    Parameters
    ----------
    submissions : list of Submission
        In the order of the students' names.
    notes : list of str
        What was not taken, and why; and who is called otherwise than the file.
    """

    submissions: list[Submission]
    notes: list[str]


def student_name(name: str) -> str:
    """What a student is called, by the rule of this module.

    Parameters
    ----------
    name : str
        The name of a folder, or that of a file without its ending, as Python gets it from the
        system.

    Returns
    -------
    str

    Examples
    --------
    >>> student_name("zoë.müller@uni.example")
    'zoë.müller@uni.example'
    >>> student_name("Kim Lee (1)")
    'Kim_Lee_1-aaf10d'
    >>> student_name("<img src=x>")
    'img_src_x-16c555'
    """
    composed = unicodedata.normalize("NFC", name)  # as all systems but one write it
    fitting = "".join(c if _belongs(c) else " " for c in composed)
    fitting = "_".join(fitting.split()).strip(BETWEEN)
    if fitting == composed and 0 < len(fitting) <= LONGEST_NAME:
        return fitting
    told_apart = hashlib.sha256(os.fsencode(composed)).hexdigest()[:6]
    return f"{fitting[: LONGEST_NAME - 7].strip(BETWEEN) or 'student'}-{told_apart}"


def readable(name: str) -> str:
    r"""A name from whoever, as it may be printed.

    Examples
    --------
    >>> print(readable("a\x1b[2J\udce9.ipynb"))
    a\x1b[2J\udce9.ipynb
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def find_submissions(folder: Path, assignment: str) -> Collection:
    """Find the notebooks of an assignment. No link is followed below the folder.

    Parameters
    ----------
    folder : Path
        Holds ``STUDENT.ipynb``, ``STUDENT/ANY.ipynb`` or, as nbgrader collects them,
        ``STUDENT/ASSIGNMENT/ANY.ipynb``, also side by side.
    assignment : str
        The assignment's name. Where a student has several notebooks, it is the one of that name.

    Returns
    -------
    Collection

    Raises
    ------
    FileNotFoundError
        When there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    found: list[Submission] = []
    notes: list[str] = []
    for entry in _entries(folder):
        try:
            name, path = _notebook(entry, assignment)
        except LookupError as e:
            notes.append(f"{readable(entry.name)} was not taken: {e.args[0]}")
        else:
            found.append(Submission(student_name(name), path))
            if student_name(name) != name:
                notes.append(f"{readable(name)} is called {student_name(name)}")
    count = Counter(s.student for s in found)
    notes += [
        f"{name} was not taken: there are {n} notebooks of that name, keep one of them"
        for name, n in count.items() if n > 1
    ]  # fmt: skip
    found = sorted(s for s in found if count[s.student] == 1)
    if not found:
        raise FileNotFoundError(
            f"there is nothing to grade in {folder}: it should hold STUDENT.ipynb or "
            f"STUDENT/{assignment}.ipynb" + "".join(f"\n{note}" for note in notes)
        )
    return Collection(found, notes)


def _belongs(c: str) -> bool:
    """Whether a character may stand in a name: letters and their marks, digits, and a few more."""
    return c in BETWEEN or unicodedata.category(c)[0] in "LNM"


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        return sorted(
            (e for e in entries if not _is_of_the_system(e)),
            key=lambda e: e.name,
        )


def _is_of_the_system(entry: "os.DirEntry[str]") -> bool:
    if entry.name in OF_THE_SYSTEM or entry.name.startswith("._"):
        return True
    notebook = entry.name.lower().endswith(ENDING) and not entry.is_dir()
    return entry.name.startswith(".") and not notebook


def _notebook(entry: "os.DirEntry[str]", assignment: str) -> tuple[str, Path]:
    """A student's name, as found, and her notebook; a `LookupError` says why there is none."""
    if not entry.is_dir():
        if not entry.name.lower().endswith(ENDING):
            raise LookupError(_other(entry.name))
        return entry.name[: -len(ENDING)], Path(entry.path)
    if entry.is_symlink():
        raise LookupError("it is a link, which is not followed")
    folder = Path(entry.path)
    inner = next((e for e in _entries(folder) if e.name == assignment and e.is_dir()), None)
    if inner is not None:
        if inner.is_symlink():
            raise LookupError(f"{assignment} in it is a link, which is not followed")
        folder = Path(inner.path)
    here = [e for e in _entries(folder) if e.name.lower().endswith(ENDING) and not e.is_dir()]
    named = [e for e in here if e.name[: -len(ENDING)] == assignment]
    if len(here) == 1 or named:
        return entry.name, Path((named or here)[0].path)
    if here:
        raise LookupError(f"it has {len(here)} notebooks, and none is called {assignment}.ipynb")
    deeper = next(_deeper(folder, DEEPEST), None)
    if deeper is not None:
        raise LookupError(f"its notebook lies too deep, at {readable(str(deeper))}")
    others = [_other(e.name) for e in _entries(folder) if not e.is_dir()]
    raise LookupError(f"it holds no notebook: {others[0]}" if others else "it holds no notebook")


def _other(name: str) -> str:
    """Why a file of another kind is not taken."""
    if name.lower().endswith((".zip", ".7z", ".tar", ".gz", ".rar")):
        return f"{readable(name)} is to be unpacked first"
    return f"the name {readable(name)} does not end in .ipynb"


def _deeper(folder: Path, depth: int) -> Iterator[Path]:
    """Notebooks in the folders of a folder."""
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False) and depth:
            yield from _deeper(Path(entry.path), depth - 1)
        elif entry.name.lower().endswith(ENDING):
            yield Path(entry.path)
