"""How what the text says is compared with what a notebook found."""

import numpy as np
from numpy.typing import ArrayLike


def near(found: ArrayLike, said: ArrayLike, within: ArrayLike) -> None:
    """Fail where a number is farther than that from what the text says of it."""
    off = np.abs(np.asarray(found, dtype=float) - np.asarray(said, dtype=float))
    assert np.all(off <= np.asarray(within)), (
        f"found {found}, the text says {said} (within {within})"
    )
