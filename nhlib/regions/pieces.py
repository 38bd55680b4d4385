"""Lines that are cut into pieces, and the signs along them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt64

from nhlib.regions.subdivision import Contradiction


class Pieces(NamedTuple):
    """What lines are cut into, sorted by line and along it.

    Attributes
    ----------
    start, end, line : int64 arrays, shape (k,)
        Points from which and to which each piece runs, and the line that it is of.
    above : uint64 array, shape (k, n_words)
        The units that are on along it, packed.
    """

    start: Int64[np.ndarray, " k"]
    end: Int64[np.ndarray, " k"]
    line: Int64[np.ndarray, " k"]
    above: UInt64[np.ndarray, "k n_words"]


class Lines(NamedTuple):
    """Lines between two points, and the units that are on right behind the one and the other."""

    start: Int64[np.ndarray, " k"]
    end: Int64[np.ndarray, " k"]
    first: UInt64[np.ndarray, "k n_words"]
    last: UInt64[np.ndarray, "k n_words"]


def lines_between(
    start: Int64[np.ndarray, " k"],
    end: Int64[np.ndarray, " k"],
    above: UInt64[np.ndarray, "n n_words"],
    zero: UInt64[np.ndarray, "n n_words"] | None,
) -> Lines:
    """Return lines between points at which signs are known.

    A unit that is 0 at one end has along the line the sign of the other.
    """
    first, last = above[start], above[end]
    if zero is None:
        return Lines(start, end, first, last)
    return Lines(start, end, first | (zero[start] & last), last | (zero[end] & first))


def cut_up(
    lines: Lines,
    line: Int64[np.ndarray, " m"],
    point: Int64[np.ndarray, " m"],
    flips: UInt64[np.ndarray, "m n_words"],
) -> Pieces:
    """Cut lines at points, which are sorted by line and along it, and at which units switch.

    Raises
    ------
    Contradiction
        If the units that switch do not lead from a line's first signs to its last.
    """
    k, m = len(lines.start), len(line)
    counts = np.bincount(line, minlength=k)
    of = np.repeat(np.arange(k), counts + 1)
    begin = np.arange(k) + np.cumsum(counts) - counts
    behind = np.arange(m) + line + 1
    start, end = np.empty((2, k + m), np.int64)
    start[begin], start[behind] = lines.start, point
    end[begin + counts], end[behind - 1] = lines.end, point
    above = np.empty((k + m, lines.first.shape[1]), np.uint64)
    above[behind] = flips
    above[begin] = lines.first
    above[begin[1:]] ^= lines.last[:-1]  # so that one running XOR starts afresh at every line
    np.bitwise_xor.accumulate(above, axis=0, out=above)
    if not (
        np.array_equal(above[begin], lines.first)
        and np.array_equal(above[begin + counts], lines.last)
    ):
        raise Contradiction
    return Pieces(start, end, of, above)
