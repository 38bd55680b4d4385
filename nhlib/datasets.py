"""What a network sees: labelled inputs in a training and a test split."""

import difflib
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from nhlib import downloads, image_folders
from nhlib.arguments import whole_number
from nhlib.image_folders import Labelled

# Seed of everything that `load` shuffles or draws.
SEED = 0
_TOY_SIZE = 1000


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
        If there are not as many labels as inputs.

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
                    f"{name}: a {dtype} tensor is needed, not {kind}; "
                    f"pass torch.as_tensor({name}, dtype={dtype})"
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
        If the splits differ in shape, or a label or the class names do not fit `n_classes`.

    Examples
    --------
    >>> data = load("digits")
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


def load(
    name: str, train_size: int | None = None, root: str | os.PathLike[str] | None = None
) -> Dataset:
    """Load a data set.

    The names, and how many training and test examples they have:

    - ``"digits"``: 8×8 images of digits, part of scikit-learn [1]_; 1,437 and 360
    - ``"mnist"``: 28×28 images of digits [2]_; 60,000 and 10,000
    - ``"fashion-mnist"``: 28×28 images of clothes [3]_; 60,000 and 10,000
    - ``"cifar10"``: 32×32 colour photographs [4]_; 50,000 and 10,000
    - ``"svhn"``: 32×32 colour photographs of house numbers [5]_; 73,257 and 26,032
    - ``"moons"``: points on two half circles in the plane; 1,000 and 1,000
    - ``"spirals"``: points on two spiral arms in the plane; 1,000 and 1,000
    - ``"folder:PATH"``: images in PATH/train/CLASS and PATH/test/CLASS

    Digits are split 80/20, stratified by class. The images of a folder, in sorted order,
    are shuffled once. Both use the fixed seed 0, as do the toys' points. All other data
    sets keep their published order and split.

    Parameters
    ----------
    name : str
        One of the names above.
    train_size : int, optional
        Take only the first `train_size` training examples. The paper trains on the first
        48,000 of MNIST and the first 40,000 of CIFAR-10.
    root : path, optional
        Folder in which torchvision keeps, or will put, the data sets that need a download.
        By default the environment variable ``NHLIB_DATA``, else a cache folder of the user.
        A download is checked, and appears there complete or not at all.

    Returns
    -------
    Dataset
        Images are divided by 255 (digits by 16), so that they lie in [0, 1].

    Raises
    ------
    TypeError
        If `train_size` is not a whole number.
    ValueError
        If there is no such data set, `train_size` is not available, a file is damaged, or
        the images of a folder differ in size.
    FileNotFoundError
        If a data set is not there and cannot be downloaded, or the folder does not have
        the expected subfolders. The message says what to fetch and where to put it.

    Notes
    -----
    The images of a folder are decoded once, into a file of the user's cache folder; they
    are decoded again when a file of the folder has changed.

    References
    ----------
    .. [1] E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI Machine
       Learning Repository, 1998 (its test set).
    .. [2] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to
       document recognition", Proceedings of the IEEE 86, 1998.
    .. [3] H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747, 2017.
    .. [4] A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    .. [5] Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Ng, "Reading digits in
       natural images with unsupervised feature learning", NIPS workshop, 2011.

    Examples
    --------
    >>> load("digits", train_size=1000).train
    Split(1,000 examples of shape (1, 8, 8))
    >>> load("moons").train.inputs.shape
    torch.Size([1000, 2])
    """
    if name.startswith("folder:"):
        data = _images(name, *image_folders.read(Path(name.removeprefix("folder:")), SEED))
    elif name in downloads.NAMES:
        data = _images(name, *downloads.read(name, root))
    elif name in _EMBEDDED:
        data = _EMBEDDED[name]()
    else:
        raise ValueError(_unknown(name))
    if train_size is None:
        return data
    return replace(
        data, train=data.train[: whole_number("train_size", train_size, 1, len(data.train))]
    )


def _unknown(name: str) -> str:
    names = [*_EMBEDDED, *downloads.NAMES]
    text = f"name: no data set {name!r}"
    near = difflib.get_close_matches(name.lower(), names, n=1)
    if near:
        text += f", did you mean {near[0]!r}?"
    elif Path(name).expanduser().is_dir():
        text += f"; for the images in that folder pass 'folder:{name}'."
    return f"{text} There are {', '.join(names)} and folder:PATH"


def _images(name: str, train: Labelled, test: Labelled, classes: list[str]) -> Dataset:
    def split(images: Tensor, labels: Tensor) -> Split:
        return Split(images.to(torch.float32).div_(255), labels)

    return Dataset(name, split(*train), split(*test), len(classes), tuple(classes))


def _digits() -> Dataset:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    parts = train_test_split(
        digits.images.astype(np.float32)[:, None] / 16,
        digits.target.astype(np.int64),
        test_size=0.2,
        stratify=digits.target,
        random_state=SEED,
    )
    train_inputs, test_inputs, train_labels, test_labels = map(torch.from_numpy, parts)
    return Dataset(
        "digits",
        Split(train_inputs, train_labels),
        Split(test_inputs, test_labels),
        n_classes=10,
        class_names=tuple(map(str, digits.target_names)),
    )


def _moons(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    # Two half circles of radius 1/2, the ends of each reaching into the other.
    labels = rng.integers(2, size=n)
    angle = np.pi * rng.random(n) + np.pi * labels
    centre = np.where(labels[:, None] == 0, (-0.25, -0.125), (0.25, 0.125))
    points = centre + 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.05 * rng.standard_normal((n, 2)), labels


def _spirals(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    # Two arms that wind one and a half times around the centre, half a turn apart; the
    # square root spreads the points evenly along them.
    labels = rng.integers(2, size=n)
    radius = 0.05 + 0.85 * np.sqrt(rng.random(n))
    angle = 3 * np.pi * radius + np.pi * labels
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.02 * rng.standard_normal((n, 2)), labels


def _toy(name: str, draw: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Dataset:
    points, labels = draw(2 * _TOY_SIZE, np.random.default_rng(SEED))
    both = Split(torch.from_numpy(points.astype(np.float32)), torch.from_numpy(labels))
    return Dataset(name, both[:_TOY_SIZE], both[_TOY_SIZE:], n_classes=2, box=(-1.0, 1.0))


_EMBEDDED: dict[str, Callable[[], Dataset]] = {
    "digits": _digits,
    "moons": lambda: _toy("moons", _moons),
    "spirals": lambda: _toy("spirals", _spirals),
}
