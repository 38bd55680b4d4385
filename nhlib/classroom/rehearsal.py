"""A notebook run as the grader will run it, by the student who is about to hand it in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nhlib.classroom.kernel import Kernel


def check(path: str | Path) -> str:
    """What the grader will see of a notebook's functions, told by the notebook's own tests.

    The saved notebook runs from top to bottom in a process of its own, as it does when it is
    graded: without nhlib and PyTorch, and within the same limits of time and memory. Each test
    cell is run where it stands, on the answers that the grader would get.

    Parameters
    ----------
    path : str or Path
        The notebook. It is only read: save it first.

    Returns
    -------
    str
        A line for each function.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModuleNotFoundError
        Without nbformat, which comes with Jupyter.
    ValueError
        When it is no notebook of an assignment.
    """
    try:
        from nhlib.classroom.notebooks import UnreadableError, read_bytes, read_notebook
        from nhlib.classroom.order import program
    except ModuleNotFoundError as e:
        raise ModuleNotFoundError(f"check needs {e.name}: pip install {e.name}") from None
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"path: there is no file {file} in {Path.cwd()}")
    try:
        notebook = read_notebook(read_bytes(file))
    except UnreadableError as e:
        raise ValueError(f"path: {file} could not be read: {e}") from None
    tests = _tests(notebook)
    if not tests:
        raise ValueError(
            f"path: {file} has none of the test cells that came with an assignment: an editor may "
            f"have lost their marks. Copy your cells into a fresh notebook"
        )
    runs, said = program(notebook, notebook)
    names: dict[str, Any] = {"np": np}
    with Kernel(runs, list(tests), alone=False) as kernel:
        for name, source in tests.items():
            kernel.run(runs.place(name))
            kernel.begin()
            names[name] = _asking(kernel, name)
            said.append(f"{name}: {_outcome(source, names)}")
    return "\n".join(said)


def _tests(notebook: Any) -> dict[str, str]:
    """The sources of the test cells, by the functions that they are about."""
    from nhlib.classroom.assignments import graded_cells
    from nhlib.classroom.order import TESTS

    try:
        return {
            name.removesuffix(TESTS): cell.source
            for name, cell in graded_cells(notebook)
            if name.endswith(TESTS)
        }
    except (AttributeError, KeyError):
        return {}


def _asking(kernel: Kernel, name: str) -> Callable[..., Any]:
    """A function that asks the one in the kernel."""

    def ask(*arguments: object) -> Any:
        return kernel.call(name, *arguments)

    return ask


def _outcome(source: str, names: dict[str, Any]) -> str:
    """What a test cell says."""
    try:
        exec(source, names)
    except Exception as e:
        return f"not yet right: {e}"
    return "its tests pass"
