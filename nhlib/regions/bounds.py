"""How many regions there can be, and how many to expect."""

import math
from collections.abc import Iterable
from typing import Any

from nhlib._arguments import whole_number


def zaslavsky_bound(n_units: int, n_inputs: int) -> int:
    r"""Most regions that one layer can have.

    .. math:: R(N, d) = \sum_{i=0}^{d} \binom{N}{i}

    is the number of regions that :math:`N` hyperplanes in general position cut
    :math:`\mathbb{R}^d` into; in special position they make fewer [1]_. With
    :math:`d \ge N` it is :math:`2^N`, all codes there are.

    Parameters
    ----------
    n_units : int
        :math:`N`, units of the layer, at least 0.
    n_inputs : int
        :math:`d`, number of inputs, at least 1.

    Returns
    -------
    int
        Exact.

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If a number is too small.

    See Also
    --------
    arrangement_count : the exact number for given weights and biases of two inputs.
    serra_bound : the same for several layers.

    References
    ----------
    .. [1] T. Zaslavsky, "Facing up to arrangements: face-count formulas for partitions of
       space by hyperplanes", Memoirs of the American Mathematical Society 1(154), 1975.

    Examples
    --------
    >>> zaslavsky_bound(3, 2)       # 1 + 3 lines + 3 crossings
    7
    >>> zaslavsky_bound(48, 1), zaslavsky_bound(48, 2), zaslavsky_bound(48, 64) == 2**48
    (49, 1177, True)
    """
    n_units = whole_number("n_units", n_units, 0)
    n_inputs = whole_number("n_inputs", n_inputs, 1)
    return sum(_binomials(n_units, min(n_inputs, n_units)))


def serra_bound(n_inputs: int, widths: Iterable[int]) -> int:
    r"""Upper bound of the number of regions of a ReLU network of several layers.

    .. math::

       \sum_{(j_1, \dots, j_L) \in J} \prod_{\ell=1}^{L} \binom{n_\ell}{j_\ell}, \qquad
       J = \{ 0 \le j_\ell \le
       \min(n_0, n_1 - j_1, \dots, n_{\ell-1} - j_{\ell-1}, n_\ell) \text{ for all } \ell \}

    for :math:`n_0` inputs and :math:`n_\ell` units in layer :math:`\ell` [1]_. It follows how
    many dimensions each layer lets through: where few units are on, later layers have few
    dimensions left to cut. For one layer it is Zaslavsky's formula, and is reached; deeper
    networks may stay below.

    Parameters
    ----------
    n_inputs : int
        :math:`n_0`, at least 1.
    widths : iterable of int
        :math:`n_1, \dots, n_L`: units of each hidden layer, at least 1. The output layer has
        no ReLU, and does not count.

    Returns
    -------
    int
        Exact value of the bound.

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If a number is less than 1, or there are no layers.

    See Also
    --------
    zaslavsky_bound : one layer.
    montufar_bound : how many can be reached.

    Notes
    -----
    The bound is for all of input space, so it also holds in any rectangle of it, and for
    activation regions, of which there are at least as many as linear regions in the strict
    sense. It is for units that are 0 where they are off: LeakyReLU and PReLU let dimensions
    through there, and can make more regions.

    References
    ----------
    .. [1] T. Serra, C. Tjandraatmadja and S. Ramalingam, "Bounding and counting linear regions
       of deep neural networks", International Conference on Machine Learning, 2018, theorem 1.

    Examples
    --------
    >>> serra_bound(2, [48]) == zaslavsky_bound(48, 2)
    True
    >>> serra_bound(2, [2, 2])      # not 4 × 4: where first units are off, dimensions are lost
    11
    """
    n_inputs = whole_number("n_inputs", n_inputs, 1)
    # How often at most so many dimensions remain: weights of the sums over j_1, …, j_l.
    remaining = [0] * n_inputs + [1]
    for width in _layers(widths):
        remaining = _after(width, remaining)
    return sum(remaining)


def montufar_bound(n_inputs: int, widths: Iterable[int]) -> int:
    r"""Lower bound of the most linear regions that a ReLU network of these widths can have.

    .. math::

       \left( \prod_{\ell=1}^{L-1} f_\ell^{\,n_0} \right) \sum_{j=0}^{n_0} \binom{n_L}{j},
       \qquad f_\ell = \begin{cases}
       \lfloor n_\ell / n_0 \rfloor + 1 & \text{where } n_\ell \ge 3 n_0, \\
       \lfloor n_\ell / n_0 \rfloor & \text{elsewhere,} \end{cases}

    for :math:`n_0` inputs and :math:`n_\ell \ge n_0` units in layer :math:`\ell`: a network
    with at least this many can be built. All its layers but the last fold every input
    :math:`f_\ell` times, and what the last layer draws is repeated in every fold. The construction
    is that of Montúfar et al. [1]_; Serra et al. [2]_ gain one more fold where a layer has three
    units or more for every input. Most networks of these widths have far fewer regions.

    Parameters
    ----------
    n_inputs : int
        :math:`n_0`, at least 1.
    widths : iterable of int
        :math:`n_1, \dots, n_L`: units of each hidden layer, each at least :math:`n_0`. The
        output layer does not count.

    Returns
    -------
    int
        Exact value of the bound.

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If there are no layers, or one has fewer units than there are inputs.

    See Also
    --------
    serra_bound : what no network of these widths exceeds.

    References
    ----------
    .. [1] G. Montúfar, R. Pascanu, K. Cho and Y. Bengio, "On the number of linear regions of
       deep neural networks", Advances in Neural Information Processing Systems 27, 2014.
    .. [2] T. Serra, C. Tjandraatmadja and S. Ramalingam, "Bounding and counting linear regions
       of deep neural networks", International Conference on Machine Learning, 2018.

    Examples
    --------
    >>> montufar_bound(2, [16, 16, 16])     # 9² · 9² · 137
    898857
    >>> serra_bound(2, [16, 16, 16])
    2571353
    """
    n_inputs = whole_number("n_inputs", n_inputs, 1)
    *folding, last = layers = _layers(widths)
    if min(layers) < n_inputs:
        raise ValueError(
            "widths: at least as many units as inputs are needed in every layer, "
            f"and of {n_inputs} inputs and {layers} units that is not so; "
            "serra_bound takes narrower layers too"
        )
    # Of three units or more, one can point the other way and give the first fold its slope.
    folds: int = math.prod(
        (width // n_inputs + (width >= 3 * n_inputs)) ** n_inputs for width in folding
    )
    return folds * zaslavsky_bound(last, n_inputs)


def hanin_rolnick_scale(n_units: int, n_inputs: int) -> float:
    r"""Order of size of the average number of regions of a random ReLU network.

    .. math:: \frac{N^d}{d!}

    for :math:`d` inputs and :math:`N` units, those of all hidden layers together, however they
    are layered.

    This is neither a bound nor an estimate. What Hanin and Rolnick [1]_ prove is that random
    networks have on average at most :math:`(T N)^d / d!` activation regions in a unit of volume
    of input space, under conditions: :math:`N \ge d`; the cube in which regions are counted is not
    too small; weights and biases have densities, and the gradients of the units' pre-activations
    stay bounded as layers follow one another. :math:`T` depends on all of these. It and the volume
    are left out here: compare how numbers grow, not how large they are.

    Parameters
    ----------
    n_units : int
        :math:`N`, hidden units of the network, at least 1.
    n_inputs : int
        :math:`d`, number of inputs, at least 1.

    Returns
    -------
    float
        Infinity where it exceeds the largest float.

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If a number is less than 1.

    See Also
    --------
    serra_bound : what no network of these widths exceeds.

    Notes
    -----
    Biases have to be random too, with a bounded density: the theorem does not cover networks
    whose biases are 0. :math:`N` units have at most :math:`2^N` codes, whatever :math:`d` is.

    References
    ----------
    .. [1] B. Hanin and D. Rolnick, "Deep ReLU networks have surprisingly few activation
       patterns", Advances in Neural Information Processing Systems 32, 2019.

    Examples
    --------
    >>> hanin_rolnick_scale(48, 2)
    1152.0
    """
    n_units = whole_number("n_units", n_units, 1)
    n_inputs = whole_number("n_inputs", n_inputs, 1)
    try:
        scale: float = n_units**n_inputs / math.factorial(n_inputs)
    except OverflowError:
        scale = math.inf
    return scale


def _binomials(n: int, most: int) -> list[int]:
    """Return C(n, 0), …, C(n, most)."""
    found = [1]
    for i in range(most):
        found.append(found[-1] * (n - i) // (i + 1))
    return found


def _layers(widths: Any) -> list[int]:
    try:
        layers = list(widths)
    except TypeError:
        raise TypeError(
            f"widths: the units of each hidden layer are needed, such as [16, 16], not {widths!r}"
        ) from None
    if not layers:
        raise ValueError("widths: at least one hidden layer is needed, such as [16], not none")
    return [whole_number("widths", width, 1) for width in layers]


def _after(width: int, remaining: list[int]) -> list[int]:
    """Pass one layer: where r dimensions remain, j ≤ min(r, n) leaves min(r, n - j), C(n, j) times.

    Sums are shared, so that this takes r + n steps, and not their product.
    """
    n, largest = width, len(remaining) - 1
    binomials = _binomials(n, min(n, largest))
    up_to = [0]  # up_to[i]: sum of the first i binomials
    for one in binomials:
        up_to.append(up_to[-1] + one)
    above = [0] * (largest + 2)  # above[i]: sum of remaining[i:]
    for r in reversed(range(largest + 1)):
        above[r] = above[r + 1] + remaining[r]
    after = [0] * (largest + 1)
    for r in range(min(n, largest) + 1):
        # r remained before, and at least as many units are on: j ≤ n - r.
        after[r] = remaining[r] * up_to[min(r, n - r) + 1]
        # More remained before, and exactly r units are on: j = n - r.
        if n - r <= largest:
            after[r] += binomials[n - r] * above[max(r + 1, n - r)]
    return after
