"""Logistic regression as a tensor program, against scikit-learn."""

from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier

from nhlib.measures import logistic_regression
from nhlib.measures.logistic_regression import one_versus_one, vote


def random_bits(n, n_bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_bits), dtype=np.uint8)


@pytest.fixture(scope="module")
def digits():
    """Return bits of images, as float32, and their classes."""
    x, y = load_digits(return_X_y=True)
    return (x > 7).astype(np.float32), y.astype(np.int64)


@pytest.fixture(params=[logistic_regression._HESSIAN, 0], ids=["hessian", "conjugate gradients"])
def both_solvers(request, monkeypatch):
    monkeypatch.setattr(logistic_regression, "_HESSIAN", request.param)


def exact_weights(x, y):
    """Return scikit-learn's weights and intercept for every pair of classes."""
    rows = []
    for pair in combinations(range(y.max() + 1), 2):
        taken = np.isin(y, pair)
        model = LogisticRegression(tol=1e-10, max_iter=10_000)
        model.fit(x[taken].astype(np.float64), y[taken])
        rows.append(np.append(model.coef_[0], model.intercept_))
    return np.stack(rows)


@pytest.mark.usefixtures("both_solvers")
def test_weights_and_predictions_against_scikit_learn(digits):
    x, y = digits
    x, y, others = x[:600], y[:600], torch.from_numpy(x[600:])
    weights = one_versus_one(torch.from_numpy(x), torch.from_numpy(y), 10)
    np.testing.assert_allclose(weights, exact_weights(x, y), rtol=1e-3, atol=1e-3)
    model = OneVsOneClassifier(LogisticRegression(tol=1e-8, max_iter=10_000)).fit(x, y)
    assert (vote(weights, others, 10).numpy() != model.predict(others)).mean() <= 1 / 500


@pytest.mark.usefixtures("both_solvers")
@pytest.mark.parametrize("scale", [0.01, 1, 30])
def test_overlapping_classes_of_unequal_sizes(scale):
    x, y = make_blobs([60, 8, 200], 5, cluster_std=4.0, center_box=(-3, 3), random_state=1)
    x = (scale * (x + 5)).astype(np.float32)
    weights = one_versus_one(torch.from_numpy(x), torch.from_numpy(y), 3)
    np.testing.assert_allclose(weights, exact_weights(x, y), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("beyond", [-1, 200])
def test_more_bits_than_examples(beyond):
    n_features = logistic_regression._HESSIAN + beyond
    x, y = random_bits(40, n_features).astype(np.float32), np.arange(40) % 2
    weights = one_versus_one(torch.from_numpy(x), torch.from_numpy(y), 2)
    np.testing.assert_allclose(weights, exact_weights(x, y), rtol=1e-3, atol=1e-3)


def test_a_step_that_goes_too_far_is_halved(monkeypatch):
    x, y = random_bits(50, 6).astype(np.float32), np.arange(50) % 2
    newton_step = logistic_regression._newton_step
    monkeypatch.setattr(logistic_regression, "_newton_step", lambda *given: 7 * newton_step(*given))
    weights = one_versus_one(torch.from_numpy(x), torch.from_numpy(y), 2)
    np.testing.assert_allclose(weights, exact_weights(x, y), rtol=1e-3, atol=1e-3)


@pytest.mark.usefixtures("both_solvers")
def test_features_that_say_nothing():
    y = torch.tensor([0, 0, 0, 1])
    weights = one_versus_one(torch.zeros(4, 3), y, 2)
    np.testing.assert_allclose(weights, [[0, 0, 0, -np.log(3)]], atol=1e-5)
    np.testing.assert_allclose(one_versus_one(torch.zeros(4, 0), y, 2), [[-np.log(3)]], atol=1e-5)


def test_a_tie_in_the_vote_goes_to_confidence_and_then_to_the_smaller_class():
    point = torch.zeros(1, 0)
    # Classes 0, 1 and 2 beat one another in a circle: 0 over 1, 1 over 2, 2 over 0.
    circle = torch.tensor([[-1.0], [1.0], [-1.0]])
    assert vote(circle, point, 3).tolist() == [0]
    assert vote(circle - torch.tensor([[0.0], [0.0], [9.0]]), point, 3).tolist() == [1]
    assert vote(circle + torch.tensor([[0.0], [9.0], [0.0]]), point, 3).tolist() == [2]
    assert vote(torch.zeros(3, 1), point, 3).tolist() == [0]  # at 0, a pair votes for its first


def test_votes_count_more_than_any_confidence():
    # Cauchy's distribution has far outliers.
    confidences = np.random.default_rng(0).standard_cauchy((500, 10)).astype(np.float32)
    expected = []
    for row in confidences:
        votes, totals = np.zeros(5), np.zeros(5)
        for (first, second), confidence in zip(combinations(range(5), 2), row, strict=True):
            votes[second if confidence > 0 else first] += 1
            totals[[first, second]] += -confidence, confidence
        expected.append(max(range(5), key=lambda c, v=votes, t=totals: (v[c], t[c])))
    weights = torch.eye(10, 11)
    assert vote(weights, torch.from_numpy(confidences), 5).tolist() == expected


def test_voting_in_blocks(digits, monkeypatch):
    monkeypatch.setattr(logistic_regression, "_PAIRS", 300)
    points = torch.from_numpy(digits[0])
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=(45, 65)).astype(np.float32))
    blocks = vote(weights, points, 10)
    parts = [vote(weights, point[None], 10) for point in points]
    assert (blocks != torch.cat(parts)).sum() <= 1  # sums of another order may round differently


def test_a_single_class_needs_no_vote():
    points, labels = torch.ones(3, 2), torch.zeros(3, dtype=torch.int64)
    assert vote(one_versus_one(points, labels, 1), points, 1).tolist() == [0, 0, 0]
