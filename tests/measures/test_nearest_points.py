"""Nearest points against exact fractions: distance, then index."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import nhlib as nh
from nhlib.measures.nearest_points import nearest_points


def by_fractions(queries, points, k):
    """Sort all points by their exact distance, then by index."""
    found = []
    for query in queries.tolist():
        distances = [
            sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(query, point, strict=True))
            for point in points.tolist()
        ]
        found.append(sorted(range(len(points)), key=lambda i: (distances[i], i))[:k])
    return found


NUMBERS = {
    "bits": st.sampled_from([0.0, 1.0]),
    "whole": st.integers(-3, 3).map(float),
    "grey levels": st.integers(0, 255).map(lambda i: i / 256),
    "large": st.integers(-5, 5).map(lambda i: 2.0**20 + i),
    "tiny": st.integers(0, 2).map(lambda i: i * 2.0**-140),
    "zeros": st.sampled_from([0.0, -0.0]),
}


@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS.keys())
@given(st.data(), st.integers(1, 5), st.integers(1, 12), st.integers(1, 5))
def test_ties_go_to_the_smaller_index(numbers, data, n_features, m, n):
    both = data.draw(arrays(np.float32, (m + n, n_features), elements=numbers.map(np.float32)))
    k = data.draw(st.integers(1, m))
    assert nearest_points(both[m:], both[:m], k).tolist() == by_fractions(both[m:], both[:m], k)


@pytest.mark.parametrize("shift", [0, 1e3, 1e6])
@pytest.mark.parametrize("n_features", [1, 7, 300])
def test_any_numbers_and_equal_points_among_them(shift, n_features):
    rng = np.random.default_rng(0)
    points = (rng.standard_normal((60, n_features)) + shift).astype(np.float32)
    points = points[rng.integers(0, 60, 200)]  # many are equal
    queries = np.vstack([points[:10], points[:10] + np.float32(0.01)])
    found = nearest_points(queries, points, 9)
    for query, near in zip(queries, found, strict=True):
        distances = np.square(points.astype(np.float64) - query).sum(axis=1)
        assert near.tolist() == sorted(range(200), key=lambda i: (distances[i], i))[:9]


def test_numbers_of_very_different_size():
    points = np.array([[1e30, 1], [1e30, 0], [1, 1e-30], [1, 0], [-1e30, 0]], np.float32)
    queries = np.array([[1, 0], [1e30, 0.6], [0, 0]], np.float32)
    for k in (1, 2):  # in float64 the two at 1e30 are equally far
        found = nearest_points(queries[:1], points, k).tolist()
        assert found == by_fractions(queries[:1], points, k)
    assert nearest_points(queries[1:], points, 1).tolist() == [[0], [2]]


def test_keys_of_distance_and_index_have_room():
    """Squared distances of up to 2^52 times 5,000 indices are more than 64 bits hold."""
    corners = np.random.default_rng(0).choice([-1, 1], (2500, 64)) * np.float32(2**22 - 1)
    points = np.concatenate([corners, -corners]).astype(np.float32)  # their mean is a whole number
    queries = points[:3] - np.float32(2)
    squares = [np.square(points.astype(np.int64) - query.astype(np.int64)) for query in queries]
    expected = [np.argsort(square.sum(axis=1), kind="stable")[:9] for square in squares]
    assert np.array_equal(nearest_points(queries, points, 9), expected)


def test_no_numbers_at_all():
    queries, points = np.zeros((2, 0), np.float32), np.zeros((3, 0), np.float32)
    assert nearest_points(queries, points, 2).tolist() == [[0, 1], [0, 1]]


def test_blocks_do_not_matter(monkeypatch):
    from nhlib.measures import nearest_points as module

    rng = np.random.default_rng(1)
    for points in (rng.integers(0, 3, (50, 4)), rng.standard_normal((50, 4))):
        points = points.astype(np.float32)
        expected = nearest_points(points, points, 5)
        monkeypatch.setattr(module, "_PAIRS", 150)
        assert np.array_equal(nearest_points(points, points, 5), expected)


@given(st.data(), st.integers(1, 6), st.integers(3, 12), st.integers(1, 6))
def test_bits_vote_as_codes_do(data, n_bits, n, m):
    bits = data.draw(arrays(np.uint8, (n + m, n_bits), elements=st.integers(0, 1)))
    labels = [9, 1, 4, *data.draw(st.lists(st.sampled_from([1, 4, 9]), min_size=n, max_size=n))]
    labels, test_labels = labels[:n], (labels * 3)[2 : m + 2]
    k = data.draw(st.integers(1, n))
    codes = nh.NeuralCodes.from_bits(bits)
    expected = nh.knn_accuracy(codes[:n], labels, codes[n:], test_labels, k)
    for kind in (np.uint8, bool, np.float64):
        numbers = bits.astype(kind)
        assert nh.knn_accuracy(numbers[:n], labels, numbers[n:], test_labels, k) == expected
