"""The exact subdivision of a rectangle into the regions of a network."""

from typing import Any

import numpy as np
from jaxtyping import Float64
from torch import nn

from nhlib._arguments import real_numbers, whole_number
from nhlib._interrupts import interrupts_held_back
from nhlib._threads import default_threads, one_thread_a_product
from nhlib.codes import NeuralCodes
from nhlib.regions.affine import FoldedNetwork
from nhlib.regions.descent import Descent
from nhlib.regions.folding import Misfit, fold
from nhlib.regions.partitions import Partition
from nhlib.regions.plane import Plane, grid, to_rectangle
from nhlib.regions.rounding import Rounding
from nhlib.regions.stitching import Whole, stitch
from nhlib.regions.subdivision import Contradiction, Subdivision, TooManyRegions

# Where rounding contradicts itself, what counts as zero is widened so many times, fourfold each.
_ATTEMPTS = 8


def partition(
    network: nn.Module,
    plane: Any = None,
    extent: Any = None,
    max_regions: int = 1_000_000,
    threads: int | None = None,
    progress: bool = True,
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
        Stop with an error where there are more; a million take one to two gigabytes.
    threads : int, optional
        How many parts of the rectangle are cut at the same time; by default as many as PyTorch
        computes with. The result is the same to the last bit for any number.
    progress : bool, default True
        Show a bar from two seconds on.

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
    into crossings of their own; a new face is known by its parent and its code. Behind each layer
    the rectangle falls into blocks that fit into a processor's cache; a block goes down all layers
    before the next one starts, so that memory holds little beside the result. A pre-activation
    counts as zero below about 1e-13 of the sum of the sizes of its terms, and lines that meet
    within that meet in one point. Faces in which that leaves a doubt are cut line by line.
    Euler's formula is checked for every face and for the whole.

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
    n_threads = default_threads() if threads is None else whole_number("threads", threads, 1)
    where, around = _plane(plane)
    try:
        folded = fold(network, where.shape)
    except Misfit as error:
        hint = "; for a network of other than two inputs, pass plane: three of its inputs"
        raise ValueError(f"{error}{hint if plane is None else ''}") from None
    if isinstance(plane, Plane) and extent is None:
        raise ValueError("extent: a Plane has no size, so (left, right, bottom, top) is needed")
    rectangle = to_rectangle(extent, around)
    with interrupts_held_back() as interrupts, one_thread_a_product(), interrupts.let_through():
        whole = _cut_up(folded, where, rectangle, limit, n_threads, progress)
    codes = NeuralCodes(whole.codes, {layer.name: layer.shape for layer in folded.hidden})
    return Partition(folded, where, rectangle, whole, codes)


def _plane(plane: Any) -> tuple[Plane, Float64[np.ndarray, "3 2"] | None]:
    """Return the plane that is meant, and the coordinates of inputs that it was laid through."""
    if plane is None:
        return Plane(np.zeros(2), np.eye(2), (2,)), None
    if isinstance(plane, Plane):
        return plane, None
    where = Plane.through(plane)
    return where, where.coordinates(np.stack([real_numbers("plane", one) for one in plane]))


def _cut_up(
    network: FoldedNetwork,
    plane: Plane,
    rectangle: tuple[float, float, float, float],
    limit: int,
    threads: int,
    progress: bool,
) -> Whole:
    layers = network.balanced.hidden
    corners = Subdivision.rectangle(*rectangle)
    inputs = plane.inputs(corners.points)
    for attempt in range(_ATTEMPTS):
        rounding = Rounding(layers, plane.inputs, grid(rectangle), 4.0**attempt)
        try:
            return stitch(
                Descent(layers, rounding, limit, threads, progress).leaves(corners, inputs)
            )
        except Contradiction:
            continue
        except TooManyRegions as error:
            raise ValueError(
                f"max_regions: there are at least {error.args[0]:,} regions here, and {limit:,} "
                "are the limit; take a smaller extent, or raise max_regions"
            ) from None
    raise ArithmeticError(
        "network: lines of its units cannot be told from points near them in float64; its regions "
        "are too thin"
    )
