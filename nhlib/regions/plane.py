"""A plane in input space, and rectangles in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64


@dataclass(frozen=True)
class Plane:
    """A plane in a network's input space, with rectangular coordinates.

    Attributes
    ----------
    origin : float64 array, shape (n_inputs,)
        The input at coordinates (0, 0), flattened.
    axes : float64 array, shape (2, n_inputs)
        Two directions of length 1 at right angles, so that lengths and areas in the plane are
        those of input space.
    """

    origin: Float64[np.ndarray, " n_inputs"]
    axes: Float64[np.ndarray, "2 n_inputs"]

    @classmethod
    def through(cls, inputs: Any) -> "Plane":
        """Lay the plane through three inputs: the first at (0, 0), the second on the first axis.

        Raises
        ------
        ValueError
            If there are not three of one shape, or they lie on one line.

        Examples
        --------
        >>> plane = Plane.through([[0.0, 0.0, 1.0], [2.0, 0.0, 1.0], [1.0, 3.0, 1.0]])
        >>> plane.coordinates([[1.0, 3.0, 1.0]])
        array([[1., 3.]])
        """
        points = [flat_input(one, "plane") for one in inputs]
        if len(points) != 3 or len({len(point) for point in points}) > 1:
            raise ValueError(
                f"plane: three inputs of one size are needed, not {len(points)} of sizes "
                f"{', '.join(str(len(point)) for point in points)}"
            )
        first, second = points[1] - points[0], points[2] - points[0]
        size = max(np.linalg.norm(first), np.linalg.norm(second))
        length = np.linalg.norm(first)
        e1 = first / length if length > 0 else first
        second = second - (second @ e1) * e1
        second = second - (second @ e1) * e1  # once more: the first time leaves rounding
        height = np.linalg.norm(second)
        if length <= 1e-9 * size or height <= 1e-9 * size:
            raise ValueError("plane: its three inputs lie on one line; take others")
        return cls(points[0], np.stack([e1, second / height]))

    def inputs(self, coordinates: Any) -> Float64[np.ndarray, "k n_inputs"]:
        """Return the flat inputs at coordinates of shape (k, 2)."""
        inputs: Float64[np.ndarray, "k n_inputs"]
        inputs = self.origin + np.asarray(coordinates, float) @ self.axes
        return inputs

    def coordinates(self, inputs: Any) -> Float64[np.ndarray, "k 2"]:
        """Return the coordinates of k inputs; of one beside the plane, those of its foot."""
        flat = np.stack([flat_input(one, "inputs") for one in inputs])
        coordinates: Float64[np.ndarray, "k 2"] = (flat - self.origin) @ self.axes.T
        return coordinates


def checked_rectangle(
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


def flat_input(one: Any, name: str) -> Float64[np.ndarray, " n"]:
    """Return one input as a vector, or say by the argument's name that it is not finite."""
    flat = torch.as_tensor(one).detach().cpu().double().numpy().ravel()
    if not np.isfinite(flat).all():
        raise ValueError(f"{name}: an input holds nan or infinity")
    return flat
