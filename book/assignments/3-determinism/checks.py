"""What assignment 3 is marked by: measures of how unique codes are."""

from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
from nhlib.classroom import Task


def draw_codes(rng, counts, n_bits):
    """Rows in random order: code i occurs counts[i] times."""
    while True:
        codes = np.unique(rng.integers(0, 2, (4 * len(counts), n_bits)), axis=0)
        if len(codes) >= len(counts):
            chosen = rng.permutation(codes)[: len(counts)]
            return rng.permutation(np.repeat(chosen, counts, axis=0))


# -- lonely_fraction -------------------------------------------------------


def lonely_fraction(codes):
    seen = Counter(map(tuple, codes.tolist()))
    return sum(seen[tuple(row)] == 1 for row in codes.tolist()) / len(codes)


find_lonely = Task(lonely_fraction)
PAIRS = "codes that one or two examples hold"
CROWDS = "codes that many examples hold"


@find_lonely.on(PAIRS, points=2)
def _(rng):
    counts = rng.permutation([1] * rng.integers(3, 9) + [2] * rng.integers(2, 7))
    return (draw_codes(rng, counts, 8),)


@find_lonely.on(CROWDS, points=2)
def _(rng):
    counts = [1] * rng.integers(2, 6) + [
        2,
        *rng.integers(3, 9, rng.integers(2, 5)),
    ]
    return (draw_codes(rng, counts, 7),)


@find_lonely.mistake(
    "counts every code once: distinct codes divided by N",
    loses=[PAIRS, CROWDS],
)
def lonely_fraction(codes):
    return len(np.unique(codes, axis=0)) / len(codes)


@find_lonely.mistake("divides by the number of distinct codes", loses=[PAIRS, CROWDS])
def lonely_fraction(codes):
    _, counts = np.unique(codes, axis=0, return_counts=True)
    return (counts == 1).mean()


@find_lonely.mistake("is the redundancy ratio", loses=[PAIRS, CROWDS])
def lonely_fraction(codes):
    return 1 - len(np.unique(codes, axis=0)) / len(codes)


@find_lonely.mistake("counts pairs as if all shared codes were held by two", loses=[CROWDS])
def lonely_fraction(codes):
    distinct = len(np.unique(codes, axis=0))
    return (2 * distinct - len(codes)) / len(codes)


@find_lonely.mistake("counts the examples, and does not divide", loses=[PAIRS, CROWDS])
def lonely_fraction(codes):
    _, counts = np.unique(codes, axis=0, return_counts=True)
    return int((counts == 1).sum())


# -- mixed_pairs -----------------------------------------------------------


def mixed_pairs(codes, labels):
    rows = list(zip(map(tuple, codes.tolist()), labels.tolist(), strict=True))
    return sum(a == b and i != j for (a, i), (b, j) in combinations(rows, 2))


find_mixed = Task(mixed_pairs)
TWO = "codes shared by two examples"
MANY = "codes shared by several examples of several classes"


@find_mixed.on(TWO, points=2)
def _(rng):
    codes = draw_codes(rng, [2] * rng.integers(4, 9), 8)
    while True:
        labels = rng.integers(0, 3, len(codes))
        if 1 < mixed_pairs_by_loop(codes, labels) < len(codes) // 2:
            return codes, labels


@find_mixed.on(MANY, points=2)
def _(rng):
    while True:
        codes = draw_codes(rng, rng.integers(3, 8, 4), 6)
        labels = rng.integers(0, 3, len(codes))
        crowds = [labels[(codes == row).all(axis=1)] for row in np.unique(codes, axis=0)]
        if all(1 < len(np.unique(c)) < len(c) for c in crowds):
            return codes, labels


def mixed_pairs_by_loop(codes, labels):
    return sum((codes[i] == codes[j]).all() and labels[i] != labels[j]
               for i in range(len(codes)) for j in range(i))  # fmt: skip


def groups(codes):
    return np.unique(codes, axis=0, return_inverse=True)[1].ravel()


@find_mixed.mistake("counts every pair twice", loses=[TWO, MANY])
def mixed_pairs(codes, labels):
    g = groups(codes)
    return int(((g[:, None] == g) & (labels[:, None] != labels)).sum())


@find_mixed.mistake("counts pairs of one class as well", loses=[TWO, MANY])
def mixed_pairs(codes, labels):
    g = groups(codes)
    return int(((g[:, None] == g).sum() - len(g)) // 2)


@find_mixed.mistake("counts pairs of one class instead", loses=[TWO, MANY])
def mixed_pairs(codes, labels):
    g = groups(codes)
    return int((((g[:, None] == g) & (labels[:, None] == labels)).sum() - len(g)) // 2)


@find_mixed.mistake("counts the codes in which classes meet, not the pairs", loses=[MANY])
def mixed_pairs(codes, labels):
    g = groups(codes)
    return sum(len(np.unique(labels[g == i])) > 1 for i in range(g.max() + 1))


@find_mixed.mistake("compares each example with the first of its code only", loses=[MANY])
def mixed_pairs(codes, labels):
    g = groups(codes)
    return sum(int((labels[g == i] != labels[g == i][0]).sum()) for i in range(g.max() + 1))


# -- bits_needed -----------------------------------------------------------


def bits_needed(codes, limit):
    rows = ["".join(map(str, row)) for row in codes.tolist()]
    enough = [k for k in range(len(rows[0]) + 1)
              if len(rows) - len({row[:k] for row in rows}) <= limit * len(rows)]  # fmt: skip
    return min(enough, default=None)


find_bits = Task(bits_needed)
USUAL = "limits that some of the bits meet"
EXACT = "limits that are met exactly"
NEVER = "codes that sometimes do not meet the limit at all"
GENEROUS = "generous limits"


def ratios(codes):
    n = len(codes)
    return [1 - (len(np.unique(codes[:, :k], axis=0)) if k else 1) / n
            for k in range(codes.shape[1] + 1)]  # fmt: skip


def first_below(codes, limit, start=0, strict=False):
    for k, ratio in enumerate(ratios(codes)):
        if k >= start and (ratio < limit if strict else ratio <= limit):
            return k
    return None


def draw_step(rng):
    """32 codes, and the ratios before and after a bit that counts, but not from the back."""
    while True:
        codes = rng.integers(0, 2, (32, 12))
        codes[:, 4] = codes[:, 3]  # a bit that adds nothing
        front, k = ratios(codes), int(rng.integers(2, 9))
        if front[k] < front[k - 1] and front[k] > front[-1]:
            middle = (front[k] + front[k - 1]) / 2
            if all(first_below(codes[:, ::-1], r) != k for r in (front[k], middle)):
                return codes, front[k - 1], front[k]


@find_bits.on(USUAL, points=1, trials=16)
def _(rng):
    codes, before, after = draw_step(rng)
    return codes, float(before + after) / 2


@find_bits.on(EXACT, points=1, trials=16)
def _(rng):
    codes, _, after = draw_step(rng)
    return codes, float(after)


@find_bits.on(NEVER, points=1, trials=24)
def _(rng):
    while True:
        codes = draw_codes(rng, rng.integers(1, 4, 16), 10)
        best = ratios(codes)[-1]
        limit = float(best + 0.01)
        if best > 0.1 and first_below(codes, limit) != first_below(codes[:, ::-1], limit):
            return codes, limit if rng.random() < 0.5 else float(best - 0.01)


@find_bits.on(GENEROUS, points=1, trials=24)
def _(rng):
    n = int(rng.integers(4, 13))
    codes = rng.integers(0, 2, (n, 6))
    codes[:2, 0] = 0, 1
    codes[:, -1] = codes[0, -1]  # from the back, one bit is never enough
    codes = rng.permutation(codes)
    return codes, float(rng.choice([n - 0.5, n - 1.5]) / n)


@find_bits.mistake("counts one bit too few", loses=[USUAL, EXACT, NEVER, GENEROUS])
def bits_needed(codes, limit):
    k = first_below(codes, limit)
    return None if k is None else k - 1


@find_bits.mistake("wants the ratio below the limit, not at it", loses=[EXACT])
def bits_needed(codes, limit):
    return first_below(codes, limit, strict=True)


@find_bits.mistake(
    "takes the last bits instead of the first", loses=[USUAL, EXACT, NEVER, GENEROUS]
)
def bits_needed(codes, limit):
    return first_below(codes[:, ::-1], limit)


@find_bits.mistake("returns the number of all bits where none are enough", loses=[NEVER])
def bits_needed(codes, limit):
    k = first_below(codes, limit)
    return codes.shape[1] if k is None else k


@find_bits.mistake("always takes at least one bit", loses=[GENEROUS])
def bits_needed(codes, limit):
    return first_below(codes, limit, start=1)


@find_bits.mistake(
    "compares with the share of distinct codes", loses=[USUAL, EXACT, NEVER, GENEROUS]
)
def bits_needed(codes, limit):
    for k, ratio in enumerate(ratios(codes)):
        if 1 - ratio <= limit:
            return k
    return None


# -- expected_lonely_fraction ----------------------------------------------


def expected_lonely_fraction(counts, n):
    # Example by example: the chance that no other of its code is among the n - 1 others drawn.
    total = int(sum(counts))
    expected = Fraction(0)
    for c in map(int, counts):
        alone = Fraction(1)
        for other in range(c - 1):
            alone *= Fraction(total - n - other, total - 1 - other)
        expected += c * max(alone, Fraction(0))
    return float(expected / total)


def others_of_other_codes(counts, k):
    # An example, and k others none of which has its code: in how many ways. Few counts are
    # different, and binomial coefficients of thousands take long.
    total = int(sum(counts))
    return sum(c * times * comb(total - c, k) for c, times in Counter(map(int, counts)).items())


find_expected = Task(expected_lonely_fraction)
FEW = "samples from a few examples"
THOUSANDS = "samples from thousands of examples"


@find_expected.on(FEW, points=2)
def _(rng):
    counts = rng.integers(1, 5, 6)
    return counts, int(rng.integers(3, counts.sum() - 2))


@find_expected.on(THOUSANDS, points=2)
def _(rng):
    counts = rng.integers(1, 5, 1200)
    return counts, int(rng.integers(500, 1500))


@find_expected.mistake("draws with replacement", loses=[FEW, THOUSANDS])
def expected_lonely_fraction(counts, n):
    p = np.asarray(counts) / np.sum(counts)
    return float((p * (1 - p) ** (n - 1)).sum())


@find_expected.mistake("does not divide by the size of the sample", loses=[FEW, THOUSANDS])
def expected_lonely_fraction(counts, n):
    total = int(sum(counts))
    return others_of_other_codes(counts, n - 1) / comb(total, n)


@find_expected.mistake(
    "leaves out codes that more than one example holds",
    loses=[FEW, THOUSANDS],
)
def expected_lonely_fraction(counts, n):
    return float((np.asarray(counts) == 1).sum() / np.sum(counts))


@find_expected.mistake(
    "computes in floating point, which is too small for thousands",
    loses=[THOUSANDS],
)
def expected_lonely_fraction(counts, n):
    total = int(sum(counts))
    return float(others_of_other_codes(counts, n - 1)) / float(n * comb(total, n))


@find_expected.mistake("draws n others instead of n - 1", loses=[FEW, THOUSANDS])
def expected_lonely_fraction(counts, n):
    total = int(sum(counts))
    return others_of_other_codes(counts, n) / (n * comb(total, n))


TASKS = [find_lonely, find_mixed, find_bits, find_expected]
