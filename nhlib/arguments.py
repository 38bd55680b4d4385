"""What every function says when it is given something else than a whole number."""

from operator import index
from typing import Any


def whole_number(name: str, given: Any, least: int, most: int | None = None) -> int:
    """Return an argument as an int, or say what it should have been.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : object
        What was given for it; NumPy's integers and the like are whole numbers too.
    least, most : int
        The range allowed; `most` may be left open.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is out of range.

    Examples
    --------
    >>> whole_number("epochs", 20, least=0)
    20
    """
    wanted = f"of at least {least}" if most is None else f"from {least} to {most}"
    try:
        number = index(given)
    except TypeError:
        number = None
    if number is None or isinstance(given, bool):
        raise TypeError(f"{name}: a whole number {wanted} is needed, not {given!r}")
    if number < least or (most is not None and number > most):
        raise ValueError(f"{name}: a whole number {wanted} is needed, not {given!r}")
    return number
