"""What is random in a training, and follows from its seed alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor


def epoch_order(n: int, seed: int, epoch: int) -> Int64[Tensor, " n"]:
    """Return the order of the examples in one epoch, the same on every machine.

    A function of its arguments alone: ``numpy.random.default_rng((seed, epoch))`` permutes
    the examples. Every ``batch_size`` of them in turn are a minibatch, and what remains is
    a last, smaller one: ``epoch_order(n, seed, epoch).split(batch_size)``.

    Parameters
    ----------
    n : int
        Number of examples.
    seed : int
        Seed of the training, at least 0.
    epoch : int
        Which epoch; the first is epoch 1.

    Returns
    -------
    int64 tensor, shape (n,)
        Indices of examples: each of 0, …, n − 1 once.

    Examples
    --------
    >>> epoch_order(5, seed=0, epoch=1)
    tensor([1, 4, 3, 0, 2])
    """
    return torch.from_numpy(np.random.default_rng((seed, epoch)).permutation(n))


@contextmanager
def random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Start random numbers from a seed, and put the random state back afterwards."""
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(cuda):
        # Not torch.manual_seed, which would seed other devices as well.
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
