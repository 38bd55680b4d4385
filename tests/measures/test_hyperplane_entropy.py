"""The law of random hyperplanes: against sums over pairs, and against hyperplanes drawn."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

import nhlib as nh
from nhlib.measures import hyperplanes

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((12, 3))


def by_pairs(points, n_bits):
    shares = []
    for x, y in combinations(points, 2):
        cosine = float(x @ y) / (math.hypot(*x) * math.hypot(*y))
        shares.append((1 - math.acos(max(-1.0, min(1.0, cosine))) / math.pi) ** n_bits)
    return -math.log2(math.fsum(shares) / len(shares)) if any(shares) else math.inf


@given(st.integers(0, 1000), st.integers(2, 30), st.integers(1, 5), st.integers(0, 40))
def test_it_is_the_mean_over_all_pairs(seed, n, n_inputs, n_bits):
    points = np.random.default_rng(seed).standard_normal((n, n_inputs)) + 0.5
    expected = by_pairs(points, n_bits)
    assert nh.hyperplane_entropy(points, n_bits) == pytest.approx(expected, abs=1e-6)
    lengths = np.random.default_rng(seed).uniform(0.1, 10, (n, 1))
    assert nh.hyperplane_entropy(points * lengths, n_bits) == pytest.approx(expected, abs=1e-6)


def test_blocks_leave_no_pair_out(monkeypatch):
    expected = by_pairs(POINTS, 7)
    for block in (1, 12, 24, 60, 1000):
        monkeypatch.setattr(hyperplanes, "_BLOCK", block)
        assert nh.hyperplane_entropy(POINTS, 7) == pytest.approx(expected)


def test_codes_of_drawn_hyperplanes_collide_as_often():
    # 40,000 layers of three hyperplanes each, through the origin.
    weights = np.random.default_rng(1).standard_normal((40_000, 3, 3))
    bits = np.einsum("luk,nk->lun", weights, POINTS) > 0
    same = (bits[..., :, None] == bits[..., None, :]).all(axis=1)
    pairs = np.triu_indices(len(POINTS), 1)
    assert 2 ** -nh.hyperplane_entropy(POINTS, 3) == pytest.approx(
        same[:, pairs[0], pairs[1]].mean(), abs=0.003
    )


def test_hyperplanes_beside_the_origin_collide_as_often():
    sphere = POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)
    offsets = np.array([0.0, 0.7, -1.5])
    weights = np.random.default_rng(2).standard_normal((40_000, 3, 3))
    bits = np.einsum("luk,nk->lun", weights, sphere) + offsets[:, None] > 0
    same = (bits[..., :, None] == bits[..., None, :]).all(axis=1)
    pairs = np.triu_indices(len(POINTS), 1)
    assert 2 ** -nh.hyperplane_entropy(sphere, 3, offsets) == pytest.approx(
        same[:, pairs[0], pairs[1]].mean(), abs=0.003
    )


@pytest.mark.parametrize("offset", [0.0, 0.3, -2.0])
@pytest.mark.parametrize("angle", [0.2, 1.5, 3.0])
def test_one_hyperplane_and_the_normal_distribution(offset, angle):
    both = multivariate_normal(cov=[[1, math.cos(angle)], [math.cos(angle), 1]])
    expected = both.cdf([offset, offset]) + both.cdf([-offset, -offset])
    points = [[1.0, 0.0], [math.cos(angle), math.sin(angle)]]
    found = 2 ** -nh.hyperplane_entropy(points, 1, [offset])
    assert found == pytest.approx(expected, abs=1e-5)


def test_without_offsets_and_with_zeros():
    zeros = nh.hyperplane_entropy(POINTS, 20, np.zeros(20))
    assert zeros == pytest.approx(nh.hyperplane_entropy(POINTS, 20), abs=1e-4)


def test_untrained_networks_obey_it():
    digits = nh.load("digits")
    for width in (20, 30):
        expected = nh.hyperplane_entropy(digits.test, width)
        nets = [nh.mlp(64, [width], 10, seed=seed) for seed in range(100)]
        codes = [nh.encode(net, digits.test) for net in nets]
        share = np.mean([2 ** -nh.collision_entropy(of_one) for of_one in codes])
        assert -math.log2(share) == pytest.approx(expected, abs=0.15)
        ratio = np.mean([nh.redundancy_ratio(of_one) for of_one in codes])
        assert ratio < nh.redundancy_bound(expected, 360)


def test_edges():
    alike = nh.hyperplane_entropy([[1.0, 2.0], [2.0, 4.0]], [0, 5])
    assert alike == pytest.approx([0, 0], abs=1e-6)
    assert nh.hyperplane_entropy([[1.0], [-1.0]], 3) == math.inf
    assert nh.hyperplane_entropy([[1.0], [-1.0]], 0) == 0
    assert nh.hyperplane_entropy([[1.0], [-1.0]], 2, [0.0, 0.0]) > 1000
    images = torch.rand(5, 1, 4, 4)
    split = nh.Split(images, torch.zeros(5, dtype=torch.int64))
    assert nh.hyperplane_entropy(split, 9) == nh.hyperplane_entropy(images.flatten(1), 9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0, 2.0]], 3), "inputs: at least 2 are needed, not 1"),
        (([[1.0, 2.0], [0.0, 0.0]], 3), "inputs: finite ones are needed, and none that is 0"),
        (([[1.0, 2.0], [math.nan, 0.0]], 3), "inputs: finite ones are needed"),
        (([[1.0], [2.0]], -1), "n_bits: .* not -1"),
        (([[1.0], [2.0]], 2, [0.0]), r"offsets: one for each of n_bits=2 .* shape \(1,\)"),
        (([[1.0], [2.0]], [2], [0.0, 1.0]), "offsets: one for each"),
        (([[1.0], [2.0]], 1, [math.inf]), "offsets: "),
    ],
)
def test_what_cannot_be_meant(arguments, message):
    with pytest.raises(ValueError, match=message):
        nh.hyperplane_entropy(*arguments)
