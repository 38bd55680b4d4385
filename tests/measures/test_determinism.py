"""Measures of determinism against enumeration of every possible draw and every pair."""

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nhlib import (
    NeuralCodes,
    bound_on_other_half,
    collision_entropy,
    compare_redundancy,
    rarefaction_curve,
    redundancy_bound,
    redundancy_ratio,
    unit_activity,
)

small_groups = st.lists(st.integers(0, 5), min_size=2, max_size=8)
many_groups = st.lists(st.integers(0, 255), min_size=2, max_size=60)


def codes_of(groups):
    """Codes of 8 bits, equal where the numbers are equal."""
    bits = np.array([[number >> bit & 1 for bit in range(8)] for number in groups])
    return NeuralCodes.from_bits(bits.reshape(-1, 8))


def geometric_codes(n, seed=0):
    """Codes of which some are much more frequent than others."""
    return codes_of(np.minimum(np.random.default_rng(seed).geometric(0.05, n), 255).tolist())


def exact_redundancy(groups, n):
    """Mean over all draws of n, as a fraction."""
    draws = [Fraction(n - len(set(draw)), n) for draw in combinations(groups, n)]
    return sum(draws) / len(draws)


def exact_collision(groups):
    pairs = [one == other for one, other in combinations(groups, 2)]
    return Fraction(sum(pairs), len(pairs))


# -- redundancy ratio ------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_expectation_is_the_mean_over_all_draws(groups, data):
    n = data.draw(st.integers(1, len(groups)))
    exact = exact_redundancy(groups, n)
    assert redundancy_ratio(codes_of(groups), n) == pytest.approx(float(exact), abs=1e-12)


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


@pytest.mark.parametrize("n", [2, 30, 1000, 3000])
def test_expectation_of_many_examples_against_exact_fractions(n):
    total, sharers = 3000, [1] * 1000 + [2] * 500 + [1000]
    groups = np.repeat(np.arange(len(sharers)), sharers)
    codes = NeuralCodes.from_bits((groups[:, None] >> np.arange(11)) & 1)
    undrawn = sum(
        times * Fraction(math.comb(total - m, n), math.comb(total, n))
        for m, times in Counter(sharers).items()
    )
    exact = 1 - (len(sharers) - undrawn) / n
    assert redundancy_ratio(codes, n) == pytest.approx(float(exact), rel=1e-9)


def test_extremes():
    assert redundancy_ratio(codes_of(range(256))) == 0
    assert redundancy_ratio(codes_of([7] * 100)) == 0.99
    assert redundancy_ratio(codes_of([7] * 100), n=10) == pytest.approx(0.9)
    assert redundancy_ratio(codes_of([3]), n=1) == 0


# A ratio of 1e-16 instead of 0 would be a point far below all others on a logarithmic axis.
@pytest.mark.parametrize("total", [2, 49, 100, 200, 256])
def test_codes_that_are_all_distinct_are_never_redundant(total):
    ratios = rarefaction_curve(codes_of(range(total)), range(1, total + 1))["redundancy"]
    assert (ratios == 0).all()


@pytest.mark.parametrize("n", [0, -1, 4])
def test_impossible_n(n):
    with pytest.raises(ValueError, match=f"n: a whole number from 1 to 3 is needed, not {n}"):
        redundancy_ratio(codes_of([1, 2, 3]), n)


def test_numpys_whole_numbers_are_whole_numbers(unchecked):
    codes = geometric_codes(30)
    assert unchecked(redundancy_ratio)(codes, np.int64(7)) == redundancy_ratio(codes, 7)
    sizes = unchecked(rarefaction_curve)(codes, np.array([7, 3]))["n"]
    assert sizes.tolist() == [3, 7]


@pytest.mark.parametrize("n", [2.0, "2", True, [2]])
def test_an_n_that_is_no_whole_number(n, unchecked):
    with pytest.raises(TypeError, match=r"n: a whole number from 1 to 3 is needed, not"):
        unchecked(redundancy_ratio)(codes_of([1, 2, 3]), n)


def test_no_codes():
    with pytest.raises(ValueError, match="codes: at least one code is needed, and there is none"):
        redundancy_ratio(codes_of([]))


# -- rarefaction -----------------------------------------------------------------------------


@given(small_groups)
def test_curve_is_the_mean_over_all_draws_and_its_bound_follows_from_all_pairs(groups):
    table = rarefaction_curve(codes_of(groups), range(1, len(groups) + 1))
    assert list(table.columns) == ["n", "redundancy", "bound"]
    for n, redundancy, bound in table.itertuples(index=False):
        exact = exact_redundancy(groups, n)
        exact_bound = min(Fraction(1), Fraction(n - 1, 2) * exact_collision(groups))
        assert exact <= exact_bound
        assert redundancy == pytest.approx(float(exact), abs=1e-12)
        assert bound == pytest.approx(float(exact_bound), abs=1e-12)


@given(many_groups, st.data())
def test_points_are_those_of_the_single_functions_at_sorted_unique_sizes(groups, data):
    codes = codes_of(groups)
    sizes = data.draw(st.lists(st.integers(1, len(groups)), min_size=1, max_size=8))
    table = rarefaction_curve(codes, iter(sizes))
    assert table["n"].tolist() == sorted(set(sizes))
    assert table["redundancy"].tolist() == [redundancy_ratio(codes, n) for n in table["n"]]
    entropy = collision_entropy(codes)
    assert table["bound"].tolist() == [redundancy_bound(entropy, n) for n in table["n"]]


@given(many_groups)
def test_curve_never_falls_nor_crosses_its_bound_which_it_touches_at_two(groups):
    table = rarefaction_curve(codes_of(groups))
    assert table["n"].iloc[0] == 2
    assert table["n"].iloc[-1] == len(groups)
    assert (table["redundancy"] <= table["bound"] + 1e-12).all()
    assert (table["redundancy"].diff().dropna() >= -1e-12).all()
    assert table["redundancy"][0] == pytest.approx(table["bound"][0], abs=1e-14)


@pytest.mark.parametrize("total", [2, 3, 10, 300, 5000])
def test_sizes_by_default(total):
    sizes = rarefaction_curve(geometric_codes(total))["n"].to_numpy()
    assert (sizes[0], sizes[-1]) == (2, total)
    assert (np.diff(sizes) > 0).all()
    assert len(sizes) <= 50
    # Evenly spread on a logarithmic scale, but for rounding.
    assert (sizes[1:] <= sizes[:-1] * (total / 2) ** (1 / 49) + 1).all()


@pytest.mark.parametrize(
    ("groups", "redundancy", "bound"),
    [([5] * 4, [0.5, 2 / 3, 0.75], [0.5, 1, 1]), (range(4), [0, 0, 0], [0, 0, 0])],
    ids=["equal", "distinct"],
)
def test_curves_of_degenerate_codes(groups, redundancy, bound):
    table = rarefaction_curve(codes_of(groups), [2, 3, 4])
    assert table["redundancy"].to_numpy() == pytest.approx(redundancy)
    assert table["bound"].to_numpy() == pytest.approx(bound)


def test_curve_without_usable_sizes(unchecked):
    codes = codes_of([1, 2, 3])
    with pytest.raises(ValueError, match="sizes: at least one number of examples is needed"):
        rarefaction_curve(codes, [])
    with pytest.raises(ValueError, match="sizes: a whole number from 1 to 3 is needed, not 4"):
        rarefaction_curve(codes, [2, 4])
    with pytest.raises(TypeError, match=r"sizes: a whole number from 1 to 3 is needed, not 2\.5"):
        unchecked(rarefaction_curve)(codes, [2.5])


# -- collision entropy and the bound ---------------------------------------------------------


@given(small_groups)
def test_entropy_counts_all_pairs(groups):
    share = exact_collision(groups)
    expected = -math.log2(share) if share else math.inf
    assert collision_entropy(codes_of(groups)) == pytest.approx(expected, abs=1e-12)


def test_entropy_of_degenerate_codes():
    assert collision_entropy(codes_of([9, 9, 9])) == 0
    assert math.copysign(1, collision_entropy(codes_of([9, 9]))) == 1
    assert collision_entropy(codes_of(range(256))) == math.inf
    coins = NeuralCodes.from_bits([[0], [1], [0], [1]])
    assert collision_entropy(coins) == pytest.approx(math.log2(3))
    assert collision_entropy(NeuralCodes.from_bits(np.zeros((3, 0)))) == 0


@pytest.mark.parametrize("function", [collision_entropy, rarefaction_curve])
@pytest.mark.parametrize(("groups", "there"), [([], "is none"), ([3], "is one")])
def test_one_code_makes_no_pair(function, groups, there):
    with pytest.raises(ValueError, match=f"codes: at least 2 codes are needed, and there {there}"):
        function(codes_of(groups))


@given(
    st.lists(st.floats(0, 100), min_size=2, max_size=2).map(sorted),
    st.lists(st.integers(1, 10**6), min_size=2, max_size=2).map(sorted),
)
def test_bound_grows_with_n_falls_with_entropy_and_stops_at_one(entropies, sizes):
    (low, high), (few, many) = entropies, sizes
    assert 0 <= redundancy_bound(high, few) <= redundancy_bound(high, many) <= 1
    assert redundancy_bound(high, many) <= redundancy_bound(low, many)
    assert redundancy_bound(high, few) == pytest.approx(min(1, (few - 1) / 2 / 2**high))


def test_extreme_bounds():
    assert redundancy_bound(math.inf, 10**9) == 0
    assert redundancy_bound(0, 1) == 0
    assert redundancy_bound(0, 2) == 0.5
    assert redundancy_bound(0, 4) == 1
    assert redundancy_bound(2000, 10) == 0


@pytest.mark.parametrize("entropy", [-1, -1e-9, math.nan, -math.inf])
def test_entropies_that_there_are_not(entropy):
    with pytest.raises(ValueError, match="entropy: bits, at least 0, are needed, not"):
        redundancy_bound(entropy, 5)


def test_bound_needs_a_number_of_examples(unchecked):
    with pytest.raises(ValueError, match="n: a whole number of at least 1 is needed, not 0"):
        redundancy_bound(3.0, 0)
    with pytest.raises(TypeError, match=r"n: a whole number of at least 1 is needed, not 2\.0"):
        unchecked(redundancy_bound)(3.0, 2.0)


@given(many_groups)
def test_examples_never_exceed_the_bound_from_their_own_entropy(groups):
    codes = codes_of(groups)
    bound = redundancy_bound(collision_entropy(codes), len(groups))
    assert redundancy_ratio(codes) <= bound + 1e-12


# -- one half against the other --------------------------------------------------------------


@pytest.mark.parametrize("total", [4, 5, 101, 1000])
@pytest.mark.parametrize("seed", [0, 7])
def test_halves_are_the_two_parts_of_one_permutation(total, seed):
    groups = np.random.default_rng(total).integers(0, total // 2, total) % 256
    order = np.random.default_rng(seed).permutation(total)
    n = total // 2
    one, other = groups[order[:n]], groups[order[n : 2 * n]]
    share = exact_collision(one.tolist())
    found = bound_on_other_half(codes_of(groups), seed=seed)
    assert list(found) == ["n", "entropy", "bound", "redundancy"]
    assert found["n"] == n
    assert found["entropy"] == pytest.approx(-math.log2(share) if share else math.inf)
    assert found["bound"] == pytest.approx(min(1, float((n - 1) * share / 2)))
    assert found["redundancy"] == (n - len(set(other))) / n


def test_halves_complete_one_another():
    # Of 100 codes with two examples each, one half has as many twice as the other.
    codes = codes_of([*range(100), *range(100)])
    for seed in range(20):
        found = bound_on_other_half(codes, seed)
        pairs = 100 * 99 / 2 / 2 ** found["entropy"]
        assert found["redundancy"] * 100 == pytest.approx(pairs)


def test_halves_are_reproducible_and_differ_from_seed_to_seed():
    codes = geometric_codes(500)
    found = [bound_on_other_half(codes, seed) for seed in range(10)]
    assert found == [bound_on_other_half(codes, seed) for seed in range(10)]
    assert bound_on_other_half(codes) == found[0]
    assert len({half["redundancy"] for half in found}) > 1
    assert len({half["entropy"] for half in found}) > 1


def test_halves_of_degenerate_codes():
    equal = bound_on_other_half(codes_of([1] * 10))
    assert equal == {"n": 5, "entropy": 0, "bound": 1, "redundancy": 0.8}
    distinct = bound_on_other_half(codes_of(range(9)))
    assert distinct == {"n": 4, "entropy": math.inf, "bound": 0, "redundancy": 0}


def test_halves_need_four_codes_and_a_seed(unchecked):
    with pytest.raises(ValueError, match="codes: at least 4 codes are needed, and there are 3"):
        bound_on_other_half(codes_of([1, 1, 1]))
    with pytest.raises(ValueError, match="seed: a whole number of at least 0 is needed, not -1"):
        bound_on_other_half(codes_of([1] * 4), seed=-1)
    with pytest.raises(TypeError, match="seed: a whole number of at least 0 is needed, not 'a'"):
        unchecked(bound_on_other_half)(codes_of([1] * 4), seed="a")


# -- activity of units -----------------------------------------------------------------------


def activity_by_hand(codes):
    rows = []
    for layer in codes.layers:
        bits = codes[layer].bits().astype(int)
        on = bits.sum(axis=0)
        dead, always_on = int((on == 0).sum()), int((on == len(bits)).sum())
        rows.append((layer, bits.shape[1], dead, always_on, bits.mean() if bits.size else math.nan))
    return pd.DataFrame(rows, columns=["layer", "units", "dead", "always_on", "on"])


@given(
    st.integers(1, 5).flatmap(lambda n: arrays(np.uint8, (n, 22), elements=st.integers(0, 1))),
    st.sampled_from(
        [
            {"bits": (22,)},
            {"a": (3,), "b": (2, 8), "c": (3,)},
            {"a": (8,), "none": (0,), "b": (14,)},
        ]
    ),
)
def test_units_that_never_change_are_counted_layer_by_layer(bits, layers):
    codes = NeuralCodes.from_bits(bits, layers)
    pd.testing.assert_frame_equal(unit_activity(codes), activity_by_hand(codes))


@pytest.mark.parametrize("n_bits", [1, 7, 8, 9, 64, 65])
def test_padding_is_neither_dead_nor_on(n_bits):
    on = unit_activity(NeuralCodes.from_bits(np.ones((3, n_bits)))).iloc[0]
    assert on.tolist() == ["bits", n_bits, 0, n_bits, 1.0]
    off = unit_activity(NeuralCodes.from_bits(np.zeros((3, n_bits)))).iloc[0]
    assert off.tolist() == ["bits", n_bits, n_bits, 0, 0.0]


def test_all_units_are_counted_in_a_layer_of_very_many():
    row = unit_activity(NeuralCodes.from_bits(np.ones((300, 1000)))).iloc[0]
    assert row[["dead", "always_on", "on"]].tolist() == [0, 1000, 1]


def test_activity_of_degenerate_codes():
    one = unit_activity(NeuralCodes.from_bits([[0, 1, 1]]))
    assert one.iloc[0].tolist() == ["bits", 3, 1, 2, pytest.approx(2 / 3)]
    no_layers = unit_activity(NeuralCodes(np.zeros((3, 0), np.uint8), {}))
    assert no_layers.shape == (0, 5)
    with pytest.raises(ValueError, match="codes: at least one code is needed, and there is none"):
        unit_activity(codes_of([]))


# -- comparing sets --------------------------------------------------------------------------


def test_sets_are_compared_at_the_size_of_the_smallest():
    sets = {"train": geometric_codes(400), "test": geometric_codes(90, seed=1)}
    table = compare_redundancy(sets)
    assert list(table.columns) == ["set", "layer", "bits", "n", "redundancy", "entropy"]
    assert table["set"].tolist() == ["train", "test"]
    assert table[["layer", "bits", "n"]].drop_duplicates().to_numpy().tolist() == [["all", 8, 90]]
    for row, codes in zip(table.itertuples(), sets.values(), strict=True):
        assert row.redundancy == redundancy_ratio(codes, 90)
        assert row.entropy == collision_entropy(codes)
    assert compare_redundancy(sets, n=17)["redundancy"].tolist() == [
        redundancy_ratio(codes, 17) for codes in sets.values()
    ]


def test_every_layer_gets_a_row_in_sets_of_different_layers():
    bits = np.random.default_rng(0).integers(0, 2, (50, 12))
    sets = {
        "deep": NeuralCodes.from_bits(bits, {"a": (3,), "b": (2, 3), "c": (3,)}),
        "flat": NeuralCodes.from_bits(bits[:40, :5], {"only": (5,)}),
    }
    table = compare_redundancy(sets, per_layer=True)
    assert list(zip(table["set"], table["layer"], table["bits"], strict=True)) == [
        ("deep", "all", 12),
        ("deep", "a", 3),
        ("deep", "b", 6),
        ("deep", "c", 3),
        ("flat", "all", 5),
        ("flat", "only", 5),
    ]
    for row in table.itertuples():
        codes = sets[row.set] if row.layer == "all" else sets[row.set][row.layer]
        assert row.redundancy == redundancy_ratio(codes, 40)
        assert row.entropy == collision_entropy(codes)
    deep = table[table["set"] == "deep"]["redundancy"]
    assert (deep <= deep.iloc[1:].min()).iloc[0]


def test_a_layer_called_all_does_not_displace_the_whole_code():
    codes = NeuralCodes.from_bits([[0, 0, 1], [0, 1, 1]], {"all": (1,), "b": (2,)})
    table = compare_redundancy({"set": codes}, per_layer=True)
    assert table["bits"].tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("groups", "redundancy", "entropy"),
    [([4, 4, 4], 2 / 3, 0), ([1, 2, 3], 0, math.inf)],
    ids=["equal", "distinct"],
)
def test_comparing_degenerate_sets(groups, redundancy, entropy):
    row = compare_redundancy({"only": codes_of(groups)}).iloc[0]
    assert row["redundancy"] == pytest.approx(redundancy)
    assert row["entropy"] == entropy


def test_sets_that_cannot_be_compared(unchecked):
    sets = {"many": codes_of([1] * 5), "few": codes_of([1, 2, 3])}
    with pytest.raises(ValueError, match="sets: at least one set of codes is needed"):
        compare_redundancy({})
    for groups, count in (([], "there is none"), ([1], "there is one")):
        with pytest.raises(ValueError, match=rf"sets\['tiny'\]: at least 2 codes .* {count}"):
            compare_redundancy(sets | {"tiny": codes_of(groups)})
    with pytest.raises(ValueError, match="n: 4 is more than 'few' has, 3; leave n out"):
        compare_redundancy(sets, n=4)
    with pytest.raises(ValueError, match="n: a whole number of at least 1 is needed, not 0"):
        compare_redundancy(sets, n=0)
    with pytest.raises(TypeError, match=r"n: a whole number of at least 1 is needed, not 2\.0"):
        unchecked(compare_redundancy)(sets, n=2.0)
