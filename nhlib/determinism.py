"""Is a code unique? The redundancy ratio of a set of codes."""

import numpy as np

from nhlib.codes import NeuralCodes


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
    ValueError
        If there are no codes, or `n` is not from 1 to :math:`N`.

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
    total = len(codes)
    if total == 0:
        raise ValueError("codes: at least one code is needed, and there is none")
    if n is None:
        return (total - codes.n_distinct) / total
    if not isinstance(n, (int, np.integer)) or not 1 <= n <= total:
        raise ValueError(
            f"n: a whole number from 1 to {total} (the codes given) is needed, not {n!r}"
        )
    sizes, n_groups = np.unique(np.bincount(codes.groups()), return_counts=True)
    # C(N - m, n) / C(N, n) = product over i < m of (N - n - i) / (N - i): no example of a group
    # of m is drawn. The product is 0 from i = N - n on.
    i = np.arange(sizes.max())
    undrawn = np.cumprod(np.maximum(total - n - i, 0) / (total - i))
    expected = np.sum(n_groups * (1 - undrawn[sizes - 1]))
    return float(np.clip(1 - expected / n, 0, 1 - 1 / n))  # rounding may reach beyond
