"""The polyhedron of all inputs that have one code: its sides, its neighbours, its affine map."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8
from torch import nn

from nhlib._arguments import real_numbers
from nhlib.codes import NeuralCodes
from nhlib.regions.affine import FoldedNetwork
from nhlib.regions.dual_hulls import Facets, facets_by_hull, interval
from nhlib.regions.folding import Misfit, fold
from nhlib.regions.halfspaces import Bits, Box, Halfspaces, bits_behind, halfspaces, signs_at
from nhlib.regions.linear_programs import facets_by_programs
from nhlib.regions.ragged_arrays import read_only

# Up to so many dimensions the dual's convex hull has few sides.
_HULL = 4

# Normals span what they span up to this share of their sizes.
_RANK = 1e-10


class Region:
    """The region of an input: all inputs with its code; `region` makes it.

    Attributes
    ----------
    code : NeuralCodes
        The code, of length 1, as `nhlib.encode` gives it inside.
    normals : float64 array, shape (m, n_inputs)
        Vectors of length 1 that point inwards. An input y, flat, lies in the region if
        ``normals @ y + offsets >= 0``, which is its distance from each hyperplane.
    offsets : float64 array, shape (m,)
        See `normals`.
    units : int64 array, shape (m,)
        The unit that switches at each hyperplane: its place in the code. Where several switch on
        the same hyperplane, the first of them. -1 for the sides of the box. Units that are
        constant in the region have no hyperplane.
    facets : int64 array, shape (f,)
        The inequalities without which the region would be larger: its sides. The others follow
        from these.
    """

    def __init__(
        self, network: FoldedNetwork, bits: Bits, found: Halfspaces, facets: Facets
    ) -> None:
        self._network, self._bits, self._found = network, bits, found
        self.code = self._codes([on[None] for on in bits])
        self.normals = read_only(found.normals)
        self.offsets = read_only(found.offsets - found.normals @ found.point)
        self.units = read_only(found.units)
        self.facets = read_only(facets.which)

    def __repr__(self) -> str:
        return (
            f"Region({len(self.facets)} facets of {len(self.units)} hyperplanes in "
            f"{self.normals.shape[1]} dimensions)"
        )

    def _codes(self, bits: Sequence[Bool[np.ndarray, "k _"]]) -> NeuralCodes:
        layers = {layer.name: layer.shape for layer in self._network.hidden}
        return NeuralCodes(pack(bits), layers)

    @cached_property
    def neighbours(self) -> NeuralCodes:
        """Codes of the regions behind the facets, in their order; not behind sides of the box."""
        inner = self.facets[self.units[self.facets] >= 0]
        return self._codes(behind(self._network, self._bits, self._found, inner))

    @cached_property
    def _ball(self) -> tuple[Float64[np.ndarray, " n_inputs"] | None, float]:
        if _has_any_ball(self.normals):
            return None, np.inf
        return largest_ball(self._found)

    @property
    def radius(self) -> float:
        """Radius of the largest ball in the region; infinite if there are balls of any size."""
        return self._ball[1]

    @property
    def centre(self) -> Float64[np.ndarray, " n_inputs"] | None:
        """Centre of one of the largest balls in the region; None if there is no largest."""
        return self._ball[0]

    @cached_property
    def is_bounded(self) -> bool:
        """Whether the region ends in every direction."""
        normals = self.normals[self.facets]
        m, n = normals.shape
        if m <= n or np.linalg.matrix_rank(normals) < n:
            return False
        # Endless is a direction along which no facet comes closer, and one comes away.
        away = normals.sum(axis=0)
        return bool(away @ _highest(away, -normals, np.zeros(m), [(-1.0, 1.0)] * n) < _RANK)

    def affine_map(
        self,
    ) -> tuple[Float64[np.ndarray, "n_outputs n_inputs"], Float64[np.ndarray, " n_outputs"]]:
        """Return the affine map that the network is in the region.

        Returns
        -------
        weights : float64 array, shape (n_outputs, n_inputs)
        biases : float64 array, shape (n_outputs,)
        """
        return self._network.affine_map(self.code)


def region(network: nn.Module, x: Any, box: Any = None) -> Region:
    r"""Return the polyhedron of all inputs that have the code of an input.

    In a region every pre-activation is an affine function of the input, so the region is where all
    of them keep their signs: an intersection of halfspaces. Most of these follow from the others.
    Those that do not are its facets, and behind each of them lies one neighbour.

    Parameters
    ----------
    network : torch.nn.Module
        As `nhlib.partition` takes it, for inputs of any dimension.
    x : tensor or array
        One input, without a batch dimension.
    box : (low, high), optional
        Look at the inputs between these alone: two numbers, such as ``(0, 1)`` for images, or two
        arrays of the input's shape. By default the whole space.

    Returns
    -------
    Region

    Raises
    ------
    TypeError
        If `network` is no module.
    ValueError
        If a layer is of another kind, or holds nan or infinity; if the input does not fit, or lies
        outside the box; if no inputs but those on borders have its code.
    ImportError
        If linear programs are needed, and highspy is not installed.

    See Also
    --------
    walk : all regions, as a graph.
    border_distances : how near the hyperplanes are.
    partition : the regions in a plane.

    Notes
    -----
    Everything is computed in float64, from a copy of the network. In up to four dimensions facets
    are corners of the convex hull of the dual points (Qhull). Above that most facets are hit by
    shots from inside, and linear programs decide about the others (HiGHS). Either way they are
    certified: of each facet a point is known at which no other inequality is an equality, and of
    all others that they follow. What is narrower than about 1e-9 of the region is no facet, and
    hyperplanes that are the same within about 1e-13 are one.

    Examples
    --------
    >>> import nhlib as nh
    >>> r = nh.region(nh.mlp(3, [8, 8], 2, seed=0), [0.5, 0.2, -0.1], box=(-1, 1))
    >>> r
    Region(8 facets of 22 hyperplanes in 3 dimensions)
    >>> r.units[r.facets]
    array([ 3,  5, 11, 12, 13, 14, -1, -1])
    >>> r.neighbours.hamming(r.code).ravel()
    array([1, 1, 1, 1, 1, 1], dtype=int32)
    """
    point = real_numbers("x", x)
    folded = fold_for(network, point.shape)
    flat, sides = point.ravel(), to_box(box, point.shape)
    if sides is not None and ((flat < sides.low) | (flat > sides.high)).any():
        raise ValueError("x: it lies outside the box; take an input inside, or a larger box")
    bits = signs_at(folded.balanced.hidden, flat)
    found = from_inside(halfspaces(folded.balanced.hidden, bits, flat, sides), sides)
    return Region(folded, bits, found, facets_of(found))


def fold_for(network: nn.Module, shape: tuple[int, ...]) -> FoldedNetwork:
    """Fold a network for inputs of a shape."""
    try:
        return fold(network, shape)
    except Misfit as error:
        raise ValueError(f"{error}; x is one input, without a batch dimension") from None


def to_box(box: Any, shape: tuple[int, ...]) -> Box | None:
    """Return a box for inputs of a shape."""
    if box is None:
        return None
    hint = "; two numbers (low, high) are needed, or two arrays of the input's shape"
    try:
        low, high = box
    except (TypeError, ValueError):
        raise ValueError(f"box: not {box!r:.60}{hint}") from None
    corners = [real_numbers("box", corner, hint) for corner in (low, high)]
    for corner in corners:
        if corner.shape not in ((), shape):
            raise ValueError(f"box: not of shape {corner.shape}{hint}, {shape}")
    low, high = (np.broadcast_to(corner, shape).ravel() for corner in corners)
    if not (low < high).all():
        raise ValueError(f"box: low has to be below high everywhere{hint}")
    return Box(low, high)


def from_inside(found: Halfspaces, box: Box | None) -> Halfspaces:
    """Return inequalities as seen from a point with a distance from all hyperplanes."""
    near = found.shifts
    if (found.offsets > near).all():
        return found
    point = found.point
    own = found.units >= 0
    if box is not None and (found.offsets[own] > near[own]).all():
        # From a side of the box, a little towards its middle.
        inward = (box.low + box.high) / 2 - point
        falls = -found.normals[own] @ inward
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(falls > 0, found.offsets[own] / falls, np.inf).min(initial=1)
        step = inward * (reach / 2)
    else:
        centre, radius = largest_ball(found, most=1 + float(np.abs(point).max()))
        if radius <= 2 * near.max():
            raise ValueError("x: it lies on borders, and no inputs around it have its code")
        step = centre - point
    return found.seen_from(step)


def largest_ball(
    found: Halfspaces, most: float | None = None
) -> tuple[Float64[np.ndarray, " n_inputs"], float]:
    """Return centre and radius of the largest ball that fulfils inequalities.

    Parameters
    ----------
    found : Halfspaces
        The inequalities.
    most : float, optional
        The largest radius to look for; needed where there are balls of any size.
    """
    m, n = found.normals.shape
    table = np.hstack([-found.normals, np.ones((m, 1))])
    solved = _highest(np.eye(n + 1)[-1], table, found.offsets, [(None, None)] * n + [(None, most)])
    return found.point + solved[:-1], float(solved[-1])


def _has_any_ball(normals: Float64[np.ndarray, "m n"]) -> bool:
    """Say whether a polyhedron with these normals has balls of any size in it.

    Then there is a direction in which one comes away from all hyperplanes.
    """
    m, n = normals.shape
    table = np.hstack([-normals, np.ones((m, 1))])
    solved = _highest(np.eye(n + 1)[-1], table, np.zeros(m), [(-1.0, 1.0)] * (n + 1))
    return bool(solved[-1] > _RANK)


def _highest(
    objective: Float64[np.ndarray, " n"],
    table: Float64[np.ndarray, "m n"],
    bounds: Float64[np.ndarray, " m"],
    box: Sequence[tuple[float | None, float | None]],
) -> Float64[np.ndarray, " n"]:
    """Return where an objective is highest of ``table @ x <= bounds``."""
    from scipy.optimize import linprog

    solved = linprog(-objective, table, bounds, bounds=box)
    if solved.status != 0:
        raise ArithmeticError(f"network: a linear program was not solved: {solved.message}")
    highest: Float64[np.ndarray, " n"] = solved.x
    return highest


def facets_of(found: Halfspaces) -> Facets:
    """Return the facets of a polyhedron, seen from inside; their points relative to there."""
    normals, axes = found.normals, None
    m, rank = normals.shape
    if (found.units >= 0).all():  # the sides of a box span everything
        _, sizes, directions = np.linalg.svd(normals, full_matrices=False)
        rank = int((sizes > _RANK * sizes.max(initial=0)).sum())
        if rank == m:  # independent normals: every hyperplane is a side
            return Facets(np.arange(m), -found.offsets[:, None] * np.linalg.pinv(normals).T)
        if rank < normals.shape[1]:  # nothing depends on the other directions
            axes = directions[:rank]
            normals = normals @ axes.T
    arguments = normals, found.offsets, found.tilts, found.shifts
    facets = None
    if rank == 1:
        facets = interval(*arguments[:2])
    elif rank <= _HULL:
        facets = facets_by_hull(*arguments)
    if facets is None:
        facets = facets_by_programs(*arguments)
    return facets if axes is None else facets._replace(points=facets.points @ axes)


def behind(
    network: FoldedNetwork, bits: Bits, found: Halfspaces, facets: Int64[np.ndarray, " k"]
) -> list[Bool[np.ndarray, "k _"]]:
    """Return the bits behind facets, layer by layer."""
    return bits_behind(
        network.balanced.hidden, bits, -found.normals[facets], found.switching[facets]
    )


def pack(bits: Sequence[Bool[np.ndarray, "k _"]]) -> UInt8[np.ndarray, "k n_bytes"]:
    """Return bits, layer by layer, as rows of bytes."""
    return np.hstack([np.packbits(on, axis=1) for on in bits])
