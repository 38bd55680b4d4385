"""Logistic regression for every pair of classes, by Newton's method, on any PyTorch device."""

from itertools import combinations

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor
from torch.nn.functional import logsigmoid

# Pairs of classes and points whose confidences are held at once.
_PAIRS = 1 << 25
# Up to this many features, Newton's method solves with the Hessian itself.
_HESSIAN = 2000
# Newton's method needs about ten iterations. The penalty makes every objective grow by at least
# half the squared way from its minimum, so weights are at most |gradient| away from theirs.
_NEWTON_ITERATIONS, _GRADIENT = 100, 1e-5


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
