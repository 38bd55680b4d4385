"""Is a code unique? How often examples share a code, at any number of them, and what it implies."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from nhlib._arguments import seed_number, several, whole_number
from nhlib.codes import NeuralCodes, check_codes

if TYPE_CHECKING:
    import pandas as pd

# Points of a rarefaction curve where nobody says which.
_POINTS = 50


def redundancy_ratio(codes: NeuralCodes, n: int | None = None) -> float:
    r"""Share of examples whose code is not needed to list all distinct codes.

    Of :math:`N` examples with :math:`D` distinct codes, it is :math:`(N - D) / N`: 0 where
    every example has a code of its own, nearly 1 where all share one [1]_.

    The ratio grows with the number of examples, so sets of different sizes are compared at
    one size :math:`n`. Drawn without replacement, :math:`n` of the :math:`N` examples are
    expected to show

    .. math:: \mathrm{E}[D_n] = \sum_g \left(1 - \binom{N - m_g}{n} \Big/ \binom{N}{n}\right)

    distinct codes, where :math:`m_g` examples share code :math:`g`; in ecology this is
    rarefaction [2]_. With `n`, the result is :math:`1 - \mathrm{E}[D_n] / n`: exact, without
    any drawing.

    Parameters
    ----------
    codes : NeuralCodes
        :math:`N` codes.
    n : int, optional
        Number of examples to compare at, from 1 to :math:`N`. By default :math:`N`.

    Returns
    -------
    float
        From 0 to :math:`1 - 1/n`.

    Raises
    ------
    TypeError
        If `n` is not a whole number.
    ValueError
        If there are no codes, or `n` is not from 1 to :math:`N`.

    See Also
    --------
    rarefaction_curve : the same at many sizes.

    References
    ----------
    .. [1] F. He, S. Lei, J. Ji and D. Tao, "Neural networks behave as hash encoders: an
       empirical study", arXiv:2101.05490, 2021.
    .. [2] S. H. Hurlbert, "The nonconcept of species diversity: a critique and alternative
       parameters", Ecology 52(4), 1971.

    Examples
    --------
    >>> codes = NeuralCodes.from_bits([[0, 0], [0, 0], [0, 1], [1, 1]])
    >>> redundancy_ratio(codes)             # 4 examples, 3 codes
    0.25
    >>> round(redundancy_ratio(codes, n=2), 4)  # one pair of six shares its code
    0.0833
    """
    total = len(check_codes("codes", codes, 1))
    if n is None:
        return (total - codes.n_distinct) / total
    return _expected_redundancy(_sharers(codes), total, whole_number("n", n, 1, total))


def rarefaction_curve(codes: NeuralCodes, sizes: Iterable[int] | None = None) -> "pd.DataFrame":
    r"""Redundancy ratios that smaller samples of the same examples show, and their bound.

    Every point is exact, as in `redundancy_ratio`; no sample is drawn. Beside it stands
    the bound :math:`\tfrac{n - 1}{2}\, p`, where :math:`p` is the share of pairs of examples
    that have a code in common (see `redundancy_bound`). Curve and bound start together at
    :math:`n = 2`; the curve falls below as soon as three examples meet in one code.

    Parameters
    ----------
    codes : NeuralCodes
        :math:`N` codes, at least 2.
    sizes : iterable of int, optional
        Numbers of examples, each from 1 to :math:`N`. By default up to 50 of them from 2 to
        :math:`N`, evenly spread on a logarithmic scale.

    Returns
    -------
    DataFrame
        One row a size, each size once, in ascending order: ``n``, ``redundancy``, ``bound``.

    Raises
    ------
    TypeError
        If a size is not a whole number.
    ValueError
        If there are fewer than 2 codes, no sizes, or one that is not from 1 to :math:`N`.

    Examples
    --------
    >>> codes = NeuralCodes.from_bits([[0, 0], [0, 0], [0, 0], [1, 1]])
    >>> rarefaction_curve(codes).round(3)   # three of six pairs share a code
       n  redundancy  bound
    0  2       0.250   0.25
    1  3       0.417   0.50
    2  4       0.500   0.75
    """
    import pandas as pd

    total = len(check_codes("codes", codes, 2))
    if sizes is None:
        sizes = np.geomspace(2, total, _POINTS).round().astype(int)
    wanted = several("sizes", sizes, "numbers of examples")
    points = sorted({whole_number("sizes", size, 1, total) for size in wanted})
    if not points:
        raise ValueError("sizes: at least one number of examples is needed, and there is none")
    sharers = _sharers(codes)
    entropy = collision_entropy(codes)
    return pd.DataFrame(
        {
            "n": points,
            "redundancy": [_expected_redundancy(sharers, total, n) for n in points],
            "bound": [redundancy_bound(entropy, n) for n in points],
        }
    )


def collision_entropy(codes: NeuralCodes) -> float:
    r"""How rarely two examples share a code, in bits.

    .. math:: H_2 = -\log_2 p, \qquad p = \sum_g \frac{m_g (m_g - 1)}{N (N - 1)},

    where :math:`m_g` of the :math:`N` examples share code :math:`g`. :math:`p` is the share
    of all pairs of examples that have a code in common, and an unbiased estimate of the
    probability that two new examples do. :math:`H_2` is Rényi's entropy of order 2 [1]_: as
    rare a collision as among that many fair coins.

    Parameters
    ----------
    codes : NeuralCodes
        :math:`N` codes, at least 2.

    Returns
    -------
    float
        Bits, from 0 (all codes equal). Infinity where no two examples share a code, which
        only says that there were too few examples to see a pair that does.

    Raises
    ------
    ValueError
        If there are fewer than 2 codes.

    References
    ----------
    .. [1] A. Rényi, "On measures of entropy and information", Proceedings of the fourth
       Berkeley symposium on mathematical statistics and probability, volume 1, 1961.

    Examples
    --------
    >>> codes = NeuralCodes.from_bits([[0, 0], [0, 0], [0, 1], [1, 1]])
    >>> round(collision_entropy(codes), 3)  # one pair of six: log2(6)
    2.585
    """
    total = len(check_codes("codes", codes, 2))
    shared = int(np.sum(_sharers(codes) * (_sharers(codes) - 1)))
    return float(np.log2(total * (total - 1) / shared)) if shared else float("inf")


def redundancy_bound(entropy: float | int, n: int) -> float:
    r"""Upper bound of the redundancy ratio that n examples are expected to show.

    .. math:: \mathrm{E}\!\left[\frac{n - D_n}{n}\right] \le \frac{n - 1}{2}\, 2^{-H_2}.

    An example is redundant only if an earlier one has its code, so there are at most as many
    redundant examples as pairs that share a code, and :math:`n` examples form
    :math:`n (n - 1) / 2` pairs. The bound is close while it is small; where three or more
    examples meet in a code it counts them too often, and it says nothing from 1 on.

    Parameters
    ----------
    entropy : float
        :math:`H_2` in bits, at least 0: what `collision_entropy` estimates.
    n : int
        Number of examples, at least 1.

    Returns
    -------
    float
        From 0 to 1; 1 also where the formula exceeds it.

    Raises
    ------
    TypeError
        If `n` is not a whole number.
    ValueError
        If `entropy` is negative or not a number, or `n` less than 1.

    Examples
    --------
    >>> redundancy_bound(entropy=20, n=1025)    # 512 / 2**20
    0.00048828125
    """
    n = whole_number("n", n, 1)
    try:
        entropy = float(entropy)
    except (TypeError, ValueError):
        raise TypeError(f"entropy: a number of bits is needed, not {entropy!r:.60}") from None
    if not entropy >= 0:
        raise ValueError(f"entropy: bits, at least 0, are needed, not {entropy!r}")
    return min(1.0, (n - 1) / 2 * float(2.0**-entropy))


def bound_on_other_half(codes: NeuralCodes, seed: int = 0) -> dict[str, float | int]:
    """Estimate the collision entropy on one half of the examples, and test it on the other.

    An entropy and the bound that follows from it describe the examples that they were
    estimated on; whether they also hold for others, only others can tell.

    Parameters
    ----------
    codes : NeuralCodes
        At least 4 codes. Of an odd number, one is left out.
    seed : int, default 0
        Of the random halves.

    Returns
    -------
    dict
        ``n``: examples in a half; ``entropy``: `collision_entropy` of one half, in bits;
        ``bound``: `redundancy_bound` that follows from it for n examples;
        ``redundancy``: `redundancy_ratio` of the other half, which the bound should exceed.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than 4 codes, or `seed` is not a whole number of at least 0.

    Examples
    --------
    >>> coins = np.random.default_rng(0).integers(0, 2, (2000, 12))
    >>> found = bound_on_other_half(NeuralCodes.from_bits(coins))
    >>> {name: round(value, 2) for name, value in found.items()}
    {'n': 1000, 'entropy': 12.36, 'bound': 0.1, 'redundancy': 0.11}
    """
    n = len(check_codes("codes", codes, 4)) // 2
    order = np.random.default_rng(seed_number(seed)).permutation(len(codes))
    entropy = collision_entropy(codes[order[:n]])
    return {
        "n": n,
        "entropy": entropy,
        "bound": redundancy_bound(entropy, n),
        "redundancy": redundancy_ratio(codes[order[n : 2 * n]]),
    }


def unit_activity(codes: NeuralCodes) -> "pd.DataFrame":
    """Count the units of every layer that are off for all examples, or on for all.

    A dead or always-on unit tells no two of these examples apart. Other examples may still
    switch it.

    Parameters
    ----------
    codes : NeuralCodes
        At least one code.

    Returns
    -------
    DataFrame
        One row a layer, in their order: ``layer``; ``units``, its number of bits; ``dead``
        and ``always_on``, how many of them never change; ``on``, the share of all the
        layer's bits that are 1 (nan for a layer without bits).

    Raises
    ------
    ValueError
        If there are no codes.

    Examples
    --------
    >>> codes = NeuralCodes.from_bits([[0, 1, 1], [0, 1, 0]], {"relu1": (2,), "relu2": (1,)})
    >>> unit_activity(codes)
       layer  units  dead  always_on   on
    0  relu1      2     1          1  0.5
    1  relu2      1     0          0  0.5
    """
    import pandas as pd

    total = len(check_codes("codes", codes, 1))
    rows = []
    for layer in codes.layers:
        part = codes[layer]
        ever, always = (
            np.bitwise_count(every(part.packed, axis=0)).sum()
            for every in (np.bitwise_or.reduce, np.bitwise_and.reduce)
        )
        ones = np.bitwise_count(part.packed).sum(dtype=np.int64)
        rows.append(
            {
                "layer": layer,
                "units": part.n_bits,
                "dead": part.n_bits - int(ever),
                "always_on": int(always),
                "on": float(ones) / (total * part.n_bits) if part.n_bits else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=["layer", "units", "dead", "always_on", "on"])


def compare_redundancy(
    sets: Mapping[str, NeuralCodes], n: int | None = None, per_layer: bool = False
) -> "pd.DataFrame":
    """Compare sets of codes at one number of examples.

    Parameters
    ----------
    sets : mapping of str to NeuralCodes
        What each set is called, and its codes: of training, test and random inputs, say, or
        of one split before and after training. Sizes and layers may differ.
    n : int, optional
        Number of examples to compare at. By default that of the smallest set.
    per_layer : bool, default False
        Also measure every layer alone. Codes of a layer are never more different than codes
        of all layers together.

    Returns
    -------
    DataFrame
        One row a set, or a set and a layer: ``set``; ``layer``, ``"all"`` for the whole
        code; ``bits``; ``n``; ``redundancy``, the exact expectation for n of the set's
        examples; ``entropy``, the `collision_entropy` of the whole set, in bits.

    Raises
    ------
    TypeError
        If `n` is not a whole number.
    ValueError
        If there are no sets, one has fewer than 2 codes, or one has fewer than `n`.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> network = nh.mlp(data.n_inputs, [20], data.n_classes)
    >>> nh.compare_redundancy(
    ...     {
    ...         "train": nh.encode(network, data.train),
    ...         "test": nh.encode(network, data.test),
    ...         "random": nh.encode(network, nh.random_inputs(data, 360)),
    ...     }
    ... ).round(2)
          set layer  bits    n  redundancy  entropy
    0   train   all    20  360        0.41     7.35
    1    test   all    20  360        0.43     7.31
    2  random   all    20  360        0.16     9.17
    """
    import pandas as pd

    if not isinstance(sets, Mapping):
        raise TypeError(
            "sets: names and their codes are needed, such as {'train': codes, 'test': others}, "
            f"not {type(sets).__name__}"
        )
    if not sets:
        raise ValueError("sets: at least one set of codes is needed, and there is none")
    for name, codes in sets.items():
        check_codes(f"sets[{name!r}]", codes, 2)
    smallest = min(sets, key=lambda name: len(sets[name]))
    most = len(sets[smallest])
    if n is None:
        n = most
    elif whole_number("n", n, 1) > most:
        raise ValueError(f"n: {n} is more than {smallest!r} has, {most}; leave n out to use that")
    rows = []
    for name, codes in sets.items():
        parts = [("all", codes)]
        if per_layer:
            parts += [(layer, codes[layer]) for layer in codes.layers]
        rows += [
            {
                "set": name,
                "layer": layer,
                "bits": part.n_bits,
                "n": n,
                "redundancy": redundancy_ratio(part, n),
                "entropy": collision_entropy(part),
            }
            for layer, part in parts
        ]
    return pd.DataFrame(rows)


def _sharers(codes: NeuralCodes) -> Int64[np.ndarray, " n_distinct"]:
    """How many examples share each distinct code."""
    return np.bincount(codes.groups())


def _expected_redundancy(sharers: Int64[np.ndarray, " n_distinct"], total: int, n: int) -> float:
    sizes, n_groups = np.unique(sharers, return_counts=True)
    # C(N - m, n) / C(N, n) = product over i < m of (N - n - i) / (N - i): no example of a group
    # of m is drawn. The product is 0 from i = N - n on.
    i = np.arange(sizes.max())
    undrawn = np.cumprod(np.maximum(total - n - i, 0) / (total - i))
    # Alone with its code, no example is redundant: of n examples, a group of m has m n / N.
    redundant = np.where(sizes > 1, sizes * (n / total) - (1 - undrawn[sizes - 1]), 0)
    return float(np.clip(n_groups @ redundant / n, 0, 1 - 1 / n))  # rounding may reach beyond
