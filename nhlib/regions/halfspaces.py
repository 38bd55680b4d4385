"""The inequalities of a region, and the codes behind them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from nhlib.regions.affine import ROUNDING, Layer

Bits = Sequence[Bool[np.ndarray, " _"]]


class Halfspaces(NamedTuple):
    """What the inputs of one code fulfil: ``normals @ (input - point) + offsets >= 0``.

    Hyperplanes of several units that are one, within rounding, are one inequality.

    Attributes
    ----------
    point : float64 array, shape (n_inputs,)
        Where they are seen from.
    normals : float64 array, shape (m, n_inputs)
        Vectors of length 1 that point inwards.
    offsets : float64 array, shape (m,)
        Distance of the point from each hyperplane; below 0 for a point outside.
    tilts, shifts : float64 arrays, shape (m,)
        What may be wrong about each normal, and each offset.
    units : int64 array, shape (m,)
        The unit that switches there, the first where there are several; -1 for a side of the box.
    switching : bool array, shape (m, n_units)
        The units that are 0 on the hyperplane.
    """

    point: Float64[np.ndarray, " n_inputs"]
    normals: Float64[np.ndarray, "m n_inputs"]
    offsets: Float64[np.ndarray, " m"]
    tilts: Float64[np.ndarray, " m"]
    shifts: Float64[np.ndarray, " m"]
    units: Int64[np.ndarray, " m"]
    switching: Bool[np.ndarray, "m n_units"]

    def seen_from(self, step: Float64[np.ndarray, " n_inputs"]) -> "Halfspaces":
        """Return the same, as seen from a step away."""
        return self._replace(point=self.point + step, offsets=self.offsets + self.normals @ step)


class Box(NamedTuple):
    """The inputs between two corners.

    Attributes
    ----------
    low, high : float64 arrays, shape (n_inputs,)
        Both corners.
    """

    low: Float64[np.ndarray, " n_inputs"]
    high: Float64[np.ndarray, " n_inputs"]


def signs_at(layers: Sequence[Layer], point: Float64[np.ndarray, " n_inputs"]) -> Bits:
    """Return which units are on at a point; those that are 0 within rounding are not."""
    h, error, bits = point[None], np.zeros(len(point)), []
    for layer in layers:
        weights = np.abs(layer.weights)
        z = layer.preactivations(h)
        error = weights @ (error + ROUNDING * np.abs(h[0])) + ROUNDING * np.abs(layer.biases)
        z[np.abs(z) <= error] = 0
        bits.append(z[0] > 0)
        error = error * np.abs(layer.gains(bits[-1]))
        h = layer.activations(z)
    return bits


def halfspaces(
    layers: Sequence[Layer],
    bits: Bits,
    point: Float64[np.ndarray, " n_inputs"],
    box: Box | None,
) -> Halfspaces:
    """Return the inequalities of a code, and of a box.

    Where the units before do not change, a pre-activation is affine. Units that are 0 all over the
    region switch behind every hyperplane behind which they are not.

    Parameters
    ----------
    layers : sequence of Layer
        The hidden layers.
    bits : sequence of bool arrays, shape (units,)
        The code, layer by layer.
    point : float64 array, shape (n_inputs,)
        Where they are seen from; best in the region, or close to it.
    box : Box or None
        Its sides come last.
    """
    n = len(point)
    rows = np.concatenate([np.eye(n), point[None]])  # directions, and the point
    steep, error = np.zeros(n), np.zeros(n)  # errors of gradients, and of values
    found = []
    for layer, on in zip(layers, bits, strict=True):
        size = np.abs(layer.weights)
        lengths = np.sqrt((rows[:-1] ** 2).sum(axis=0))
        steep = size @ (steep + ROUNDING * lengths)
        error = size @ (error + ROUNDING * np.abs(rows[-1])) + ROUNDING * np.abs(layer.biases)
        rows = rows @ layer.weights.T
        rows[-1] += layer.biases
        found.append((np.where(on, rows, -rows), steep, error))
        gains = layer.gains(on)
        rows = rows * gains
        steep, error = steep * np.abs(gains), error * np.abs(gains)
    inward = np.concatenate([rows for rows, _, _ in found], axis=1).T
    steep = np.concatenate([steep for _, steep, _ in found])
    error = np.concatenate([error for _, _, error in found])
    lengths = np.sqrt((inward[:, :-1] ** 2).sum(axis=1))
    flat = lengths <= steep
    units = np.flatnonzero(~flat)
    scale = 1 / lengths[units]
    normals, offsets = inward[units, :-1] * scale[:, None], inward[units, -1] * scale
    tilts, shifts = steep[units] * scale, error[units] * scale
    switching = np.zeros((len(units), len(flat)), bool)
    switching[:, flat & (np.abs(inward[:, -1]) <= error)] = True
    switching[np.arange(len(units)), units] = True
    if box is not None:
        sides = np.concatenate([np.eye(n), -np.eye(n)])
        normals = np.concatenate([normals, sides])
        offsets = np.concatenate([offsets, point - box.low, box.high - point])
        size = np.maximum(np.abs(box.low), np.abs(box.high))
        tilts = np.concatenate([tilts, np.zeros(2 * n)])
        shifts = np.concatenate([shifts, np.tile(ROUNDING * size, 2)])
        units = np.concatenate([units, np.full(2 * n, -1)])
        switching = np.concatenate([switching, np.zeros((2 * n, len(flat)), bool)])
    return _merge(Halfspaces(point, normals, offsets, tilts, shifts, units, switching))


def _merge(found: Halfspaces) -> Halfspaces:
    """Make one inequality of those that are the same within rounding."""
    order = np.argsort(found.offsets, kind="stable")
    close = np.diff(found.offsets[order]) <= found.shifts[order[1:]] + found.shifts[order[:-1]]
    if not close.any():
        return found
    first = np.arange(len(order))
    for run in np.split(order, np.flatnonzero(~close) + 1):
        for members in _alike(found, run):
            for k, one in enumerate(members):
                if first[one] == one:
                    others = members[k + 1 :]
                    turn = np.abs(found.normals[others] - found.normals[one]).max(axis=1, initial=0)
                    gap = np.abs(found.offsets[others] - found.offsets[one])
                    same = (turn <= found.tilts[others] + found.tilts[one]) & (
                        gap <= found.shifts[others] + found.shifts[one]
                    )
                    first[others[same]] = one
    kept = np.flatnonzero(first == np.arange(len(first)))
    switching = found.switching.copy()
    np.logical_or.at(switching, first, found.switching)
    units = found.units.copy()
    units[first[found.units < 0]] = -1  # there is nothing behind a side of the box
    merged = found._replace(units=units, switching=switching)
    return Halfspaces(found.point, *(array[kept] for array in merged[1:]))


def _alike(found: Halfspaces, run: Int64[np.ndarray, " k"]) -> Iterator[Int64[np.ndarray, " j"]]:
    """Yield groups, ascending, whose normals may be the same: their sums, differently weighted."""
    if len(run) == 1:
        return
    sums = found.normals[run] @ np.sqrt(np.arange(2, 2 + found.normals.shape[1]))
    order = np.argsort(sums, kind="stable")
    most = found.tilts[run].max() * found.normals.shape[1] ** 1.5 * 2 + ROUNDING
    for group in np.split(order, np.flatnonzero(np.diff(sums[order]) > most) + 1):
        if len(group) > 1:
            yield np.sort(run[group])


def bits_behind(
    layers: Sequence[Layer],
    bits: Bits,
    outward: Float64[np.ndarray, "k n_inputs"],
    switching: Bool[np.ndarray, "k n_units"],
) -> list[Bool[np.ndarray, "k _"]]:
    """Return the codes of the regions behind hyperplanes, layer by layer.

    A unit that is 0 on a hyperplane has behind it the sign of its derivative outwards, which
    depends on the units before it, on those that switch, too.

    Parameters
    ----------
    layers : sequence of Layer
        The hidden layers.
    bits : sequence of bool arrays, shape (units,)
        The code of the region before them.
    outward : float64 array, shape (k, n_inputs)
        Normals that point out of it.
    switching : bool array, shape (k, n_units)
        The units that are 0 on each hyperplane.
    """
    along, behind, first = outward, [], 0
    for layer, on in zip(layers, bits, strict=True):
        zero = switching[:, first : first + len(on)]
        near = ROUNDING * (np.abs(along) @ np.abs(layer.weights).T)
        along = along @ layer.weights.T
        behind.append(np.where(zero, along > near, on))
        along = along * layer.gains(behind[-1])
        first += len(on)
    return behind
