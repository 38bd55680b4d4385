"""K-nearest neighbours, K-Means and logistic regression as tensor programs, on any PyTorch device.

The device needs 64-bit numbers, as the CPU and CUDA have them. Everything big is a product of
matrices; the rest keeps to operations whose result does not depend on the order of threads.
"""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int32, Int64, UInt8
from torch import Tensor
from torch.nn.functional import logsigmoid

from nhlib.arguments import whole_number

# Pairs (of queries and points, of points and centres, ...) whose distances are held at once.
_PAIRS = 1 << 25
# Unpacked bits held at once, as float32.
_UNPACKED = 1 << 26
# float32 holds whole numbers up to this one exactly.
_MOST_BITS = 1 << 24
# scikit-learn's limit for K-Means.
_LLOYD_ITERATIONS = 300
# Up to this many features, Newton's method solves with the Hessian itself.
_HESSIAN = 2000
# Newton's method needs about ten iterations. The penalty makes every objective grow by at least
# half the squared way from its minimum, so weights are at most |gradient| away from theirs.
_NEWTON_ITERATIONS, _GRADIENT = 100, 1e-5


# -- k-nearest neighbours --------------------------------------------------------------------


def hamming_neighbours(
    queries: UInt8[np.ndarray, "n n_bytes"],
    points: UInt8[np.ndarray, "m n_bytes"],
    k: int,
    device: torch.device,
    advance: Callable[[int], object] = lambda n_queries: None,
) -> tuple[Int32[np.ndarray, "n k"], Int64[np.ndarray, "n k"]]:
    """Find the k nearest points of every query by Hamming distance, ties by the smaller index.

    Parameters
    ----------
    queries, points : uint8 array, shapes (n, n_bytes) and (m, n_bytes)
        Packed codes of at most 2**24 bits. Padding has to be the same in all. The device takes
        the points, packed, and blocks of everything else.
    k : int
        From 1 to m.
    device : torch.device
        Where to compute.
    advance : callable, optional
        Called after every block with the number of queries in it.

    Returns
    -------
    distances : int32 array, shape (n, k)
        In bits, ascending.
    indices : int64 array, shape (n, k)
        Which points they belong to.

    Raises
    ------
    TypeError, ValueError
        If `k` is not a whole number from 1 to m, or codes are too long.

    Examples
    --------
    >>> points = np.array([[0b0111], [0b0001], [0b0010]], np.uint8)
    >>> queries = np.array([[0b0000]], np.uint8)
    >>> hamming_neighbours(queries, points, 2, torch.device("cpu"))
    (array([[1, 1]], dtype=int32), array([[1, 2]]))
    """
    n, m, n_bits = len(queries), len(points), 8 * points.shape[1]
    k = whole_number("k", k, 1, m)
    if n_bits > _MOST_BITS:
        raise ValueError(f"points: at most {_MOST_BITS} bits are allowed, not {n_bits}")
    n_rows = min(n, max(1, _PAIRS // m))
    n_columns = max(1, _UNPACKED // (8 * (n_rows + m)))
    columns = torch.tensor(points, device=device).split(n_columns, dim=1)
    index = torch.arange(m, device=device)
    distances, indices = np.empty((n, k), np.int32), np.empty((n, k), np.int64)
    for start in range(0, n, max(1, n_rows)):
        rows = slice(start, start + n_rows)
        block = torch.tensor(queries[rows], device=device).split(n_columns, dim=1)
        # Of bits written as ±1, the product sums 1 for each that agrees and -1 for each that
        # does not: whole numbers of at most 2**24 in whatever order they are summed.
        product = torch.zeros(len(queries[rows]), m, device=device)
        for mine, theirs in zip(block, columns, strict=True):
            product.addmm_(_signs(mine), _signs(theirs).T)
        # The key holds distance and index, so no two are equal and there are no ties to break.
        keys = product.neg_().add_(n_bits).div_(2).long().mul_(m).add_(index)
        nearest = keys.topk(k, largest=False).values.cpu().numpy()
        distances[rows], indices[rows] = np.divmod(nearest, m)
        advance(len(nearest))
    return distances, indices


def _signs(packed: UInt8[Tensor, "n n_bytes"]) -> Float32[Tensor, "n 8*n_bytes"]:
    masks = 1 << torch.arange(8, dtype=torch.uint8, device=packed.device)
    bits = packed[:, :, None].bitwise_and(masks).ne(0).flatten(1)
    return bits.float().mul_(2).sub_(1)


# -- K-Means ---------------------------------------------------------------------------------


def kmeans(
    points: Float32[Tensor, "n d"],
    n_clusters: int,
    n_init: int,
    seed: int,
    tolerance: float = 1e-4,
) -> Float32[Tensor, "k d"]:
    """Find the centres of clusters by Lloyd's algorithm: the best of several runs.

    Starts (greedy k-means++), the rule to stop and what becomes of empty clusters are those of
    scikit-learn. All runs go on side by side.

    Parameters
    ----------
    points : float32 tensor, shape (n, d)
        On the device that is to compute.
    n_clusters : int
        From 1 to n.
    n_init : int
        Number of runs, at least 1.
    seed : int
        Of the starts; random numbers are the same on every device.
    tolerance : float, default 1e-4
        A run ends when the squared shifts of its centres add up to at most this share of the
        mean variance of a coordinate.

    Returns
    -------
    float32 tensor, shape (n_clusters, d)
        Centres of the run in which the sum of squared distances is least.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a whole number in its range.

    Examples
    --------
    >>> points = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    >>> kmeans(points, n_clusters=2, n_init=3, seed=0).sort(dim=0).values.tolist()
    [[0.5], [10.5]]
    """
    n_clusters = whole_number("n_clusters", n_clusters, 1, len(points))
    generator = torch.Generator().manual_seed(whole_number("seed", seed, 0))
    # Around their mean, squared distances lose the least to rounding.
    mean = points.mean(dim=0)
    points = points - mean
    centres = _greedy_starts(points, n_clusters, whole_number("n_init", n_init, 1), generator)
    least_shift = tolerance * points.square().mean()
    clusters = torch.full((n_init, len(points)), -1, device=points.device)
    running = torch.arange(n_init, device=points.device)
    numbers = torch.arange(n_clusters, device=points.device)[:, None]
    for _ in range(_LLOYD_ITERATIONS):
        before, centres_before = clusters[running], centres[running]
        now, distances = _nearest(points, centres_before)
        # Empty clusters get the points that are farthest from their centres.
        for found, away in zip(now, distances, strict=True):
            empty = (found.bincount(minlength=n_clusters) == 0).nonzero()[:, 0]
            found[away.topk(len(empty)).indices] = empty
        sizes, sums = torch.zeros_like(centres_before[..., :1]), torch.zeros_like(centres_before)
        n_rows = max(1, _PAIRS // sizes.numel())
        for part, rows in zip(now.split(n_rows, dim=1), points.split(n_rows), strict=True):
            members = (part[:, None] == numbers).float()
            sizes += members.sum(dim=2, keepdim=True)
            sums += members @ rows
        # A cluster that thereby lost its only point stays where it is.
        moved = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres_before)
        clusters[running], centres[running] = now, moved
        shift = (moved - centres_before).square().sum(dim=(1, 2))
        running = running[(now != before).any(dim=1) & (shift > least_shift)]
        if not len(running):
            break
    inertia = _nearest(points, centres)[1].double().sum(dim=1)
    return centres[inertia.argmin()] + mean


def nearest_centre(
    points: Float32[Tensor, "n d"], centres: Float32[Tensor, "k d"]
) -> Int64[Tensor, " n"]:
    """Find the nearest centre of every point, ties by the smaller index.

    Examples
    --------
    >>> nearest_centre(torch.tensor([[1.0], [9.0], [5.0]]), torch.tensor([[0.0], [10.0]]))
    tensor([0, 1, 0])
    """
    return _nearest(points, centres[None])[0][0]


def _greedy_starts(
    points: Float32[Tensor, "n d"], n_clusters: int, n_init: int, generator: torch.Generator
) -> Float32[Tensor, "runs k d"]:
    n_candidates = 2 + int(math.log(n_clusters))
    run = torch.arange(n_init, device=points.device)
    first = torch.randint(len(points), (n_init, 1), generator=generator).to(points.device)
    chosen = [first[:, 0]]
    distances = _squared_distances(points, points[first])[:, 0]
    for _ in range(1, n_clusters):
        # On the CPU, because CUDA adds up running sums in no fixed order.
        sums = distances.cpu().double().cumsum(dim=1)
        shares = torch.rand(n_init, n_candidates, generator=generator, dtype=torch.float64)
        candidates = torch.searchsorted(sums, shares * sums[:, -1:], right=True)
        candidates = candidates.clamp_(max=len(points) - 1).to(points.device)
        left = _squared_distances(points, points[candidates]).minimum(distances[:, None])
        best = left.sum(dim=2).argmin(dim=1)
        chosen.append(candidates[run, best])
        distances = left[run, best]
    return points[torch.stack(chosen, dim=1)]


def _nearest(
    points: Float32[Tensor, "n d"], centres: Float32[Tensor, "runs k d"]
) -> tuple[Int64[Tensor, "runs n"], Float32[Tensor, "runs n"]]:
    """Which centre is nearest in each run, and its squared distance."""
    n_rows = max(1, _PAIRS // centres[..., 0].numel())
    blocks = [_squared_distances(part, centres).min(dim=1) for part in points.split(n_rows)]
    clusters = torch.cat([block.indices for block in blocks], dim=1)
    return clusters, torch.cat([block.values for block in blocks], dim=1)


def _squared_distances(
    points: Float32[Tensor, "n d"], centres: Float32[Tensor, "runs k d"]
) -> Float32[Tensor, "runs k n"]:
    squares = points.square().sum(dim=1) + centres.square().sum(dim=2, keepdim=True)
    return (centres @ points.T).mul_(-2).add_(squares).clamp_(min=0)


# -- logistic regression ---------------------------------------------------------------------


def one_versus_one(
    points: Float32[Tensor, "n d"], labels: Int64[Tensor, " n"], n_classes: int
) -> Float32[Tensor, "pairs d+1"]:
    """Fit a logistic regression to every pair of classes, with scikit-learn's default objective.

    It is the sum of the log losses plus half the squared length of the weights; the intercept
    is free. The penalty makes it strictly convex, so there is one optimum to reach.

    Parameters
    ----------
    points : float32 tensor, shape (n, d)
        On the device that is to compute, which also takes two classes of them as float64.
    labels : int64 tensor, shape (n,)
        From 0 to ``n_classes - 1``; every class occurs.
    n_classes : int
        Number of classes.

    Returns
    -------
    float32 tensor, shape (pairs, d + 1)
        Weights and, last, the intercept for classes (0, 1), (0, 2), ..., (1, 2), ...; above 0
        is the second class of the pair.

    Examples
    --------
    >>> points = torch.tensor([[-1.0], [-2.0], [1.0], [2.0]])
    >>> weights = one_versus_one(points, torch.tensor([0, 0, 1, 1]), n_classes=2)
    >>> vote(weights, points, n_classes=2)
    tensor([0, 0, 1, 1])
    """
    pairs = combinations(range(n_classes), 2)
    fitted = [_logistic_regression(points, labels, *pair) for pair in pairs]
    return torch.stack(fitted) if fitted else points.new_empty(0, points.shape[1] + 1)


def vote(
    weights: Float32[Tensor, "pairs weights"], points: Float32[Tensor, "n d"], n_classes: int
) -> Int64[Tensor, " n"]:
    """Predict classes as scikit-learn's ``OneVsOneClassifier`` does.

    Every pair has one vote. The summed confidences, squeezed to less than a third of a vote,
    decide between classes with equally many, and then the smaller class.

    Examples
    --------
    >>> weights = torch.tensor([[1.0, -0.5]])   # class 1 above 0.5
    >>> vote(weights, torch.tensor([[0.0], [1.0]]), n_classes=2)
    tensor([0, 1])
    """
    classes = torch.eye(n_classes, dtype=torch.float64, device=points.device)
    first, second = torch.triu_indices(n_classes, n_classes, 1, device=points.device)
    against, pro = classes[first], classes[second]
    predicted = []
    for part in points.split(max(1, _PAIRS // max(1, len(weights)))):
        confidences = (part @ weights[:, :-1].T + weights[:, -1]).double()
        won = (confidences > 0).double()
        totals = confidences @ (pro - against)
        votes = won @ pro + (1 - won) @ against
        predicted.append((votes + totals / (3 * (totals.abs() + 1))).argmax(dim=1))
    return torch.cat(predicted)


def _logistic_regression(
    points: Float32[Tensor, "n d"], labels: Int64[Tensor, " n"], first: int, second: int
) -> Float32[Tensor, " d+1"]:
    """Minimize by Newton's method; a step that does not lower the objective is halved."""
    taken = (labels == first) | (labels == second)
    # The column of ones is the intercept's. float64, because an optimum is flat: in float32 the
    # objective could not tell the last few steps.
    x = torch.cat([points, points.new_ones(len(points), 1)], dim=1)[taken].double()
    sign = torch.where(labels[taken] == second, 1.0, -1.0).double()
    penalty = torch.ones_like(x[0])
    penalty[-1] = 0

    def objective(weights: Float64[Tensor, " d"]) -> Float64[Tensor, ""]:
        losses: Tensor = -logsigmoid(sign * (x @ weights))
        return losses.sum() + (penalty * weights.square()).sum() / 2

    weights = torch.zeros_like(penalty)
    value = objective(weights)
    for _ in range(_NEWTON_ITERATIONS):
        wrong = torch.sigmoid(-sign * (x @ weights))
        gradient = penalty * weights - (sign * wrong) @ x
        if gradient.norm() <= _GRADIENT:
            break
        step = _newton_step(x, wrong * (1 - wrong), penalty, gradient)
        # This ends: halved often enough, the step no longer changes the weights.
        while (lower := objective(weights - step)) > value:
            step /= 2
        if lower == value:
            break
        weights, value = weights - step, lower
    return weights.float()


def _newton_step(
    x: Float64[Tensor, "n d"],
    curvature: Float64[Tensor, " n"],
    penalty: Float64[Tensor, " d"],
    gradient: Float64[Tensor, " d"],
) -> Float64[Tensor, " d"]:
    """Divide the gradient by the Hessian; by conjugate gradients where that is large.

    Those are stopped when what is left of the gradient is small enough for Newton's method to
    converge faster than linearly.
    """
    if len(gradient) <= _HESSIAN:
        hessian = x.T @ (curvature[:, None] * x) + penalty.diag()
        step: Tensor = torch.linalg.solve(hessian, gradient)
        return step
    step, left = torch.zeros_like(gradient), gradient
    direction, square = left, left @ left
    enough = square * torch.clamp(square.sqrt(), max=0.25)
    for _ in range(len(gradient)):
        product = (curvature * (x @ direction)) @ x + penalty * direction
        length = square / (direction @ product)
        step = step + length * direction
        left = left - length * product
        before, square = square, left @ left
        if square <= enough:
            break
        direction = left + square / before * direction
    return step
