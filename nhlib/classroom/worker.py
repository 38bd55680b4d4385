"""The process that runs a student's functions; it holds no tests.

The grader starts this file by itself, in a sandbox, and speaks with it through its standard input
and output. It gets the code cells of a notebook, runs what the wanted function needs of them, and
then calls the function with whatever arguments arrive.
"""

import ast
import builtins
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, BinaryIO

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

sys.path.insert(0, str(Path(__file__).parent))
import wire  # type: ignore[import-not-found]

PLACE = "<cell {}>"  # how a cell is called in a traceback


class Blocked(MetaPathFinder):
    """Refuses modules that would answer for the student."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Let everything else be found by those who come after."""
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{fullname} is not available where answers are graded")


def statements(cells: list[str]) -> Iterator[tuple[int, ast.stmt]]:
    """Each top-level statement of the cells that are Python, with its cell's number from 0."""
    for number, source in enumerate(cells):
        if source.lstrip().startswith("%%"):
            continue
        try:
            body = ast.parse(source, PLACE.format(number)).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            kept = ["" if line.lstrip()[:1] in ("%", "!", "?") else line
                    for line in source.splitlines()]  # fmt: skip
            try:
                body = ast.parse("\n".join(kept), PLACE.format(number)).body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
        yield from ((number, statement) for statement in body)


def binds(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value; ``*`` when it may be any."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Import() | ast.ImportFrom():
            return {(a.asname or a.name).partition(".")[0] for a in statement.names}
        case ast.Expr():
            return set()  # a call for its effect: a plot, a long training run, a print
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        case _:
            inside = (s for s in ast.iter_child_nodes(statement) if isinstance(s, ast.stmt))
            handlers = (
                s for h in getattr(statement, "handlers", ()) for s in h.body
            )  # of try statements
            return set().union(*map(binds, inside), *map(binds, handlers))


def needed(cells: list[str], name: str) -> list[tuple[int, ast.stmt]]:
    """What has to run so that ``name`` exists: its definition, and whatever that refers to.

    Everything else of the notebook, its plots and experiments, stays out: it may take long, or
    fail, and the function is the same without it.
    """
    everything = list(statements(cells))
    bound = [binds(statement) for _, statement in everything]
    used = [
        {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        for _, statement in everything
    ]
    wanted, chosen = {name, "*"}, set[int]()
    while True:
        more = {i for i, names in enumerate(bound) if names & wanted} - chosen
        if not more:
            return [everything[i] for i in sorted(chosen)]
        chosen |= more
        wanted |= set().union(*(used[i] for i in more))


def trouble(error: BaseException) -> dict[str, Any]:
    """Name an error, without a word that the student's code could have put into it."""
    known = isinstance(getattr(builtins, type(error).__name__, None), type)
    where: tuple[int, int] | None = None
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith("<cell ") and file[6:-1].isdecimal():
            where = (int(file[6:-1]), trace.tb_lineno)
        trace = trace.tb_next
    name = type(error).__name__ if known else "an error of its own kind"
    return {"error": name, "where": list(where or ())}


def limit(limits: dict[str, int]) -> None:
    """Take away what a function needs no more: memory, disk, processes, time."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            resource.setrlimit(kind, (value, value))


def main() -> None:
    """Serve one function until the grader hangs up."""
    # Nobody reads what a student prints; the two ends of the conversation move out of the way.
    receive, send = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)

    write(send, {"ready": True})
    task = read(receive)
    sys.meta_path.insert(0, Blocked(task["blocked"]))
    limit(task["limits"])
    names: dict[str, Any] = {"__name__": "__main__"}
    troubles = []
    for cell, statement in needed(task["cells"], task["name"]):
        try:
            module = ast.Module([statement], type_ignores=[])
            exec(compile(module, PLACE.format(cell), "exec"), names)
        except BaseException as e:
            troubles.append(trouble(e))
    function: Any = names.get(task["name"])
    write(send, {"callable": callable(function), "troubles": troubles})

    while True:
        arguments = read(receive)
        try:
            answer = wire.encode({"value": function(*arguments)})
        except wire.NotPlainError as e:
            answer = wire.encode({"unplain": str(e)})
        except BaseException as e:
            answer = wire.encode(trouble(e))
        send.write(answer)
        send.flush()


def read(source: BinaryIO) -> Any:
    """The next message; ends the process when there is none."""
    head = source.read(wire.LENGTH.size)
    if len(head) < wire.LENGTH.size:
        os._exit(0)
    return wire.decode(source.read(*wire.LENGTH.unpack(head)))


def write(target: BinaryIO, value: object) -> None:
    """Send a value."""
    target.write(wire.encode(value))
    target.flush()


if __name__ == "__main__":
    main()
