"""Categorization beside scikit-learn: neighbours alone, and the whole evaluation of one network.

The reference is written as the paper's authors did it: K-Means with ten starts, nine neighbours
by ``metric="hamming"``, one logistic regression for every pair of classes, all by scikit-learn
on arrays of 0 and 1. On a machine with a GPU, the same runs there too.
"""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

import nhlib as nh

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
N_BITS = 100


@pytest.fixture(scope="module")
def examples():
    """The codes of MNIST, if it is at hand, by 100 units after 3 epochs; else made-up codes."""
    try:
        data = nh.load("mnist", train_size=48_000)
    except FileNotFoundError:
        data = None
    if data is not None:
        network = nh.mlp(data.n_inputs, [N_BITS], 10, seed=0)
        nh.fit(network, data, nh.Recipe(epochs=3))
        train, test = nh.encode(network, data.train), nh.encode(network, data.test)
        return train, data.train.labels.numpy(), test, data.test.labels.numpy()
    # Ten random codes, whose bits flip with a probability of 0.2.
    rng = np.random.default_rng(0)
    middles = rng.integers(0, 2, (10, N_BITS))
    parts = []
    for n in (48_000, 10_000):
        labels = rng.integers(0, 10, n)
        flips = rng.random((n, N_BITS)) < 0.2
        parts += [nh.NeuralCodes.from_bits(middles[labels] ^ flips), labels]
    return parts


def brute_force(train, test, k):
    """Neighbours by (distance, index), from all distances at once."""
    distances = test.hamming(train)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, indices, axis=1), indices


@pytest.mark.parametrize("way", ['scikit-learn, metric="hamming"', *DEVICES])
def test_neighbours(benchmark, examples, way):
    train, _, test, _ = examples
    benchmark.group = f"9 neighbours of 10,000 among 48,000 codes of {N_BITS} bits"
    sample = slice(0, 500)
    if way in DEVICES:
        benchmark.name = f"nh.nearest_codes, {way}"
        found = benchmark.pedantic(
            nh.nearest_codes, (test, train, 9, way), rounds=5, warmup_rounds=1
        )
        for ours, truth in zip(found, brute_force(train, test[sample], 9), strict=True):
            assert np.array_equal(ours[sample], truth)
        return
    benchmark.name = way
    model = NearestNeighbors(n_neighbors=9, metric="hamming", algorithm="brute").fit(train.bits())
    distances, _ = benchmark.pedantic(model.kneighbors, (test.bits(),), rounds=1)
    # It breaks ties otherwise, so that only the distances are the same.
    truth, _ = brute_force(train, test[sample], 9)
    assert np.array_equal((distances[sample] * N_BITS).round(), truth)


def reference(train, labels, test, test_labels):
    """Evaluate one network as the authors' code does."""
    bits, test_bits = train.bits(), test.bits()

    def redundancy(bits):
        return 1 - len(np.unique(bits, axis=0)) / len(bits)

    def kmeans(bits, labels):
        clusters = KMeans(10, n_init=10, random_state=9).fit(bits.astype(np.float64)).labels_
        return sum(np.bincount(labels[clusters == c]).max() for c in range(10)) / len(labels)

    neighbours = KNeighborsClassifier(9, metric="hamming").fit(bits, labels)
    regression = OneVsOneClassifier(LogisticRegression()).fit(bits, labels)
    return {
        "redundancy, train": redundancy(bits),
        "redundancy, test": redundancy(test_bits),
        "K-Means, train": kmeans(bits, labels),
        "K-Means, test": kmeans(test_bits, test_labels),
        "K-NN": neighbours.score(test_bits, test_labels),
        "logistic regression": regression.score(test_bits, test_labels),
    }


def evaluate(train, labels, test, test_labels, device="cpu"):
    """Do the same with nhlib."""
    both = train, labels, test, test_labels
    return {
        "redundancy, train": nh.redundancy_ratio(nh.NeuralCodes(train.packed, train.layers)),
        "redundancy, test": nh.redundancy_ratio(nh.NeuralCodes(test.packed, test.layers)),
        "K-Means, train": nh.kmeans_accuracy(train, labels, device=device),
        "K-Means, test": nh.kmeans_accuracy(test, test_labels, device=device),
        "K-NN": nh.knn_accuracy(*both, device=device),
        "logistic regression": nh.logreg_accuracy(*both, device=device),
    }


@pytest.fixture(scope="module")
def expected():
    """What the reference found; it runs first."""
    return {}


# The authors' logistic regression stops after its default of 100 iterations, warning or not.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("way", ["scikit-learn, as in the authors' code", *DEVICES])
def test_evaluation(benchmark, examples, expected, way):
    benchmark.group = f"evaluation of one network of {N_BITS} units, 48,000 and 10,000 codes"
    if way in DEVICES:
        benchmark.name = f"nhlib, {way}"
        found = benchmark.pedantic(evaluate, (*examples, way), rounds=3)
        for name, value in found.items():
            assert abs(value - expected[name]) <= 0.005, (name, value, expected[name])
    else:
        benchmark.name = way
        found = benchmark.pedantic(reference, examples, rounds=1)
        expected.update(found)
    for name, value in found.items():
        benchmark.extra_info[name] = f"{value:.4f}"
