"""Arrays of different lengths, one after the other in one array."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import index
from typing import Any

import numpy as np


def read_only(array: np.ndarray) -> np.ndarray:
    """Return an array after taking the right to change it: other results depend on it."""
    array.flags.writeable = False
    return array


class Ragged(Sequence[np.ndarray]):
    """A read-only list of arrays, stored as one.

    Parameters
    ----------
    flat : array, shape (total, …)
        All rows.
    starts : int64 array, shape (n + 1,)
        Array i consists of the rows from ``starts[i]`` to ``starts[i + 1]``.

    Examples
    --------
    >>> lists = Ragged(np.array([5, 6, 7, 8]), np.array([0, 3, 4]))
    >>> len(lists), lists[0].tolist(), lists[-1].tolist(), lists.lengths.tolist()
    (2, [5, 6, 7], [8], [3, 1])
    """

    def __init__(self, flat: np.ndarray, starts: np.ndarray) -> None:
        self.flat, self.starts = read_only(flat), read_only(starts)

    @property
    def lengths(self) -> np.ndarray:
        """Length of every array."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        i = index(i)
        if not -len(self) <= i < len(self):
            raise IndexError(f"there are {len(self)} arrays, so none at {i}")
        i = i % len(self)
        return self.flat[self.starts[i] : self.starts[i + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.flat[start:end] for start, end in pairwise(self.starts.tolist()))

    def __repr__(self) -> str:
        return f"Ragged({len(self)} arrays, {len(self.flat)} rows)"
