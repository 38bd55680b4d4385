"""The exact subdivision of a rectangle into the regions of a network."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, SupportsIndex

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from torch import nn

from nhlib.arguments import whole_number
from nhlib.codes import NeuralCodes
from nhlib.regions.careful import cut_one_by_one
from nhlib.regions.folding import FoldedNetwork, Misfit, fold
from nhlib.regions.merging import same_map
from nhlib.regions.ragged import Ragged
from nhlib.regions.subdivision import (
    Cut,
    NotSimple,
    Subdivision,
    TooManyRegions,
    cut_by_all,
    radix_order,
)

# Pre-activations smaller than this, beside the numbers they are summed from, count as zero.
ROUNDING = 1e-13


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
        points = [_flat(one, "plane") for one in inputs]
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
        flat = np.stack([_flat(one, "inputs") for one in inputs])
        coordinates: Float64[np.ndarray, "k 2"] = (flat - self.origin) @ self.axes.T
        return coordinates


class Partition:
    """The linear regions of a network in a rectangle, exactly; `partition` makes it.

    Attributes
    ----------
    extent : tuple of float
        Left, right, bottom and top of the rectangle.
    plane : Plane
        Where the rectangle lies in input space; for a network of two inputs, all of it.
    vertices : float64 array, shape (n_vertices, 2)
        Points where lines meet, each of them once; shared by the polygons around it.
    edges : int64 array, shape (n_edges, 2)
        Pieces of line between two vertices, which run from the first to the second.
    edge_regions : int64 array, shape (n_edges, 2)
        Regions on the left and on the right of each edge; -1 is outside the rectangle.
    edge_units : int64 array, shape (n_edges,)
        The unit that switches there: its place in the code. -1 for the rectangle's frame.
    codes : NeuralCodes
        Code of every region, as `nhlib.encode` gives it for the inputs inside.

    Notes
    -----
    Everything is computed in float64, whatever the network's precision. A bit is 1 where the
    pre-activation is > 0, so a unit that is exactly 0 all over a region has bit 0 there. Regions
    are open: at a point on a border, `nhlib.encode` gives the code of the side that is off.
    """

    def __init__(
        self,
        network: FoldedNetwork,
        plane: Plane,
        extent: tuple[float, float, float, float],
        subdivision: Subdivision,
        codes: NeuralCodes,
    ) -> None:
        self._network, self.plane, self.extent, self.codes = network, plane, extent, codes
        self.vertices = subdivision.points
        self.edges = subdivision.edges
        self.edge_regions = subdivision.sides
        self.edge_units = subdivision.units

    def __repr__(self) -> str:
        return f"Partition({self.n_regions} activation regions in {self.extent})"

    @property
    def n_regions(self) -> int:
        """Number of activation regions: convex polygons in which no unit switches."""
        return len(self.codes)

    @cached_property
    def _walk(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Go round every region: its vertices, the regions across, and where each starts."""
        face = self.edge_regions.T.ravel()
        inside = face >= 0
        start = self.edges.T.ravel()[inside]
        end = self.edges[:, ::-1].T.ravel()[inside]
        across = self.edge_regions[:, ::-1].T.ravel()[inside]
        face = face[inside]
        # Half of each edge per region; the next half begins where this one ends.
        by_start, by_end = radix_order(face, start), radix_order(face, end)
        rank = np.empty(len(face), np.int64)
        rank[by_end] = np.arange(len(face))
        following = rank[by_start]
        sizes = np.bincount(face, minlength=self.n_regions)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        longest_first = radix_order(sizes)[::-1]
        here = starts[:-1][longest_first]
        place = here.copy()
        order = np.empty(len(face), np.int64)
        remaining = np.searchsorted(-sizes[longest_first], -np.arange(sizes.max()))
        for k in remaining:
            here, place = here[:k], place[:k]
            order[place] = here
            here, place = following[here], place + 1
        order = by_start[order]
        return start[order], across[order], starts

    @cached_property
    def polygons(self) -> Ragged:
        """For every region, the indices of its corners in `vertices`, counterclockwise.

        A vertex of a neighbouring region that lies within a side is listed too.
        """
        corners, _, starts = self._walk
        return Ragged(corners, starts)

    @cached_property
    def neighbours(self) -> Ragged:
        """For every region, the regions with which it shares a side, counterclockwise."""
        _, across, starts = self._walk
        # A side with a vertex inside meets the same neighbour twice in a row.
        before = np.roll(across, 1)
        before[starts[:-1]] = across[starts[1:] - 1]
        kept = (across >= 0) & (across != before)
        return Ragged(across[kept], np.concatenate([[0], np.cumsum(kept)])[starts])

    @cached_property
    def areas(self) -> Float64[np.ndarray, " n_regions"]:
        """Area of every region, by the shoelace formula."""
        corners, _, starts = self._walk
        # Relative to a corner of each polygon: thin regions far from the origin keep their digits.
        own = np.repeat(self.vertices[corners[starts[:-1]]], np.diff(starts), axis=0)
        x, y = (self.vertices[corners] - own).T
        x_next, y_next = _following(x, starts), _following(y, starts)
        return np.add.reduceat(x * y_next - x_next * y, starts[:-1]) / 2

    @cached_property
    def centroids(self) -> Float64[np.ndarray, "n_regions 2"]:
        """Mean of every region's corners: a point inside."""
        corners, _, starts = self._walk
        sums = np.add.reduceat(self.vertices[corners], starts[:-1], axis=0)
        return sums / np.diff(starts)[:, None]

    # -- the affine maps -------------------------------------------------------------------

    @cached_property
    def _maps(self) -> tuple[np.ndarray, np.ndarray]:
        on = _on_by_layer(self.codes)
        axes = np.broadcast_to(self.plane.axes, (self.n_regions, *self.plane.axes.shape))
        slopes, offsets = self._network.push(axes, self.plane.origin, on)
        return slopes.transpose(0, 2, 1), offsets

    @property
    def slopes(self) -> Float64[np.ndarray, "n_regions n_outputs 2"]:
        """In each region, outputs are ``slopes @ point + offsets`` for a point of the rectangle."""
        return self._maps[0]

    @property
    def offsets(self) -> Float64[np.ndarray, "n_regions n_outputs"]:
        """What the affine map of each region gives at coordinates (0, 0)."""
        return self._maps[1]

    def affine_map(
        self, region: SupportsIndex
    ) -> tuple[Float64[np.ndarray, "n_outputs n_inputs"], Float64[np.ndarray, " n_outputs"]]:
        """Return weights and biases of the map from whole inputs to outputs in one region."""
        return affine_map(self._network, self.codes, region)

    # -- linear regions --------------------------------------------------------------------

    @cached_property
    def linear_regions(self) -> Int64[np.ndarray, " n_regions"]:
        """Number of the linear region to which each activation region belongs.

        Two activation regions that share a side belong together if their affine maps are the
        same: not nearly, but exactly. That is so where no path of units that are on leads from
        a switching unit to the outputs; where rounding leaves a doubt, rational arithmetic decides.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        inner = np.flatnonzero((self.edge_regions >= 0).all(axis=1))
        left, right = self.edge_regions[inner].T
        same = same_map(self._network, self.codes, left, right)
        graph = coo_array(
            (np.ones(int(same.sum()), bool), (left[same], right[same])),
            shape=(self.n_regions, self.n_regions),
        )
        labels: Int64[np.ndarray, " n_regions"]
        labels = connected_components(graph, directed=False)[1].astype(np.int64)
        return labels

    @property
    def n_linear_regions(self) -> int:
        """Number of linear regions: maximal connected pieces with one affine map."""
        return int(self.linear_regions.max()) + 1

    # -- points and the decision boundary --------------------------------------------------

    def locate(self, points: Any) -> Int64[np.ndarray, " k"]:
        """Say in which region each of k points lies.

        Parameters
        ----------
        points : array_like, shape (k, 2)
            Coordinates in the rectangle; ``partition.plane.coordinates(inputs)`` of inputs.

        Returns
        -------
        int64 array, shape (k,)
            Indices of regions; -1 outside the rectangle. A point on a border gets a region
            beside it.
        """
        points = _points(points)
        left, right, bottom, top = self.extent
        found = np.full(len(points), -1)
        within = (points >= (left, bottom)).all(axis=1) & (points <= (right, top)).all(axis=1)
        if not within.any():
            return found
        h, on = self.plane.inputs(points[within]), []
        for layer in self._network.hidden:
            z = layer.preactivations(h)
            on.append(np.packbits(z > 0, axis=1))
            h = layer.activations(z)
        rows = NeuralCodes(np.hstack(on), self.codes.layers)._rows()
        ours = self.codes._rows()
        order = np.argsort(ours)
        place = np.minimum(np.searchsorted(ours[order], rows), len(ours) - 1)
        region = np.where(ours[order][place] == rows, order[place], -1)
        lost = np.flatnonzero(region < 0)  # on a border, or within rounding of one
        for i in lost:
            region[i] = self._nearest(points[within][i])
        found[within] = region
        return found

    def _nearest(self, point: np.ndarray) -> int:
        """Find the convex polygon that a point is in, or least outside of."""
        corners, _, starts = self._walk
        x, y = (self.vertices[corners] - point).T
        x_next, y_next = _following(x, starts), _following(y, starts)
        side = np.hypot(x_next - x, y_next - y)
        distance = (x * y_next - x_next * y) / np.where(side > 0, side, 1)
        return int(np.minimum.reduceat(distance, starts[:-1]).argmax())

    def decision_boundary(self) -> Float64[np.ndarray, "m 2 2"]:
        """Return the line segments on which the network's decision changes.

        With one output, where it is 0; with several, where the two largest are equal. Where
        they are equal all over a region, its border is the boundary.

        Returns
        -------
        float64 array, shape (m, 2, 2)
            Coordinates of the two ends of each segment; every one lies in one region, or on the
            border between two.
        """
        corners, _, starts = self._walk
        region = np.repeat(np.arange(self.n_regions), np.diff(starts))
        borders = (self.edge_regions >= 0).all(axis=1)
        left, right = self.edge_regions.T
        outputs = self._network.outputs(self.plane.inputs(self.vertices))
        if outputs.shape[1] == 1:
            outputs = np.hstack([outputs, np.zeros_like(outputs)])
        near = ROUNDING * np.abs(outputs).max()
        segments = [np.empty((0, 2, 2))]
        for c, d in combinations(range(outputs.shape[1]), 2):
            margin = outputs[:, c] - outputs[:, d]
            margin[np.abs(margin) <= near] = 0
            here = margin[corners]
            after = _following(here, starts)
            most = np.maximum.reduceat(here, starts[:-1])
            least = np.minimum.reduceat(here, starts[:-1])
            # Through the regions that have both signs: once in and once out.
            both = (most > 0) & (least < 0)
            crossed = np.flatnonzero(both[region] & ((here > 0) != (after > 0)))
            first = np.diff(region[crossed], prepend=-1) != 0
            last = np.diff(region[crossed], append=-1) != 0
            crossed = np.stack([crossed[first], crossed[last]], axis=1)
            t = here[crossed] / (here[crossed] - after[crossed])
            # And along the borders between regions of different sign.
            sign = np.sign(most + least)
            along = borders & (margin[self.edges] == 0).all(axis=1) & (sign[left] != sign[right])
            start = np.concatenate([corners[crossed], self.edges[along]])
            end = np.concatenate([_following(corners, starts)[crossed], self.edges[along]])
            t = np.concatenate([t, np.zeros((int(along.sum()), 2))])
            points, values = (
                table[start] + t[:, :, None] * (table[end] - table[start])
                for table in (self.vertices, outputs)
            )
            others = np.delete(values, [c, d], axis=2)
            segments.append(_clipped(points, values[:, :, [c]] - others, near))
        return np.unique(np.concatenate(segments), axis=0)


def _clipped(
    ends: Float64[np.ndarray, "m 2 2"], lead: Float64[np.ndarray, "m 2 others"], near: float
) -> Float64[np.ndarray, "k 2 2"]:
    """Keep the part of each segment on which no lead, known at its two ends, is below zero."""
    first, last = np.where(np.abs(lead) <= near, 0, lead).transpose(1, 0, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        cross = first / (first - last)
    low = np.where((first < 0) & (last >= 0), cross, 0).max(axis=1, initial=0)
    high = np.where((first >= 0) & (last < 0), cross, 1).min(axis=1, initial=1)
    kept = ~((first < 0) & (last < 0)).any(axis=1) & (low < high)
    t = np.stack([low[kept], high[kept]], axis=1)[:, :, None]
    clipped: Float64[np.ndarray, "k 2 2"] = ends[kept, :1] + t * np.diff(ends[kept], axis=1)
    return clipped


def _following(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the next entry round each polygon."""
    following = np.empty_like(values)
    following[:-1] = values[1:]
    following[starts[1:] - 1] = values[starts[:-1]]
    return following


def _on_by_layer(codes: NeuralCodes) -> list[Bool[np.ndarray, "k _"]]:
    return [codes[name].bits().astype(bool) for name in codes.layers]


def affine_map(
    network: FoldedNetwork, codes: NeuralCodes, i: SupportsIndex
) -> tuple[Float64[np.ndarray, "n_outputs n_inputs"], Float64[np.ndarray, " n_outputs"]]:
    """Return weights and biases of the affine map that belongs to the i-th code."""
    n = network.layers[0].weights.shape[1]
    weights, biases = network.push(np.eye(n)[None], np.zeros(n), _on_by_layer(codes[i]))
    return weights[0].T, biases[0]


def partition(
    network: nn.Module,
    plane: Any = None,
    extent: Any = None,
    max_regions: int = 1_000_000,
) -> Partition:
    r"""Cut a rectangle into the linear regions of a network, exactly.

    Every unit is on at one side of a line and off at the other; lines of a first layer are
    straight, those of later layers bend where they cross lines before them. What they cut the
    rectangle into are the regions in which no unit switches: convex polygons, one code each,
    on which the network is one affine map.

    Parameters
    ----------
    network : torch.nn.Module
        An ``nn.Sequential`` (nested or not) of Linear, BatchNorm, convolution and average
        pooling, Flatten, Dropout, and ReLU, LeakyReLU or PReLU; it counts as in eval mode.
    plane : three inputs, optional
        For a network of more than two inputs: the rectangle lies in the plane through them.
    extent : (left, right, bottom, top), optional
        The rectangle. By default (-1, 1, -1, 1); in a plane, the box around the three inputs
        with a quarter of its size on every side.
    max_regions : int, default 1,000,000
        Stop with an error where there are more; a million take several gigabytes.

    Returns
    -------
    Partition

    Raises
    ------
    TypeError
        If `network` is no module.
    ValueError
        If a layer is of another kind, or holds nan or infinity; if the network takes other
        than two inputs and there is no plane; if the plane's inputs lie on one line, or the
        rectangle is empty; if there are more than `max_regions` regions.

    See Also
    --------
    segment : the regions along a line between two inputs.

    Notes
    -----
    One vectorized pass a layer, in float64. Signs of pre-activations at the shared vertices
    say which edges a unit's line crosses; crossings are paired into chords of faces, chords
    into crossings of their own; a new face is known by its parent and its code. Where lines
    coincide or meet in a point, within rounding, the layer is cut line by line instead: points
    closer to a line than about 1e-13 of the rectangle's size then count as on it. Euler's formula
    is checked for every layer.

    Examples
    --------
    >>> import nhlib as nh
    >>> p = nh.partition(nh.mlp(2, [8, 8], 2, seed=1))
    >>> p
    Partition(28 activation regions in (-1.0, 1.0, -1.0, 1.0))
    >>> print(round(p.areas.sum(), 12))
    4.0
    >>> region = p.locate([[0.5, 0.25]])[0]
    >>> p.codes[region].bits()
    array([[1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1]], dtype=uint8)
    >>> weights, biases = p.affine_map(region)
    >>> weights @ [0.5, 0.25] + biases
    array([-0.0169, -0.0226])
    """
    limit = whole_number("max_regions", max_regions, 1)
    if plane is None:
        where = Plane(np.zeros(2), np.eye(2))
        try:
            folded = fold(network, (2,))
        except Misfit as error:
            raise ValueError(
                f"{error}; for a network of other than two inputs, pass plane: three of its inputs"
            ) from None
    else:
        points = [torch.as_tensor(one) for one in plane]
        where = Plane.through(points)
        folded = fold(network, tuple(points[0].shape))
    rectangle = _rectangle(extent, None if plane is None else where.coordinates(points))
    subdivision = Subdivision.rectangle(*rectangle)
    h = where.inputs(subdivision.points)
    cuts: list[Cut] = []
    first_unit = 0
    try:
        for layer in folded.hidden:
            last = layer is folded.hidden[-1]
            z, near = layer.preactivations(h), _near(layer, h)
            cut = _cut(subdivision, z, near, first_unit, limit, last)
            cuts.append(cut)
            subdivision = cut.subdivision
            first_unit += len(layer.biases)
            if cut.preactivations is not None:
                h = layer.activations(cut.preactivations)
    except TooManyRegions as error:
        raise ValueError(
            f"max_regions: the network has at least {error.args[0]:,} regions here, and "
            f"{limit:,} are the limit; take a smaller extent, or raise max_regions"
        ) from None
    codes = _composed(cuts, folded)
    return Partition(folded, where, rectangle, subdivision, codes)


def _cut(
    subdivision: Subdivision, z: Any, near: Any, first_unit: int, limit: int, last: bool
) -> Cut:
    try:
        return cut_by_all(subdivision, z, near, first_unit, limit, needs_preactivations=not last)
    except NotSimple:
        return cut_one_by_one(subdivision, z, near, first_unit, limit)


def _near(layer: Any, h: Float64[np.ndarray, "k n"]) -> Float64[np.ndarray, " units"]:
    """Return what rounding can make of a zero in a layer's pre-activations."""
    largest = np.linalg.norm(h, axis=1).max()
    size = np.linalg.norm(layer.weights, axis=1) * largest + np.abs(layer.biases)
    return np.asarray(ROUNDING * size)


def _composed(cuts: list[Cut], network: FoldedNetwork) -> NeuralCodes:
    """Put the codes together: every region has the bits of the regions it was cut from."""
    region = np.arange(cuts[-1].subdivision.n_faces)
    parts: list[np.ndarray] = []
    for cut, layer in zip(reversed(cuts), reversed(network.hidden), strict=True):
        n_bytes = -(-len(layer.biases) // 8)
        parts.append(cut.bits.view(np.uint8)[region, :n_bytes])
        region = cut.parents[region]
    packed = np.hstack(parts[::-1])
    return NeuralCodes(packed, {layer.name: layer.shape for layer in network.hidden})


def _rectangle(
    extent: Any, around: Float64[np.ndarray, "3 2"] | None
) -> tuple[float, float, float, float]:
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


def _points(points: Any) -> Float64[np.ndarray, "k 2"]:
    array = torch.as_tensor(points).detach().cpu().double().numpy()
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"points: shape (k, 2) is needed, not {array.shape}")
    return array


def _flat(one: Any, name: str) -> Float64[np.ndarray, " n"]:
    flat = torch.as_tensor(one).detach().cpu().double().numpy().ravel()
    if not np.isfinite(flat).all():
        raise ValueError(f"{name}: an input holds nan or infinity")
    return flat
