"""Do codes cluster by class? K-Means, K-NN and logistic regression on codes alone."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64

from nhlib._arguments import seed_number, torch_device, whole_number
from nhlib._progress import progress_bar
from nhlib.codes import NeuralCodes, check_codes, nearest_codes
from nhlib.measures.kmeans import kmeans, nearest_centre
from nhlib.measures.labelled_examples import Task, examples_and_labels, points_of
from nhlib.measures.logistic_regression import one_versus_one, vote
from nhlib.measures.nearest_points import nearest_points

_MAPPINGS = ("many-to-one", "one-to-one")
# The seed of K-Means in the code of the paper's authors.
_KMEANS_SEED = 9
_N_INIT, _TOLERANCE = 10, 1e-4
# Logistic regression gets to its optimum, this near, before that many steps.
_MAX_ITER, _GRADIENT = 10_000, 1e-8
_NEWTON_SIZE = 500


def kmeans_accuracy(
    train_codes: Any,
    train_labels: Any,
    test_codes: Any = None,
    test_labels: Any = None,
    *,
    n_clusters: int | None = None,
    mapping: str = "many-to-one",
    seed: int = _KMEANS_SEED,
    device: str | torch.device = "cpu",
) -> float:
    r"""Accuracy of clusters that K-Means finds without labels, and that labels then name.

    K-Means, with ten starts, groups the training codes as points of 0 and 1. Then every
    cluster is named after a class, and every example counts as right whose class is that of
    its cluster. With the default mapping the share of these is also called *purity*.

    With training codes alone, the same examples name the clusters and are counted: the
    paper's measure [1]_, taken on the training codes and, separately, on the test codes.
    With test codes, each of them joins the cluster whose centre is nearest, and only they
    are counted.

    Parameters
    ----------
    train_codes : NeuralCodes, or float tensor or array of shape (n, \*shape)
        n codes, or real numbers to compare codes with: they are clustered as they are.
    train_labels : int tensor or array, shape (n,)
        Their classes.
    test_codes, test_labels
        The same for m test examples. By default the training examples are counted.
    n_clusters : int, optional
        Number of clusters, from 1 to n. By default the number of classes. Fewer are formed
        where there are not as many distinct codes.
    mapping : {"many-to-one", "one-to-one"}
        ``"many-to-one"`` names each cluster after the class that is most frequent in it
        (among equals, the smallest), as the paper does; several clusters may get the same
        name. ``"one-to-one"`` uses no name twice, and chooses names so that as many
        examples as possible are right [2]_; clusters left without a name are all wrong.
    seed : int, default 9
        Seed of the starts; 9 is that of the authors' code.
    device : str or torch.device, default "cpu"
        Where to compute: scikit-learn on the CPU, PyTorch elsewhere. The starts differ.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If codes and labels do not fit together, the layers differ, a test label does not
        occur in training, or an option is out of range.

    References
    ----------
    .. [1] F. He, S. Lei, J. Ji and D. Tao, "Neural networks behave as hash encoders: an
       empirical study", arXiv:2101.05490, 2021.
    .. [2] H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research
       Logistics Quarterly 2, 1955.

    Examples
    --------
    >>> codes = NeuralCodes.from_bits([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1], [1, 1, 1]])
    >>> kmeans_accuracy(codes, [0, 0, 1, 1, 0])
    0.8
    """
    if mapping not in _MAPPINGS:
        raise ValueError(
            f"mapping: there are {' and '.join(map(repr, _MAPPINGS))}, not {mapping!r}"
        )
    device = torch_device("device", device)
    task = Task.of(train_codes, train_labels, test_codes, test_labels, needs_test=False)
    if n_clusters is None:
        n_clusters = len(task.classes)
    n_clusters = whole_number("n_clusters", n_clusters, 1, len(task.y))
    seed = seed_number(seed, 32)
    points, others = points_of(task.train, task.test)
    if isinstance(task.train, NeuralCodes):
        n_distinct, n_features = task.train.n_distinct, max(1, task.train.n_bits)
    else:
        rows = points.view(np.dtype((np.void, points.strides[0])))  # much faster than axis=0
        n_distinct, n_features = len(np.unique(rows)), points.shape[1]
    # K-Means stops when centres move by less than this share of the mean variance: of a bit.
    tolerance = _TOLERANCE * points.shape[1] / n_features
    train, test = _clusters(points, others, min(n_clusters, n_distinct), seed, tolerance, device)
    table = np.zeros((n_clusters, len(task.classes)), np.int64)
    np.add.at(table, (train, task.y), 1)
    if mapping == "many-to-one":
        names = table.argmax(axis=1)
    else:
        from scipy.optimize import linear_sum_assignment

        names = np.full(n_clusters, -1)
        clusters, classes = linear_sum_assignment(table, maximize=True)
        names[clusters] = classes
    return task.accuracy(names[test])


def knn_accuracy(
    train_codes: Any,
    train_labels: Any,
    test_codes: Any,
    test_labels: Any,
    k: int = 9,
    *,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> float:
    r"""Accuracy of the vote of the k nearest training codes, by Hamming distance.

    Neighbours are ordered by distance, then by index (see `nearest_codes`); each has one
    vote for its class, and among classes with equally many votes the smallest wins. So the
    result is the same on every device, and the same for codes and for an array of their bits.
    Ties are common, and other software breaks them otherwise: accuracies then differ a little.

    Parameters
    ----------
    train_codes : NeuralCodes, or float tensor or array of shape (n, \*shape)
        n codes, or real numbers to compare codes with: their distance is Euclidean, which
        orders codes as the Hamming distance does.
    train_labels : int tensor or array, shape (n,)
        Their classes.
    test_codes, test_labels
        The same for m test examples.
    k : int, default 9
        How many vote, from 1 to n. The paper takes 9.
    device : str or torch.device, default "cpu"
        Where to look for neighbours.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If codes and labels do not fit together, the layers differ, a test label does not
        occur in training, or `k` is out of range.

    Examples
    --------
    >>> train = NeuralCodes.from_bits([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]])
    >>> test = NeuralCodes.from_bits([[0, 1, 0], [1, 0, 1]])
    >>> knn_accuracy(train, [0, 0, 1, 1], test, [0, 1], k=1)
    0.5
    """
    task = Task.of(train_codes, train_labels, test_codes, test_labels)
    k, device = whole_number("k", k, 1, len(task.y)), torch_device("device", device)
    if isinstance(task.train, NeuralCodes):
        assert isinstance(task.test, NeuralCodes)
        _, neighbours = nearest_codes(task.test, task.train, k, device, progress)
    else:
        assert not isinstance(task.test, NeuralCodes)
        assert task.test is not None
        neighbours = nearest_points(task.test, task.train, k)
    votes = np.zeros((len(neighbours), len(task.classes)), np.int64)
    np.add.at(votes, (np.arange(len(neighbours))[:, None], task.y[neighbours]), 1)
    return task.accuracy(votes.argmax(axis=1))


def logreg_accuracy(
    train_codes: Any,
    train_labels: Any,
    test_codes: Any,
    test_labels: Any,
    *,
    device: str | torch.device = "cpu",
) -> float:
    r"""Accuracy of logistic regression on the bits, one classifier for every pair of classes.

    Scikit-learn's default objective for two classes, the sum of the log losses plus
    :math:`\tfrac{1}{2} \lVert w \rVert^2`, run to convergence; every pair's classifier has
    one vote, and its confidence decides between equals.

    Parameters
    ----------
    train_codes : NeuralCodes, or float tensor or array of shape (n, \*shape)
        n codes, or real numbers to compare codes with: they are taken as they are, without
        scaling.
    train_labels : int tensor or array, shape (n,)
        Their classes, at least two.
    test_codes, test_labels
        The same for m test examples.
    device : str or torch.device, default "cpu"
        Where to compute: scikit-learn on the CPU, PyTorch elsewhere. Both find the same
        optimum, up to rounding.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If codes and labels do not fit together, the layers differ, a test label does not
        occur in training, or there is only one class.

    Examples
    --------
    >>> train = NeuralCodes.from_bits([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]])
    >>> test = NeuralCodes.from_bits([[0, 0, 0], [1, 1, 1]])
    >>> logreg_accuracy(train, [0, 0, 1, 1], test, [0, 1])
    1.0
    """
    device = torch_device("device", device)
    task = Task.of(train_codes, train_labels, test_codes, test_labels)
    if len(task.classes) < 2:
        raise ValueError(
            f"train_labels: at least two classes are needed, and all are {task.classes[0]}"
        )
    assert task.test is not None
    points, others = points_of(task.train, task.test)
    if device.type == "cpu":
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsOneClassifier

        # Newton's method takes some ten steps, lbfgs hundreds; but its Hessian grows.
        solver = "newton-cholesky" if points.shape[1] <= _NEWTON_SIZE else "lbfgs"
        model = OneVsOneClassifier(
            LogisticRegression(solver=solver, tol=_GRADIENT, max_iter=_MAX_ITER)
        )
        model.fit(points.astype(np.float64), task.y)
        return task.accuracy(model.predict(others.astype(np.float64)))
    weights = one_versus_one(
        torch.from_numpy(points).to(device),
        torch.from_numpy(task.y).to(device),
        len(task.classes),
    )
    predicted = vote(weights, torch.from_numpy(others).to(device), len(task.classes))
    return task.accuracy(predicted.cpu().numpy())


def categorize(
    train_codes: Any,
    train_labels: Any,
    test_codes: Any,
    test_labels: Any,
    *,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> dict[str, float]:
    r"""Accuracies on test codes of three classifiers that know nothing but training codes.

    Parameters
    ----------
    train_codes : NeuralCodes, or float tensor or array of shape (n, \*shape)
        n codes; or raw inputs or activations, to compare codes with.
    train_labels : int tensor or array, shape (n,)
        Their classes, at least two.
    test_codes, test_labels
        The same for m test examples.
    device : str or torch.device, default "cpu"
        Where to compute.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    dict of str to float
        ``"kmeans"``, ``"knn"`` and ``"logreg"``: what `kmeans_accuracy`, `knn_accuracy` and
        `logreg_accuracy` return by default. Clusters are found and named in training, and
        counted in the test. (The paper's K-Means accuracy names and counts the same examples:
        ``kmeans_accuracy(test_codes, test_labels)``.)

    Raises
    ------
    TypeError, ValueError
        As these raise.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> network = nh.mlp(data.n_inputs, [50], data.n_classes)
    >>> train, test = nh.encode(network, data.train), nh.encode(network, data.test)
    >>> found = nh.categorize(train, data.train.labels, test, data.test.labels)
    >>> {method: round(accuracy, 1) for method, accuracy in found.items()}
    {'kmeans': 0.6, 'knn': 0.8, 'logreg': 0.8}
    """
    examples = train_codes, train_labels, test_codes, test_labels
    accuracies = {}
    with progress_bar("categorize", 3, "methods", progress) as bar:
        # What fails at once comes first.
        accuracies["logreg"] = logreg_accuracy(*examples, device=device)
        bar.update()
        accuracies["kmeans"] = kmeans_accuracy(*examples, device=device)
        bar.update()
        accuracies["knn"] = knn_accuracy(*examples, device=device, progress=progress)
        bar.update()
    return {method: accuracies[method] for method in ("kmeans", "knn", "logreg")}


def bit_information(codes: NeuralCodes, labels: Any) -> Float64[np.ndarray, " n_bits"]:
    r"""How much every single bit tells about the class.

    The mutual information

    .. math:: I_j = \sum_{b, y} \hat p(b, y) \log_2 \frac{\hat p(b, y)}{\hat p(b)\, \hat p(y)}

    of bit :math:`j` and the class, from their frequencies among the examples. 0 for a bit
    that is independent of the class, or never changes; at most 1, for a bit that is on for
    half the examples, and for whole classes.

    Parameters
    ----------
    codes : NeuralCodes
        n codes, at least one.
    labels : int tensor or array, shape (n,)
        Their classes.

    Returns
    -------
    float64 array, shape (n_bits,)
        Bits of information.

    Raises
    ------
    TypeError, ValueError
        If there are no codes, or labels do not fit.

    Notes
    -----
    A finite sample makes useless bits look a little useful: with n examples and c classes by
    about :math:`(c - 1) / (2 n \ln 2)` bits.

    Examples
    --------
    >>> codes = NeuralCodes.from_bits([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    >>> bit_information(codes, [0, 0, 1, 1])
    array([1., 0., 0.])
    """
    check_codes("codes", codes)
    y = np.unique(examples_and_labels(codes, labels, "codes", "labels")[1], return_inverse=True)[1]
    n = len(y)
    classes = np.bincount(y)
    on = np.stack([codes[y == c].bits().sum(axis=0) for c in range(len(classes))]) / n
    joint = np.stack([on, classes[:, None] / n - on])  # (on or off, class, bit)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    ratio = np.divide(joint, independent, out=np.ones_like(joint), where=joint > 0)
    information: Float64[np.ndarray, " n_bits"] = (joint * np.log2(ratio)).sum(axis=(0, 1))
    return information.clip(0)  # rounding may reach below


def _clusters(
    points: Float32[np.ndarray, "n d"],
    others: Float32[np.ndarray, "m d"],
    n_clusters: int,
    seed: int,
    tolerance: float,
    device: torch.device,
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " m"]]:
    """Cluster points; return the clusters that they, and that others are in."""
    if device.type == "cpu":
        from sklearn.cluster import KMeans

        found = KMeans(n_clusters, n_init=_N_INIT, random_state=seed, tol=tolerance).fit(points)
        return found.labels_.astype(np.int64), found.predict(others).astype(np.int64)
    here, there = (torch.from_numpy(x).to(device) for x in (points, others))
    centres = kmeans(here, n_clusters, _N_INIT, seed, tolerance)
    return nearest_centre(here, centres).cpu().numpy(), nearest_centre(there, centres).cpu().numpy()
