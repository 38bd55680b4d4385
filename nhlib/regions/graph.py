"""All regions of a network, as a graph: who is whose neighbour, and which unit switches between."""

from collections import deque
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from torch import nn

from nhlib._arguments import real_numbers, whole_number
from nhlib._progress import progress_bar
from nhlib.codes import NeuralCodes
from nhlib.regions.affine import FoldedNetwork
from nhlib.regions.halfspaces import Bits, Box, Halfspaces, halfspaces, signs_at
from nhlib.regions.polyhedra import behind, facets_of, fold_for, from_inside, pack, to_box
from nhlib.regions.ragged_arrays import Ragged, read_only


class RegionGraph:
    """The regions of a network in a box, or in the whole space; `walk` makes it.

    Attributes
    ----------
    codes : NeuralCodes
        Code of every region, that of the start first.
    points : float64 array, shape (n_regions, n_inputs)
        A point inside each region, flat.
    edges : int64 array, shape (n_edges, 2)
        Every two regions that share a facet, the smaller number first; sorted.
    edge_units : int64 array, shape (n_edges,)
        The unit that switches between them: its place in the code; the first where there are
        several.
    steps : int64 array, shape (n_regions,)
        How many facets one has to pass to get there from the start, at least.
    """

    def __init__(
        self,
        codes: NeuralCodes,
        points: Float64[np.ndarray, "n_regions n_inputs"],
        edges: Int64[np.ndarray, "n_edges 2"],
        edge_units: Int64[np.ndarray, " n_edges"],
        steps: Int64[np.ndarray, " n_regions"],
    ) -> None:
        self.codes, self.points = codes, read_only(points)
        self.edges, self.edge_units = read_only(edges), read_only(edge_units)
        self.steps = read_only(steps)

    def __repr__(self) -> str:
        return f"RegionGraph({self.n_regions} regions, {len(self.edges)} common facets)"

    @property
    def n_regions(self) -> int:
        """Number of activation regions."""
        return len(self.codes)

    @cached_property
    def degrees(self) -> Int64[np.ndarray, " n_regions"]:
        """How many neighbours each region has."""
        return read_only(np.bincount(self.edges.ravel(), minlength=self.n_regions))

    @cached_property
    def neighbours(self) -> Ragged:
        """For every region, the regions with which it shares a facet, ascending."""
        one, other = np.concatenate([self.edges, self.edges[:, ::-1]]).T
        order = np.lexsort([other, one])
        return Ragged(other[order], np.concatenate([[0], np.cumsum(self.degrees)]))


def walk(
    network: nn.Module,
    start: Any,
    limit: int = 100_000,
    box: Any = None,
    progress: bool = True,
) -> RegionGraph:
    """Walk through all regions of a network, breadth first.

    From each region one passes through its facets to its neighbours. Where lines cross, any two
    regions are joined by such steps, so all are found: their number is exact.

    Parameters
    ----------
    network : torch.nn.Module
        As `nhlib.partition` takes it, for inputs of any dimension.
    start : tensor or array
        The input to start at, without a batch dimension.
    limit : int, default 100,000
        Stop with an error where there are more regions.
    box : (low, high), optional
        Look at the inputs between these alone: two numbers, such as ``(0, 1)`` for images, or two
        arrays of the input's shape. By default the whole space.
    progress : bool, default True
        Show a bar from two seconds on.

    Returns
    -------
    RegionGraph

    Raises
    ------
    TypeError, ValueError, ImportError
        As `region` raises them; a ValueError also if there are more than `limit` regions.
    ArithmeticError
        If rounding leaves a doubt about a region.

    See Also
    --------
    region : one of them.
    partition : the regions in a plane.

    Examples
    --------
    >>> import nhlib as nh
    >>> graph = nh.walk(nh.mlp(3, [8, 8], 2, seed=0), [0.5, 0.2, -0.1], box=(-1, 1))
    >>> graph
    RegionGraph(288 regions, 572 common facets)
    >>> print(graph.degrees.mean().round(2))
    3.97
    """
    most = whole_number("limit", limit, 1)
    point = real_numbers("start", start)
    folded, sides = fold_for(network, point.shape), to_box(box, point.shape)
    with progress_bar("walk", None, "regions", progress) as bar:
        search = _Search(folded, sides, most)
        bits = signs_at(folded.balanced.hidden, point.ravel())
        search.see(pack([on[None] for on in bits])[0], _Seen(0, 0, bits, point.ravel(), None))
        while search.waiting:
            search.visit(search.waiting.popleft())
            bar.update()
    return search.graph()


class _Seen(NamedTuple):
    """A region that was seen through a facet, or is the first, and is still to be visited."""

    number: int
    steps: int
    bits: Bits
    point: Float64[np.ndarray, " n_inputs"]  # on the facet
    inward: Float64[np.ndarray, " n_inputs"] | None


class _Search:
    """A breadth-first search for regions."""

    def __init__(self, network: FoldedNetwork, box: Box | None, limit: int) -> None:
        self._network, self._box, self._limit = network, box, limit
        self._layers = network.balanced.hidden
        self._numbers: dict[bytes, int] = {}
        self._steps: list[int] = []
        self._points: list[Float64[np.ndarray, " n_inputs"]] = []
        self._units: dict[tuple[int, int], int] = {}
        self.waiting: deque[_Seen] = deque()

    def see(self, code: UInt8[np.ndarray, " n_bytes"], seen: _Seen) -> int:
        """Return the number of a region, which is to be visited if it is new."""
        n = len(self._numbers)
        number = self._numbers.setdefault(code.tobytes(), n)
        if number == n:
            if n == self._limit:
                raise ValueError(
                    f"limit: there are more than {self._limit:,} regions here; raise limit, or "
                    "take a smaller box"
                )
            self._steps.append(seen.steps)
            self.waiting.append(seen._replace(number=n))
        return number

    def visit(self, seen: _Seen) -> None:
        """Look through all facets of a region."""
        number, steps, bits, point, inward = seen
        found = halfspaces(self._layers, bits, point, self._box)
        found = from_inside(found, self._box) if inward is None else _step(found, inward)
        self._points.append(found.point)
        facets = facets_of(found)
        inner = np.flatnonzero(found.units[facets.which] >= 0)
        which, places = facets.which[inner], found.point + facets.points[inner]
        codes = behind(self._network, bits, found, which)
        for k, (facet, code) in enumerate(zip(which, pack(codes), strict=True)):
            neighbour = [on[k] for on in codes]
            inward = -found.normals[facet]
            other = self.see(code, _Seen(-1, steps + 1, neighbour, places[k], inward))
            self._units[number, other] = int(found.units[facet])

    def graph(self) -> RegionGraph:
        """Return what was found."""
        pairs = sorted(pair for pair in self._units if pair[0] < pair[1])
        if any(pair[::-1] not in self._units for pair in self._units):
            raise ArithmeticError(
                "network: a facet was found from one side alone; regions are too thin for float64"
            )
        shapes = {layer.name: layer.shape for layer in self._network.hidden}
        packed = np.frombuffer(b"".join(self._numbers), np.uint8).reshape(len(self._numbers), -1)
        return RegionGraph(
            NeuralCodes(packed, shapes),
            np.array(self._points),
            np.array(pairs, np.int64).reshape(-1, 2),
            np.array([self._units[pair] for pair in pairs], np.int64),
            np.array(self._steps),
        )


def _step(found: Halfspaces, inward: Float64[np.ndarray, " n_inputs"]) -> Halfspaces:
    """Step from a facet into the middle between it and what comes next."""
    falls = -found.normals @ inward
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(falls > found.tilts, found.offsets / falls, np.inf).min(initial=np.inf)
    if not np.isfinite(reach):  # endless: as far as something else is near
        reach = np.abs(found.offsets).max()
    return found.seen_from(inward * (reach / 2))
