"""Parts of the rectangle, small enough for a processor's cache, that are cut on their own."""

from threading import Lock
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from nhlib.regions.affine import Layer
from nhlib.regions.layer_cut import Cut
from nhlib.regions.subdivision import Subdivision

# Bytes of pre-activations in a block, before and behind the layer that cuts it next.
_SIZE = 16 << 20


class Block(NamedTuple):
    """A part of the rectangle between two layers.

    Attributes
    ----------
    subdivision : Subdivision
        What the layers so far have cut it into.
    h : float64 array, shape (n_points, units)
        What the last layer hands on at the points.
    codes : uint8 array, shape (n_faces, n_bytes)
        Bits of the layers so far in each face, packed.
    """

    subdivision: Subdivision
    h: Float64[np.ndarray, "n_points units"]
    codes: UInt8[np.ndarray, "n_faces n_bytes"]


class Borders:
    """Numbers for the edges at which blocks are parted, each of them once."""

    def __init__(self) -> None:
        self._next, self._lock = 0, Lock()

    def numbers(self, n: int) -> Int64[np.ndarray, " n"]:
        """Return n new numbers."""
        with self._lock:
            first, self._next = self._next, self._next + n
        return first + np.arange(n)


class Parts:
    """The blocks into which a part of the rectangle falls behind a layer.

    Blocks are made of faces that follow each other; that are, then, close to each other.

    Parameters
    ----------
    cut : Cut
        What the layer has cut it into.
    codes : uint8 array, shape (n_faces, n_bytes)
        Bits of the layers so far.
    layer, next_layer : Layer
        This layer, and the one that comes next.
    borders : Borders
        Where numbers for edges between blocks come from.
    """

    def __init__(
        self,
        cut: Cut,
        codes: UInt8[np.ndarray, "n_faces n_bytes"],
        layer: Layer,
        next_layer: Layer,
        borders: Borders,
    ) -> None:
        self._points, self._codes, self._layer = cut.points, codes, layer
        self._whole = whole = cut.subdivision
        units = len(layer.biases) + len(next_layer.biases)
        n = min(-(-8 * units * len(whole.points) // _SIZE), whole.n_faces)
        self._bounds = np.linspace(0, whole.n_faces, n + 1).astype(np.int64)
        if n > 1:
            left, right = (
                np.searchsorted(self._bounds, side, side="right")
                for side in (whole.left, whole.right)
            )
            new = np.flatnonzero((left != right) & (whole.left >= 0) & (whole.right >= 0))
            numbers = whole.borders.copy()
            numbers[new] = borders.numbers(len(new))
            self._whole = whole._replace(borders=numbers)

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, k: int) -> Block:
        whole, first, last = self._whole, self._bounds[k], self._bounds[k + 1]
        if len(self) == 1:
            everywhere = np.arange(len(whole.points))
            return Block(whole, self._layer.activations(self._points.at(everywhere)), self._codes)
        inside = [(first <= side) & (side < last) for side in (whole.left, whole.right)]
        edges = np.flatnonzero(inside[0] | inside[1])
        used = np.zeros(len(whole.points), bool)
        used[whole.start[edges]] = used[whole.end[edges]] = True
        points = np.flatnonzero(used)
        number = np.cumsum(used) - 1
        left, right = (
            np.where(side[edges], face[edges] - first, -1)
            for side, face in zip(inside, (whole.left, whole.right), strict=True)
        )
        part = Subdivision(
            whole.points[points],
            number[whole.start[edges]],
            number[whole.end[edges]],
            left,
            right,
            whole.units[edges],
            whole.borders[edges],
            int(last - first),
            whole.extent,
        )
        h = self._layer.activations(self._points.at(points))
        return Block(part, h, self._codes[first:last])
