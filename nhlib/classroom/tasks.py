"""What an assignment asks for, and how an answer is marked.

A task is one function. Its points are spread over *properties*: kinds of input on which the answer
has to be right every time. The truth is computed here, by an implementation of the assignment's
own, and never enters the sandbox.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from nhlib.classroom.answers import difference
from nhlib.classroom.kernel import Kernel, Program
from nhlib.classroom.sandbox import CallError, EndedError, TooLongError

QUICK = 1.0  # seconds of work that a function may take to be asked once more
Function = Callable[..., Any]
Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Property:
    """One kind of input, and the points for being right on it.

    Parameters
    ----------
    name : str
        The kind of input in words that a student may read, in the plural: "units without a kink".
    points : int
    draw : callable
        Takes a `numpy.random.Generator` and returns the arguments of one call, as a tuple.
    trials : int
        How many such inputs. The points are given when all answers are right.
    """

    name: str
    points: int
    draw: Callable[[np.random.Generator], Arguments]
    trials: int = 8


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer.

    When a student's answers are the same as those of ``function``, feedback says ``words``; the
    tests hand in each mistake, and expect exactly the properties of ``loses`` to fail.
    """

    words: str
    function: Function
    loses: frozenset[str]


@dataclass(frozen=True)
class Mark:
    """What one submission earned on one task.

    Parameters
    ----------
    task : str
    points, possible : int
    failed : dict
        For each property that failed, by name: what went wrong, in words.
    hint : str
        What the answers look like, if they are those of a typical mistake.
    """

    task: str
    points: int
    possible: int
    failed: dict[str, str] = field(default_factory=dict)
    hint: str = ""

    def words(self) -> str:
        """Say it to the student."""
        lines = [f"{self.points} of {self.possible} points"]
        lines += [f"- not yet right on {name}:\n  {why}" for name, why in self.failed.items()]
        if self.hint:
            lines += [f"These are the answers of a function that {self.hint}."]
        return "\n".join(lines)


@dataclass(frozen=True)
class Questions:
    """The inputs of one property, drawn from a secret.

    Parameters
    ----------
    property : Property
    inputs : list of tuple
        The arguments of each call.
    answers : list
        The right ones.
    mistaken : list of list
        For each typical mistake of the task, its answers.
    """

    property: Property
    inputs: list[Arguments]
    answers: list[Any]
    mistaken: list[list[Any]]


class Task:
    r"""A function that students write.

    Parameters
    ----------
    truth : callable
        Takes what the student's function takes, and returns the right answer as a plain value. Its
        name is the name that students have to use.

    Examples
    --------
    >>> def count_on(bits):
    ...     return int(bits.sum())
    >>> task = Task(count_on)
    >>> @task.on("rows of random bits", points=2)
    ... def _(rng):
    ...     return (rng.integers(0, 2, rng.integers(1, 20)),)
    >>> @task.mistake("counts the units that are off", loses=["rows of random bits"])
    ... def count_on(bits):
    ...     return int((bits == 0).sum())
    >>> mark = task.mark(["def count_on(bits):\n    return len(bits) - sum(bits)"], secret="a word")
    >>> print(mark.words())
    0 of 2 points
    - not yet right on rows of random bits:
      another value
    These are the answers of a function that counts the units that are off.
    """

    def __init__(self, truth: Function) -> None:
        self.truth = truth
        self.name = truth.__name__
        self.properties: list[Property] = []
        self.mistakes: list[Mistake] = []
        self._asked: dict[str, list[Questions]] = {}

    def on(self, name: str, *, points: int, trials: int = 8) -> Callable[[Function], Function]:
        """Declare a property; the decorated function draws its arguments."""

        def declare(draw: Function) -> Function:
            self.properties.append(Property(name, points, draw, trials))
            return draw

        return declare

    def mistake(self, words: str, *, loses: Sequence[str]) -> Callable[[Function], Function]:
        """Declare a typical mistake; the decorated function makes it.

        Parameters
        ----------
        words : str
            Ends the sentence "These are the answers of a function that …".
        loses : sequence of str
            Names of the properties on which it is wrong.
        """
        unknown = set(loses) - {p.name for p in self.properties}
        if unknown or not loses:
            raise ValueError(
                f"loses={list(loses)!r} must name properties of {self.name}, declared before: "
                f"{', '.join(repr(p.name) for p in self.properties)}"
            )

        def declare(function: Function) -> Function:
            self.mistakes.append(Mistake(words, function, frozenset(loses)))
            return function

        return declare

    @cached_property
    def points(self) -> int:
        """All points of the task."""
        return sum(p.points for p in self.properties)

    def questions(self, secret: str) -> list[Questions]:
        """The inputs of every property, and the right answers.

        They are the same for everybody who is graded with the same ``secret``, a text that only the
        teacher knows.
        """
        if secret not in self._asked:
            self._asked[secret] = []
            for p in self.properties:
                seed = hashlib.sha256(f"{secret}/{self.name}/{p.name}".encode()).digest()
                rng = np.random.default_rng(list(seed))
                inputs = [p.draw(rng) for _ in range(p.trials)]
                answers = [self.truth(*_copies(arguments)) for arguments in inputs]
                mistaken = [[_attempt(m.function, a) for a in inputs] for m in self.mistakes]
                self._asked[secret].append(Questions(p, inputs, answers, mistaken))
        return self._asked[secret]

    def ask(self, kernel: Kernel, secret: str) -> Mark:
        """Ask a function, as it is now, and mark its answers.

        Parameters
        ----------
        kernel : Kernel
            In which the notebook has run up to where the function is asked.
        secret : str
            What the inputs are drawn from.

        Returns
        -------
        Mark
        """
        failed: dict[str, str] = {}
        recognised = [mistake.loses for mistake in self.mistakes]
        for questions in self.questions(secret):
            kernel.begin()
            wrong: list[str] = []
            for number, arguments in enumerate(questions.inputs):
                given = _try(kernel, self.name, arguments)
                wrong.append(difference(questions.answers[number], given))
                for which, answers in enumerate(questions.mistaken):
                    if not _alike(answers[number], given):
                        recognised[which] = frozenset()
                if isinstance(given, TooLongError | EndedError):  # so would the others, perhaps
                    recognised = [frozenset()] * len(recognised)
                    break
            if why := next(filter(None, wrong), ""):
                failed[questions.property.name] = why
        points = sum(p.points for p in self.properties if p.name not in failed)
        hints = [m.words for m, loses in zip(self.mistakes, recognised, strict=True)
                 if failed and loses == set(failed)]  # fmt: skip
        return Mark(self.name, points, self.points, failed, hints[0] if hints else "")

    def mark(self, cells: Sequence[str], *, secret: str) -> Mark:
        """Mark the function of some code cells, after the last of them.

        Parameters
        ----------
        cells : sequence of str
            The sources of the cells.
        secret : str
            What the inputs are drawn from.

        Returns
        -------
        Mark

        Raises
        ------
        nhlib.classroom.sandbox.SandboxError
            When there is no sandbox to be had.
        """
        return mark([self], Program(tuple(cells)), secret=secret)[0][0]


def mark(
    tasks: Sequence[Task], program: Program, *, secret: str, patient: bool = True
) -> tuple[list[Mark], float]:
    """Mark all functions of a notebook.

    A function is asked where its test cell stands, and what is not right there once more after the
    last cell, unless it has taken long; the better of the two counts.

    Parameters
    ----------
    tasks : sequence of Task
    program : Program
    secret : str
        What the inputs are drawn from.
    patient : bool
        Whether to go on after something has taken too long.

    Returns
    -------
    tuple of list of Mark, float
        A mark for each task, and the seconds of work if something has taken too long, otherwise 0.

    Raises
    ------
    nhlib.classroom.sandbox.SandboxError
        When there is no sandbox to be had.
    """
    found: dict[str, Mark] = {}
    quick: set[str] = set()
    last = len(program.cells)
    with Kernel(program, [task.name for task in tasks], patient=patient) as kernel:
        for task in sorted(tasks, key=lambda task: program.place(task.name)):
            place = program.place(task.name)
            kernel.run(place)
            before = kernel.seconds
            found[task.name] = task.ask(kernel, secret)
            if kernel.seconds - before < QUICK:
                quick.add(task.name)
        for task in tasks:
            first, place = found[task.name], program.place(task.name)
            if first.points < first.possible and place < last and task.name in quick:
                kernel.run(last)
                again = task.ask(kernel, secret)
                found[task.name] = max(first, again, key=lambda m: m.points)
        return [found[task.name] for task in tasks], kernel.seconds if kernel.slow else 0.0


def _copies(arguments: Arguments) -> Arguments:
    """Arrays of one's own: what one function changes, no other one sees."""
    return tuple(
        a.copy() if isinstance(a, np.ndarray)
        else list(_copies(tuple(a))) if isinstance(a, list)
        else _copies(a) if isinstance(a, tuple)
        else a
        for a in arguments
    )  # fmt: skip


def _try(kernel: Kernel, name: str, arguments: Arguments) -> Any:
    try:
        return kernel.call(name, *arguments)
    except CallError as e:
        return e


def _attempt(function: Function, arguments: Arguments) -> Any:
    """A mistake's answer; some mistakes are to raise an error."""
    try:
        return function(*_copies(arguments))
    except Exception as e:
        return CallError(f"it ended in {type(e).__name__}")


def _alike(mistaken: Any, given: Any) -> bool:
    """Whether an answer is a mistake's, or ended in the error that the mistake ends in."""
    if isinstance(mistaken, CallError):
        return isinstance(given, CallError) and str(mistaken) == str(given)
    return not difference(mistaken, given)
