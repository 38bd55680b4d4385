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

from nhlib.classroom.sandbox import CallError, Sandbox

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
        self._asked: dict[str, list[tuple[Property, list[Arguments], list[Any]]]] = {}

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

    def questions(self, secret: str) -> list[tuple[Property, list[Arguments], list[Any]]]:
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
                self._asked[secret].append((p, inputs, answers))
        return self._asked[secret]

    def mark(self, cells: Sequence[str], *, secret: str) -> Mark:
        """Mark a submission.

        Parameters
        ----------
        cells : sequence of str
            The sources of its code cells.
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
        questions = self.questions(secret)
        failed: dict[str, str] = {}
        given: list[list[Any]] = []
        with Sandbox(cells, self.name) as room:
            for prop, inputs, answers in questions:
                given.append([_try(room, arguments) for arguments in inputs])
                wrong = [difference(a, g) for a, g in zip(answers, given[-1], strict=True)]
                why = next((w for w in wrong if w), "")
                if why:
                    failed[prop.name] = why
        points = sum(p.points for p in self.properties if p.name not in failed)
        return Mark(
            self.name, points, self.points, failed, self._recognised(questions, given, failed)
        )

    def _recognised(
        self,
        questions: list[tuple[Property, list[Arguments], list[Any]]],
        given: list[list[Any]],
        failed: dict[str, str],
    ) -> str:
        """The words of the first mistake that gives just the answers that were given."""
        for mistake in self.mistakes:
            if mistake.loses == set(failed) and all(
                _alike(_attempt(mistake.function, arguments), answer)
                for (_, inputs, _), answers in zip(questions, given, strict=True)
                for arguments, answer in zip(inputs, answers, strict=True)
            ):
                return mistake.words
        return ""


def difference(right: object, given: object) -> str:
    """How an answer differs from the right one, without telling the right one.

    Numbers agree to a relative 1e-5 or an absolute 1e-8; whole numbers, Booleans and text exactly.
    Lists and one-dimensional arrays are the same, and so are 1 and True.

    Parameters
    ----------
    right, given : object
        Plain values; a `CallError` for ``given`` says why there is none.

    Returns
    -------
    str
        Empty when they agree.

    Examples
    --------
    >>> difference(np.array([1, 2]), [1, 2])
    ''
    >>> difference(np.array([1, 2]), [1, 2, 3])
    'another shape'
    """
    if isinstance(given, CallError):
        return str(given)
    if right is None or isinstance(right, str):
        return "" if type(given) is type(right) and given == right else "another value"
    if isinstance(right, dict):
        if not isinstance(given, dict) or set(given) != set(right):
            return "a dictionary with other keys, or none"
        return next(filter(None, (difference(right[k], given[k]) for k in right)), "")
    if isinstance(right, tuple) or (isinstance(right, list) and not _is_numbers(right)):
        if not isinstance(given, list) or len(given) != len(right):
            return f"not {len(right)} values" if isinstance(right, tuple) else "another length"
        return next(filter(None, map(difference, right, given)), "")
    if isinstance(right, list) and isinstance(given, list) and _is_whole(right + given):
        if len(given) != len(right):
            return "another length"
        return "" if given == right else "another value"  # whatever their size
    try:
        expected, found = np.asarray(right), np.asarray(given)
    except ValueError:
        return "rows of unequal length"
    if found.dtype.kind not in "biuf" and found.size:
        return "something that is not a number"
    if found.shape != expected.shape:
        if found.ndim != expected.ndim:
            kinds = ("a number", "one axis", "two axes", "three axes")
            return f"not {kinds[min(expected.ndim, 3)]}"
        return "another shape"
    if expected.dtype.kind in "biu" and np.array_equal(expected, found):
        return ""
    if expected.dtype.kind == "f" and np.allclose(
        found.astype(float), expected, rtol=1e-5, atol=1e-8, equal_nan=True
    ):
        return ""
    return "another value"


def _is_numbers(values: list[Any]) -> bool:
    return all(isinstance(v, bool | int | float) for v in values)


def _is_whole(values: list[Any]) -> bool:
    return all(type(v) is int for v in values)


def _copies(arguments: Arguments) -> Arguments:
    """Arrays of one's own: what one function changes, no other one sees."""
    return tuple(
        a.copy() if isinstance(a, np.ndarray)
        else list(_copies(tuple(a))) if isinstance(a, list)
        else _copies(a) if isinstance(a, tuple)
        else a
        for a in arguments
    )  # fmt: skip


def _try(room: Sandbox, arguments: Arguments) -> Any:
    try:
        return room.call(*arguments)
    except CallError as e:
        return e


def _attempt(function: Function, arguments: Arguments) -> Any:
    """A mistake's answer; some mistakes are to raise an error."""
    try:
        return _plain_lists(function(*_copies(arguments)))
    except Exception as e:
        return CallError(type(e).__name__)


def _alike(mistaken: Any, given: Any) -> bool:
    """Whether an answer is a mistake's, or ended in the error that the mistake ends in."""
    if isinstance(mistaken, CallError):
        return isinstance(given, CallError) and f" in {mistaken} at " in str(given)
    return not difference(mistaken, given)


def _plain_lists(value: Any) -> Any:
    return [_plain_lists(v) for v in value] if isinstance(value, tuple | list) else value
