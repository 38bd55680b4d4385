"""A notebook's cells, run statement by statement as IPython would run them, without IPython.

What Python itself can't read goes through IPython's own transformer, which makes function calls of
magics; here are stand-ins for what these call. ``%time`` and its like run their statement,
``%%bash`` and its like run nothing.
"""

import __future__

import ast
import asyncio
import builtins
import inspect
import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

PLACE = "<cell {}>"  # how a cell is called in a traceback
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
RUN = {"time", "prun"}  # line magics whose line is a statement
NO_PYTHON = {
    "bash", "sh", "script", "cmd", "system", "sx", "!", "perl", "ruby", "R", "sql", "julia",
    "html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "writefile", "file",
    "python", "python2", "python3", "pypy", "cython", "timeit",
}  # fmt: skip
PLAIN = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class UnreadableError(Exception):
    """A cell that is neither Python nor IPython's; holds a line, from 1, and why."""


class Silent:
    """An object that takes every call, and whose attributes are like it."""

    def __call__(self, *_: object, **__: object) -> "Silent":
        """Do nothing."""
        return self

    def __getattr__(self, name: str) -> "Silent":
        """Whatever is asked for."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class Shell(Silent):
    """What `get_ipython` returns here, and what runs the statements.

    Attributes
    ----------
    names : dict
        The notebook's global names.
    troubles : list
        What went wrong with the statements that were passed over, as `trouble` names it.
    """

    def __init__(self) -> None:
        module = ModuleType("__main__")  # where pickle, dataclasses and others look for it
        sys.modules["__main__"] = module
        sys.path.insert(0, "")  # as in a notebook
        self.names: dict[str, Any] = module.__dict__
        builtins.get_ipython = lambda: self  # type: ignore[attr-defined]
        builtins.display = Silent()  # type: ignore[attr-defined]
        self.troubles: list[dict[str, Any]] = []
        self._flags = 0
        self._place = ""
        self._last: object = None
        sys.displayhook = self._show

    def run(self, statement: ast.stmt, place: str) -> None:
        """Run one statement as at the top of a cell; if it fails, it is passed over."""
        self._place = place
        shown = isinstance(statement, ast.Expr)
        module = ast.Interactive([statement]) if shown else ast.Module([statement], type_ignores=[])
        mode = "single" if shown else "exec"
        try:
            code = compile(module, place, mode, self._flags | AWAIT, dont_inherit=True)
            self._flags |= code.co_flags & FUTURES
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(eval(code, self.names))
            else:
                exec(code, self.names)
        except BaseException as e:
            self.troubles.append(trouble(e))

    def _show(self, value: object) -> None:
        """Keep the last value as ``_``, unless that is a name of the student's own."""
        if value is not None and self.names.get("_") is self._last:
            self._last = self.names["_"] = value

    def run_line_magic(self, name: str, line: str, *_: object, **__: object) -> Any:
        """Run the line if it is a statement."""
        if name in RUN:
            caller = sys._getframe(1)
            exec(line, caller.f_globals, caller.f_locals)
        return {"pwd": "/tmp", "env": {}}.get(name)

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        """Run the cell if it is Python."""
        if name in ("writefile", "file"):  # a module for an import, perhaps
            path = Path(line.split()[-1])
            path.write_text((path.read_text() if "-a" in line.split() else "") + body)
        if name in NO_PYTHON:
            return
        for statement in read("\n" + body, self._place):
            self.run(statement, self._place)
        if name == "capture" and line.split("-")[0].strip().isidentifier():
            self.names[line.split("-")[0].strip()] = Silent()

    def getoutput(self, *_: object, **__: object) -> list[str]:
        """What a program of the system would say: nothing."""
        return []


def trouble(error: BaseException) -> dict[str, Any]:
    """Name an error and its place, as a cell's number from 0 and a line's from 1."""
    where: list[int] = []
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith("<cell ") and file[6:-1].isdecimal():
            where = [int(file[6:-1]), trace.tb_lineno]
        trace = trace.tb_next
    return {"error": type(error).__name__, "where": where}


def read(source: str, place: str) -> list[ast.stmt]:
    """The top-level statements of a cell.

    Parameters
    ----------
    source : str
    place : str
        How tracebacks call the cell.

    Returns
    -------
    list of ast.stmt

    Raises
    ------
    UnreadableError
        When it is neither Python nor what IPython makes Python of.
    """
    try:
        return _parsed(source, place)
    except UnreadableError:
        text = _of_ipython(source)
        if text is None or text == source:
            raise
    return _parsed(text, place)


def is_plain(statement: ast.stmt) -> bool:
    """Whether it is an import, a definition, or gives a name a value that is at hand."""
    if isinstance(statement, PLAIN):
        return True
    costly = ast.Call | ast.ListComp | ast.SetComp | ast.DictComp | ast.BinOp | ast.Await
    return isinstance(statement, ast.Assign | ast.AnnAssign) and not any(
        isinstance(node, costly) for node in ast.walk(statement)
    )


def bindings(cells: Iterable[list[ast.stmt]]) -> dict[str, dict[str, Any]]:
    """Where each name is last given a value, and what it takes if that makes a function of it.

    Parameters
    ----------
    cells : iterable of list of ast.stmt

    Returns
    -------
    dict
        For each name ``cell``, a number from 0, and for a function ``takes``, the names of its
        parameters, and the numbers of arguments ``least`` and ``most`` by position; None for no
        limit.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, statements in enumerate(cells):
        for node in (node for statement in statements for node in ast.walk(statement)):
            match node:
                case ast.FunctionDef(name=name, args=args):
                    found[name] = {"cell": number, **_parameters(args)}
                case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                    found[name] = {"cell": number}
                case ast.alias(name=name, asname=other):
                    found[(other or name).partition(".")[0]] = {"cell": number}
    return found


def _parameters(args: ast.arguments) -> dict[str, Any]:
    names = [a.arg for a in (*args.posonlyargs, *args.args)]
    needed = sum(default is None for default in args.kw_defaults)
    return {
        "takes": names,
        "least": len(names) - len(args.defaults) if not needed else None,
        "most": None if args.vararg else len(names),
    }


def _parsed(source: str, place: str) -> list[ast.stmt]:
    try:
        flags = ast.PyCF_ONLY_AST | AWAIT
        module: ast.Module = compile(source, place, "exec", flags, dont_inherit=True)
        return module.body
    except SyntaxError as e:
        raise UnreadableError(e.lineno or 0, e.msg) from None
    except (ValueError, OverflowError, RecursionError, MemoryError):
        raise UnreadableError(0, "it is nested too deep, or holds what no text does") from None


def _of_ipython(source: str) -> str | None:
    """A cell as IPython reads it; None where there is no IPython, or it can't."""
    blank = len(source) - len(source.lstrip("\n"))
    try:
        return "\n" * blank + str(_transformer().transform_cell(source[blank:]))
    except Exception:
        return None


@cache
def _transformer() -> Any:
    """IPython's, loaded without the rest of the package, which takes long to start."""
    spec = find_spec("IPython")
    if spec is None or "IPython" in sys.modules:
        from IPython.core.inputtransformer2 import TransformerManager

        return TransformerManager()
    stand_in = sys.modules["IPython"] = ModuleType("IPython")
    stand_in.__path__ = list(spec.submodule_search_locations or ())
    try:
        return import_module("IPython.core.inputtransformer2").TransformerManager()
    finally:
        for name in [n for n in sys.modules if n.partition(".")[0] == "IPython"]:
            del sys.modules[name]
