"""Hamming distances of packed codes: exact counts of bits, in blocks that fit the caches."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Int32, UInt8

# Bytes of codes that are held, padded, at once.
_BLOCK = 1 << 26
# Faiss gets blocks of the second codes that stay in a core's second-level cache while the first
# codes pass by.
_CACHED = 1 << 18
# Pairs handled at once where NumPy counts: their int32 distances stay in that cache, too.
_PAIRS = 1 << 17


def hamming_distances(
    codes: UInt8[np.ndarray, "n n_bytes"], others: UInt8[np.ndarray, "m n_bytes"]
) -> Int32[np.ndarray, "n m"]:
    """Count the bits in which two packed codes differ, for every pair.

    Faiss counts them where it is installed, else NumPy. Beside the distances, memory is taken
    for blocks only, so that codes may be mapped from files larger than it.

    Parameters
    ----------
    codes, others : uint8 array, shapes (n, n_bytes) and (m, n_bytes)
        Rows of bytes whose padding bits are the same in all.

    Returns
    -------
    int32 array, shape (n, m)
        In bits.

    Examples
    --------
    >>> hamming_distances(np.array([[0b1100]], np.uint8), np.array([[0b1000], [0b0011]], np.uint8))
    array([[1, 4]], dtype=int32)
    """
    distances = np.zeros((len(codes), len(others)), np.int32)
    count, size = (_by_faiss, _CACHED) if find_spec("faiss") else (_by_numpy, _BLOCK)
    n_rows, n_others = (max(1, s // max(1, codes.shape[1])) for s in (_BLOCK, size))
    for start in range(0, len(codes), n_rows):
        rows = _words(codes[start : start + n_rows])
        for first in range(0, len(others), n_others):
            block = distances[start : start + n_rows, first : first + n_others]
            block[:] = count(rows, _words(others[first : first + n_others]))
    return distances


def _by_faiss(
    rows: UInt8[np.ndarray, "n n_bytes"], others: UInt8[np.ndarray, "m n_bytes"]
) -> Int32[np.ndarray, "n m"]:
    import faiss as untyped

    faiss: Any = untyped
    distances = np.empty((len(rows), len(others)), np.int32)
    pointers = [faiss.swig_ptr(array) for array in (rows, others, distances)]
    faiss.hammings(*pointers[:2], len(rows), len(others), rows.shape[1], pointers[2])
    return distances


def _by_numpy(
    rows: UInt8[np.ndarray, "n n_bytes"], others: UInt8[np.ndarray, "m n_bytes"]
) -> Int32[np.ndarray, "n m"]:
    distances = np.zeros((len(rows), len(others)), np.int32)
    # Stored word by word, because they are read in that order.
    columns = others.view(np.uint64).T.copy()
    step = max(1, _PAIRS // max(1, len(others)))
    for start in range(0, len(rows), step):
        block = distances[start : start + step]
        words = rows[start : start + step].view(np.uint64).T.copy()
        for word, column in zip(words, columns, strict=True):
            block += np.bitwise_count(word[:, None] ^ column)
    return distances


def _words(packed: UInt8[np.ndarray, "n n_bytes"]) -> UInt8[np.ndarray, "n more_bytes"]:
    """Fill rows up to whole 64-bit words."""
    n, n_bytes = packed.shape
    words = np.zeros((n, max(1, -(-n_bytes // 8)) * 8), np.uint8)
    words[:, :n_bytes] = packed
    return words
