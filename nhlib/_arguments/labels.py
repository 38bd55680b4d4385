"""What is said when something else than one class for each example is given."""

from contextlib import suppress
from operator import index
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64


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
