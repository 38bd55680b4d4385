"""A submission put in order: what is run of it, and what a teacher gets to see.

Cells may have been added, moved, merged, deleted, turned into another kind, or lost the marks by
which nbgrader knows them. What is run is what the student wrote, in her order, and nothing else;
what the grade book gets is the released notebook with her answers in it.
"""

import copy
from collections.abc import Iterator, Sequence

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from nhlib.classroom.assignments import graded_cells
from nhlib.classroom.harmless import harmless_answer, harmless_outputs, shortened
from nhlib.classroom.kernel import LONGEST_CELL, Program

MOST_CODE = 2_000_000  # characters
MOST_CELLS = 300
MOST_TEXT = 500_000  # characters in all that a teacher gets to see
MARKDOWN = 5  # how often a character of Markdown counts, which takes longer to show
TESTS = "-tests"  # how the grade_id of a function's test cell ends


def names_of(submitted: NotebookNode, released: NotebookNode) -> list[str | None]:
    """Which released cell each submitted one is, by its grade_id there; None if it is an own one.

    Cells are known by nbgrader's marks; where an editor has lost these, by their id; where it has
    lost the id as well, locked cells by their text.

    Parameters
    ----------
    submitted, released : NotebookNode

    Returns
    -------
    list of str or None
    """
    there = dict(graded_cells(released))
    by_id = {cell.id: name for name, cell in there.items()}
    by_text = {c.source.strip(): n for n, c in there.items() if not c.metadata.nbgrader.solution}
    names: list[str | None] = [None] * len(submitted.cells)
    seen: set[str] = set()
    for known in (
        _grade_id,
        lambda cell: by_id.get(str(cell.get("id"))),
        lambda cell: by_text.get(cell.source.strip()),
    ):
        for number, cell in enumerate(submitted.cells):
            name = known(cell)
            if names[number] is None and name in there and name not in seen:
                names[number] = name
                seen.add(name)
    return names


def program(submitted: NotebookNode, released: NotebookNode) -> tuple[Program, list[str]]:
    """What is run of a submission.

    Parameters
    ----------
    submitted, released : NotebookNode

    Returns
    -------
    tuple of Program, list of str
        And what of it is not run, in words.
    """
    there, names = dict(graded_cells(released)), names_of(submitted, released)
    # Given cells that she has deleted, before all of hers.
    sources = [cell.source for name, cell in there.items()
               if cell.cell_type == "code" and not cell.metadata.nbgrader.grade
               and not cell.metadata.nbgrader.solution and name not in names]  # fmt: skip
    places, left_out = {}, []
    for number, (cell, name) in enumerate(zip(submitted.cells, names, strict=True), start=1):
        original = there.get(name) if name else None
        is_test = name is not None and name.endswith(TESTS)
        code = cell.cell_type == "code" or (original is not None and original.cell_type == "code")
        if code and len(cell.source) > LONGEST_CELL:
            left_out.append(
                f"Cell {number} has {len(cell.source):,} characters, and was not run: "
                f"{LONGEST_CELL:,} are the most"
            )
        elif code and not (is_test and original and cell.source.strip() == original.source.strip()):
            sources.append(cell.source)
        if is_test and name is not None:
            places[name.removesuffix(TESTS)] = len(sources)
    if sum(map(len, sources)) > MOST_CODE:
        left_out.append(f"The notebook's code was not run: {MOST_CODE:,} characters are the most")
        sources, places = [], {}
    return Program(tuple(sources), places), left_out


def in_order(submitted: NotebookNode, released: NotebookNode) -> NotebookNode:
    """Put a student's answers into the released notebook.

    Cells that students were not to change are as released, wherever they now stand; answers that
    were deleted are empty again, where they stood. Everything that a student has added is kept, and
    so are pictures and printed text. Nothing else of the outputs is: it could run in a teacher's
    browser.

    Parameters
    ----------
    submitted, released : NotebookNode

    Returns
    -------
    NotebookNode
    """
    names, there = names_of(submitted, released), dict(graded_cells(released))
    cells: list[tuple[str | None, NotebookNode]] = []
    for cell, name in list(zip(submitted.cells, names, strict=True)):
        if name is None and len(cells) >= MOST_CELLS:
            continue
        cells.append((name, _kept(cell, there.get(name or ""))))
    before = None
    for name, cell in graded_cells(released):
        if name not in names:
            place = [n for n, _ in cells].index(before) + 1 if before else 0
            note = new_markdown_cell("*The next cell was missing from what was handed in.*")
            cells[place:place] = [(None, note), (name, copy.deepcopy(cell))]
        before = name
    for name, text in _elsewhere(submitted, names, released):
        answer = next(cell for n, cell in cells if n == name)
        answer.source = text
    notebook = copy.deepcopy(released)
    notebook.cells = _numbered(list(_not_too_much(cell for _, cell in cells)))
    return notebook


def _grade_id(cell: NotebookNode) -> str | None:
    known = cell.metadata.get("nbgrader")
    name = known.get("grade_id") if isinstance(known, dict) else None
    return name if isinstance(name, str) else None


def _kept(cell: NotebookNode, original: NotebookNode | None) -> NotebookNode:
    """What a teacher sees of a cell."""
    if original is None:
        make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
        kept: NotebookNode = make(cell.source)
    else:
        kept = copy.deepcopy(original)
        if original.metadata.nbgrader.solution and cell.cell_type == original.cell_type:
            kept.source = cell.source
    own = original is None or original.metadata.nbgrader.solution
    if kept.cell_type == "code":
        kept.source = shortened(kept.source) if own else kept.source
        kept.outputs = list(harmless_outputs(cell.get("outputs")))
    elif own:
        kept.source, kept.attachments = harmless_answer(kept.source, cell.get("attachments"))
    return kept


def _elsewhere(
    submitted: NotebookNode, names: Sequence[str | None], released: NotebookNode
) -> Iterator[tuple[str, str]]:
    """Answers for a teacher to mark that do not stand in their own cells, with a word about where.

    That is, in a cell that has been turned into another kind, in the text of the question, or in
    cells between the question and what follows it.
    """
    given = list(graded_cells(released))
    for number, (name, original) in enumerate(given):
        if not (original.metadata.nbgrader.grade and original.metadata.nbgrader.solution):
            continue
        own = submitted.cells[names.index(name)] if name in names else None
        empty = original.source.strip()
        if own is not None and own.source.strip() not in ("", empty):
            if own.cell_type != original.cell_type:
                where = f"in a cell that has been turned into {own.cell_type}"
                yield name, _told(where, own.source, original)
            continue
        question = given[number - 1][0] if number else None
        if question not in names:
            continue
        start = names.index(question)
        said = [_added(submitted.cells[start].source, given[number - 1][1].source)]
        for cell, other in list(zip(submitted.cells, names, strict=True))[start + 1 :]:
            if other not in (None, name):
                break
            said.append(cell.source if other is None else "")
        text = "\n\n".join(filter(None, map(str.strip, said)))
        if text:
            yield name, _told("beside its own cell", text, original)


def _added(text: str, original: str) -> str:
    """The lines of a text that the original does not have."""
    there = set(original.splitlines())
    return "\n".join(line for line in text.splitlines() if line not in there)


def _told(where: str, text: str, original: NotebookNode) -> str:
    """An answer, after a word about where it stood."""
    if original.cell_type == "code":
        return f"# (This answer stood {where}.)\n{shortened(text)}"
    quoted, _ = harmless_answer(text, None)
    return f"*(This answer stood {where}.)*\n\n{quoted}"


def _not_too_much(cells: Iterator[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells, and from where there would be too much to show, without what students wrote."""
    shown = 0
    for cell in cells:
        size = len(cell.source) * (1 if cell.cell_type == "code" else MARKDOWN)
        size += sum(len(str(o.get("text", ""))) for o in cell.get("outputs", ()))
        if shown + size > MOST_TEXT and not cell.metadata.get("nbgrader"):
            cell.source, cell["outputs" if cell.cell_type == "code" else "attachments"] = (
                "(not shown: the notebook is too long)", [] if cell.cell_type == "code" else {},
            )  # fmt: skip
        else:
            shown += size
        yield cell


def _numbered(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells, each with an id of its own, the same every time."""
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        if not cell.metadata.get("nbgrader") or cell.id in seen:
            cell.id = f"added-{number}"
        seen.add(cell.id)
    return cells
