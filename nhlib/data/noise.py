"""Random inputs, and data sets with noise in their labels or their inputs."""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from nhlib._arguments import real_number, seed_number, whole_number
from nhlib.data.dataset import Dataset, Split


def random_inputs(data: Dataset, n: int, seed: int = 0) -> Float32[Tensor, "n *shape"]:
    r"""Draw inputs uniformly from the box in which a data set's inputs lie.

    Parameters
    ----------
    data : Dataset
        Gives the shape of an input, and the box (see `Dataset`).
    n : int
        How many, at least 1.
    seed : int, default 0
        Seed of the draw; the global random state is not used.

    Returns
    -------
    float32 tensor, shape (n, \*shape)
        The inputs, on the CPU.

    Examples
    --------
    >>> from nhlib import load
    >>> random_inputs(load("digits"), 500).shape
    torch.Size([500, 1, 8, 8])
    """
    n = whole_number("n", n, 1)
    return _uniform(data, n, _generator(seed))


def with_label_noise(data: Dataset, fraction: float, seed: int = 0) -> Dataset:
    """Shuffle the labels of a random fraction of the training examples among themselves.

    How often each label occurs does not change, and some of the chosen examples keep their
    label by chance: with c equally frequent classes, about one in c where many are chosen.
    With one seed the examples chosen for a smaller fraction are among those for a larger one.

    Parameters
    ----------
    data : Dataset
        It is not changed.
    fraction : float
        Share of the training examples, from 0 to 1; rounded to a number of examples.
    seed : int, default 0
        Seed of the choice and of the shuffle.

    Returns
    -------
    Dataset
        With new training labels, and the fraction in its name.

    Examples
    --------
    >>> from nhlib import load
    >>> data = load("digits")
    >>> noisy = with_label_noise(data, 0.5)
    >>> noisy.name
    'digits, label noise 0.5'
    >>> round((noisy.train.labels != data.train.labels).float().mean().item(), 2)
    0.44
    """
    generator = _generator(seed)
    fraction = real_number("fraction", fraction, 0, 1)
    chosen = _choose(data, fraction, generator)
    labels = data.train.labels.clone()
    shuffled = torch.randperm(len(chosen), device="cpu", generator=generator)
    labels[chosen] = labels[chosen[shuffled]]
    train = Split(data.train.inputs, labels)
    return replace(data, name=f"{data.name}, label noise {fraction:g}", train=train)


def with_instance_noise(data: Dataset, fraction: float, seed: int = 0) -> Dataset:
    """Replace a random fraction of the training inputs by uniform noise; labels stay.

    The noise is that of `random_inputs`. With one seed the examples of a smaller fraction
    are among those of a larger one.

    Parameters
    ----------
    data : Dataset
        It is not changed.
    fraction : float
        Share of the training examples, from 0 to 1; rounded to a number of examples.
    seed : int, default 0
        Seed of the choice and of the noise.

    Returns
    -------
    Dataset
        With new training inputs, and the fraction in its name.

    Examples
    --------
    >>> from nhlib import load
    >>> data = load("digits")
    >>> noisy = with_instance_noise(data, 0.1)
    >>> (noisy.train.inputs != data.train.inputs).flatten(1).any(1).sum()
    tensor(144)
    """
    generator = _generator(seed)
    fraction = real_number("fraction", fraction, 0, 1)
    chosen = _choose(data, fraction, generator)
    inputs = data.train.inputs.clone()
    inputs[chosen] = _uniform(data, len(chosen), generator)
    train = Split(inputs, data.train.labels)
    return replace(data, name=f"{data.name}, instance noise {fraction:g}", train=train)


def _generator(seed: Any) -> torch.Generator:
    return torch.Generator().manual_seed(seed_number(seed))


def _choose(data: Dataset, fraction: float, generator: torch.Generator) -> Int64[Tensor, "k"]:
    n = len(data.train)
    return torch.randperm(n, device="cpu", generator=generator)[: round(fraction * n)]


def _uniform(data: Dataset, n: int, generator: torch.Generator) -> Float32[Tensor, "n *shape"]:
    low, high = data.box
    size = (n, *data.input_shape)
    # Whatever PyTorch's defaults are.
    numbers = torch.rand(size, dtype=torch.float32, device="cpu", generator=generator)
    return low + (high - low) * numbers
