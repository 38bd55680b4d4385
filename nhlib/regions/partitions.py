"""The regions of a network in a rectangle: their shapes, codes, maps and neighbours."""

from functools import cached_property
from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Float64, Int64

from nhlib._arguments import whole_number
from nhlib.codes import NeuralCodes
from nhlib.regions.affine import FoldedNetwork
from nhlib.regions.decision_boundary import decision_boundary
from nhlib.regions.linear_regions import same_map
from nhlib.regions.plane import Plane, grid, pairs
from nhlib.regions.ragged_arrays import Ragged, read_only
from nhlib.regions.rounding import Rounding
from nhlib.regions.stitching import Whole
from nhlib.regions.topology import Topology, decision_topology

# Points that are located at once.
_BLOCK = 8192


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
        The unit that switches there: its place in the code. Where several switch on the same
        line, one of them: the first of the layer that comes first. -1 for the rectangle's frame.
    codes : NeuralCodes
        Code of every region, as `nhlib.encode` gives it for the inputs inside.

    Notes
    -----
    Everything is computed in float64, whatever the network's precision, and from a copy of the
    network as it was; the arrays are read-only. A bit is 1 where the pre-activation is > 0, so a
    unit that is 0 all over a region, within rounding, has bit 0 there. Regions are open: at a
    point on a border, `nhlib.encode` gives the code of the side that is off. In regions less
    than about 1e-11 of the rectangle wide, rounding moves the corners noticeably.
    """

    def __init__(
        self,
        network: FoldedNetwork,
        plane: Plane,
        extent: tuple[float, float, float, float],
        whole: Whole,
        codes: NeuralCodes,
    ) -> None:
        self._network, self._walk = network, whole.walk
        self.plane, self.extent, self.codes = plane, extent, codes
        self.vertices = read_only(whole.points)
        self.edges = read_only(whole.edges)
        self.edge_regions = read_only(whole.sides)
        self.edge_units = read_only(whole.units)

    def __repr__(self) -> str:
        return f"Partition({self.n_regions} activation regions in {self.extent})"

    @property
    def n_regions(self) -> int:
        """Number of activation regions: convex polygons in which no unit switches."""
        return len(self.codes)

    @cached_property
    def polygons(self) -> Ragged:
        """For every region, the indices of its corners in `vertices`, counterclockwise.

        A vertex of a neighbouring region that lies within a side is listed too.
        """
        return Ragged(self._walk.corners, self._walk.starts)

    @cached_property
    def neighbours(self) -> Ragged:
        """For every region, the regions with which it shares a side, counterclockwise."""
        across = self._walk.across
        kept = across >= 0
        return Ragged(across[kept], np.concatenate([[0], np.cumsum(kept)])[self._walk.starts])

    @cached_property
    def areas(self) -> Float64[np.ndarray, " n_regions"]:
        """Area of every region, by the shoelace formula."""
        walk = self._walk
        # Relative to a corner of each polygon: thin regions far from the origin keep their digits.
        one_corner = self.vertices[walk.corners[walk.starts[:-1]]]
        own = np.repeat(one_corner, np.diff(walk.starts), axis=0)
        x, y = (self.vertices[walk.corners] - own).T
        return read_only(walk.sums(x * walk.following(y) - walk.following(x) * y) / 2)

    @cached_property
    def centroids(self) -> Float64[np.ndarray, "n_regions 2"]:
        """Mean of every region's corners: a point inside."""
        sums = self._walk.sums(self.vertices[self._walk.corners])
        return read_only(sums / np.diff(self._walk.starts)[:, None])

    # -- the affine maps -------------------------------------------------------------------

    @cached_property
    def _maps(self) -> tuple[np.ndarray, np.ndarray]:
        slopes, offsets = self._network.push(self.plane.axes, self.plane.origin, self.codes)
        return read_only(slopes.transpose(0, 2, 1)), read_only(offsets)

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
        """Return the affine map from whole inputs to outputs in one region.

        Parameters
        ----------
        region : int
            Its number, from 0.

        Returns
        -------
        weights : float64 array, shape (n_outputs, n_inputs)
        biases : float64 array, shape (n_outputs,)

        Raises
        ------
        TypeError, ValueError
            If `region` is no whole number, or there is no such region: -1 is what `locate`
            gives for the outside.
        """
        i = whole_number("region", region, 0, self.n_regions - 1)
        return self._network.affine_map(self.codes[i])

    # -- linear regions --------------------------------------------------------------------

    @cached_property
    def linear_regions(self) -> Int64[np.ndarray, " n_regions"]:
        """Number of the linear region to which each activation region belongs.

        Two activation regions that share a side belong together if their affine maps are the
        same: not nearly, but exactly. That is so where nothing leads from a switching unit to the
        outputs, because all units behind it are off; where the paths that do lead there cancel;
        and where two units that switch together undo each other. Where rounding leaves a doubt,
        rational arithmetic decides.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        inner = np.flatnonzero((self.edge_regions >= 0).all(axis=1))
        left, right = self.edge_regions[inner].T
        same = same_map(self._network.balanced, self.codes, left, right)
        graph = coo_array(
            (np.ones(int(same.sum()), bool), (left[same], right[same])),
            shape=(self.n_regions, self.n_regions),
        )
        labels: Int64[np.ndarray, " n_regions"]
        labels = connected_components(graph, directed=False)[1].astype(np.int64)
        return read_only(labels)

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
            Coordinates in the rectangle; ``partition.plane.coordinates(inputs)`` of inputs. (Of an
            input beside the plane these are those of its foot, and so is the region.)

        Returns
        -------
        int64 array, shape (k,)
            Indices of regions; -1 outside the rectangle. A point on a border gets a region
            beside it.

        Raises
        ------
        ValueError
            If the shape is another, or there are other than finite real numbers.
        """
        coordinates = pairs("points", points)
        left, right, bottom, top = self.extent
        found = np.full(len(coordinates), -1)
        within = (coordinates >= (left, bottom)) & (coordinates <= (right, top))
        inside = np.flatnonzero(within.all(axis=1))
        layers = self._network.balanced.hidden
        rounding = Rounding(layers, self.plane.inputs, grid(self.extent))
        ours = self.codes._rows()
        order = np.argsort(ours)
        ascending = ours[order]
        for start in range(0, len(inside), _BLOCK):
            block = inside[start : start + _BLOCK]
            rows = self._codes_at(coordinates[block], rounding)._rows()
            place = np.minimum(np.searchsorted(ascending, rows), len(ours) - 1)
            found[block] = np.where(ascending[place] == rows, order[place], -1)
        lost = inside[found[inside] < 0]  # on a border, or within rounding of one
        found[lost] = self._nearest(coordinates[lost])
        return found

    def _codes_at(self, coordinates: Float64[np.ndarray, "k 2"], rounding: Rounding) -> NeuralCodes:
        h, on = self.plane.inputs(coordinates), []
        for i, layer in enumerate(self._network.balanced.hidden):
            z = layer.preactivations(h)
            rounding.clear(i, coordinates, z)
            on.append(np.packbits(z > 0, axis=1))
            h = layer.activations(z)
        return NeuralCodes(np.hstack(on), self.codes.layers)

    def _nearest(self, points: Float64[np.ndarray, "k 2"]) -> Int64[np.ndarray, " k"]:
        """Find the convex polygon that each point is in, or least outside of."""
        walk = self._walk
        x, y = self.vertices[walk.corners].T
        along_x, along_y = walk.following(x) - x, walk.following(y) - y
        side = np.hypot(along_x, along_y)
        side[side == 0] = 1
        along_x, along_y = along_x / side, along_y / side
        nearest = np.empty(len(points), np.int64)
        for i, (px, py) in enumerate(points):
            nearest[i] = walk.least(along_x * (py - y) - along_y * (px - x)).argmax()
        return nearest

    def decision_boundary(self) -> Float64[np.ndarray, "m 2 2"]:
        """Return the line segments on which the network's decision changes.

        With one output, where it changes its sign; with several, where the largest becomes
        another. On the boundary the output is 0, or the two largest are equal, but not everywhere
        where that is so does the decision change: the size of x is 0 at one point, and says the
        same on both sides. Where they are equal all over a region, its border is the boundary.

        Returns
        -------
        float64 array, shape (m, 2, 2)
            Coordinates of the two ends of each segment; every one lies in one region, or on the
            border between two.

        Examples
        --------
        >>> import nhlib as nh
        >>> p = nh.partition(nh.mlp(2, [8, 8], 2, seed=1))
        >>> p.decision_boundary().shape
        (2, 2, 2)
        """
        outputs = self._network.outputs(self.plane.inputs(self.vertices))
        return decision_boundary(self.vertices, self.edges, self.edge_regions, self._walk, outputs)

    def decision_topology(self) -> Topology:
        r"""Count the pieces, and the holes, of the sets of points on which each class is decided.

        With one output, class 1 is where it is above 0 and class 0 where it is below; with several
        a class is where its output is larger than all others. Counted is the inside of the
        rectangle: what its frame cuts in two are two pieces, and what reaches the frame surrounds
        nothing.

        Returns
        -------
        Topology
            Three int64 arrays, an entry a class: ``pieces``; ``holes``, which is how many sets of
            other points the pieces surround; and ``euler``, the Euler characteristic
            :math:`\chi = \text{pieces} - \text{holes}`, which is computed as what there is of
            regions, minus edges, plus vertices.

        Examples
        --------
        >>> import nhlib as nh
        >>> nh.partition(nh.mlp(2, [8, 8], 2, seed=1)).decision_topology().pieces
        array([1, 1])
        """
        outputs = self._network.outputs(self.plane.inputs(self.vertices))
        return decision_topology(self.edges, self.edge_regions, self._walk, outputs)
