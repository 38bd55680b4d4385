"""Which rows of bytes are equal: exact, whatever their length."""

import hashlib

import numpy as np
from jaxtyping import Int64, UInt8

# Longer rows, in bytes, are not sorted to find equal ones.
_LONG = 1 << 10


def rows_of(packed: UInt8[np.ndarray, "n n_bytes"]) -> np.ndarray:
    """Return every row as one scalar that can be compared and sorted.

    Examples
    --------
    >>> rows = rows_of(np.array([[1, 2], [3, 4], [1, 2]], np.uint8))
    >>> bool(rows[0] == rows[2]), bool(rows[0] == rows[1])
    (True, False)
    """
    # Void scalars: NumPy compares those as strings of bytes. A row needs a byte.
    rows = packed if packed.shape[1] else np.zeros((len(packed), 1), np.uint8)
    return rows.view(np.dtype((np.void, rows.shape[1]))).ravel()


def keys_of(packed: UInt8[np.ndarray, "n n_bytes"]) -> np.ndarray:
    """Return a key for every row; within the array, equal keys mean equal rows.

    Examples
    --------
    >>> keys_of(np.zeros((3, 2000), np.uint8)).tolist()
    [0, 0, 0]
    """
    # Of long rows, the number of their first equal: no copy, as sorting them would need.
    return _first_equals(packed) if packed.shape[1] > _LONG else rows_of(packed)


def _first_equals(packed: UInt8[np.ndarray, "n n_bytes"]) -> Int64[np.ndarray, " n"]:
    """Find for every row the first that equals it. A hash finds it, a comparison makes sure."""
    firsts: dict[bytes, list[int]] = {}
    equal = np.empty(len(packed), np.int64)
    for i, row in enumerate(packed):
        candidates = firsts.setdefault(hashlib.blake2b(row, digest_size=16).digest(), [])
        found = (j for j in candidates if np.array_equal(packed[j], row))
        equal[i] = next(found, i)
        if equal[i] == i:
            candidates.append(i)
    return equal
