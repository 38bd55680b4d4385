"""Notebooks are executed before Sphinx reads them: those whose kept outputs no longer hold.

Sphinx then reads each notebook with its outputs in it. myst-nb executes none.
"""

from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from kept_outputs import KeptOutputs, with_outputs
from kernels import NotebookError, cores, execute

ROOT = Path(__file__).parents[2]

logger = logging.getLogger(__name__)


class Executor:
    """What is done at Sphinx's events."""

    kept: KeptOutputs
    stopped: set[str]

    def start(self, app: Sphinx) -> None:
        """Look at what outputs depend on."""
        self.kept = KeptOutputs(Path(app.outdir).parent / "executed", ROOT)
        self.stopped = set()

    def outdated(self, app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
        """Return the pages to read again, although their sources may be as they were."""
        return [name for name, _, _ in self._without_outputs(env, env.found_docs)]

    def execute(self, app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
        """Execute what is read next, the longest first, and fail the build where one stops."""
        names, notebooks = {}, {}
        for name, path, notebook in sorted(self._without_outputs(env, pages), key=self._length):
            names[path], notebooks[path] = name, notebook
        if notebooks:
            logger.info(
                "executing %d notebooks, %d at a time, the longest first: %s",
                len(notebooks),
                min(cores(), len(notebooks)),
                ", ".join(names.values()),
            )
        config = app.config
        outcomes = execute(
            notebooks,
            config.nb_execution_timeout,
            config.nb_execution_allow_errors,
            lambda path: self.kept.claims(names[path]),
        )
        for number, (path, outcome) in enumerate(outcomes, 1):
            name = names[path]
            if isinstance(outcome, NotebookError):
                logger.error("stopped in %s", outcome, location=name)
                app.statuscode = 1
                self.stopped.add(name)
                continue
            self.kept.keep(name, outcome)
            logger.info(
                "executed %s in %.0f s (%d of %d)", name, outcome.seconds, number, len(notebooks)
            )

    def show(self, app: Sphinx, page: str, source: list[str]) -> None:
        """Put the outputs into a notebook that is read."""
        if _is_notebook(app.env, page):
            notebook = nbformat.reads(source[0], as_version=4)
            executed = self.kept.of(page, notebook)
            if executed is not None:
                source[0] = nbformat.writes(with_outputs(notebook, executed))
            elif page not in self.stopped:
                logger.warning("edited since it was executed; build again", location=page)

    def _without_outputs(
        self, env: BuildEnvironment, pages: Iterable[str]
    ) -> Iterator[tuple[str, Path, NotebookNode]]:
        for page in pages:
            if _is_notebook(env, page):
                path = Path(env.doc2path(page))
                notebook = nbformat.read(path, as_version=4)
                if self.kept.of(page, notebook) is None:
                    yield page, path, notebook

    def _length(self, notebook: tuple[str, Path, NotebookNode]) -> tuple[float, int]:
        """Return a key that sorts long ones to the front: by time if it is known, else by code."""
        name, _, content = notebook
        seconds = self.kept.seconds(name)
        code = sum(len(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code")
        return -(inf if seconds is None else seconds), -code


def _is_notebook(env: BuildEnvironment, page: str) -> bool:
    return env.doc2path(page).endswith(".ipynb")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect an executor."""
    executor = Executor()
    app.connect("builder-inited", executor.start)
    app.connect("env-get-outdated", executor.outdated)
    app.connect("env-before-read-docs", executor.execute)
    app.connect("source-read", executor.show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
