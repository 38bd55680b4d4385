"""A notebook that runs from top to bottom, with questions to its functions on the way.

**The rule.** The grader runs the code cells of a notebook from top to bottom, as *Restart Kernel
and Run All Cells* does, and asks each function where its test cell stands; what fails or takes too
long on the way is passed over.
"""

import builtins
import re
import sys
from dataclasses import dataclass, field
from typing import Any

from nhlib.classroom.inside import wire
from nhlib.classroom.sandbox import CallError, EndedError, Sandbox, TooLongError

STATEMENT = 3.0  # seconds of work, of one statement of a cell
STATEMENTS = 4.0  # of all; then each has little
LITTLE = 0.2
LITTLES = 1.0  # of these; then only imports, definitions and plain values are run
PLAIN = 1.0  # of these
AGAIN = 6.0  # of all that has to run again, when a process has ended; from half of it, only plain
CALL = 2.0  # of one call; what the assignments ask for takes milliseconds
CALLS = 4.0  # of all calls of all functions
LEAST = 0.1  # for a kind of input, when the others have used up all
READING = 2.0  # to read the cells
LONGEST_CELL = 200_000  # characters
MOST_STATEMENTS = 3_000
TOO_OFTEN = "it has ended Python too often"
ERRORS = frozenset(
    name for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """What a notebook does, and where its functions are asked.

    Parameters
    ----------
    cells : tuple of str
        The sources of the code cells, in their order.
    places : dict
        For each function that has a test cell, how many cells stand before it. The others are
        asked after the last cell.
    """

    cells: tuple[str, ...]
    places: dict[str, int] = field(default_factory=dict)

    def place(self, name: str) -> int:
        """How many cells run before a function is asked."""
        return self.places.get(name, len(self.cells))


class Kernel:
    r"""A process that runs a notebook, and a new one whenever it ends.

    Parameters
    ----------
    program : Program
    names : list of str
        The functions that will be asked.
    alone : bool
        In a sandbox. Otherwise it is a plain process, for one's own notebook.
    patient : bool
        Whether it goes on after something has taken too long. Otherwise every further call fails.

    Attributes
    ----------
    slow : bool
        Whether something has taken too long.

    Examples
    --------
    >>> cells = "k = []\nfor i in range(3):\n    k.append(i)", "def f(x):\n    return x + k[2]"
    >>> with Kernel(Program(cells), ["f"]) as kernel:
    ...     kernel.run(2)
    ...     kernel.begin()
    ...     kernel.call("f", 40)
    42
    """

    def __init__(
        self, program: Program, names: list[str], *, alone: bool = True, patient: bool = True
    ) -> None:
        self.slow = False
        self._program, self._names, self._alone = program, names, alone
        self._patient = patient
        self._room: Sandbox | None = None
        self._dead: CallError | None = None  # why no call is answered any more
        self._place = 0  # how many cells have to run before the next call
        self._next = (0, 0)  # the statement that is next in this process
        self._statements: list[int] = []
        self._unreadable: dict[int, tuple[int, str]] = {}
        self._bindings: dict[str, Any] = {}
        self._left_out: set[tuple[int, int]] = set()
        self._ran: dict[tuple[int, int], bool] = {}  # whether only if it is plain
        self._troubles: list[tuple[int, str]] = []  # a cell's number, and words
        self._first = 0.0  # seconds of work on reading the cells
        self._spent = self._again = self._called = 0.0  # on statements, on them again, on calls
        self._grant = 0.0  # what the next calls may use
        self._used = 0.0  # what the last message has used
        self._asked = False  # whether some function has seen an input

    def __enter__(self) -> "Kernel":
        self._start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    @property
    def seconds(self) -> float:
        """Seconds of work so far."""
        return self._first + self._spent + self._again + self._called

    def run(self, cells: int) -> None:
        """Run the first cells, those that have not run yet.

        Parameters
        ----------
        cells : int
        """
        self._place = max(self._place, cells)
        while self._dead is None:
            try:
                if self._room is None:
                    self._start()
                self._advance()
                return
            except EndedError:
                continue

    def begin(self) -> None:
        """Begin with another kind of input: the calls that follow share the time that is left."""
        self._grant = max(LEAST, CALLS - self._called)

    def call(self, name: str, *arguments: object) -> Any:
        """Call a function.

        Parameters
        ----------
        name : str
        *arguments
            Plain values (see `nhlib.classroom.inside.wire.encode`); the function gets copies.

        Returns
        -------
        object
            A plain value.

        Raises
        ------
        CallError
            When there is no such function, or it raises, returns something else, ends its process
            (the next call has a new one), or takes too long.
        """
        self.run(self._place)
        if self._dead is not None:
            raise self._dead
        self._asked = True
        message = {"call": name, "arguments": list(arguments)}
        try:
            answer = self._ask(message, min(CALL, self._grant))
        finally:
            self._called += self._used
            self._grant -= self._used
        if "value" in answer:
            return answer["value"]
        if "unplain" in answer:
            raise CallError("it returned something that is not made of numbers, lists and arrays")
        if "missing" in answer:
            raise CallError(f"there is no function `{name}`{self._why_missing(name)}")
        takes = self._bindings.get(name, {})
        if answer.get("error") == "TypeError" and not _fits(takes, len(arguments)):
            names = ", ".join(takes["takes"])[:80]
            raise CallError(f"it takes ({names}), and was given {len(arguments)} values")
        raise CallError(f"it ended in {_known(answer)}")

    def _start(self) -> None:
        """Start a process, and let it read the cells."""
        self._room = Sandbox(alone=self._alone).__enter__()
        self._next, started = (0, 0), self._room.used
        again = bool(self._statements)
        if self._again > AGAIN:
            self._dead = CallError(TOO_OFTEN)
            return
        message = {"cells": list(self._program.cells), "names": self._names}
        try:
            # Nothing of the student's has run so far: what is told can be trusted.
            told = self._ask(message, READING, wire.LARGEST_CODE)
        except CallError:
            self._dead = CallError("the notebook's code cannot be read")
            return
        finally:
            if again:
                self._again += started + self._used
            else:
                self._first = self._used
        self._statements, left = [], MOST_STATEMENTS
        for number, count in enumerate(told["statements"]):
            self._statements.append(min(count, left))
            left -= self._statements[-1]
            if self._statements[-1] < count:
                self._troubles.append((number, f"the notebook has over {MOST_STATEMENTS} lines"))
        self._unreadable = {number: (line, why) for number, line, why in told["unreadable"]}
        self._bindings = told["bindings"]

    def _end(self) -> None:
        if self._room is not None:
            self._room.close()
            self._room = None

    def _ask(
        self, message: dict[str, Any], seconds: float, largest: int = wire.LARGEST
    ) -> dict[str, Any]:
        """Ask the process, and draw the consequences when there is no answer."""
        room, self._used = self._room, 0.0
        assert room is not None
        try:
            if seconds <= 0:
                raise TooLongError
            return room.ask(message, seconds, largest)
        except CallError as e:
            if str(e) == str(TooLongError()):
                self.slow = True
                if not self._patient:
                    self._dead = TooLongError()
            if isinstance(e, EndedError):
                self._end()
            raise
        finally:
            self._used = room.used

    def _advance(self) -> None:
        """Run the statements of the cells up to the place that have not run in this process."""
        cell, number = self._next
        while cell < self._place and self._dead is None:
            if number == self._statements[cell]:
                cell, number = cell + 1, 0
                continue
            if (cell, number) not in self._left_out:
                self._run(cell, number)
            number += 1
            self._next = (cell, number)

    def _run(self, cell: int, number: int) -> None:
        """Run a statement, within the time that there is for it."""
        first = (cell, number) not in self._ran
        left = STATEMENTS - self._spent if first else AGAIN - self._again
        if first and left + LITTLES + PLAIN <= 0:
            return
        if not first and left <= 0:
            self._dead = CallError(TOO_OFTEN)
            return
        tired = left + LITTLES <= 0 or self._again > AGAIN / 2
        message = {"run": [cell, number], "plain": self._ran.setdefault((cell, number), tired)}
        try:
            answer = self._ask(message, max(LITTLE, min(STATEMENT, left)))
            troubles = answer.get("troubles")
            if isinstance(troubles, list) and not self._asked and first:
                self._troubles += [(cell, self._words(t)) for t in troubles[:3]]
        except CallError as e:
            self._left_out.add((cell, number))
            self._troubles.append((cell, str(e)))
            if isinstance(e, EndedError):
                raise
        finally:
            if first:
                self._spent += self._used
            else:
                self._again += self._used

    def _words(self, trouble: object) -> str:
        """What went wrong in a cell, before any function has seen an input."""
        if not isinstance(trouble, dict):
            return "an error"
        try:
            cell, line = trouble["where"]
            text = self._program.cells[cell].splitlines()[line - 1].strip()[:80]
        except (KeyError, TypeError, ValueError, IndexError):
            return f"it ended in {_known(trouble)}"
        return f"it ended in {_known(trouble)} at `{text}`"

    def _why_missing(self, name: str) -> str:
        """Why there is no function of a name, if that can be told."""
        for cell, (line, why) in self._unreadable.items():
            if re.search(rf"\b{re.escape(name)}\b", self._program.cells[cell]):
                lines = self._program.cells[cell].splitlines()
                text = lines[line - 1].strip()[:80] if 0 < line <= len(lines) else ""
                python = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
                return (
                    f": a cell that names it cannot be read by {python}, which grades: line {line}"
                    f", `{text}`: {why[:80]}"
                )
        place = self._bindings.get(name, {}).get("cell")
        return next((f"; in its cell, {why}" for cell, why in self._troubles if cell == place), "")


def _known(trouble: dict[str, Any]) -> str:
    """An error by its name, if Python knows it: no other name leaves the sandbox."""
    name = trouble.get("error")
    return name if isinstance(name, str) and name in ERRORS else "an error of its own kind"


def _fits(takes: dict[str, Any], count: int) -> bool:
    """Whether a function could take so many values, as far as its definition tells."""
    least, most = takes.get("least"), takes.get("most")
    return (least is None or least <= count) and (most is None or count <= most)
