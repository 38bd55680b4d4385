"""What every function says when it is given something else than numbers of the right kind."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from numbers import Real
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64

# Rounding beyond a range, as a share of it.
_SLACK = 1e-5


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


def is_number(given: Any) -> bool:
    """Tell a real number from anything else.

    NumPy's numbers and tensors without axes are numbers too; True and False are none.

    Parameters
    ----------
    given : object
        What was given for an argument.

    Examples
    --------
    >>> [is_number(given) for given in (1, np.float32(0.5), torch.tensor(2), True, [1], "1")]
    [True, True, True, False, False, False]
    """
    if isinstance(given, (np.ndarray, torch.Tensor)) and given.ndim == 0:
        given = given.item()
    return isinstance(given, Real) and not isinstance(given, bool)


def real_number(
    name: str,
    given: Any,
    least: int | float,
    most: int | float = math.inf,
    without: int | float | None = None,
) -> float:
    """Return an argument as a float, or say what it should have been.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : object
        What was given for it; see `is_number`.
    least, most : float
        The range allowed; `most` may be left open.
    without : float, optional
        The end of the range that is not allowed itself.

    Raises
    ------
    TypeError
        If it is not a real number.
    ValueError
        If it is out of range, nan or infinity.

    Examples
    --------
    >>> real_number("share", np.float32(0.5), 0, 1, without=1)
    0.5
    """
    if math.isinf(most):
        wanted = f"a finite number {'above' if without == least else 'of at least'} {least:g}"
    else:
        begin = f"above {least:g}, up" if without == least else f"from {least:g}"
        wanted = f"a number {begin} to {'below ' * (without == most)}{most:g}"
    if not is_number(given):
        raise TypeError(f"{name}: {wanted} is needed, not {given!r:.60}")
    try:
        number = float(given)
    except OverflowError:
        number = math.inf
    if not least <= number <= most or number == without or math.isinf(number):
        raise ValueError(f"{name}: {wanted} is needed, not {given!r}")
    return number


def true_or_false(name: str, given: Any) -> bool:
    """Return a flag, or say that it is none.

    Raises
    ------
    TypeError
        If it is neither True nor False, those of NumPy included.

    Examples
    --------
    >>> true_or_false("batch_norm", True)
    True
    """
    if not isinstance(given, (bool, np.bool_)):
        raise TypeError(f"{name}: True or False is needed, not {given!r:.60}")
    return bool(given)


def seed_number(given: Any, n_bits: int = 64) -> int:
    """Return a seed as an int, or say what it should have been.

    Parameters
    ----------
    given : object
        What was given for `seed`.
    n_bits : int, default 64
        How many bits the generator of random numbers takes.

    Raises
    ------
    TypeError, ValueError
        If it is not a whole number of at least 0 that has so many bits.

    Examples
    --------
    >>> seed_number(7)
    7
    """
    seed = whole_number("seed", given, 0)
    if seed >= 2**n_bits:
        raise ValueError(f"seed: a whole number below 2**{n_bits} is needed, not {given!r}")
    return seed


def torch_device(name: str, given: Any) -> torch.device:
    """Return a device on which something can be computed here, or say why it cannot.

    Raises
    ------
    TypeError
        If it names no device.
    ValueError
        If there is no such device here.

    Examples
    --------
    >>> torch_device("device", "cpu")
    device(type='cpu')
    """
    try:
        if given is None:
            raise TypeError
        device = torch.device(given)
    except (RuntimeError, TypeError):
        kind = ValueError if isinstance(given, str) else TypeError
        raise kind(f"{name}: a device such as 'cpu' or 'cuda' is needed, not {given!r}") from None
    if device.type == "meta":
        raise ValueError(f"{name}: on the device meta there are no numbers to compute with")
    try:
        if device.type != "cpu":
            torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{name}: there is no device {given!r} here ({reason})") from None
    return device


def real_numbers(name: str, given: Any, hint: str = "") -> Float64[np.ndarray, "..."]:
    """Return finite real numbers as a float64 array of its own, or say what they should have been.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : object
        What was given for it: an array, a tensor or nested lists. It is copied, so that what
        is made of it does not change with it.
    hint : str, optional
        What to try, for the end of the message.

    Raises
    ------
    ValueError
        If it does not consist of real numbers, or one of them is nan or infinity.

    Examples
    --------
    >>> real_numbers("points", [[0, 0.1]])
    array([[0. , 0.1]])
    """
    try:
        if isinstance(given, torch.Tensor):
            given = given.detach().cpu()
            array = (given if given.is_complex() else given.double()).numpy()
        else:
            array = np.asarray(given)
        if given is None or np.iscomplexobj(array):
            raise TypeError
        numbers: np.ndarray = array.astype(np.float64, order="C")
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(
            f"{name}: an array or tensor of real numbers is needed, not {type(given).__name__} "
            f"{given!r:.60}{hint}"
        ) from None
    strange = numbers[~np.isfinite(numbers)]
    if strange.size:
        raise ValueError(f"{name}: finite numbers are needed, but there is {strange[0]}")
    return numbers


def check_range(name: str, given: torch.Tensor, box: tuple[float, float], otherwise: str) -> None:
    """Say which numbers lie beyond a range, and what brings them into it.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : tensor
        What was given for it.
    box : pair of float
        The range; rounding beyond it is allowed for.
    otherwise : str
        What to try where dividing does not help, for the end of the message.

    Raises
    ------
    ValueError
        If a number is nan, or outside.

    Examples
    --------
    >>> check_range("inputs", torch.tensor([0.0, 128, 255]), (0.0, 1.0), "pass another box")
    Traceback (most recent call last):
    ValueError: inputs: numbers from 0 to 1 are needed, not from 0 to 255; divide them by 255
    """
    if not given.numel():
        return
    low, high = box
    least, most = (end.item() for end in given.aminmax())
    slack = _SLACK * (high - low)
    if low - slack <= least and most <= high + slack:
        return
    needed = f"{name}: numbers from {low:g} to {high:g} are needed"
    if not least <= most:
        raise ValueError(f"{needed}, but some are nan")
    hint = (
        f"divide them by {brightest(most):g}" if (low, high) == (0, 1) and least >= 0 else otherwise
    )
    raise ValueError(f"{needed}, not from {least:g} to {most:g}; {hint}")


def brightest(most: float) -> float:
    """Return what white is in pictures whose largest number is known: 16, 255 or 65,535.

    scikit-learn's digits have 17 greys, files have 8 or 16 bits.
    """
    return next((white for white in (16.0, 255.0, 65535.0) if most <= white), most)


def check_columns(name: str, table: Any, columns: Iterable[str], hint: str = "") -> None:
    """Refuse what is no table, or a table that lacks a column.

    Parameters
    ----------
    name : str
        What the argument is called.
    table : DataFrame
        What was given for it.
    columns : iterable of str
        Those that it needs.
    hint : str, optional
        What to try, for the end of either message; ``{column}`` stands for the missing one.

    Raises
    ------
    TypeError
        If it is no DataFrame; the message says how to make one of it.
    ValueError
        If a column is missing.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        how = _to_table(table) or hint
        raise TypeError(f"{name}: a DataFrame is needed, not {type(table).__name__}{how}")
    for column in columns:
        if column not in table.columns:
            raise ValueError(
                f"{name}: no column {column!r}; there are {', '.join(map(str, table.columns))}"
                + hint.format(column=column)
            )


def _to_table(given: Any) -> str:
    """Say how to make a table of what is none."""
    if callable(getattr(given, "table", None)):  # History, Results
        return "; pass its .table()"
    if isinstance(given, (str, Path)):
        return f"; read the file first: pandas.read_csv({str(given)!r})"
    if isinstance(given, Mapping):
        return "; pass pandas.DataFrame(...) of it"
    return ""


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


def class_labels(name: str, given: Any, n: int, of: str) -> Int64[np.ndarray, " n"]:
    """Return the classes of n examples as an array of its own, or say what they should have been.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : object
        What was given for it: an array, a tensor, a list or a column of a table. What counts is
        the order; an index of pandas does not.
    n : int
        How many there should be.
    of : str
        What they are the classes of.

    Raises
    ------
    TypeError
        If it is None.
    ValueError
        If it does not consist of n whole numbers.

    Examples
    --------
    >>> class_labels("labels", [0, 1, 1], 3, "codes")
    array([0, 1, 1])
    """
    if given is None:
        raise TypeError(f"{name}: one class for each of {of} is needed, not None")
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu().numpy()
    try:
        array = np.asarray(given)
    except ValueError:  # lists of different lengths
        array = np.empty(0, object)
    if array.dtype == object and array.ndim == 1:  # as pandas keeps whole numbers with gaps
        with suppress(TypeError, OverflowError):
            array = np.array([index(label) for label in array], np.int64)
    if array.shape == (n,) and array.dtype.kind in "iub":
        return array.astype(np.int64)
    hint = ""
    if array.ndim == 1 and array.dtype.kind in "USO":
        hint = f"; words become numbers by np.unique({name}, return_inverse=True)[1]"
    elif array.ndim == 2 and len(array) == n > 0:
        hint = f"; of one column for each class take {name}.argmax(1)"
    raise ValueError(
        f"{name}: {n} whole numbers are needed, one for each of {of}, "
        f"not {array.dtype} of shape {array.shape}{hint}"
    )
