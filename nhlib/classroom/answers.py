"""When two answers are equal, and how they differ, in words that do not tell the right one."""

from typing import Any

import numpy as np

from nhlib.classroom.sandbox import CallError

KINDS = ("a number", "one axis", "two axes", "three axes")
MOST_TOLD = 9  # a larger number of values could be chosen to carry what a function has seen


def difference(right: Any, given: Any) -> str:
    """How an answer differs from the right one, without telling the right one.

    Numbers agree to a relative 1e-5 or an absolute 1e-8; whole numbers, Booleans and text exactly.
    Lists, tuples and arrays with the same values are the same, and so are 1 and True.

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
    >>> difference(np.array([1, 2]), (np.array([1, 2]), np.array([5, 5])))
    '2 values, not one'
    """
    if isinstance(given, CallError):
        return str(given)
    if right is None or isinstance(right, str):
        return "" if type(given) is type(right) and given == right else "another value"
    if given is None:
        return "None, or nothing"
    if isinstance(right, dict):
        if not isinstance(given, dict) or set(given) != set(right):
            return "a dictionary with other keys, or none"
        return _first(difference(right[k], given[k]) for k in right)
    if isinstance(right, tuple) or (isinstance(right, list) and not _is_numbers(right)):
        several = isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.ndim)
        if not several:
            return f"one value, not {len(right)}"
        if len(given) != len(right):
            return f"{_count(given)}, not {len(right)}"
        return _first(map(difference, right, given))
    return _difference_of_numbers(right, given)


def _difference_of_numbers(right: Any, given: Any) -> str:
    """The same for numbers, and lists and arrays of them."""
    if isinstance(right, list) and isinstance(given, list | tuple) and _is_whole([*right, *given]):
        if len(given) != len(right):
            return "another length"
        return "" if list(given) == right else "another value"  # whatever their size
    if not _is_made_of_numbers(given):  # of texts NumPy would make an array of any size
        return "something that is not a number"
    try:
        if isinstance(given, tuple) and given and np.ndim(given[0]) == np.ndim(right):
            return f"{_count(given)}, not one"  # an array with a count, for example
        expected, found = np.asarray(right), np.asarray(given)
    except ValueError:
        return "rows of unequal length"
    if found.dtype == object and found.size:  # whole numbers that no type of NumPy's holds
        return "another value"
    if found.shape != expected.shape:
        return (
            f"not {KINDS[min(expected.ndim, 3)]}" if found.ndim != expected.ndim
            else "another shape"
        )  # fmt: skip
    if expected.dtype.kind in "biu" and np.array_equal(expected, found):
        return ""
    if expected.dtype.kind == "f" and np.allclose(
        found.astype(float), expected, rtol=1e-5, atol=1e-8, equal_nan=True
    ):
        return ""
    return "another value"


def _first(differences: Any) -> str:
    return next(filter(None, differences), "")


def _count(values: Any) -> str:
    return f"{len(values)} values" if len(values) <= MOST_TOLD else "many values"


def _is_made_of_numbers(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_made_of_numbers, value))
    return isinstance(value, bool | int | float | np.number | np.bool_ | np.ndarray)


def _is_numbers(values: list[Any]) -> bool:
    return all(isinstance(v, bool | int | float) for v in values)


def _is_whole(values: list[Any]) -> bool:
    return all(type(v) is int for v in values)
