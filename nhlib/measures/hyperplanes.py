"""Random hyperplanes: a layer of them, and how rarely its codes collide."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn.utils import skip_init

from nhlib._arguments import real_numbers, seed_number, several, whole_number
from nhlib._progress import progress_bar
from nhlib.data import Split

# Pairs of inputs that are looked at together, and angles at which a layer's law is computed.
_BLOCK, _GRID = 2_000_000, 4_097


def random_hyperplanes(inputs: Any, n_bits: int, seed: int = 0) -> nn.Sequential:
    r"""Build a layer of units whose borders are random hyperplanes through the mean input.

    Unit :math:`j` is on where :math:`w_j \cdot (x - \bar x) > 0`, with :math:`w_j` drawn from
    the normal distribution and :math:`\bar x` the mean of the inputs. The codes of this
    layer are those of *locality-sensitive hashing* by random projection [1]_: two inputs
    differ in a bit with probability θ/π, where θ is the angle under which the mean sees
    them. The layer knows no labels and learns nothing: what its codes do, any codes of
    equal length should beat.

    Hyperplanes through the origin would be a weaker opponent: images have no negative
    pixels, so that the origin sees them all under small angles.

    Parameters
    ----------
    inputs : float tensor of shape (n, \*shape), or nhlib.Split
        The inputs whose mean the hyperplanes go through: training inputs.
    n_bits : int
        How many hyperplanes, at least 1.
    seed : int, default 0
        Seed of their directions; the global random state is not used.

    Returns
    -------
    torch.nn.Sequential
        Layers ``flatten``, ``linear1`` and ``relu1``, in float32, for `nhlib.encode`.

    Raises
    ------
    TypeError, ValueError
        If there are no inputs, or a number is out of range.

    References
    ----------
    .. [1] M. Charikar, "Similarity estimation techniques from rounding algorithms", STOC
       2002.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> nh.encode(nh.random_hyperplanes(data.train, 50), data.test)
    NeuralCodes(360 examples × 50 bits, relu1: 50)
    """
    mean = _vectors(inputs).mean(dim=0)
    n_bits = whole_number("n_bits", n_bits, 1)
    generator = torch.Generator().manual_seed(seed_number(seed))
    directions = torch.randn(
        n_bits, len(mean), dtype=torch.float64, device="cpu", generator=generator
    )
    linear: nn.Linear = skip_init(nn.Linear, len(mean), n_bits, device="cpu", dtype=torch.float32)
    linear.weight.detach().copy_(directions)
    linear.bias.detach().copy_(-directions @ mean)
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), linear1=linear, relu1=nn.ReLU()))


def hyperplane_entropy(
    inputs: Any,
    n_bits: int | Iterable[int],
    offsets: Any = None,
    *,
    progress: bool = True,
) -> float | Float64[np.ndarray, " k"]:
    r"""Collision entropy that angles predict for the codes of random hyperplanes, in bits.

    A hyperplane through the origin, of random direction, separates two inputs at angle
    :math:`\theta` with probability :math:`\theta / \pi` [1]_. So :math:`m` of them give both the
    same code with probability :math:`(1 - \theta / \pi)^m`, and

    .. math:: H_2(m) = -\log_2 \mathrm{E} \left[ (1 - \theta / \pi)^m \right],

    with the mean over all pairs of inputs. No code is computed, and there is nothing to fit. It is
    the law of an untrained layer without biases, as far as its weights point in all directions
    alike. `redundancy_bound` makes a bound on the redundancy ratio of it.

    A hyperplane that lies `t` standard deviations from the inputs' centre gives both the same bit
    with probability

    .. math:: 1 - 4 \, T(t, \tan(\theta / 2)),

    where :math:`T` is Owen's function [2]_ and the centre sees both inputs at angle
    :math:`\theta` and equal distance. With `offsets` the product of these over all units takes the
    place of the power. That holds for units that depend neither on one another nor on the inputs;
    units that were trained may.

    Parameters
    ----------
    inputs : float tensor or array of shape (n, \*shape), or nhlib.Split
        At least two inputs, none of them 0. For hyperplanes through the mean, or near it, pass
        them less their mean.
    n_bits : int, or iterable of int
        How many hyperplanes; of several numbers, one entropy each.
    offsets : array of shape (n_bits,), optional
        How far each hyperplane lies from the origin: the mean of its pre-activation over the
        inputs, divided by the standard deviation. By default they go through the origin.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    float, or float64 array of shape (k,)
        Bits; 0 where all inputs point in one direction.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two inputs, one of them is 0 or not finite, or numbers do not fit.

    See Also
    --------
    collision_entropy : the same of codes that are there.
    redundancy_bound : what follows for the redundancy ratio.

    References
    ----------
    .. [1] M. Goemans, D. Williamson, "Improved approximation algorithms for maximum cut and
       satisfiability problems using semidefinite programming", Journal of the ACM 42(6), 1995.
    .. [2] D. Owen, "Tables for computing bivariate normal probabilities", Annals of Mathematical
       Statistics 27(4), 1956.

    Examples
    --------
    Two inputs at a right angle: each hyperplane separates them with probability one half.

    >>> hyperplane_entropy([[1.0, 0.0], [0.0, 2.0]], [1, 10])
    array([ 1., 10.])
    """
    points = _vectors(inputs)
    if len(points) < 2:
        raise ValueError(f"inputs: at least 2 are needed, not {len(points)}")
    lengths = points.norm(dim=1)
    if not bool(lengths.isfinite().all() and (lengths > 0).all()):
        raise ValueError("inputs: finite ones are needed, and none that is 0: it has no direction")
    alone = isinstance(n_bits, (int, np.integer)) and not isinstance(n_bits, bool)
    numbers = [
        whole_number("n_bits", n, 0)
        for n in ([n_bits] if alone else several("n_bits", n_bits, "whole numbers"))
    ]
    law = None
    if offsets is not None:
        offsets = real_numbers("offsets", offsets)
        if not alone or offsets.shape != (numbers[0],):
            raise ValueError(
                f"offsets: one for each of n_bits={n_bits} hyperplanes is needed, not shape "
                f"{offsets.shape}"
            )
        law = _LayerLaw(offsets)
    directions = (points / lengths[:, None]).numpy()
    sums = np.zeros(len(numbers))
    rows = max(1, _BLOCK // len(directions))
    with progress_bar("angles", len(directions), "inputs", progress) as bar:
        for start in range(0, len(directions), rows):
            block = directions[start : start + rows]
            # Of every pair once: later inputs only.
            cosines = block @ directions[start:].T
            pairs = cosines[np.triu_indices(len(block), 1, cosines.shape[1])]
            angles = np.arccos(np.clip(pairs, -1, 1))
            if law is not None:
                sums += law(angles).sum()
            else:
                with np.errstate(divide="ignore"):  # opposite inputs share no bit
                    logarithms = np.log1p(-angles / np.pi)
                for k, n in enumerate(numbers):
                    sums[k] += np.exp(n * logarithms).sum() if n else len(logarithms)
            bar.update(len(block))
    n_pairs = len(directions) * (len(directions) - 1) / 2
    with np.errstate(divide="ignore"):
        entropies = np.maximum(-np.log2(sums / n_pairs), 0.0)
    return float(entropies[0]) if alone else entropies


class _LayerLaw:
    """The probability that a layer gives two inputs the same code, by their angle."""

    def __init__(self, offsets: Float64[np.ndarray, " m"]) -> None:
        from scipy.special import owens_t

        # Denser at small angles, where most of what collides is.
        self._grid = np.pi * np.linspace(0, 1, _GRID) ** 2
        half = np.tan(self._grid[:, None] / 2)
        same = 1 - 4 * owens_t(offsets, half)
        self._logarithms = np.log(np.maximum(same, np.finfo(float).tiny)).sum(axis=1)

    def __call__(self, angles: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, " k"]:
        logarithms = np.interp(angles, self._grid, self._logarithms)
        same: np.ndarray = np.exp(logarithms)
        return same


def _vectors(inputs: Any) -> Tensor:
    """Return inputs as rows in float64, or say what is wrong with them."""
    points = inputs.inputs if isinstance(inputs, Split) else inputs
    if isinstance(points, (np.ndarray, list, tuple)):
        points = torch.from_numpy(np.array(points, np.float64, order="C"))
    if not isinstance(points, Tensor):
        raise TypeError(
            f"inputs: a tensor, an array or a Split is needed, not {type(inputs).__name__}"
        )
    if points.ndim < 2 or not len(points):
        raise ValueError(f"inputs: shape (n, *shape) is needed, not {tuple(points.shape)}")
    return points.detach().flatten(1).to("cpu", torch.float64)
