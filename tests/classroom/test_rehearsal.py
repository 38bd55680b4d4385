"""What students see before they hand in is what the grader will see."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from nhlib.classroom import check
from nhlib.classroom.assignments import graded_cells

NAME = "1-regions-on-a-line"
SOLVED = Path(__file__).parents[2] / "book" / "assignments" / NAME / f"{NAME}.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(SOLVED, as_version=4)


def said(notebook, folder):
    nbformat.write(notebook, folder / "own.ipynb")
    return check(folder / "own.ipynb").splitlines()


def test_a_solution_passes():
    names = ("kinks", "slopes", "pieces")
    assert check(SOLVED).splitlines() == [f"{name}: its tests pass" for name in names]


def test_what_fails_is_told_with_the_tests_own_words(notebook, tmp_path):
    cells = dict(graded_cells(notebook))
    cells[
        "kinks"
    ].source = "def kinks(weights, biases, start, end):\n    return np.array([1, 2, 3])"
    cells["slopes"].source = "import nhlib\ndef slopes(*a):\n    return nhlib.slopes(*a)"
    cells["pieces"].source = "def pieces(layers, start, end):\n    raise NotImplementedError()"
    kinks, slopes, pieces = said(notebook, tmp_path)
    assert kinks.startswith("kinks: not yet right: ")
    assert slopes == "slopes: not yet right: it ended in NameError"
    assert pieces == "pieces: not yet right: it ended in NotImplementedError"


def test_what_is_left_of_cells_that_are_gone_is_not_there(notebook, tmp_path):
    """A name that only the running notebook still has."""
    cells = dict(graded_cells(notebook))
    cells["kinks"].source = cells["kinks"].source.replace("np.unique", "my_own")
    assert said(notebook, tmp_path)[0] == "kinks: not yet right: it ended in NameError"
    notebook.cells.insert(0, new_code_cell("import numpy\nmy_own = numpy.unique"))
    assert said(notebook, tmp_path)[0] == "kinks: its tests pass"


def test_what_is_no_assignment_is_refused(notebook, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: there is no file .*none\.ipynb in /"):
        check(tmp_path / "none.ipynb")
    (tmp_path / "own.ipynb").write_text("{}")
    with pytest.raises(ValueError, match=r"path: .*own\.ipynb could not be read: .* no cells"):
        check(tmp_path / "own.ipynb")
    for cell in notebook.cells:
        cell.metadata.clear()
    with pytest.raises(ValueError, match="none of the test cells that came with an assignment"):
        said(notebook, tmp_path)
