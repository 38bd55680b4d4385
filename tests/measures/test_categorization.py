"""Classifiers on codes against votes, tables and optima computed in other ways."""

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.multiclass import OneVsOneClassifier
from sklearn.neighbors import KNeighborsClassifier

import nhlib as nh
from nhlib import (
    NeuralCodes,
    bit_information,
    categorize,
    drop_constant_bits,
    kmeans_accuracy,
    knn_accuracy,
    logreg_accuracy,
)
from nhlib.codes.neighbours import hamming_neighbours
from nhlib.measures.kmeans import kmeans, nearest_centre
from nhlib.measures.logistic_regression import one_versus_one, vote

FUNCTIONS = [kmeans_accuracy, knn_accuracy, logreg_accuracy, categorize]


def random_bits(n, n_bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_bits), dtype=np.uint8)


def random_task(n, m, n_bits, n_classes, seed=0):
    """Codes that tell something about their classes, but not all."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n + m - n_classes)])
    centres = rng.integers(0, 2, (n_classes, n_bits))
    bits = centres[labels] ^ (rng.random((n + m, n_bits)) < 0.25)
    codes = NeuralCodes.from_bits(bits)
    return codes[:n], labels[:n], codes[n:], labels[n:]


@pytest.fixture(scope="module")
def digits():
    """Codes of the digits from a network that was trained for a few epochs."""
    data = nh.load("digits")
    network = nh.mlp(data.n_inputs, [40], data.n_classes, batch_norm=True)
    nh.fit(network, data, nh.Recipe.code(epochs=5), progress=False)
    train, test = (nh.encode(network, split) for split in (data.train, data.test))
    return train, data.train.labels, test, data.test.labels


# -- K-nearest neighbours --------------------------------------------------------------------


def accuracy_by_vote(train, train_labels, test, test_labels, k):
    """Vote in plain Python: nearest first, then smallest index; most votes, then smallest label."""
    train, test = train.tolist(), test.tolist()
    hits = 0
    for code, label in zip(test, test_labels, strict=True):
        order = sorted(
            (sum(a != b for a, b in zip(code, other, strict=True)), i)
            for i, other in enumerate(train)
        )
        votes = [int(train_labels[i]) for _, i in order[:k]]
        hits += min(set(votes), key=lambda c: (-votes.count(c), c)) == label
    return hits / len(test)


@given(st.data(), st.integers(1, 4), st.integers(3, 12), st.integers(1, 6))
def test_votes_and_their_ties_are_those_of_plain_python(data, n_bits, n, m):
    bits = data.draw(arrays(np.uint8, (n + m, n_bits), elements=st.integers(0, 1)))
    labels = data.draw(st.lists(st.sampled_from([1, 4, 9]), min_size=n - 3, max_size=n - 3))
    labels = [9, 1, 4, *labels]
    test_labels = data.draw(st.lists(st.sampled_from([1, 4, 9]), min_size=m, max_size=m))
    k = data.draw(st.integers(1, n))
    codes = NeuralCodes.from_bits(bits)
    expected = accuracy_by_vote(bits[:n], labels, bits[n:], test_labels, k)
    assert knn_accuracy(codes[:n], labels, codes[n:], test_labels, k) == expected


def predicted(train, labels, test, k):
    """Tell the only class that is right about one code."""
    (right,) = [c for c in set(labels) if knn_accuracy(train, labels, test, [c], k) == 1]
    return right


def test_at_rank_k_equal_distances_go_to_the_smaller_index():
    train = NeuralCodes.from_bits([[0, 0, 1], [0, 1, 0], [0, 0, 0]])
    test = NeuralCodes.from_bits([[0, 0, 0]])
    assert predicted(train[[0, 1]], [5, 2], test, 1) == 5
    assert predicted(train[[0, 1]], [2, 5], test, 1) == 2
    assert predicted(train[[0, 1, 0, 2]], [5, 2, 2, 5], test, 2) == 5
    # Both at distance 1 are of class 2, but only the first has the third vote with class 5.
    assert predicted(train[[2, 2, 0, 0]], [5, 2, 5, 2], test, 3) == 5
    assert predicted(train[[2, 2, 0, 0]], [5, 2, 2, 5], test, 3) == 2


def test_equal_votes_go_to_the_smallest_label_however_near_the_others_are():
    train = NeuralCodes.from_bits([[0, 0, 0], [0, 0, 0], [0, 1, 1], [0, 1, 1]])
    test = NeuralCodes.from_bits([[0, 0, 0]])
    assert predicted(train, [7, 7, 3, 3], test, 4) == 3
    assert predicted(train, [3, 3, 7, 7], test, 4) == 3
    assert predicted(train, [7, 7, 3, 3], test, 3) == 7


@pytest.mark.parametrize("k", [1, 5, 9])
def test_neighbours_without_ties_vote_as_scikit_learns(k):
    # A code that differs in bits 0 to i is at distance i + 1 of the first: no two are equal.
    rng = np.random.default_rng(0)
    stairs = np.tri(60, 60, dtype=np.uint8)[rng.permutation(60)]
    labels = rng.integers(0, 2, 60)
    test = np.zeros((1, 60), np.uint8)
    model = KNeighborsClassifier(k, metric="hamming", algorithm="brute").fit(stairs, labels)
    codes, asked = NeuralCodes.from_bits(stairs), NeuralCodes.from_bits(test)
    for label in (0, 1):
        expected = model.score(test, [label])
        assert knn_accuracy(codes, labels, asked, [label], k) == expected


@pytest.mark.parametrize("k", [1, 9])
def test_real_numbers_vote_as_scikit_learns(k):
    data = nh.load("digits")
    model = KNeighborsClassifier(k).fit(data.train.inputs.flatten(1), data.train.labels)
    expected = model.score(data.test.inputs.flatten(1).numpy(), data.test.labels.numpy())
    arguments = data.train.inputs, data.train.labels, data.test.inputs, data.test.labels
    # Images of whole grey levels have some ties.
    assert knn_accuracy(*arguments, k) == pytest.approx(expected, abs=0.003)


# -- K-Means ---------------------------------------------------------------------------------


def table_of(codes, labels, n_clusters, seed=9):
    """Count examples of every class in every cluster of scikit-learn's."""
    model = KMeans(n_clusters, n_init=10, random_state=seed).fit(codes.bits().astype(np.float32))
    return model, pd.crosstab(model.labels_, np.asarray(labels))


def best_names(table):
    """Most examples that are right if no two clusters get one name, by trying all names."""
    rows, columns = table.shape
    if rows < columns:
        return best_names(table.T)
    return max(
        sum(table[row, column] for column, row in enumerate(chosen))
        for chosen in itertools.permutations(range(rows), columns)
    )


def test_accuracy_is_the_purity_of_scikit_learns_clusters(digits):
    for codes, labels in (digits[:2], digits[2:]):
        _, table = table_of(codes, labels, 10)
        expected = table.max(axis=1).sum() / len(codes)
        assert kmeans_accuracy(codes, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_clusters", [1, 4, 25])
def test_clusters_and_seeds_that_are_asked_for(digits, n_clusters):
    codes, labels = digits[2:]
    _, table = table_of(codes, labels, n_clusters, seed=3)
    found = kmeans_accuracy(codes, labels, n_clusters=n_clusters, seed=3)
    assert found == pytest.approx(table.max(axis=1).sum() / len(codes), abs=1e-12)


def test_test_codes_join_the_nearest_centre_and_take_its_name(digits):
    train, train_labels, test, test_labels = digits
    model, table = table_of(train, train_labels, 10)
    clusters = model.predict(test.bits().astype(np.float32))
    expected = np.mean(table.to_numpy().argmax(axis=1)[clusters] == test_labels.numpy())
    assert kmeans_accuracy(*digits) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n_classes", "n_clusters"), [(4, 4), (5, 3), (3, 6), (2, 1)])
@pytest.mark.parametrize("seed", range(5))
def test_one_to_one_names_are_the_best_of_all(n_classes, n_clusters, seed):
    codes, labels, _, _ = random_task(60, 1, 6, n_classes, seed)
    _, table = table_of(codes, labels, n_clusters)
    options = {"n_clusters": n_clusters}
    one_to_one = kmeans_accuracy(codes, labels, mapping="one-to-one", **options)
    assert one_to_one == pytest.approx(best_names(table.to_numpy()) / 60, abs=1e-12)
    assert kmeans_accuracy(codes, labels, mapping="many-to-one", **options) >= one_to_one


def test_a_cluster_without_a_name_of_its_own_is_all_wrong():
    # Two clusters, both of mostly class 0: one of them has to be called 1, or nothing.
    codes = NeuralCodes.from_bits([[0] * 8] * 5 + [[1] * 8] * 4)
    labels = [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert kmeans_accuracy(codes, labels) == 8 / 9
    assert kmeans_accuracy(codes, labels, mapping="one-to-one") == 5 / 9
    many = {"n_clusters": 1, "mapping": "one-to-one"}
    assert kmeans_accuracy(codes, labels, **many) == 8 / 9
    asked = NeuralCodes.from_bits([[1] * 8, [0] * 8])
    assert kmeans_accuracy(codes, labels, asked, [0, 1], mapping="one-to-one") == 1
    one_class = {"n_clusters": 2, "mapping": "one-to-one"}
    assert kmeans_accuracy(codes, [3] * 9, **one_class) == 5 / 9


def test_among_equally_frequent_classes_a_cluster_is_named_after_the_smallest():
    codes = NeuralCodes.from_bits([[0, 0, 0]] * 2 + [[1, 1, 1]] * 2)
    asked = NeuralCodes.from_bits([[0, 0, 0], [1, 1, 1]])
    labels = [7, 3, 3, 7]
    assert kmeans_accuracy(codes, labels, asked, [3, 3]) == 1
    assert kmeans_accuracy(codes, labels, asked, [7, 7]) == 0


@pytest.mark.parametrize("mapping", ["many-to-one", "one-to-one"])
def test_fewer_distinct_codes_than_clusters(mapping):
    codes = NeuralCodes.from_bits([[0, 1], [0, 1], [1, 1], [0, 1], [0, 1]])
    labels = [0, 1, 2, 3, 1]
    assert kmeans_accuracy(codes, labels, mapping=mapping) == 3 / 5
    assert kmeans_accuracy(codes, labels, n_clusters=5, mapping=mapping) == 3 / 5


def test_the_two_zeros_are_one_number():
    # Where they count as two points, scikit-learn warns that it finds fewer clusters.
    points = np.array([[0.0, 0.0], [-0.0, 0.0], [0.0, -0.0], [0.0, 0.0]], np.float32)
    assert kmeans_accuracy(points, [0, 1, 2, 2]) == 0.5


# -- logistic regression ---------------------------------------------------------------------


def test_regression_finds_the_optimum_of_scikit_learns_defaults(digits):
    train, train_labels, test, test_labels = digits
    # Its default tolerance stops so early that a test digit may change sides.
    model = OneVsOneClassifier(LogisticRegression(tol=1e-8, max_iter=10_000))
    model.fit(train.bits(), train_labels)
    assert logreg_accuracy(*digits) == model.score(test.bits(), test_labels)


def test_a_bit_that_is_the_class_is_learnt():
    bits = random_bits(200, 10)
    codes = NeuralCodes.from_bits(bits)
    labels = np.where(bits[:, 4], 3, 8)
    assert logreg_accuracy(codes[:150], labels[:150], codes[150:], labels[150:]) == 1


# -- all three -------------------------------------------------------------------------------


def test_categorize_returns_what_the_single_functions_do(digits):
    found = categorize(*digits)
    assert list(found) == ["kmeans", "knn", "logreg"]
    assert found == {
        "kmeans": kmeans_accuracy(*digits),
        "knn": knn_accuracy(*digits, k=9),
        "logreg": logreg_accuracy(*digits),
    }
    # Codes of a trained network tell the classes.
    assert found["kmeans"] > 0.6
    assert min(found["knn"], found["logreg"]) > 0.9


@pytest.mark.parametrize("function", FUNCTIONS)
def test_names_of_classes_do_not_matter_but_their_order_does(function):
    train, train_labels, test, test_labels = random_task(80, 40, 5, 3)
    expected = function(train, train_labels, test, test_labels)
    for names in ([3, 7, 8], [-5, 0, 10**12], [0, 100, 101]):
        named = (np.array(names)[labels] for labels in (train_labels, test_labels))
        mine, theirs = named
        assert function(train, mine, test, theirs) == expected


@pytest.mark.parametrize("function", FUNCTIONS)
def test_labels_of_every_kind(function):
    train, train_labels, test, test_labels = random_task(40, 20, 5, 2)
    expected = function(train, train_labels, test, test_labels)
    kinds = [
        torch.tensor,
        list,
        tuple,
        lambda labels: labels.tolist(),
        lambda labels: labels.astype(np.uint8),
        lambda labels: labels.astype(bool),
        lambda labels: torch.tensor(labels, dtype=torch.int32),
    ]
    for kind in kinds:
        assert function(train, kind(train_labels), test, kind(test_labels)) == expected


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.fixture
def warn_always():
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@pytest.mark.usefixtures("warn_always")
@pytest.mark.parametrize(
    "kind",
    [read_only, lambda x: x[::-1].copy()[::-1], lambda x: x.astype(x.dtype.newbyteorder(">"))],
    ids=["read-only", "reversed", "of other bytes"],
)
def test_arrays_that_no_tensor_can_share(kind):
    train, train_labels, test, test_labels = random_task(40, 20, 5, 2)
    points, others = (codes.bits().astype(np.float32) for codes in (train, test))
    expected = categorize(points, train_labels, others, test_labels)
    assert categorize(*map(kind, (points, train_labels, others, test_labels))) == expected


@pytest.mark.parametrize("function", [kmeans_accuracy, logreg_accuracy])
@pytest.mark.parametrize(
    "kind",
    [
        np.array,
        np.asfortranarray,
        lambda x: torch.tensor(x.T.copy()).T,
        lambda x: x.repeat(2, 1)[:, ::2],
    ],
    ids=["rows", "columns", "transposed", "strided"],
)
def test_real_numbers_are_taken_in_whatever_order_they_lie(function, kind):
    train, train_labels, test, test_labels = random_task(60, 30, 6, 4)
    points, others = (kind(codes.bits().astype(np.float64)) for codes in (train, test))
    expected = function(train, train_labels, test, test_labels)
    assert function(points, train_labels, others, test_labels) == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8])
def test_real_numbers_of_every_precision(dtype):
    train, train_labels, test, test_labels = random_task(60, 30, 6, 4)
    expected = logreg_accuracy(train, train_labels, test, test_labels)
    mine, theirs = (torch.tensor(codes.bits()).to(dtype) for codes in (train, test))
    assert logreg_accuracy(mine, train_labels, theirs, test_labels) == expected


def test_images_are_taken_as_vectors():
    data = nh.load("digits")
    train, test = data.train[:200], data.test[:50]
    expected = categorize(
        train.inputs.flatten(1).numpy(), train.labels, test.inputs.flatten(1).numpy(), test.labels
    )
    assert categorize(train.inputs, train.labels, test.inputs, test.labels) == expected
    grad = train.inputs.clone().requires_grad_()
    assert categorize(grad, train.labels, test.inputs, test.labels) == expected


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_cpu_has_two_names(function):
    task = random_task(40, 20, 5, 3)
    assert function(*task, device="cpu") == function(*task, device=torch.device("cpu"))


@pytest.mark.parametrize("k", [1, 9])
def test_neighbours_by_pytorch_are_the_same(digits, k):
    train, train_labels, test, test_labels = digits
    device = torch.device("cpu")
    _, neighbours = hamming_neighbours(test.packed, train.packed, k, device)
    votes = torch.nn.functional.one_hot(train_labels[torch.from_numpy(neighbours)], 10).sum(dim=1)
    accuracy = (votes.numpy().argmax(axis=1) == test_labels.numpy()).mean()
    assert knn_accuracy(*digits, k=k) == accuracy


def test_regression_by_pytorch_is_the_same(digits):
    train, train_labels, test, test_labels = digits
    points, others = (torch.from_numpy(codes.bits()).float() for codes in (train, test))
    weights = one_versus_one(points, train_labels, 10)
    accuracy = (vote(weights, others, 10) == test_labels).double().mean()
    assert logreg_accuracy(*digits) == pytest.approx(float(accuracy), abs=0.01)


def test_clusters_by_pytorch_are_as_tight_and_as_pure(digits):
    codes, labels = digits[:2]
    points = torch.from_numpy(codes.bits()).float()
    centres = kmeans(points, 10, n_init=10, seed=9)
    away = torch.cdist(points.double(), centres.double()).amin(dim=1)
    model, _ = table_of(codes, labels, 10)
    assert float(away.square().sum()) == pytest.approx(model.inertia_, rel=0.01)
    table = pd.crosstab(nearest_centre(points, centres).numpy(), labels.numpy())
    accuracy = table.max(axis=1).sum() / len(codes)
    # Other starts may end in another optimum; these two are the same one, but for a few codes.
    assert kmeans_accuracy(codes, labels) == pytest.approx(accuracy, abs=0.01)


# -- degenerate codes ------------------------------------------------------------------------


@pytest.mark.parametrize("function", [kmeans_accuracy, knn_accuracy, logreg_accuracy])
@pytest.mark.parametrize("n_bits", [0, 1, 9])
def test_codes_that_are_all_equal_say_the_most_frequent_class(function, n_bits):
    codes = NeuralCodes.from_bits(np.zeros((20, n_bits)))
    labels = [4] * 8 + [6] * 12
    options = {"k": 20} if function is knn_accuracy else {}
    assert function(codes, labels, codes[:5], [6, 6, 6, 4, 6], **options) == 0.8


def test_codes_whose_bits_were_all_dropped():
    dropped = drop_constant_bits(NeuralCodes.from_bits(np.ones((12, 5))))[0]
    assert dropped.n_bits == 0
    found = categorize(dropped, [0] * 5 + [1] * 7, dropped, [1] * 12)
    assert found == {"kmeans": 1, "knn": 0, "logreg": 1}  # the first nine neighbours: 5 to 4


def test_one_bit_that_is_the_class():
    bits = random_bits(40, 1)
    codes = NeuralCodes.from_bits(bits)
    labels = np.where(bits[:, 0], 2, 5)
    assert categorize(codes, labels, codes, labels) == {"kmeans": 1, "knn": 1, "logreg": 1}


def test_codes_that_are_all_distinct():
    codes = NeuralCodes.from_bits(np.eye(12, dtype=np.uint8))
    labels = np.arange(12) % 3
    assert knn_accuracy(codes, labels, codes, labels, k=1) == 1
    assert kmeans_accuracy(codes, labels, n_clusters=12) == 1
    assert logreg_accuracy(codes, labels, codes, labels) == 1


def test_one_example():
    code = NeuralCodes.from_bits([[0, 1, 1]])
    assert kmeans_accuracy(code, [3]) == 1
    assert kmeans_accuracy(code, [3], code, [3], mapping="one-to-one") == 1
    assert knn_accuracy(code, [3], code, [3], k=1) == 1
    assert bit_information(code, [3]).tolist() == [0, 0, 0]


# -- information of bits ---------------------------------------------------------------------


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            arrays(np.uint8, (n, 11), elements=st.integers(0, 1)),
            arrays(np.int64, n, elements=st.sampled_from([-2, 0, 3, 50])),
        )
    )
)
def test_information_is_scikit_learns_mutual_information(task):
    bits, labels = task
    codes = NeuralCodes.from_bits(bits, {"a": (3,), "b": (2, 4)})
    found = bit_information(codes, labels)
    expected = [mutual_info_score(labels, column) / np.log(2) for column in bits.T]
    assert found == pytest.approx(expected, abs=1e-12)
    of_classes = entropy(np.unique(labels, return_counts=True)[1], base=2)
    assert (found >= 0).all()
    assert (found <= min(1, of_classes) + 1e-12).all()


def test_constant_perfect_and_independent_bits():
    labels = torch.tensor([3, 3, 8, 8] * 5)
    bits = [[0, 1, on, 1 - on, free] for on, free in [(0, 0), (0, 1), (1, 0), (1, 1)]] * 5
    found = bit_information(NeuralCodes.from_bits(bits), labels)
    assert found == pytest.approx([0, 0, 1, 1, 0], abs=1e-12)
    assert found.dtype == np.float64
    assert bit_information(NeuralCodes.from_bits(np.zeros((20, 0))), labels).shape == (0,)


def test_a_bit_on_for_one_of_four_classes():
    # H(bit) = -(1/4) log2 (1/4) - (3/4) log2 (3/4), all of which the class explains.
    share = Fraction(1, 4)
    expected = entropy([float(share), float(1 - share)], base=2)
    codes = NeuralCodes.from_bits(np.eye(4, dtype=np.uint8))
    assert bit_information(codes, [0, 1, 2, 3]) == pytest.approx([expected] * 4)


# -- errors ----------------------------------------------------------------------------------

BITS = NeuralCodes.from_bits(random_bits(12, 6))
LABELS = np.arange(12) % 2


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (BITS, LABELS, NeuralCodes.from_bits(random_bits(12, 7)), LABELS),
            ValueError,
            "test_codes: codes with the same layers are needed",
        ),
        (
            (BITS, LABELS, NeuralCodes.from_bits(BITS.bits(), {"a": (6,)}), LABELS),
            ValueError,
            "the layers differ",
        ),
        ((BITS, LABELS, BITS, LABELS + 1), ValueError, "class 2 is unknown; .* there are 0, 1"),
        (
            (BITS, LABELS, BITS.bits() * 1.0, LABELS),
            TypeError,
            "either both are NeuralCodes or none, not NeuralCodes and ndarray",
        ),
        (
            (torch.zeros(12, 6), LABELS, BITS, LABELS),
            TypeError,
            "either both are NeuralCodes or none, not Tensor and NeuralCodes",
        ),
        (
            (np.zeros((12, 6)), LABELS, np.zeros((12, 7)), LABELS),
            ValueError,
            "examples of as many numbers are needed, not 6 and 7",
        ),
        (
            (BITS, LABELS[:11], BITS, LABELS),
            ValueError,
            "train_labels: 12 whole numbers .* one for",
        ),
        ((BITS, LABELS, BITS, LABELS[:3]), ValueError, "test_labels: 12 whole numbers .* one for"),
        ((BITS, LABELS[:, None], BITS, LABELS), ValueError, r"not int64 of shape \(12, 1\)"),
        ((BITS, LABELS * 1.0, BITS, LABELS), ValueError, r"not float64 of shape \(12,\)"),
        ((BITS, LABELS, BITS, torch.zeros(12)), ValueError, "test_labels: .* not float32"),
        ((BITS, None, BITS, LABELS), TypeError, "train_labels: one class for each of"),
        ((BITS, LABELS, BITS, None), TypeError, "test_labels: one class for each of"),
        ((BITS, LABELS, None, LABELS), TypeError, "test_codes: .* not NoneType"),
        ((None, LABELS, BITS, LABELS), TypeError, "train_codes: .* not NoneType"),
        ((BITS.bits().tolist(), LABELS, BITS, LABELS), TypeError, "train_codes: .* not list"),
        ((BITS[:0], LABELS[:0], BITS, LABELS), ValueError, "train_codes: at least one example"),
        ((BITS, LABELS, BITS[:0], LABELS[:0]), ValueError, "test_codes: at least one example"),
        ((BITS[:0], [], BITS, LABELS), ValueError, "train_codes: at least one example"),
        (
            (torch.zeros(0, 6), LABELS[:0], torch.zeros(12, 6), LABELS),
            ValueError,
            "train_codes: at least one example",
        ),
        (
            (np.full((12, 6), np.nan), LABELS, np.zeros((12, 6)), LABELS),
            ValueError,
            "train_codes: finite numbers are needed",
        ),
        (
            (torch.zeros(12, 6), LABELS, torch.full((12, 6), -torch.inf), LABELS),
            ValueError,
            "test_codes: finite numbers are needed",
        ),
    ],
)
def test_examples_that_do_not_fit(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)


@pytest.mark.parametrize("examples", [BITS, torch.ones(12, 6)], ids=["codes", "numbers"])
@pytest.mark.parametrize("function", [knn_accuracy, logreg_accuracy, categorize])
def test_only_clusters_can_do_without_a_test(function, examples):
    with pytest.raises(TypeError, match="test_codes"):
        function(examples, LABELS, None, None)


@pytest.mark.parametrize("k", [0, 13])
def test_a_number_of_neighbours_that_there_are_not(k, unchecked):
    for examples in (BITS, BITS.bits() * 1.0):
        with pytest.raises(ValueError, match=f"k: a whole number from 1 to 12 is needed, not {k}"):
            knn_accuracy(examples, LABELS, examples, LABELS, k)
    with pytest.raises(TypeError, match=r"k: a whole number from 1 to 12 is needed, not 3\.0"):
        unchecked(knn_accuracy)(BITS, LABELS, BITS, LABELS, 3.0)


def test_nine_neighbours_need_nine_codes():
    with pytest.raises(ValueError, match="k: a whole number from 1 to 8 is needed, not 9"):
        categorize(BITS[:8], LABELS[:8], BITS, LABELS)


def test_options_of_clusters_that_there_are_not(unchecked):
    for n_clusters in (0, 13):
        with pytest.raises(ValueError, match="n_clusters: a whole number from 1 to 12 is needed"):
            kmeans_accuracy(BITS, LABELS, n_clusters=n_clusters)
    with pytest.raises(TypeError, match="n_clusters: a whole number from 1 to 12 is needed"):
        unchecked(kmeans_accuracy)(BITS, LABELS, n_clusters=2.0)
    with pytest.raises(ValueError, match="seed: a whole number of at least 0 is needed, not -1"):
        kmeans_accuracy(BITS, LABELS, seed=-1)
    with pytest.raises(
        ValueError, match="mapping: there are 'many-to-one' and 'one-to-one', not 'best'"
    ):
        kmeans_accuracy(BITS, LABELS, mapping="best")


@pytest.mark.parametrize("function", [logreg_accuracy, categorize])
def test_a_single_class_cannot_be_told_from_another(function):
    with pytest.raises(ValueError, match="at least two classes are needed, and all are 4"):
        function(BITS, [4] * 12, BITS, [4] * 12)


def test_information_about_labels_that_do_not_fit(unchecked):
    # The arguments are called codes and labels.
    with pytest.raises(ValueError, match="^labels: 12 whole numbers are needed"):
        bit_information(BITS, LABELS[:11])
    with pytest.raises(ValueError, match="^codes: at least one"):
        bit_information(BITS[:0], LABELS[:0])
    with pytest.raises(TypeError, match="^codes: NeuralCodes are needed"):
        unchecked(bit_information)(BITS.bits(), LABELS)
