"""Learners as tensor programs, against brute force and scikit-learn."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier

from nhlib.codes import neighbours
from nhlib.codes.neighbours import hamming_neighbours
from nhlib.measures import kmeans as kmeans_module
from nhlib.measures import logistic_regression
from nhlib.measures.kmeans import kmeans, nearest_centre
from nhlib.measures.logistic_regression import one_versus_one, vote

CPU = torch.device("cpu")


def random_bits(n, n_bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_bits), dtype=np.uint8)


@pytest.fixture(scope="module")
def digits():
    """Return bits of images, as float32, and their classes."""
    x, y = load_digits(return_X_y=True)
    return (x > 7).astype(np.float32), y.astype(np.int64)


@pytest.fixture
def small_blocks(monkeypatch):
    """Make everything that goes block by block take many blocks."""
    monkeypatch.setattr(neighbours, "_PRODUCTS", 300)
    monkeypatch.setattr(kmeans_module, "_PAIRS", 300)
    monkeypatch.setattr(logistic_regression, "_PAIRS", 300)
    monkeypatch.setattr(neighbours, "_UNPACKED", 2000)


# -- k-nearest neighbours --------------------------------------------------------------------


def check_neighbours(queries, points, k):
    # A stable sort by distance leaves equal distances in the order of their indices.
    all_distances = (queries[:, None] != points).sum(axis=2)
    expected = all_distances.argsort(axis=1, kind="stable")[:, :k]
    done = []
    packed = (np.packbits(bits, axis=1) for bits in (queries, points))
    distances, indices = hamming_neighbours(*packed, k, CPU, done.append)
    assert np.array_equal(indices, expected)
    assert np.array_equal(distances, np.take_along_axis(all_distances, expected, axis=1))
    assert (distances.dtype, indices.dtype) == (np.int32, np.int64)
    assert sum(done) == len(queries)
    return done


@given(st.data(), st.integers(1, 20), st.integers(1, 60), st.integers(1, 12))
def test_neighbours_and_their_ties_against_brute_force(data, n, m, n_bits):
    bits = data.draw(arrays(np.uint8, (n + m, n_bits), elements=st.integers(0, 1)))
    check_neighbours(bits[:n], bits[n:], data.draw(st.integers(1, m)))


@pytest.mark.parametrize("n_bits", [1, 7, 8, 100, 1003])
@pytest.mark.parametrize("k", [1, 5, 70])
def test_neighbours_over_many_blocks(small_blocks, n_bits, k):
    done = check_neighbours(random_bits(50, n_bits), random_bits(70, n_bits, seed=1), k)
    assert done == [4] * 12 + [2]  # 300 pairs are 4 queries and 70 points


def test_blocks_of_bits_are_as_small_as_they_should_be(small_blocks, monkeypatch):
    unpacked, unpack = [], neighbours._signs

    def record(packed):
        unpacked.append(8 * packed.size(1))
        return unpack(packed)

    monkeypatch.setattr(neighbours, "_signs", record)
    check_neighbours(random_bits(4, 1003), random_bits(70, 1003, seed=1), 3)
    assert max(unpacked) == 24  # 2000 bits are 24 for each of 74 rows, in whole bytes
    assert sum(unpacked) == 2 * 1008


def test_more_points_than_a_block_has_pairs(small_blocks):
    assert check_neighbours(random_bits(3, 30), random_bits(3000, 30, seed=1), 40) == [1, 1, 1]


def test_identical_codes_come_by_index():
    bits = np.repeat(random_bits(1, 20), 500, axis=0)
    check_neighbours(bits[:3], bits, 500)


def test_distances_of_very_long_codes_are_exact():
    points = np.zeros((3, 1 << 21), np.uint8)
    points[0] = 255
    points[1, -1] = 1
    distances, indices = hamming_neighbours(np.zeros_like(points[:1]), points, 3, CPU)
    assert (distances.tolist(), indices.tolist()) == ([[0, 1, 1 << 24]], [[2, 1, 0]])
    points[0, 0] = 254
    assert hamming_neighbours(points[2:], points, 3, CPU)[0].tolist() == [[0, 1, (1 << 24) - 1]]


def test_codes_that_nobody_may_write_to_codes_of_no_bits_and_no_queries():
    codes = np.packbits(random_bits(5, 9), axis=1)
    codes.flags.writeable = False
    assert hamming_neighbours(codes, codes, 1, CPU)[0].tolist() == [[0]] * 5
    nothing = np.zeros((4, 0), np.uint8)
    distances, indices = hamming_neighbours(nothing, nothing, 2, CPU)
    assert (distances.tolist(), indices.tolist()) == ([[0, 0]] * 4, [[0, 1]] * 4)
    assert hamming_neighbours(codes[:0], codes, 2, CPU)[1].shape == (0, 2)


@pytest.mark.parametrize("k", [0, 6])
def test_a_number_of_neighbours_that_there_are_not(k):
    codes = np.zeros((5, 1), np.uint8)
    with pytest.raises(ValueError, match="k: a whole number from 1 to 5 is needed, not"):
        hamming_neighbours(codes, codes, k, CPU)


def test_codes_too_long_to_be_exact():
    codes = np.zeros((1, (1 << 21) + 1), np.uint8)
    with pytest.raises(ValueError, match="at most 16777216 bits are allowed, not 16777224"):
        hamming_neighbours(codes, codes, 1, CPU)


# -- K-Means ---------------------------------------------------------------------------------


def inertia(points, centres):
    return float((points - centres[nearest_centre(points, centres)]).double().square().sum())


@pytest.mark.parametrize("n_clusters", [2, 10, 40])
def test_clusters_are_as_tight_as_scikit_learns(digits, n_clusters):
    points = torch.from_numpy(digits[0])
    reference = KMeans(n_clusters, n_init=10, random_state=0).fit(digits[0]).inertia_
    found = [inertia(points, kmeans(points, n_clusters, 10, seed)) for seed in range(3)]
    assert min(found) <= 1.005 * reference
    assert max(found) <= 1.01 * reference  # no seed is much worse than another


@pytest.mark.parametrize("seed", range(5))
def test_lloyds_algorithm_against_scikit_learns_from_the_same_starts(seed, monkeypatch):
    # Of normal random numbers, as among bits it is rounding that breaks many ties.
    random = np.random.default_rng(seed)
    x = random.normal(size=(3000, 3)).astype(np.float32)
    starts = x[np.stack([random.choice(3000, 8, replace=False) for _ in range(4)])]
    monkeypatch.setattr(
        kmeans_module, "_greedy_starts", lambda *_: torch.from_numpy(starts - x.mean(axis=0))
    )
    models = [KMeans(8, init=start, n_init=1).fit(x) for start in starts]
    best = min(models, key=lambda model: model.inertia_)
    found = kmeans(torch.from_numpy(x), 8, 4, seed=0)
    np.testing.assert_allclose(found, best.cluster_centers_, atol=1e-4)
    assert len({model.n_iter_ for model in models}) > 1  # runs did end one after the other


def test_well_separated_clusters_are_found_exactly():
    true = np.array([[0, 0, 0], [50, 0, 0], [0, 50, 0], [0, 0, 50]], np.float32)
    x, y = make_blobs([30, 20, 1, 49], 3, centers=true, cluster_std=1.0, random_state=0)
    means = np.stack([x[y == cluster].mean(axis=0) for cluster in range(4)])
    points = torch.from_numpy(x.astype(np.float32))
    centres = kmeans(points, 4, 5, seed=3)
    order = nearest_centre(torch.from_numpy(true), centres)
    np.testing.assert_allclose(centres[order], means, atol=1e-4)
    assert torch.equal(nearest_centre(points, centres), order[torch.from_numpy(y)])


def test_one_cluster_is_around_the_mean(digits):
    points = torch.from_numpy(digits[0])
    np.testing.assert_allclose(kmeans(points, 1, 2, 0)[0], points.mean(dim=0), atol=1e-6)


@pytest.mark.parametrize("n_clusters", [1, 3, 20])
def test_points_that_are_all_equal(n_clusters):
    points = torch.full((20, 3), 0.3)
    np.testing.assert_allclose(kmeans(points, n_clusters, 4, 0), points[:n_clusters], rtol=1e-6)


def test_as_many_clusters_as_points():
    points = torch.from_numpy(random_bits(1, 64).reshape(8, 8)).float() + torch.eye(8)
    assert inertia(points, kmeans(points, 8, 3, 0)) == pytest.approx(0, abs=1e-9)


def test_more_clusters_than_different_points():
    points = torch.tensor([[0.0, 0.0], [1.0, 3.0], [4.0, 0.0]]).repeat(5, 1)
    for seed in range(5):
        assert inertia(points, kmeans(points, 6, 2, seed)) == pytest.approx(0, abs=1e-9)


def test_an_empty_cluster_gets_the_farthest_point(monkeypatch):
    # From this start the third cluster is empty, and 100 is farthest from its centre.
    points = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0], [100.0]])
    start = torch.tensor([[[1.0], [10.0], [-500.0]]])
    mean = points.mean(dim=0)
    monkeypatch.setattr(kmeans_module, "_greedy_starts", lambda *_: start - mean)
    np.testing.assert_allclose(kmeans(points, 3, 1, 0), [[1.0], [10.5], [100.0]], rtol=1e-6)


def test_a_cluster_may_lose_its_only_point_to_an_empty_one(monkeypatch):
    # The third cluster is empty and takes 100, which was the only point of the second.
    points = torch.tensor([[0.0], [1.0], [100.0]])
    start = torch.tensor([[[0.5], [60.0], [-500.0]]])
    mean = points.mean(dim=0)
    monkeypatch.setattr(kmeans_module, "_greedy_starts", lambda *_: start - mean)
    assert inertia(points, kmeans(points, 3, 1, 0)) == pytest.approx(0, abs=1e-9)


def test_a_seed_fixes_the_clusters_and_blocks_do_not_matter(digits, monkeypatch):
    points = torch.from_numpy(digits[0])
    centres = kmeans(points, 10, 3, seed=5)
    assert torch.equal(centres, kmeans(points, 10, 3, seed=5))
    assert not torch.equal(centres, kmeans(points, 10, 3, seed=6))
    torch.manual_seed(0)
    state = torch.get_rng_state()
    monkeypatch.setattr(kmeans_module, "_PAIRS", 5000)
    np.testing.assert_allclose(centres, kmeans(points, 10, 3, seed=5), atol=1e-5)
    assert torch.equal(state, torch.get_rng_state())


def test_nearest_centre_against_brute_force(small_blocks):
    # Whole numbers, so that ties are ties.
    random = np.random.default_rng(0)
    points, centres = (random.integers(-2, 3, (n, 2)).astype(np.float32) for n in (400, 7))
    expected = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    found = nearest_centre(torch.from_numpy(points), torch.from_numpy(centres))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((0, 1, 0), "n_clusters"), ((4, 1, 0), "n_clusters"), ((2, 0, 0), "n_init")],
)
def test_bad_arguments_of_kmeans(arguments, name):
    with pytest.raises(ValueError, match=f"{name}: a whole number"):
        kmeans(torch.zeros(3, 2), *arguments)


# -- logistic regression ---------------------------------------------------------------------


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


def test_voting_in_blocks(digits, small_blocks):
    points = torch.from_numpy(digits[0])
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=(45, 65)).astype(np.float32))
    blocks = vote(weights, points, 10)
    parts = [vote(weights, point[None], 10) for point in points]
    assert (blocks != torch.cat(parts)).sum() <= 1  # sums of another order may round differently


def test_a_single_class_needs_no_vote():
    points, labels = torch.ones(3, 2), torch.zeros(3, dtype=torch.int64)
    assert vote(one_versus_one(points, labels, 1), points, 1).tolist() == [0, 0, 0]
