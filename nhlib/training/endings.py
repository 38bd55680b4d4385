"""How a training ends before its recipe does."""

from typing import Any

from nhlib.training.history import History


class _Ended(Exception):
    history: History | list[History]

    def __init__(self, message: str, history: History | list[History]) -> None:
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        # Else an exception with two arguments cannot come back from another process.
        return type(self), (str(self), self.history), self.__dict__


class Diverged(_Ended, FloatingPointError):
    """The loss or the weights were not finite at the end of an epoch.

    Attributes
    ----------
    history : History
        What was recorded until then; the network is as it was after the last epoch in it.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> try:
    ...     nh.fit(nh.mlp(64, [50], 10), data, nh.Recipe(learning_rate=1e30))
    ... except nh.Diverged as error:
    ...     error.history
    History(0 epochs)
    """

    history: History


class Stopped(_Ended):
    """The `stop` that a training was given returned True.

    Attributes
    ----------
    history : History, or list of them
        What was recorded until then; of a `Population` one for every member.

    Examples
    --------
    >>> import nhlib as nh
    >>> data, steps = nh.load("digits"), []
    >>> def enough():
    ...     steps.append(None)
    ...     return len(steps) == 50  # an epoch has 23
    >>> try:
    ...     nh.fit(nh.mlp(64, [50], 10), data, stop=enough)
    ... except nh.Stopped as error:
    ...     error.history.epochs
    2
    """
