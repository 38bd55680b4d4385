"""The process that runs a student's notebook and functions; it holds no tests.

The grader starts `main`, in a sandbox, and speaks with it through its standard input and output. It
gets the code cells of a notebook and reads them all before it runs the first; then it runs the
statements that it is told to, and calls functions with whatever arguments arrive.
"""

import importlib
import linecache
import os
import random
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.abc import MetaPathFinder
from types import FrameType
from typing import Any, BinaryIO

from . import cells as reading


class Blocked(MetaPathFinder):
    """Refuses modules that would answer for the student."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Let everything else be found by those who come after."""
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{fullname} is not available where answers are graded")


class Worker:
    """Serves one notebook until the grader hangs up."""

    def __init__(self, blocked: Iterable[str]) -> None:
        self._wire: Any = importlib.import_module(".wire", __package__)  # after the confinement
        self._shell = reading.Shell()
        self._cells: list[list[Any]] = []
        self._at_work = False
        signal.signal(signal.SIGINT, self._interrupt)
        sys.meta_path.insert(0, Blocked(blocked))
        random.seed(0)  # what is drawn from the usual places is the same every time
        with suppress(Exception):
            sys.modules["numpy"].random.seed(0)

    def serve(self, receive: BinaryIO, send: BinaryIO) -> None:
        """Answer one message after the other."""
        send.write(self._wire.encode({"ready": True}))
        send.flush()
        while True:
            message = self._next(receive)
            self._at_work = True
            try:
                answer = self._wire.encode(self._obeyed(message))
            except self._wire.NotPlainError as e:
                answer = self._wire.encode({"unplain": str(e)})
            except BaseException as e:
                self._at_work = False
                answer = self._wire.encode(reading.trouble(e))
            self._at_work = False
            send.write(answer)
            send.flush()

    def _obeyed(self, message: dict[str, Any]) -> dict[str, Any]:
        """What the grader asked for."""
        if "cells" in message:
            return self._read(message["cells"], message["names"])
        if "run" in message:
            cell, number = message["run"]
            statement = self._cells[cell][number]
            if not message["plain"] or reading.is_plain(statement):
                self._shell.run(statement, reading.PLACE.format(cell))
            troubles, self._shell.troubles = self._shell.troubles, []
            return {"troubles": troubles}
        function = self._shell.names.get(message["call"])
        if not callable(function):
            return {"missing": True}
        return {"value": function(*message["arguments"])}

    def _read(self, sources: list[str], wanted: list[str]) -> dict[str, Any]:
        """Nothing of the student's has run so far: what this says can be trusted."""
        unreadable = []
        for number, source in enumerate(sources):
            place = reading.PLACE.format(number)
            linecache.cache[place] = (len(source), None, source.splitlines(True), place)
            try:
                self._cells.append(reading.read(source, place))
            except reading.UnreadableError as e:
                self._cells.append([])
                unreadable.append([number, *e.args])
        found = reading.bindings(self._cells)
        return {
            "statements": [len(cell) for cell in self._cells],
            "unreadable": unreadable,
            "bindings": {name: found[name] for name in wanted if name in found},
        }

    def _next(self, source: BinaryIO) -> Any:
        """The next message; ends the process when there is none."""
        head = source.read(self._wire.LENGTH.size)
        if len(head) < self._wire.LENGTH.size:
            os._exit(0)
        return self._wire.decode(source.read(*self._wire.LENGTH.unpack(head)))

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Stop what a student's code does, as the button of a notebook would."""
        if self._at_work:
            raise KeyboardInterrupt


def main(settings: dict[str, Any]) -> None:
    """Serve, after giving up what a student's code has no use for.

    Parameters
    ----------
    settings : dict
        ``user`` and ``scratch`` as `confine` takes them, or no ``user`` where there is no sandbox;
        ``limits``, the resources by name; ``blocked``, modules that are not to be imported.
    """
    # Nobody reads what a student prints; the two ends of the conversation move out of the way.
    receive, send = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    if "user" in settings:
        from .confinement import confine

        def mapped() -> None:
            send.write(b"?")
            send.flush()
            receive.read(1)

        confine(settings["user"], settings["scratch"], mapped)
    worker = Worker(settings["blocked"])
    with suppress(ImportError):  # Windows has no such limits
        import resource

        for name, value in settings["limits"].items():
            with suppress(AttributeError, ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    os.dup2(nowhere, 2)
    worker.serve(receive, send)
