"""Examples with classes: what classifiers learn from and are asked about, checked."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64

from nhlib._arguments import class_labels
from nhlib.codes import NeuralCodes, check_same_layers

# Codes, or real numbers to compare them with.
Examples = NeuralCodes | Float32[np.ndarray, "n d"]

# Squared length (in bits) of what still counts as a dimension that codes span.
_THINNEST = 1e-6


class Task(NamedTuple):
    """What is learnt and what is asked, checked; classes are numbered in ascending order."""

    train: Examples
    y: Int64[np.ndarray, " n"]
    test: Examples | None
    test_y: Int64[np.ndarray, " m"]
    classes: Int64[np.ndarray, " n_classes"]

    @classmethod
    def of(
        cls,
        train: Any,
        train_labels: Any,
        test: Any,
        test_labels: Any,
        needs_test: bool = True,
    ) -> "Task":
        """Check what a user gave, and number the classes; the test may be left out if allowed."""
        examples, labels = examples_and_labels(train, train_labels, "train_codes", "train_labels")
        classes, y = np.unique(labels, return_inverse=True)
        if test is None and test_labels is None and not needs_test:
            return cls(examples, y, None, y, classes)
        others, labels = examples_and_labels(test, test_labels, "test_codes", "test_labels")
        if isinstance(examples, NeuralCodes) and isinstance(others, NeuralCodes):
            check_same_layers("test_codes", examples, others)
        elif isinstance(examples, NeuralCodes) or isinstance(others, NeuralCodes):
            raise TypeError(
                "train_codes and test_codes: either both are NeuralCodes or none, "
                f"not {type(train).__name__} and {type(test).__name__}"
            )
        elif examples.shape[1] != others.shape[1]:
            raise ValueError(
                "train_codes and test_codes: examples of as many numbers are needed, "
                f"not {examples.shape[1]} and {others.shape[1]}"
            )
        unknown = np.setdiff1d(labels, classes)
        if len(unknown):
            raise ValueError(
                f"test_labels: class {unknown[0]} is unknown; "
                f"in train_labels there are {', '.join(map(str, classes))}"
            )
        return cls(examples, y, others, np.searchsorted(classes, labels), classes)

    def accuracy(self, predicted: Int64[np.ndarray, " m"]) -> float:
        """Return the share of predicted class numbers that are right."""
        return float(np.mean(predicted == self.test_y))


def examples_and_labels(
    examples: Any, labels: Any, name: str, labels_name: str
) -> tuple[Examples, Int64[np.ndarray, " n"]]:
    """Check examples and their labels, given as the arguments so named."""
    if isinstance(examples, (torch.Tensor, np.ndarray)):
        examples = _real_numbers(examples, name)
    elif not isinstance(examples, NeuralCodes):
        raise TypeError(
            f"{name}: NeuralCodes are needed, or a tensor or array of real numbers, "
            f"not {type(examples).__name__}"
        )
    if not len(examples):
        raise ValueError(f"{name}: at least one example is needed, and there is none")
    return examples, class_labels(labels_name, labels, len(examples), name)


def _real_numbers(examples: torch.Tensor | np.ndarray, name: str) -> Float32[np.ndarray, "n d"]:
    """Return one row of float32 an example, a copy."""
    if isinstance(examples, torch.Tensor):
        examples = examples.detach().cpu()
        examples = (examples if examples.is_complex() else examples.to(torch.float32)).numpy()
    if examples.ndim == 0 or examples.dtype.kind not in "fiub":
        raise TypeError(
            f"{name}: real numbers are needed, one row an example, not {examples.dtype} "
            f"of shape {examples.shape}"
        )
    # By rows; adding 0 makes -0 a 0.
    numbers = np.array(examples, np.float32, order="C") + np.float32(0)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: finite numbers are needed, and there is nan or infinity")
    return numbers.reshape(len(numbers), math.prod(numbers.shape[1:]))


def points_of(
    train: Examples, test: NeuralCodes | Float32[np.ndarray, "m d"] | None
) -> tuple[Float32[np.ndarray, "n k"], Float32[np.ndarray, "others k"]]:
    r"""Return Euclidean coordinates with the codes' Hamming distances; real numbers as they are.

    Codes of fewer bits than there are training codes are points of 0 and 1. Longer ones would
    fill the memory, and n points span less than n dimensions anyway: their coordinates there
    follow from the Hamming distances, which are the squared distances of points of 0 and 1
    (classical multidimensional scaling [1]_, exact here). The matrix

    .. math:: B = -\tfrac{1}{2} \Bigl(I - \tfrac{1}{n} 1 1^\top\Bigr) H
       \Bigl(I - \tfrac{1}{n} 1 1^\top\Bigr)

    of their inner products around the mean is factored as :math:`L L^\top`, and the rows of
    :math:`L` are the coordinates. Of test codes we take the projection onto this space. What
    K-Means and logistic regression with a squared penalty make of the points depends on
    nothing else.

    References
    ----------
    .. [1] W. S. Torgerson, "Multidimensional scaling: I. Theory and method", Psychometrika 17,
       1952.
    """
    if not (isinstance(train, NeuralCodes) and len(train) <= train.n_bits):
        points = _plain(train)
        return points, points if test is None else _plain(test)
    assert test is None or isinstance(test, NeuralCodes)
    from scipy.linalg import solve_triangular
    from scipy.linalg.lapack import dpstrf

    between = train.hamming(train).astype(np.float64)
    away = between.mean(axis=0)
    inner = (away + away[:, None] - away.mean() - between) / 2
    # What sticks out of the space of the others by less than rounding is no dimension.
    tolerance = max(_THINNEST, 4 * np.finfo(np.float64).eps * inner.trace())
    factor, pivots, rank, _ = dpstrf(inner, tol=tolerance, lower=1)
    rank = max(1, rank)
    factor, pivots = np.tril(factor)[:, :rank], pivots - 1
    points = np.empty((len(train), rank), np.float32)
    points[pivots] = factor
    if test is None:
        return points, points
    others = test.hamming(train).astype(np.float64)
    others = (others.mean(axis=1)[:, None] + away - away.mean() - others) / 2
    if not inner.any():  # all training codes are equal
        return points, np.zeros((len(test), rank), np.float32)
    projected = solve_triangular(factor[:rank], others[:, pivots[:rank]].T, lower=True).T
    return points, projected.astype(np.float32, order="C")


def _plain(examples: Examples) -> Float32[np.ndarray, "n d"]:
    points = examples.bits() if isinstance(examples, NeuralCodes) else examples
    if not points.shape[1]:  # no bit ever changed, and all were dropped
        return np.zeros((len(points), 1), np.float32)
    return points.astype(np.float32, copy=False)
