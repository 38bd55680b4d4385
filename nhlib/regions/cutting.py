"""The exact subdivision of a rectangle into the regions of a network."""

from typing import Any

import numpy as np
from jaxtyping import Float64
from torch import nn

from nhlib._arguments import real_numbers, whole_number
from nhlib.codes import NeuralCodes
from nhlib.regions.affine import FoldedNetwork, Layer
from nhlib.regions.folding import Misfit, fold
from nhlib.regions.general_position import cut_by_all
from nhlib.regions.line_by_line import cut_one_by_one
from nhlib.regions.partitions import Partition
from nhlib.regions.plane import Plane, checked_rectangle
from nhlib.regions.subdivision import Cut, NotSimple, Subdivision, TooManyRegions


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
    plane : three inputs, or a Plane, optional
        For a network of other than two inputs: the rectangle lies in the plane through three of
        its inputs, without a batch dimension, with the first at coordinates (0, 0) and the second
        on the first axis. Or in the plane of another partition, ``other.plane``.
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
        rectangle is empty; if there are more than `max_regions` regions, or numbers overflow.
    ArithmeticError
        If rounding leaves no consistent subdivision; no network is known for which it does.

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
    >>> (weights @ [0.5, 0.25] + biases).round(4)
    array([-0.0169, -0.0226])
    """
    limit = whole_number("max_regions", max_regions, 1)
    where, around = _plane(plane)
    try:
        folded = fold(network, where.shape)
    except Misfit as error:
        hint = "; for a network of other than two inputs, pass plane: three of its inputs"
        raise ValueError(f"{error}{hint if plane is None else ''}") from None
    if isinstance(plane, Plane) and extent is None:
        raise ValueError("extent: a Plane has no size, so (left, right, bottom, top) is needed")
    rectangle = checked_rectangle(extent, around)
    subdivision = Subdivision.rectangle(*rectangle)
    h = where.inputs(subdivision.points)
    cuts: list[Cut] = []
    first_unit = 0
    try:
        for layer in folded.hidden:
            cut = _cut_by(layer, h, subdivision, first_unit, limit, layer is folded.hidden[-1])
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


def _plane(plane: Any) -> tuple[Plane, Float64[np.ndarray, "3 2"] | None]:
    """Return the plane that is meant, and the coordinates of inputs that it was laid through."""
    if plane is None:
        return Plane(np.zeros(2), np.eye(2), (2,)), None
    if isinstance(plane, Plane):
        return plane, None
    where = Plane.through(plane)
    return where, where.coordinates(np.stack([real_numbers("plane", one) for one in plane]))


def _cut_by(
    layer: Layer,
    h: Float64[np.ndarray, "n_points n"],
    subdivision: Subdivision,
    first_unit: int,
    limit: int,
    last: bool,
) -> Cut:
    with np.errstate(over="ignore", invalid="ignore"):
        z, near = layer.preactivations(h), layer.rounding(h)
    if not (np.isfinite(z).all() and np.isfinite(near).all()):
        raise ValueError(
            f"network: pre-activations of layer {layer.name} overflow float64 in this extent"
        )
    try:
        return cut_by_all(subdivision, z, near, first_unit, limit, needs_preactivations=not last)
    except NotSimple:
        pass
    # Units that are zero everywhere (those that see an image's black margin) have no border, and
    # need not make a layer a special case.
    silent = (np.abs(z) <= near).all(axis=0)
    z[:, silent] = -1 - near[silent]
    try:
        cut = cut_by_all(subdivision, z, near, first_unit, limit, needs_preactivations=not last)
    except NotSimple:
        cut = cut_one_by_one(subdivision, z, near, first_unit, limit)
    if cut.preactivations is not None:
        cut.preactivations[:, silent] = 0
    return cut


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
