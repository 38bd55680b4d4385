"""What is said when something else than a number, a flag or a seed is given."""

import math
from numbers import Real
from operator import index
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64


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
