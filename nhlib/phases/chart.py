"""The activation hash phase chart: which networks are too small, still gain, or suffice."""

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64

from nhlib._arguments import real_number
from nhlib.phases.cell_means import means_over_seeds

if TYPE_CHECKING:
    import pandas as pd

REGIMES = (
    "under-expressive",
    "critically-expressive",
    "sufficiently-expressive",
    "undetermined",
    "untrained",
)
_UNDER, _CRITICAL, _SUFFICIENT, _UNDETERMINED, _UNTRAINED = REGIMES

TAU = 0.05
DELTA = 0.01

# Of a threshold: 0.15 - 0.14 is a gain of 0.01, although its nearest floats say a little less.
_ROUNDING = 1e-9


def regime(
    redundancy: Any,
    accuracy: Any,
    next_model: Any,
    next_time: Any,
    tau: Any = TAU,
    delta: Any = DELTA,
) -> np.ndarray:
    r"""Name the regime of networks from their redundancy ratio and what a step more would gain.

    The activation hash phase chart [1]_ has three regimes, whose borders are drawn by eye
    there. Here they follow from two thresholds. With redundancy ratio :math:`r`, accuracy
    :math:`a`, and the accuracies :math:`a_s` of the next larger model and :math:`a_t` of the
    next longer training, a network is

    * **under-expressive** if :math:`r > \tau`: too many examples share their code;
    * otherwise **critically-expressive** if :math:`\max(a_s - a,\, a_t - a) \ge \delta`: codes
      are unique, and accuracy still gains;
    * otherwise **sufficiently-expressive**.

    A neighbour that was not measured might have gained as much. So the regime is
    **undetermined** where :math:`r \le \tau`, a neighbour is missing, and the other one, if
    there is one, gains less than :math:`\delta`. One gain that was seen is enough to be
    critical; to be sufficient, both neighbours must be known.

    Parameters
    ----------
    redundancy : float or array_like
        Redundancy ratios :math:`r`, all measured at one number of examples: they grow with it
        (see `nhlib.redundancy_ratio`).
    accuracy : float or array_like
        Accuracies :math:`a` of a classifier of codes: K-NN on test data, say.
    next_model, next_time : float or array_like
        Accuracies :math:`a_s` and :math:`a_t`; nan where there is no such neighbour.
    tau : float, default 0.05
        From 0 to 1. By default a ratio counts as zero up to one example in twenty: ten times
        what it varies between seeds (the median standard deviation is 0.005 for test images in
        the book's MNIST runs by layer width), and on a slope so steep that another choice moves
        the border little (the paper's MNIST training set has 0.10 at width 40, 0.04 at 50, 0.02
        at 60).
    delta : float, default 0.01
        Above 0. By default one percentage point. Between seeds, K-NN accuracies have a median
        standard deviation of 0.005 in the same runs, and of 0.009 in all of the book's on MNIST, so
        differences of two means over three seeds have 0.004 to 0.008. With fewer seeds or a small
        test set, take more, or noise will pass for gain.

    Returns
    -------
    array of str
        ``"under-expressive"``, ``"critically-expressive"``, ``"sufficiently-expressive"`` or
        ``"undetermined"``, in the shape that the arguments have together. A ratio of exactly
        :math:`\tau` is not above it, a gain of exactly :math:`\delta` is enough; rounding
        errors of floats are forgiven.

    Raises
    ------
    ValueError
        If a ratio or accuracy is not from 0 to 1, a threshold out of its range, or shapes do
        not fit together.
    TypeError
        If a threshold is not a number.

    See Also
    --------
    phase_chart : finds the neighbours in a table.

    References
    ----------
    .. [1] F. He, S. Lei, J. Ji and D. Tao, "Neural networks behave as hash encoders: an
       empirical study", arXiv:2101.05490, 2021.

    Examples
    --------
    >>> regime([0.3, 0.01, 0.01], [0.7, 0.8, 0.9], [0.8, 0.9, 0.905], [0.72, 0.81, 0.9]).tolist()
    ['under-expressive', 'critically-expressive', 'sufficiently-expressive']
    >>> regime(0.01, 0.9, [0.95, 0.905], np.nan).tolist()   # no longer training
    ['critically-expressive', 'undetermined']
    """
    arrays = {
        "redundancy": _shares("redundancy", redundancy),
        "accuracy": _shares("accuracy", accuracy),
        "next_model": _shares("next_model", next_model, missing=True),
        "next_time": _shares("next_time", next_time, missing=True),
    }
    try:
        ratio, now, larger, longer = np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"shapes that fit together are needed, not {shapes}") from None
    return _regimes(ratio, np.stack([larger - now, longer - now]), tau, delta)


def phase_chart(
    table: "pd.DataFrame",
    size: str = "width",
    time: str = "epoch",
    samples: str = "n",
    redundancy: str = "redundancy",
    accuracy: str = "accuracy",
    seed: str = "seed",
    tau: Any = TAU,
    delta: Any = DELTA,
) -> "pd.DataFrame":
    """Name the regime of every cell of a grid: model size × training time × sample size.

    Measures are averaged over seeds, and every cell is compared with two neighbours: the next
    larger size that the table has at the same time and sample size, and the next longer time
    that it has at the same size and sample size. Cells may be missing, and grids be uneven.
    `regime` says what follows. Cells of time 0 are ``"untrained"``: their codes are those of
    a random network, whatever its redundancy ratio.

    A table without larger models or longer trainings never shows that networks suffice, so
    in the last row and column cells are untrained, under-expressive, critically-expressive or
    undetermined. Measuring beyond them turns undetermined cells into others, and no others.

    A gain is that of one step of the grid, whatever its length: finer steps gain less on average.
    Compare charts of the same grid only.

    Parameters
    ----------
    table : DataFrame
        One row a measured network. Further columns are left out.
    size, time, samples : str, default "width", "epoch", "n"
        Columns of the grid: model size, training time (0 is untrained), and how many examples
        the network was trained on.
    redundancy, accuracy : str, default "redundancy", "accuracy"
        Columns of the measures, from 0 to 1. The redundancy ratio must be measured at one
        number of examples throughout, also where sample sizes differ: it grows with it
        (``nhlib.redundancy_ratio(codes, n)``).
    seed : str, default "seed"
        Column that tells networks of the same cell apart.
    tau, delta : float, default 0.05, 0.01
        Thresholds of redundancy ratio and gain in accuracy: see `regime`.

    Returns
    -------
    DataFrame
        One row a cell, sorted by size, time and sample size: these three columns, the means of
        the two measures, ``seeds``, the number of them; ``gain_size`` and ``gain_time``, what
        accuracy gains with the next larger model and with the next longer training (nan where
        there is none); ``regime``.

    Raises
    ------
    ValueError
        If there are no rows, a column is missing or named twice, a value is not finite or out
        of range, two rows are of the same cell and seed, or a threshold is out of range.
    TypeError
        If a threshold is not a number.

    See Also
    --------
    critical_size : where under-expressive networks end.
    sensitivity : how much the chart depends on the thresholds.
    nhlib.plot_phase_chart : draws it.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {
    ...         "width": [20, 20, 40, 40, 80, 80],
    ...         "epoch": [10, 60, 10, 60, 10, 60],
    ...         "redundancy": [0.86, 0.79, 0.04, 0.03, 0.01, 0.01],
    ...         "accuracy": [0.76, 0.77, 0.92, 0.925, 0.94, 0.945],
    ...     }
    ... )
    >>> phase_chart(table.assign(n=48_000, seed=0))[["width", "epoch", "gain_size", "regime"]]
       width  epoch  gain_size                 regime
    0     20     10      0.160       under-expressive
    1     20     60      0.155       under-expressive
    2     40     10      0.020  critically-expressive
    3     40     60      0.020  critically-expressive
    4     80     10        NaN           undetermined
    5     80     60        NaN           undetermined
    """
    grid = {"size": size, "time": time, "samples": samples}
    chart = means_over_seeds(table, grid, {"redundancy": redundancy, "accuracy": accuracy}, seed)
    for gain, axis, others in (
        ("gain_size", size, [time, samples]),
        ("gain_time", time, [size, samples]),
    ):
        following = chart.sort_values(axis).groupby(others)[accuracy].shift(-1)
        chart[gain] = following - chart[accuracy]
    gains = chart[["gain_size", "gain_time"]].to_numpy().T
    regimes = _regimes(chart[redundancy].to_numpy(), gains, tau, delta)
    chart["regime"] = np.where(chart[time].to_numpy() == 0, _UNTRAINED, regimes)
    return chart


def critical_size(
    table: "pd.DataFrame",
    size: str = "width",
    time: str = "epoch",
    samples: str = "n",
    redundancy: str = "redundancy",
    seed: str = "seed",
    tau: Any = TAU,
) -> "pd.DataFrame":
    """Find the smallest model size from which on the redundancy ratio stays at most tau.

    It is one of the sizes that were measured; nothing is interpolated. The border lies
    somewhere between the size before, which is given too, and this one.

    Parameters
    ----------
    table : DataFrame
        One row a measured network.
    size, time, samples, redundancy, seed : str
        Columns, as in `phase_chart`. Ratios are averaged over seeds.
    tau : float, default 0.05
        Threshold of the redundancy ratio: see `regime`.

    Returns
    -------
    DataFrame
        One row a training time and sample size, which are its first columns; ``below``, the
        largest size whose ratio is above `tau`, nan where no size's is; ``critical_size``,
        the next larger size, nan where there is none.

    Raises
    ------
    ValueError
        As `phase_chart`.

    Examples
    --------
    Training set of MNIST in the paper [1]_, at some of its widths:

    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"width": [40, 43, 47, 50, 60], "redundancy": [0.102, 0.079, 0.059, 0.043, 0.02]}
    ... )
    >>> critical_size(table.assign(epoch=60, n=48_000, seed=0))
       epoch      n  below  critical_size
    0     60  48000   47.0           50.0

    References
    ----------
    .. [1] F. He, S. Lei, J. Ji and D. Tao, "Neural networks behave as hash encoders: an
       empirical study", arXiv:2101.05490, 2021.
    """
    import pandas as pd

    _check_thresholds(tau, DELTA)
    grid = {"size": size, "time": time, "samples": samples}
    means = means_over_seeds(table, grid, {"redundancy": redundancy}, seed)
    rows = []
    for (when, n), cells in means.groupby([time, samples]):
        sizes = cells[size].to_numpy(np.float64)
        too_small = sizes[_is_above(cells[redundancy].to_numpy(), tau)]
        below = too_small.max() if too_small.size else np.nan
        enough = sizes[~(sizes <= below)]  # all of them where below is nan
        critical = enough.min() if enough.size else np.nan
        rows.append({time: when, samples: n, "below": below, "critical_size": critical})
    return pd.DataFrame(rows)


def sensitivity(
    table: "pd.DataFrame",
    taus: Any,
    deltas: Any,
    tau: Any = TAU,
    delta: Any = DELTA,
    **columns: str,
) -> "pd.DataFrame":
    """Count how many cells of a phase chart have another regime under other thresholds.

    Parameters
    ----------
    table : DataFrame
        One row a measured network, as for `phase_chart`.
    taus, deltas : float, or iterable of float
        Thresholds to try: every pair of one of each.
    tau, delta : float, default 0.05, 0.01
        Thresholds of the chart that is compared with.
    **columns : str
        Columns, as in `phase_chart`.

    Returns
    -------
    DataFrame
        One row a pair of thresholds, ``tau`` and ``delta``; ``cells``, how many the chart
        compared with determines, the same in all rows; ``changed``, the share of these whose
        regime is another one under this pair; ``undetermined``, the share of these whose
        regime it no longer determines, a part of the former. Shares of no cells are nan.

    Raises
    ------
    ValueError
        As `phase_chart`, or if there are no thresholds to try.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"width": [20, 40, 80], "redundancy": [0.3, 0.04, 0.01], "accuracy": [0.7, 0.9, 0.93]}
    ... )
    >>> sensitivity(table.assign(epoch=60, n=48_000, seed=0), [0.02, 0.05, 0.1], [0.01])
        tau  delta  cells  changed  undetermined
    0  0.02   0.01      2      0.5           0.0
    1  0.05   0.01      2      0.0           0.0
    2  0.10   0.01      2      0.0           0.0
    """
    import pandas as pd

    taus, deltas = (
        list(given) if isinstance(given, Iterable) else [given] for given in (taus, deltas)
    )
    for name, values in (("taus", taus), ("deltas", deltas)):
        if not values:
            raise ValueError(f"{name}: at least one threshold is needed, and there is none")
    chart = phase_chart(table, tau=tau, delta=delta, **columns)
    chart = chart[~chart["regime"].isin([_UNDETERMINED, _UNTRAINED])]
    named = chart["regime"].to_numpy()
    ratio = chart[columns.get("redundancy", "redundancy")].to_numpy()
    gains = chart[["gain_size", "gain_time"]].to_numpy().T
    rows = []
    for t, d in product(taus, deltas):
        regimes = _regimes(ratio, gains, t, d)
        numbers = np.array([np.sum(regimes != named), np.sum(regimes == _UNDETERMINED)])
        changed, lost = numbers / len(chart) if len(chart) else (np.nan, np.nan)
        rows.append((t, d, len(chart), changed, lost))
    return pd.DataFrame(rows, columns=["tau", "delta", "cells", "changed", "undetermined"])


def _regimes(
    ratio: Float64[np.ndarray, "*shape"],
    gains: Float64[np.ndarray, "2 *shape"],
    tau: Any,
    delta: Any,
) -> np.ndarray:
    _check_thresholds(tau, delta)
    return np.select(
        [
            _is_above(ratio, tau),
            (gains >= float(delta) * (1 - _ROUNDING)).any(axis=0),
            np.isnan(gains).any(axis=0),
        ],
        [_UNDER, _CRITICAL, _UNDETERMINED],
        _SUFFICIENT,
    )


def _is_above(ratio: Float64[np.ndarray, "*shape"], tau: Any) -> Bool[np.ndarray, "*shape"]:
    return np.asarray(ratio > float(tau) * (1 + _ROUNDING))


def _check_thresholds(tau: Any, delta: Any) -> None:
    real_number("tau", tau, 0, 1)
    if delta != np.inf:  # with which no gain is enough
        real_number("delta", delta, 0, without=0)


def _shares(name: str, given: Any, missing: bool = False) -> Float64[np.ndarray, "..."]:
    """Return numbers from 0 to 1 as an array; nan is one of them only where it means missing."""
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: numbers from 0 to 1 are needed, not {given!r:.60}") from None
    strange = array[~((array >= 0) & (array <= 1) | (missing & np.isnan(array)))]
    if strange.size:
        raise ValueError(f"{name}: numbers from 0 to 1 are needed, but there is {strange[0]:g}")
    return array
