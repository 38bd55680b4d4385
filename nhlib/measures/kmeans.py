"""K-Means by Lloyd's algorithm, on any PyTorch device."""

import math

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from nhlib._arguments import seed_number, whole_number

# Pairs of points and centres whose distances are held at once.
_PAIRS = 1 << 25
# scikit-learn's limit for K-Means.
_LLOYD_ITERATIONS = 300


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
    generator = torch.Generator().manual_seed(seed_number(seed))
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
