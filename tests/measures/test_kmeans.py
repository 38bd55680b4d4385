"""K-Means as a tensor program, against brute force and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs

from nhlib.measures import kmeans as kmeans_module
from nhlib.measures.kmeans import kmeans, nearest_centre


def random_bits(n, n_bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_bits), dtype=np.uint8)


@pytest.fixture(scope="module")
def digits():
    """Return bits of images, as float32, and their classes."""
    x, y = load_digits(return_X_y=True)
    return (x > 7).astype(np.float32), y.astype(np.int64)


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


def test_nearest_centre_against_brute_force(monkeypatch):
    monkeypatch.setattr(kmeans_module, "_PAIRS", 300)  # many blocks
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
