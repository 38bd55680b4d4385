"""What the functions of assignment 5 are marked by: judging an experiment with seeds."""

from math import comb
from statistics import fmean, stdev

import numpy as np
from nhlib.classroom import Task
from scipy.stats import binomtest

# -- seed_summary ----------------------------------------------------------


def seed_summary(settings, seeds, values):
    runs = {}
    for setting, seed, value in zip(
        settings.tolist(), seeds.tolist(), values.tolist(), strict=True
    ):
        runs.setdefault(setting, {}).setdefault(seed, []).append(value)
    rows = []
    for setting in sorted(runs):
        means = [fmean(v) for v in runs[setting].values()]
        error = stdev(means) / len(means) ** 0.5 if len(means) > 1 else np.nan
        rows.append([setting, len(means), fmean(means), error])
    return np.array(rows)


summarise = Task(seed_summary)
PLAIN = "tables with one run for each setting and seed"
AGAIN = "tables in which some runs are repeated"
SINGLE = "tables in which some settings have one seed"


def shuffled(rng, *columns):
    order = rng.permutation(len(columns[0]))
    return tuple(np.asarray(c)[order] for c in columns)


def draw_runs(rng, n_seeds):
    """Settings in no order, each with some seeds; no two have the same value."""
    settings, seeds = [], []
    for setting, n in zip(rng.choice(100, len(n_seeds), replace=False), n_seeds, strict=True):
        settings += [int(setting)] * n
        seeds += rng.choice(30, n, replace=False).tolist()
    return settings, seeds


def unsorted_table(rng, settings, seeds):
    while True:
        columns = shuffled(rng, settings, seeds, rng.random(len(seeds)))
        first_seen = list(dict.fromkeys(columns[0].tolist()))
        if first_seen != sorted(first_seen):
            return columns


@summarise.on(PLAIN, points=1)
def _(rng):
    return unsorted_table(rng, *draw_runs(rng, [4, 4, 3]))


@summarise.on(AGAIN, points=1)
def _(rng):
    settings, seeds = draw_runs(rng, [3, 4])
    return unsorted_table(
        rng,
        settings + settings[:1] + settings[-2:],
        seeds + seeds[:1] + seeds[-2:],
    )


@summarise.on(SINGLE, points=1)
def _(rng):
    return unsorted_table(rng, *draw_runs(rng, [1, 3, 1]))


def summary(settings, seeds, values, ddof=1, root=True, repeats=True, order=True):
    """The method of the solution, with one step left out."""
    rows = []
    distinct = np.unique(settings) if order else list(dict.fromkeys(settings.tolist()))
    for setting in distinct:
        own = settings == setting
        if repeats:
            means = [values[own & (seeds == seed)].mean() for seed in np.unique(seeds[own])]
        else:
            means = values[own]
        s = len(means)
        error = np.nan
        if s > ddof:
            error = np.std(means, ddof=ddof) / (np.sqrt(s) if root else 1)
        rows.append([setting, s, np.mean(means), error])
    return np.array(rows)


@summarise.mistake("divides by s instead of s - 1", loses=[PLAIN, AGAIN, SINGLE])
def seed_summary(settings, seeds, values):
    return summary(settings, seeds, values, ddof=0)


@summarise.mistake(
    "gives the standard deviation for the standard error",
    loses=[PLAIN, AGAIN, SINGLE],
)
def seed_summary(settings, seeds, values):
    return summary(settings, seeds, values, root=False)


@summarise.mistake("counts a repeated run as another seed", loses=[AGAIN])
def seed_summary(settings, seeds, values):
    return summary(settings, seeds, values, repeats=False)


@summarise.mistake(
    "has the settings in the order in which they occur",
    loses=[PLAIN, AGAIN, SINGLE],
)
def seed_summary(settings, seeds, values):
    return summary(settings, seeds, values, order=False)


@summarise.mistake("gives 0 for the error of a single seed", loses=[SINGLE])
def seed_summary(settings, seeds, values):
    rows = summary(settings, seeds, values)
    return np.where(np.isnan(rows), 0, rows)


# -- paired_effect ---------------------------------------------------------


def paired_effect(settings, seeds, values, low, high):
    table = {
        (s, r): v
        for s, r, v in zip(settings.tolist(), seeds.tolist(), values.tolist(), strict=True)
    }
    differences = [
        table[high, r] - v for (s, r), v in table.items() if s == low and (high, r) in table
    ]
    if len(differences) < 2:
        return None
    return fmean(differences), stdev(differences) / len(differences) ** 0.5


find_effect = Task(paired_effect)
SAME = "settings that were run with the same seeds"
SOME = "settings that share only some seeds"
LACKING = "settings that sometimes share fewer than two seeds"


def draw_pair(rng, shared, only_low, only_high):
    seeds = rng.choice(40, shared + only_low + only_high, replace=False)
    first, second = (
        seeds[: shared + only_low],
        np.append(seeds[:shared], seeds[shared + only_low :]),
    )
    settings = [3] * len(first) + [8] * len(second) + [5] * shared
    numbers = np.concatenate([first, second, seeds[:shared]])
    return shuffled(rng, settings, numbers, rng.random(len(numbers)))


def not_by_position(columns):
    """Seeds stand in another order at the two settings."""
    settings, seeds, _ = columns
    low, high = seeds[settings == 3], seeds[settings == 8]
    n = min(len(low), len(high))
    return (low[:n] != high[:n]).any()


def draw_until_moved(rng, *sizes):
    while True:
        columns = draw_pair(rng, *sizes)
        if not_by_position(columns):
            return *columns, 3, 8


@find_effect.on(SAME, points=1)
def _(rng):
    return draw_until_moved(rng, 5, 0, 0)


@find_effect.on(SOME, points=1)
def _(rng):
    return draw_until_moved(rng, 4, 1, 2)


@find_effect.on(LACKING, points=1, trials=20)  # so many that both answers occur
def _(rng):
    shared = int(rng.choice([0, 1, 2, 3]))
    return draw_until_moved(rng, shared, 3, 3)


def by_seed(settings, seeds, values, low, high):
    tables = [dict(zip(seeds[settings == s].tolist(), values[settings == s].tolist(), strict=True))
              for s in (low, high)]  # fmt: skip
    shared = sorted(set(tables[0]) & set(tables[1]))
    return np.array([tables[1][r] - tables[0][r] for r in shared])


def mean_and_error(differences, ddof=1):
    return differences.mean(), np.std(differences, ddof=ddof) / np.sqrt(len(differences))


@find_effect.mistake("subtracts high from low", loses=[SAME, SOME, LACKING])
def paired_effect(settings, seeds, values, low, high):
    differences = -by_seed(settings, seeds, values, low, high)
    return mean_and_error(differences) if len(differences) > 1 else None


@find_effect.mistake(
    "pairs runs by their position, not by their seed",
    loses=[SAME, SOME, LACKING],
)
def paired_effect(settings, seeds, values, low, high):
    one, other = values[settings == low], values[settings == high]
    n = min(len(one), len(other))
    return mean_and_error(other[:n] - one[:n]) if n > 1 else None


@find_effect.mistake(
    "compares the means of all runs, paired or not",
    loses=[SAME, SOME, LACKING],
)
def paired_effect(settings, seeds, values, low, high):
    one, other = values[settings == low], values[settings == high]
    error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return other.mean() - one.mean(), error


@find_effect.mistake("divides by s instead of s - 1", loses=[SAME, SOME, LACKING])
def paired_effect(settings, seeds, values, low, high):
    differences = by_seed(settings, seeds, values, low, high)
    return mean_and_error(differences, ddof=0) if len(differences) > 1 else None


@find_effect.mistake(
    "gives the standard deviation for the standard error",
    loses=[SAME, SOME, LACKING],
)
def paired_effect(settings, seeds, values, low, high):
    differences = by_seed(settings, seeds, values, low, high)
    if len(differences) < 2:
        return None
    return differences.mean(), differences.std(ddof=1)


@find_effect.mistake(
    "returns numbers also where fewer than two seeds are shared",
    loses=[LACKING],
)
def paired_effect(settings, seeds, values, low, high):
    differences = by_seed(settings, seeds, values, low, high)
    return mean_and_error(differences) if len(differences) > 1 else (float(differences.sum()), 0.0)


# -- sign_test -------------------------------------------------------------


def sign_test(differences):
    signs = [d for d in differences.tolist() if d]
    if not signs:
        return 1.0
    return float(binomtest(sum(d > 0 for d in signs), len(signs)).pvalue)


find_p = Task(sign_test)
CLEAR = "differences that are mostly of one sign"
EVEN = "differences that are about half-half"
ZEROS = "differences among which some or all are 0"


def draw_signs(rng, smaller, larger, zeros=0):
    flip = rng.choice([-1, 1])
    signs = [flip] * smaller + [-flip] * larger + [0] * zeros
    return (rng.permutation(signs * rng.uniform(0.5, 1, len(signs))),)


@find_p.on(CLEAR, points=1, trials=16)
def _(rng):
    smaller = int(rng.integers(0, 3))
    return draw_signs(rng, smaller, smaller + int(rng.integers(4, 8)))


@find_p.on(EVEN, points=1, trials=20)  # so many that p is not always 1
def _(rng):
    smaller = int(rng.integers(3, 6))
    return draw_signs(rng, smaller, smaller + int(rng.choice([0, 2])))


@find_p.on(ZEROS, points=1, trials=24)
def _(rng):
    if rng.random() < 1 / 3:
        return (np.zeros(int(rng.integers(5, 9))),)
    smaller = int(rng.integers(1, 3))
    return draw_signs(
        rng,
        smaller,
        smaller + int(rng.integers(3, 6)),
        int(rng.integers(1, 4)),
    )


def tail(s, k):
    return sum(comb(s, i) for i in range(k + 1)) / 2**s


def signs_of(differences):
    positive, negative = (
        int((differences > 0).sum()),
        int((differences < 0).sum()),
    )
    return positive + negative, min(positive, negative)


@find_p.mistake("is one-sided", loses=[CLEAR, EVEN, ZEROS])
def sign_test(differences):
    return tail(*signs_of(differences))


@find_p.mistake("counts zeros among the differences", loses=[ZEROS])
def sign_test(differences):
    _, k = signs_of(differences)
    return min(1.0, 2 * tail(len(differences), k))


@find_p.mistake("counts zeros as negative", loses=[ZEROS])
def sign_test(differences):
    positive, n = int((differences > 0).sum()), len(differences)
    return min(1.0, 2 * tail(n, min(positive, n - positive)))


@find_p.mistake("gives half of the zeros to either side", loses=[ZEROS])
def sign_test(differences):
    s, k = signs_of(differences)
    zeros = len(differences) - s
    return min(1.0, 2 * tail(s + zeros, k + zeros // 2))


@find_p.mistake("leaves the last term of the sum out", loses=[CLEAR, EVEN, ZEROS])
def sign_test(differences):
    s, k = signs_of(differences)
    return min(1.0, 2 * tail(s, k - 1))


@find_p.mistake("can be larger than 1", loses=[EVEN])
def sign_test(differences):
    s, k = signs_of(differences)
    return 2 * tail(s, k) if s else 1.0


@find_p.mistake(
    "can be larger than 1, also where nothing but zeros is given",
    loses=[EVEN, ZEROS],
)
def sign_test(differences):
    return 2 * tail(*signs_of(differences))


@find_p.mistake(
    "gives the chance of just this outcome, not of one as extreme",
    loses=[CLEAR, EVEN, ZEROS],
)
def sign_test(differences):
    s, k = signs_of(differences)
    return min(1.0, 2 * comb(s, k) / 2**s)


TASKS = [summarise, find_effect, find_p]
