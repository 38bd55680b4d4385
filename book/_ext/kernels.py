"""Notebooks executed side by side, each in a kernel of its own that computes with one thread.

Kernels are processes. What they say is collected here by one event loop, in a thread: the main
thread stays free to report and to be interrupted.
"""

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

# One thread a kernel, since there are as many kernels as cores; and a sum is then the same on every
# machine. Progress bars are for a reader at a kernel.
SETTINGS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "VECLIB_MAXIMUM_THREADS": "1",
    "TQDM_DISABLE": "1",
}
# What the text says of the names that a notebook has set.
CLAIMS = """
__import__("sys").path.append({folder!r})
exec(compile(open({path!r}, encoding="utf-8").read(), {path!r}, "exec"))
"""
# What a last cell prints: the files of all modules that the notebook has loaded.
MODULES = """
for module in list(__import__("sys").modules.values()):
    if isinstance(getattr(module, "__file__", None), str):
        print(module.__file__)
"""


class NotebookError(Exception):
    """A notebook has stopped: in which cell, and why."""


@dataclass(frozen=True)
class Execution:
    """An executed notebook, the files of the modules that it loaded, and how long it took."""

    notebook: NotebookNode
    modules: frozenset[Path]
    seconds: float


def cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def execute(
    notebooks: Mapping[Path, NotebookNode],
    timeout: int | None,
    allow_errors: bool,
    claims: Callable[[Path], Path | None] = lambda path: None,
) -> Iterator[tuple[Path, Execution | NotebookError]]:
    """Execute notebooks, as many at a time as there are cores.

    Parameters
    ----------
    notebooks : mapping of Path to NotebookNode
        In the order in which they start. Each runs in the folder of its file, and is changed: its
        cells get their outputs, its metadata the state of its widgets.
    timeout : int or None
        Seconds that a cell may take.
    allow_errors : bool
        Whether cells after one with an error are executed.
    claims : callable
        Which script holds what the text of a notebook says of its results, if there is one. It
        runs at the end, with the names of the notebook.

    Yields
    ------
    path : Path
        Of a notebook, as soon as it is done.
    outcome : Execution or NotebookError
        What has become of it.
    """
    with _event_loop() as loop:
        free = asyncio.Semaphore(cores())
        running = {
            asyncio.run_coroutine_threadsafe(
                _execute(path, notebook, timeout, allow_errors, claims(path), free), loop
            ): path
            for path, notebook in notebooks.items()
        }
        for done in as_completed(running):
            yield running[done], done.result()


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread; at the end, cancel what still runs, and wait for it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _execute(
    path: Path,
    notebook: NotebookNode,
    timeout: int | None,
    allow_errors: bool,
    claims: Path | None,
    free: asyncio.Semaphore,
) -> Execution | NotebookError:
    async with free:
        began = time.monotonic()
        client = NotebookClient(
            notebook,
            timeout=timeout,
            allow_errors=allow_errors,
            extra_arguments=["--log-level=ERROR"],  # not how it is connected
            resources={"metadata": {"path": str(path.parent)}},
        )
        n_cells = sum(cell["cell_type"] == "code" for cell in notebook.cells)
        ours = [CLAIMS.format(folder=str(claims.parent), path=str(claims))] if claims else []
        ours.append(MODULES)
        notebook.cells += map(new_code_cell, ours)
        try:
            await client.async_execute(env={**os.environ, **SETTINGS})
        except Exception as error:  # of the cell, its time, the kernel: the others go on
            words = re.sub("\x1b\\[[0-9;]*m", "", str(error))  # colours for a terminal
            at = client.code_cells_executed
            place = f"code cell [{at}]" if at <= n_cells else f"what is said of it in {claims}"
            return NotebookError(f"{place}: {words}")
        files = "".join(output["text"] for output in notebook.cells[-1]["outputs"])
        del notebook.cells[-len(ours) :]
        modules = frozenset(map(Path, files.splitlines()))
        return Execution(notebook, modules, time.monotonic() - began)
