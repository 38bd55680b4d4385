"""Labelled inputs, in a training and a test split."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from nhlib._arguments import brightest, check_range


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    r"""Labelled inputs: what is trained on, or what is tested on.

    Slices, masks and lists of indices select examples into a new split that shares memory
    with this one where a tensor would; a single index gives ``(input, label)``, so that a
    PyTorch ``DataLoader`` takes a split as it is.

    Parameters
    ----------
    inputs : float32 tensor, shape (n, \*shape)
        The inputs; images are (channels, height, width), with values in [0, 1].
    labels : int64 tensor, shape (n,)
        Their classes, counted from 0.

    Raises
    ------
    TypeError
        If either is not a tensor of its type.
    ValueError
        If there are not as many labels as inputs, or an input is a single number.

    Examples
    --------
    >>> split = Split(torch.rand(5, 1, 8, 8), torch.tensor([0, 1, 2, 1, 0]))
    >>> split[:3]
    Split(3 examples of shape (1, 8, 8))
    >>> split[split.labels == 1].labels
    tensor([1, 1])
    """

    inputs: Float32[Tensor, "n *shape"]
    labels: Int64[Tensor, "n"]

    def __post_init__(self) -> None:
        for name, dtype in (("inputs", torch.float32), ("labels", torch.int64)):
            given = getattr(self, name)
            if not isinstance(given, Tensor) or given.dtype != dtype:
                kind = given.dtype if isinstance(given, Tensor) else type(given).__name__
                raise TypeError(
                    f"{name}: a {dtype} tensor is needed, not {kind}{_remedy(name, given, dtype)}"
                )
        if self.inputs.ndim < 2 or self.labels.ndim != 1 or len(self.inputs) != len(self.labels):
            raise ValueError(
                "inputs and labels: shapes (n, *shape) and (n,) are needed, "
                f"not {tuple(self.inputs.shape)} and {tuple(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, key: Any) -> Any:
        inputs, labels = self.inputs[key], self.labels[key]
        return (inputs, labels) if labels.ndim == 0 else Split(inputs, labels)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(self.inputs, self.labels, strict=True)

    def __repr__(self) -> str:
        return f"Split({len(self):,} examples of shape {tuple(self.inputs.shape[1:])})"


def _remedy(name: str, given: Any, dtype: torch.dtype) -> str:
    """Say what makes a tensor of something else, if anything does, and pixels go from 0 to 1."""
    source = name
    if hasattr(given, "to_numpy"):  # a table of pandas, or a column
        source, given = f"{name}.to_numpy()", given.to_numpy()
    try:
        array = np.asarray(given.cpu() if isinstance(given, Tensor) else given)
    except ValueError:  # lists of different lengths
        return ""
    if array.dtype.kind in "OUS":
        words = name == "labels" and array.ndim == 1 and array.size
        source = f"np.unique({source}, return_inverse=True)[1]" if words else ""
    scale = ""
    if name == "inputs" and array.dtype.kind in "iu" and array.size and array.max() > 1:
        scale = f" / {brightest(float(array.max())):g}"
    made = f"torch.tensor({source}, dtype={dtype})"
    if isinstance(given, Tensor):
        made = f"{source}.to({dtype})"
    return f"; pass {made}{scale}" if source else ""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A training and a test split, and what is known about both.

    Parameters
    ----------
    name : str
        What it is called in tables and figures.
    train, test : Split
        The splits; their inputs have one shape.
    n_classes : int
        Number of classes; labels run from 0 to ``n_classes - 1``.
    class_names : tuple of str, optional
        Names of the classes, where they have any.
    box : pair of float, default (0, 1)
        Every number of an input lies between these: (0, 1) for images, (-1, 1) for the toys.

    Raises
    ------
    ValueError
        If the splits differ in shape, a label or the class names do not fit `n_classes`, or an
        input lies outside the box.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> data
    Dataset(digits: 1,437 train, 360 test, shape (1, 8, 8), 10 classes)
    >>> data.n_inputs
    64
    """

    name: str
    train: Split
    test: Split
    n_classes: int
    class_names: tuple[str, ...] | None = None
    box: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        self._check_box()
        if self.train.inputs.shape[1:] != self.test.inputs.shape[1:]:
            raise ValueError(
                f"train and test: inputs of one shape are needed, not "
                f"{tuple(self.train.inputs.shape[1:])} and {tuple(self.test.inputs.shape[1:])}"
            )
        for name, split in (("train", self.train), ("test", self.test)):
            if len(split) and not 0 <= split.labels.min() <= split.labels.max() < self.n_classes:
                raise ValueError(
                    f"{name}: with n_classes={self.n_classes} labels run from 0 to "
                    f"{self.n_classes - 1}, but there are labels from {split.labels.min()} to "
                    f"{split.labels.max()}"
                )
        if self.class_names is not None and len(self.class_names) != self.n_classes:
            raise ValueError(
                f"class_names: {len(self.class_names)} names for {self.n_classes} classes"
            )

    def _check_box(self) -> None:
        try:
            low, high = (float(end) for end in self.box)
        except (TypeError, ValueError):
            low, high = math.nan, math.nan
        if not -math.inf < low < high < math.inf:
            raise ValueError(
                f"box: the least and the greatest number of inputs are needed, such as (0, 1), not "
                f"{self.box!r}"
            )
        for name, split in (("train", self.train), ("test", self.test)):
            check_range(f"{name}.inputs", split.inputs, (low, high), "pass their range as box")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.inputs.shape[1:])

    @property
    def n_inputs(self) -> int:
        """Numbers in one input: what `mlp` asks for."""
        return math.prod(self.input_shape)

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name}: {len(self.train):,} train, {len(self.test):,} test, "
            f"shape {self.input_shape}, {self.n_classes} classes)"
        )
