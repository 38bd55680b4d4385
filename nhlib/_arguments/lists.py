"""What is said when one is given for several, or something else than names."""

from typing import Any


def several(name: str, given: Any, what: str) -> list[Any]:
    """Return what was given for several things as a list, or say that one is not several.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : object
        What was given for it: a list, an array, or whatever can be gone through once.
    what : str
        What it should consist of, in the plural.

    Raises
    ------
    TypeError
        If it cannot be gone through, or is one word.

    Examples
    --------
    >>> several("sizes", range(3), "whole numbers")
    [0, 1, 2]
    """
    try:
        if isinstance(given, (str, bytes)):
            raise TypeError
        return list(given)
    except TypeError:
        raise TypeError(
            f"{name}: a list of {what} is needed, not {given!r:.60}; one alone goes in brackets"
        ) from None


def one_or_several_names(name: str, given: Any, what: str) -> list[str]:
    """Return a name, or several, as a list, or say what they should have been.

    Raises
    ------
    TypeError
        If it is neither a name nor a list.
    ValueError
        If it is a list without names, or of something else too.

    Examples
    --------
    >>> one_or_several_names("layers", "relu1", "layers")
    ['relu1']
    """
    words = f"{name}: names of {what} are needed, as one text or a list, not {given!r:.60}"
    try:
        found = [given] if isinstance(given, str) else list(given)
    except TypeError:
        raise TypeError(words) from None
    if not found or not all(isinstance(one, str) for one in found):
        raise ValueError(words)
    return found
