"""Codes as points: of 0 and 1, or of coordinates in the space that they span."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier

from nhlib import kmeans_accuracy, logreg_accuracy
from nhlib.codes.neural_codes import NeuralCodes
from nhlib.measures.labelled_examples import points_of


def examples(n, n_bits, seed=0, strength=6):
    """Bits that lean one way or the other by class, so that classes overlap."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    lean = np.random.default_rng(99).random((4, n_bits))[labels]
    on = 0.5 + strength * (lean - 0.5) / n_bits**0.5
    return (random.random((n, n_bits)) < on).astype(np.uint8), labels


def squared_distances(points, others):
    return ((points[:, None].astype(float) - others) ** 2).sum(axis=2)


def test_few_bits_stay_points_of_0_and_1():
    bits, _ = examples(30, 29)
    points, others = points_of(NeuralCodes.from_bits(bits), NeuralCodes.from_bits(bits[:5]))
    assert points.dtype == others.dtype == np.float32
    assert np.array_equal(points, bits)
    assert np.array_equal(others, bits[:5])


@given(st.data(), st.integers(1, 12), st.integers(0, 30))
def test_coordinates_keep_every_distance(data, n, more):
    # Equal codes and codes that depend on each other are among them: a rank below n - 1.
    bits = data.draw(arrays(np.uint8, (n, n + more), elements=st.integers(0, 1)))
    points, same = points_of(NeuralCodes.from_bits(bits), None)
    assert same is points
    assert points.shape[1] <= max(1, n - 1)
    assert np.allclose(squared_distances(points, points), squared_distances(bits, bits), atol=1e-3)


@given(st.data(), st.integers(1, 10), st.integers(1, 5))
def test_other_codes_are_projected_onto_the_space_of_the_first(data, n, m):
    bits = data.draw(arrays(np.uint8, (n + m, n + 7), elements=st.integers(0, 1)))
    train, test = bits[:n], bits[n:]
    points, others = points_of(NeuralCodes.from_bits(train), NeuralCodes.from_bits(test))
    # The distances to two points of the space differ as they did before the projection.
    found, before = squared_distances(others, points), squared_distances(test, train)
    assert np.allclose(found - found[:, :1], before - before[:, :1], atol=2e-3)
    # The projection itself, by least squares around the mean.
    mean = train.mean(axis=0)
    basis = np.linalg.svd(train - mean, full_matrices=False)
    directions = basis.Vh[basis.S > 1e-9]
    lengths = (((test - mean) @ directions.T) ** 2).sum(axis=1)
    origin = (others - points.mean(axis=0, dtype=float)) ** 2
    assert np.allclose(origin.sum(axis=1), lengths, atol=1e-3)


@pytest.mark.parametrize("n_bits", [120, 900])
def test_long_codes_cluster_as_their_bits_do(n_bits):
    # Clear clusters: distances are whole numbers, and rounding decides between equal starts.
    bits, labels = examples(120, n_bits, strength=0.75 * n_bits**0.5)
    labels[::17] = (labels[::17] + 1) % 4
    model = KMeans(4, n_init=10, random_state=9).fit(bits.astype(np.float32))
    table = np.zeros((4, 4), int)
    np.add.at(table, (model.labels_, labels), 1)
    expected = table.max(axis=1).sum() / len(labels)
    assert expected == 112 / 120
    assert kmeans_accuracy(NeuralCodes.from_bits(bits), labels) == expected


@pytest.mark.parametrize("n_bits", [120, 900])
def test_logistic_regression_on_long_codes_is_that_on_their_bits(n_bits):
    (bits, labels), (others, truth) = examples(120, n_bits), examples(200, n_bits, seed=1)
    model = OneVsOneClassifier(LogisticRegression(tol=1e-8, max_iter=10_000))
    expected = model.fit(bits.astype(float), labels).score(others.astype(float), truth)
    found = logreg_accuracy(
        NeuralCodes.from_bits(bits), labels, NeuralCodes.from_bits(others), truth
    )
    assert 0.4 < expected < 1
    assert found == expected


def test_equal_codes_are_one_point():
    bits = np.ones((6, 50), np.uint8)
    codes, labels = NeuralCodes.from_bits(bits), np.arange(6) % 2
    points, others = points_of(codes, NeuralCodes.from_bits(1 - bits[:2]))
    assert not points.any()
    assert others.shape == (2, points.shape[1])
    assert kmeans_accuracy(codes, labels) == 0.5
    assert logreg_accuracy(codes, labels, codes, labels) == 0.5


def test_codes_of_a_million_bits_take_little_memory():
    # As float32, these would be 3.2 GB, and 800 MB as bytes.
    random = np.random.default_rng(0)
    prototypes = random.integers(0, 256, (2, 125_000), dtype=np.uint8)
    labels = np.arange(800) % 2
    rows = prototypes[labels]
    rows[:, :100_000] = random.integers(0, 256, (800, 100_000), dtype=np.uint8)
    codes = NeuralCodes(rows, {"long": (1_000_000,)})
    tracemalloc.start()
    assert kmeans_accuracy(codes, labels) == 1
    assert logreg_accuracy(codes[:700], labels[:700], codes[700:], labels[700:]) == 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000_000
