"""The sign of every unit at every point of a subdivision: on, off, or on the unit's line."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, UInt64

from nhlib.regions.packed_bits import pack_comparison
from nhlib.regions.rounding import Rounding


class Signs(NamedTuple):
    """Signs of all units at points, packed.

    Attributes
    ----------
    above : uint64 array, shape (n_points, n_words)
        Whether the pre-activation is > 0.
    zero : uint64 array, shape (n_points, n_words), or None
        Whether it is 0; None where none is. Units that are 0 at all points have no line here,
        and count as off.
    """

    above: UInt64[np.ndarray, "n_points n_words"]
    zero: UInt64[np.ndarray, "n_points n_words"] | None


def signs_at(
    points: Float64[np.ndarray, "n_points 2"],
    z: Float64[np.ndarray, "n_points units"],
    rounding: Rounding,
    i: int,
) -> Signs:
    """Return the signs of layer i; what is zero within rounding becomes zero, in place."""
    near = rounding.near[i]
    above = pack_comparison(np.greater, z, near)
    zero = pack_comparison(np.greater_equal, z, -near) ^ above
    if not zero.any():
        return Signs(above, None)
    rounding.clear(i, points, z)
    nothing = np.zeros(z.shape[1])
    above = pack_comparison(np.greater, z, nothing)
    zero = pack_comparison(np.equal, z, nothing)
    zero &= ~np.bitwise_and.reduce(zero, axis=0)
    return Signs(above, zero if zero.any() else None)
