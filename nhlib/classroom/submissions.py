"""What students hand in: found in a folder, read with care, and put into good order.

A submission may lack cells, have them changed, be something else altogether, or be made to harm
whoever opens it. What the grade book gets is always the released notebook with the student's
answers in it.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from nhlib.classroom.assignments import graded_cells

LARGEST = 32 * 2**20  # bytes of a notebook, pictures included
LONGEST_OUTPUT = 20_000  # characters of printed output that a teacher gets to see
PICTURES = ("image/png", "image/jpeg")
# What nbgrader's pages would take for HTML or a link, though it is somebody's answer: a space makes
# text of it.
ACTIVE = re.compile(r"<(?=[a-zA-Z/!?])|\](?=:|\[|\((?!attachment:))")


class UnreadableError(ValueError):
    """A file that is no notebook, in words for the student."""


@dataclass(frozen=True, order=True)
class Submission:
    """What one student has handed in.

    Parameters
    ----------
    student : str
        Who, as the name of the file or its folder tells.
    path : Path
        The notebook.
    """

    student: str
    path: Path


def find_submissions(folder: Path, assignment: str) -> list[Submission]:
    """Find the notebooks of an assignment.

    Parameters
    ----------
    folder : Path
        Holds ``STUDENT.ipynb``, ``STUDENT/ANY.ipynb`` or, as nbgrader collects them,
        ``STUDENT/ASSIGNMENT/ANY.ipynb``, also side by side.
    assignment : str
        The assignment's name. Where a student has several notebooks, it is the one of that name.

    Returns
    -------
    list of Submission
        In the order of the students' names.

    Raises
    ------
    FileNotFoundError
        When there is no such folder, or nothing in it.
    ValueError
        When two files claim to be the same student's.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    found = [Submission(f.stem, f) for f in folder.glob("*.ipynb")]
    for student in (f for f in folder.iterdir() if f.is_dir() and not f.name.startswith(".")):
        inner = student / assignment
        files = sorted((inner if inner.is_dir() else student).glob("*.ipynb"))
        named = [f for f in files if f.stem == assignment]
        if len(files) == 1 or named:
            found.append(Submission(student.name, (named or files)[0]))
        elif files:
            raise ValueError(
                f"{student} has {len(files)} notebooks, and none is called {assignment}.ipynb: "
                f"rename the one to grade"
            )
    names = [s.student for s in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{folder} has more than one notebook of {name!r}: keep one of them")
    if not found:
        raise FileNotFoundError(
            f"there is nothing to grade in {folder}: it should hold STUDENT.ipynb or "
            f"STUDENT/{assignment}.ipynb"
        )
    return sorted(found)


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook from whoever.

    Parameters
    ----------
    path : Path

    Returns
    -------
    NotebookNode
        In version 4, which Jupyter has written since 2015.

    Raises
    ------
    UnreadableError
        When it is not one.
    """
    if path.is_symlink() or not path.is_file():
        raise UnreadableError("it is not a file")
    if path.stat().st_size > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST // 2**20} MiB")
    try:
        content = json.loads(path.read_bytes().decode())
        notebook: NotebookNode = nbformat.from_dict(content)
        assert notebook.nbformat == 4
        assert all(
            cell.cell_type in ("code", "markdown", "raw") and isinstance(cell.source, str | list)
            and isinstance(cell.metadata, dict)
            for cell in notebook.cells
        )  # fmt: skip
        for cell in notebook.cells:
            cell.source = "".join(cell.source)
    except Exception as e:  # JSON of any form has many ways to be something else
        raise UnreadableError(f"it is not a notebook ({type(e).__name__})") from None
    return notebook


def in_order(submitted: NotebookNode, released: NotebookNode) -> NotebookNode:
    """Put a student's answers into the released notebook.

    Cells that students were not to change are as released, wherever they now stand; answers that
    were deleted are empty again, at the end. Everything that a student has added is kept, and so
    are pictures and printed text. Nothing else of the outputs is: it could run in a teacher's
    browser.

    Parameters
    ----------
    submitted, released : NotebookNode

    Returns
    -------
    NotebookNode
    """
    missing = dict(graded_cells(released))
    cells = []
    for cell in submitted.cells:
        known = cell.metadata.get("nbgrader")
        name = known.get("grade_id") if isinstance(known, dict) else None
        original = missing.pop(name, None) if isinstance(name, str) else None
        if original is None:
            make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
            kept = make(cell.source)
        else:
            kept = copy.deepcopy(original)
            if original.metadata.nbgrader.solution and cell.cell_type == original.cell_type:
                kept.source = cell.source
        if kept.cell_type == "code":
            kept.outputs = list(_harmless(cell.get("outputs")))
        elif original is None or original.metadata.nbgrader.solution:
            kept.source = ACTIVE.sub(r"\g<0> ", kept.source)
            kept.attachments = _pictures(cell.get("attachments"))
        cells.append(kept)
    if missing:
        cells.append(new_markdown_cell("*The cells below were missing from what was handed in.*"))
        cells += [copy.deepcopy(cell) for cell in missing.values()]
    notebook = copy.deepcopy(released)
    notebook.cells = cells
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        if cell.id in seen:
            cell.id = f"added-{number}"
        seen.add(cell.id)
    return notebook


def answers(notebook: NotebookNode) -> list[str]:
    """The code that students could write: all code cells but the tests'."""
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code"
        and not (
            cell.metadata.get("nbgrader", {}).get("grade")
            and not cell.metadata.nbgrader.get("solution")
        )
    ]


def _harmless(outputs: object) -> Iterator[NotebookNode]:
    """Pictures and printed text."""
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data, text = output.get("data"), output.get("text")
        if output.get("output_type") == "stream" and isinstance(text, str | list):
            printed = "".join(map(str, text))[:LONGEST_OUTPUT]
            yield nbformat.v4.new_output("stream", name="stdout", text=printed)
        elif isinstance(data, dict):
            kept = {
                kind: "".join(map(str, data[kind]))
                for kind in (*PICTURES, "text/plain")
                if isinstance(data.get(kind), str | list)
            }
            if kept:
                kept["text/plain"] = kept.get("text/plain", "")[:LONGEST_OUTPUT]
                yield nbformat.v4.new_output("display_data", data=kept)


def _pictures(attachments: object) -> NotebookNode:
    """The pictures that were pasted into an answer."""
    found = attachments.items() if isinstance(attachments, dict) else ()
    pictures: NotebookNode = nbformat.from_dict(
        {
            name: {kind: data for kind, data in kinds.items() if kind in PICTURES}
            for name, kinds in found
            if isinstance(kinds, dict)
            and all(isinstance(kinds[kind], str) for kind in PICTURES if kind in kinds)
        }
    )
    return pictures
