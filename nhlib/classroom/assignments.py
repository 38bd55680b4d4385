"""The assignments of the book: a notebook with solutions, and what it is marked by."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from nhlib.classroom.tasks import Task


@dataclass(frozen=True)
class Assignment:
    """One assignment.

    Parameters
    ----------
    folder : Path
        Holds ``NAME.ipynb``, the only source of what students and teachers get, and ``checks.py``.
    tasks : list of Task
        What ``checks.py`` has in ``TASKS``. The notebook has a cell ``TASK`` for the function and a
        cell ``TASK-tests`` that carries its points.
    """

    folder: Path
    tasks: list[Task]

    @property
    def name(self) -> str:
        """Its name, which begins with its number."""
        return self.folder.name

    @property
    def path(self) -> Path:
        """The notebook."""
        return self.folder / f"{self.name}.ipynb"

    @property
    def notebook(self) -> NotebookNode:
        """What the notebook holds, with solutions."""
        notebook: NotebookNode = nbformat.read(self.path, as_version=4)
        return notebook


def load_assignment(folder: Path) -> Assignment:
    """Read an assignment, and check that its two files agree.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Assignment

    Raises
    ------
    ValueError
        When the notebook has no cells for a task, or gives it other points than ``checks.py``.
    FileNotFoundError
        When it is no such folder.
    """
    file = folder / "checks.py"
    if not file.is_file():
        raise FileNotFoundError(f"{folder} is no assignment: it has no checks.py")
    spec = spec_from_file_location(f"checks_of_{folder.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where pickle and inspect look for it
    spec.loader.exec_module(module)
    assignment = Assignment(folder, module.TASKS)
    cells = dict(graded_cells(assignment.notebook))
    for task in assignment.tasks:
        for wanted in (task.name, f"{task.name}-tests"):
            if wanted not in cells:
                raise ValueError(f"{assignment.path} has no cell with the grade_id {wanted!r}")
        points = cells[f"{task.name}-tests"].metadata.nbgrader.points
        if points != task.points:
            raise ValueError(
                f"{assignment.path} gives {points:g} points for {task.name}, and the properties in "
                f"checks.py {task.points}"
            )
    return assignment


def graded_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """The cells that nbgrader knows, by their grade_id."""
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            yield cell.metadata.nbgrader.grade_id, cell
