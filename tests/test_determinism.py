"""The redundancy ratio against enumeration of every possible draw."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhlib import NeuralCodes, redundancy_ratio


def codes_of(groups):
    """Codes of 8 bits, equal where the numbers are equal."""
    return NeuralCodes.from_bits([[number >> bit & 1 for bit in range(8)] for number in groups])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_expectation_is_the_mean_over_all_draws(groups, data):
    n = data.draw(st.integers(1, len(groups)))
    draws = [1 - len(set(draw)) / n for draw in combinations(groups, n)]
    assert redundancy_ratio(codes_of(groups), n) == pytest.approx(np.mean(draws), abs=1e-12)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=60))
def test_ratio_counts_what_is_left_over(groups):
    ratio = redundancy_ratio(codes_of(groups))
    assert ratio == (len(groups) - len(set(groups))) / len(groups)
    assert redundancy_ratio(codes_of(groups), len(groups)) == pytest.approx(ratio, abs=1e-12)


def test_expectation_at_the_size_of_mnist_agrees_with_drawing():
    rng = np.random.default_rng(0)
    groups = np.minimum(rng.geometric(0.02, 48_000), 255)
    codes = codes_of(groups)
    drawn = [1 - len(np.unique(rng.choice(groups, 500, replace=False))) / 500 for _ in range(400)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert redundancy_ratio(codes, 500) == pytest.approx(np.mean(drawn), abs=4 * error)


def test_extremes():
    assert redundancy_ratio(codes_of(range(256))) == 0
    assert redundancy_ratio(codes_of([7] * 100)) == 0.99
    assert redundancy_ratio(codes_of([7] * 100), n=10) == pytest.approx(0.9)
    assert redundancy_ratio(codes_of([3]), n=1) == 0


@pytest.mark.parametrize("n", [0, 4, 2.0, "2"])
def test_impossible_n(n, unchecked):
    with pytest.raises(ValueError, match=r"n: a whole number from 1 to 3 .* is needed, not"):
        unchecked(redundancy_ratio)(codes_of([1, 2, 3]), n)


def test_no_codes():
    with pytest.raises(ValueError, match="codes: at least one code"):
        redundancy_ratio(codes_of([1])[:0])
