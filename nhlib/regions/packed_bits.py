"""Rows of bits in 64-bit words, packed as ``np.packbits`` packs them into bytes."""

from functools import cache

import numpy as np
from jaxtyping import Bool, Int64, UInt64


def n_words(n_bits: int) -> int:
    """Return how many words a row of bits takes."""
    return -(-n_bits // 64)


def pack(on: Bool[np.ndarray, "k n_bits"]) -> UInt64[np.ndarray, "k n_words"]:
    """Pack rows of booleans."""
    k, n = on.shape
    if n % 64:
        room = np.zeros((k, n_words(n) * 64), bool)
        room[:, :n] = on
        on = room
    return np.packbits(on).view(np.uint64).reshape(k, n_words(n))


def pack_comparison(
    compare: np.ufunc, values: np.ndarray, bounds: np.ndarray
) -> UInt64[np.ndarray, "k n_words"]:
    """Pack what a comparison of rows with bounds gives, without a copy between."""
    k, n = values.shape
    room = np.zeros((k, n_words(n) * 64), bool)
    compare(values, bounds, out=room[:, :n])
    return np.packbits(room).view(np.uint64).reshape(k, n_words(n))


def set_bits(
    words: UInt64[np.ndarray, "k n_words"],
) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " m"]]:
    """Return row and number of every bit that is 1, sorted."""
    flat = np.ravel(words)
    filled = np.flatnonzero(flat)
    place = np.flatnonzero(np.unpackbits(flat[filled].view(np.uint8)).view(bool))
    word = filled[place >> 6]
    if words.shape[1] == 1:
        return word, place & 63
    row = word // words.shape[1]
    return row, ((word - row * words.shape[1]) << 6) + (place & 63)


@cache
def single_bits(n_bits: int) -> UInt64[np.ndarray, "n_bits n_words"]:
    """Return rows with one bit each: bit i in row i."""
    return pack(np.eye(n_bits, dtype=bool))


@cache
def later_bits(n_bits: int) -> UInt64[np.ndarray, "n_bits n_words"]:
    """Return rows of all bits after one: those after i in row i."""
    return pack(~np.tri(n_bits, dtype=bool))


def hashes(words: UInt64[np.ndarray, "k n_words"]) -> UInt64[np.ndarray, " k"]:
    """Return a number for every row of words, by which almost surely no two are confused.

    A product knows of a word's last bits everywhere, but of its first bits in the first bits alone.
    So these are mixed into the last ones, for a second product, by another number for every word.
    """
    mixed = words * _FACTOR
    mixed ^= mixed >> np.uint64(32)
    mixed *= _factors(words.shape[1])
    numbers: UInt64[np.ndarray, " k"] = np.add.reduce(mixed, axis=1)
    return numbers


_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@cache
def _factors(n_words: int) -> UInt64[np.ndarray, " n_words"]:
    """Return odd random numbers."""
    rng = np.random.default_rng(0)
    return rng.integers(1 << 63, size=n_words, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
