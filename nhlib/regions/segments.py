"""The exact regions of a network along a straight line between two inputs."""

from functools import cached_property
from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Float64, Int64
from torch import nn

from nhlib._arguments import real_numbers, whole_number
from nhlib.codes import NeuralCodes
from nhlib.regions.affine import FoldedNetwork
from nhlib.regions.folding import fold
from nhlib.regions.ragged_arrays import read_only
from nhlib.regions.rounding import Rounding

# Breakpoints closer than this, as a share of the line, are one.
_CLOSEST = 1e-13

# Points at which activations are measured.
_GRID = 65


class Segment:
    """The pieces of a line on which a network is affine; `segment` makes it.

    Attributes
    ----------
    start, end : float64 arrays, shape (n_inputs,)
        The two inputs, flattened.
    breakpoints : float64 array, shape (n_regions - 1,)
        Where units switch, ascending: 0 is the start, 1 the end.
    codes : NeuralCodes
        Code of each piece, in order.

    Notes
    -----
    Computed in float64, from a copy of the network as it was; the arrays are read-only.
    """

    def __init__(
        self,
        network: FoldedNetwork,
        start: Float64[np.ndarray, " n_inputs"],
        end: Float64[np.ndarray, " n_inputs"],
        breakpoints: Float64[np.ndarray, " k"],
        codes: NeuralCodes,
    ) -> None:
        self._network, self.codes = network, codes
        self.start, self.end = read_only(start), read_only(end)
        self.breakpoints = read_only(breakpoints)

    def __repr__(self) -> str:
        return f"Segment({self.n_regions} regions, {len(self.breakpoints)} breakpoints)"

    @property
    def n_regions(self) -> int:
        """Number of pieces."""
        return len(self.codes)

    @property
    def lengths(self) -> Float64[np.ndarray, " n_regions"]:
        """Length of each piece, as a share of the whole."""
        return np.diff(self.breakpoints, prepend=0, append=1)

    @property
    def midpoints(self) -> Float64[np.ndarray, " n_regions"]:
        """Middle of each piece, from 0 to 1."""
        bounds = np.concatenate([[0], self.breakpoints, [1]])
        middles: Float64[np.ndarray, " n_regions"] = (bounds[1:] + bounds[:-1]) / 2
        return middles

    def inputs(self, t: Any) -> Float64[np.ndarray, "k n_inputs"]:
        """Return the inputs on the line at given positions.

        Parameters
        ----------
        t : array_like, shape (k,)
            Positions: 0 is the start, 1 the end.

        Returns
        -------
        float64 array, shape (k, n_inputs)
        """
        shares = real_numbers("t", t).reshape(-1, 1)
        inputs: Float64[np.ndarray, "k n_inputs"] = self.start + shares * (self.end - self.start)
        return inputs

    def outputs(self, t: Any) -> Float64[np.ndarray, "k n_outputs"]:
        """Return the network's outputs at given positions.

        Parameters
        ----------
        t : array_like, shape (k,)
            Positions: 0 is the start, 1 the end.

        Returns
        -------
        float64 array, shape (k, n_outputs)
        """
        return self._network.outputs(self.inputs(t))

    @cached_property
    def _maps(self) -> tuple[np.ndarray, np.ndarray]:
        step = (self.end - self.start)[None]
        slopes, offsets = self._network.push(step, self.start, self.codes)
        return read_only(slopes[:, 0]), read_only(offsets)

    @property
    def slopes(self) -> Float64[np.ndarray, "n_regions n_outputs"]:
        """On each piece, outputs are ``slopes * t + offsets``."""
        return self._maps[0]

    @property
    def offsets(self) -> Float64[np.ndarray, "n_regions n_outputs"]:
        """What the affine map of each piece gives at t = 0."""
        return self._maps[1]

    def affine_map(
        self, piece: SupportsIndex
    ) -> tuple[Float64[np.ndarray, "n_outputs n_inputs"], Float64[np.ndarray, " n_outputs"]]:
        """Return the affine map from whole inputs to outputs on one piece.

        Parameters
        ----------
        piece : int
            Its number, from 0 at the start.

        Returns
        -------
        weights : float64 array, shape (n_outputs, n_inputs)
        biases : float64 array, shape (n_outputs,)

        Raises
        ------
        TypeError, ValueError
            If `piece` is no whole number, or there is no such piece.
        """
        i = whole_number("piece", piece, 0, self.n_regions - 1)
        return self._network.affine_map(self.codes[i])


def segment(network: nn.Module, start: Any, end: Any) -> Segment:
    """Find every place where a unit switches on the straight line between two inputs, exactly.

    Parameters
    ----------
    network : torch.nn.Module
        As `nhlib.partition` takes it.
    start, end : tensors or arrays of one shape
        Two inputs that the network takes: vectors or images, without a batch dimension.

    Returns
    -------
    Segment

    Raises
    ------
    TypeError
        If `network` is no module.
    ValueError
        If a layer is of an unknown kind, or holds nan or infinity; if the inputs differ in shape,
        are the same, or do not fit.

    Notes
    -----
    In float64, layer by layer: between two breakpoints of the layers before, pre-activations are
    affine, so a unit switches where its signs at the two ends differ. Breakpoints closer than
    1e-13 of the line are one, at which several units switch. Far from the origin digits are lost
    in the subtraction: a pre-activation counts as 0 where it is less than 1e-13 of the terms that
    it is summed from. A bit is 1 where the pre-activation
    is > 0 inside the piece.

    Examples
    --------
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> s = nh.segment(nh.mlp(64, [50, 50], 10), test.inputs[0], test.inputs[1])
    >>> s
    Segment(37 regions, 36 breakpoints)
    >>> s.breakpoints[:3].round(3)
    array([0.032, 0.037, 0.078])
    """
    one, other = real_numbers("start", start), real_numbers("end", end)
    if one.shape != other.shape or one.ndim == 0:
        raise ValueError(
            f"start and end: two inputs of one shape are needed, not {one.shape} and {other.shape}"
        )
    folded = fold(network, one.shape)
    first, last = one.ravel(), other.ravel()
    if np.array_equal(first, last):
        raise ValueError("start and end: two different inputs are needed, these are the same")
    layers = folded.balanced.hidden

    def inputs(t: Float64[np.ndarray, "k 1"]) -> Float64[np.ndarray, "k n_inputs"]:
        places: Float64[np.ndarray, "k n_inputs"] = first + t * (last - first)
        return places

    rounding = Rounding(layers, inputs, np.linspace(0, 1, _GRID)[:, None])
    t = np.array([0.0, 1.0])
    h = np.stack([first, last])
    bits: list[np.ndarray] = []
    for i, layer in enumerate(layers):
        z = layer.preactivations(h)
        rounding.clear(i, t[:, None], z)
        t, z, parents = _with_crossings(t, z)
        rounding.clear(i, t[:, None], z)
        bits = [on[parents] for on in bits] + [(z[:-1] > 0) | (z[1:] > 0)]
        h = layer.activations(z)
    # Within rounding a point may have been kept at which nothing switches.
    stays = np.ones(len(t) - 1, bool)
    stays[1:] = np.any([(on[1:] != on[:-1]).any(axis=1) for on in bits], axis=0)
    packed = np.hstack([np.packbits(on[stays], axis=1) for on in bits])
    codes = NeuralCodes(packed, {layer.name: layer.shape for layer in folded.hidden})
    return Segment(folded, first, last, t[:-1][stays][1:], codes)


def _with_crossings(
    t: Float64[np.ndarray, " k"], z: Float64[np.ndarray, "k units"]
) -> tuple[
    Float64[np.ndarray, " k_after"],
    Float64[np.ndarray, "k_after units"],
    Int64[np.ndarray, " n_pieces"],
]:
    """Add to positions t those at which a unit switches; also return each piece's piece before."""
    sign = np.sign(z)
    piece, unit = np.nonzero(sign[:-1] * sign[1:] < 0)
    a, b = z[piece, unit], z[piece + 1, unit]
    share = a / (a - b)
    at = t[piece] + share * (t[piece + 1] - t[piece])
    order = np.argsort(at, kind="stable")
    piece, unit, share, at = piece[order], unit[order], share[order], at[order]
    between = z[piece] + share[:, None] * (z[piece + 1] - z[piece])
    between[np.arange(len(unit)), unit] = 0

    old = np.searchsorted(at, t)
    all_t, all_z = np.insert(at, old, t), np.insert(between, old, z, axis=0)
    is_old = np.zeros(len(all_t), bool)
    is_old[old + np.arange(len(t))] = True
    # What is close together is one point, at which several units switch: an old one if there is
    # one, since earlier layers switch there and its position is settled.
    group = np.concatenate([[0], np.cumsum(np.diff(all_t) > _CLOSEST)])
    keep = np.empty(group[-1] + 1, np.int64)
    keep[group] = np.arange(len(all_t))
    keep[group[is_old]] = np.flatnonzero(is_old)
    all_t, all_z = all_t[keep], all_z[keep]
    all_z[group[~is_old], unit] = 0
    return all_t, all_z, np.searchsorted(t, all_t[:-1], side="right") - 1
