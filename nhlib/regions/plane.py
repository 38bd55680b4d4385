"""A plane in input space, and rectangles in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from nhlib._arguments import real_numbers

# Three inputs lie on one line if the triangle is lower than this, as a share of its size.
_FLAT = 1e-9

# Points a side of a grid.
_GRID = 17


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane in a network's input space, with rectangular coordinates; `through` makes it.

    Attributes
    ----------
    origin : float64 array, shape (n_inputs,)
        The input at coordinates (0, 0), flattened.
    axes : float64 array, shape (2, n_inputs)
        Two directions of length 1 at right angles, so that lengths and areas in the plane are
        those of input space.
    shape : tuple of int
        Shape of one input, without a batch dimension.
    """

    origin: Float64[np.ndarray, " n_inputs"]
    axes: Float64[np.ndarray, "2 n_inputs"]
    shape: tuple[int, ...]

    @classmethod
    def through(cls, inputs: Any) -> "Plane":
        """Lay the plane through three inputs: the first at (0, 0), the second on the first axis.

        Parameters
        ----------
        inputs : three arrays or tensors of one shape, or one of shape (3, …)
            Three inputs that do not lie on one line.

        Returns
        -------
        Plane

        Raises
        ------
        ValueError
            If there are not three of one shape, they hold other than finite real numbers, or
            they lie on one line: the triangle is lower than 1e-9 of its length.

        Examples
        --------
        >>> plane = Plane.through([[0.0, 0.0, 1.0], [2.0, 0.0, 1.0], [1.0, 3.0, 1.0]])
        >>> plane.coordinates([[1.0, 3.0, 1.0]])
        array([[1., 3.]])
        """
        try:
            n = len(inputs)
        except TypeError:
            raise ValueError(
                f"plane: three inputs are needed, not {type(inputs).__name__} {inputs!r:.60}"
            ) from None
        if n != 3:
            raise ValueError(f"plane: three inputs are needed, not {n}")
        points = [real_numbers("plane", one) for one in inputs]
        shape = points[0].shape
        if any(point.shape != shape for point in points) or not shape:
            raise ValueError(
                "plane: three inputs of one shape are needed, not of shapes "
                + ", ".join(str(point.shape) for point in points)
            )
        origin, second, third = (point.ravel() for point in points)
        first, second = second - origin, third - origin
        size = max(np.linalg.norm(first), np.linalg.norm(second))
        length = np.linalg.norm(first)
        e1 = first / length if length > 0 else first
        second = second - (second @ e1) * e1
        second = second - (second @ e1) * e1  # once more: the first time leaves rounding
        height = np.linalg.norm(second)
        if length <= _FLAT * size or height <= _FLAT * size:
            raise ValueError("plane: its three inputs lie on one line; take others")
        return cls(origin, np.stack([e1, second / height]), shape)

    def inputs(self, coordinates: Any) -> Float64[np.ndarray, "k n_inputs"]:
        """Return flat inputs.

        Parameters
        ----------
        coordinates : array_like, shape (k, 2)
            Places in the plane.

        Returns
        -------
        float64 array, shape (k, n_inputs)
        """
        inputs: Float64[np.ndarray, "k n_inputs"]
        inputs = self.origin + pairs("coordinates", coordinates) @ self.axes
        return inputs

    def coordinates(self, inputs: Any) -> Float64[np.ndarray, "k 2"]:
        """Return the coordinates of inputs; of an input beside the plane, those of its foot.

        Parameters
        ----------
        inputs : array_like, shape (k, …)
            k inputs, flat or in the plane's shape.

        Returns
        -------
        float64 array, shape (k, 2)
        """
        given = real_numbers("inputs", inputs)
        if given.shape[1:] not in (self.shape, self.origin.shape):
            raise ValueError(
                f"inputs: shape (k, {', '.join(map(str, self.shape))}) is needed, not {given.shape}"
            )
        flat = given.reshape(len(given), len(self.origin))
        coordinates: Float64[np.ndarray, "k 2"] = (flat - self.origin) @ self.axes.T
        return coordinates


def pairs(name: str, given: Any) -> Float64[np.ndarray, "k 2"]:
    """Return points of a plane as an array, or say by the argument's name that they are none."""
    array = real_numbers(name, given)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(
            f"{name}: shape (k, 2) is needed, not {array.shape}; of inputs, pass "
            "partition.plane.coordinates(inputs)"
        )
    return array


def grid(rectangle: tuple[float, float, float, float]) -> Float64[np.ndarray, "k 2"]:
    """Return points spread over a rectangle, corners included."""
    left, right, bottom, top = rectangle
    share = np.linspace(0, 1, _GRID)[:, None]
    x, y = np.meshgrid(left * (1 - share) + right * share, bottom * (1 - share) + top * share)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def to_rectangle(
    extent: Any, around: Float64[np.ndarray, "3 2"] | None
) -> tuple[float, float, float, float]:
    """Return left, right, bottom, top; by default the square from -1 to 1, or around points."""
    if extent is None:
        if around is None:
            return (-1.0, 1.0, -1.0, 1.0)
        low, high = around.min(axis=0), around.max(axis=0)
        margin = (high - low) / 4
        (left, bottom), (right, top) = low - margin, high + margin
        return (float(left), float(right), float(bottom), float(top))
    try:
        left, right, bottom, top = (float(number) for number in extent)
    except (TypeError, ValueError):
        raise ValueError(
            f"extent: four numbers (left, right, bottom, top) are needed, not {extent!r}"
        ) from None
    if not (np.isfinite([left, right, bottom, top]).all() and left < right and bottom < top):
        raise ValueError(
            "extent: finite numbers with left < right and bottom < top are needed, "
            f"not (left, right, bottom, top) = {(left, right, bottom, top)}"
        )
    return (left, right, bottom, top)
