"""How a network is trained: the settings, and the order of the examples."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from nhlib.arguments import whole_number


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: Adam [1]_ on minibatches, minimizing the cross-entropy.

    The defaults are *protocol A*, which comes closest to the published curves on MNIST:
    a constant learning rate, no penalty, no early stopping. `Recipe.code` is *protocol B*,
    the settings of the authors' published code.

    Parameters
    ----------
    epochs : int, default 20
        Passes over the training data, at most.
    batch_size : int, default 64
        Examples in a minibatch; the last one of an epoch may be smaller.
    learning_rate : float, default 1e-3
        Adam's step size in the first epoch.
    decay : float, default 1
        Factor by which the learning rate is multiplied every `decay_every` epochs.
    decay_every : int, optional
        Epochs between two such multiplications; none by default.
    l2 : float, default 0
        The penalty ``l2 · Σ w²`` is added to the loss, so that its gradient is
        ``2 · l2 · w``. It runs over the weights of all linear and convolutional layers but
        the last, and neither over biases nor over batch normalization.
    patience : int, optional
        Stop early once the training loss has not fallen below its lowest value for this
        many epochs. By default all epochs are run.
    epsilon : float, default 1e-7
        Adam's ε, at Keras' default, not at PyTorch's 1e-8. PyTorch adds it to the
        bias-corrected root of the second moment, Keras to the uncorrected one.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number of the right kind or size.

    Notes
    -----
    Adam's β₁ and β₂ are 0.9 and 0.999. Batch normalization is a property of the network,
    not of the recipe: the authors' code has it, ``mlp(..., batch_norm=True)``, and the
    published curves come closest without it.

    References
    ----------
    .. [1] D. Kingma, J. Ba, "Adam: A method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> Recipe(epochs=5).learning_rate
    0.001
    >>> [Recipe.code().learning_rate_in(epoch) for epoch in (1, 20, 21, 41)]
    [0.01, 0.01, 0.001, 0.0001]
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    decay: float = 1.0
    decay_every: int | None = None
    l2: float = 0.0
    patience: int | None = None
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        whole_number("epochs", self.epochs, 0)
        whole_number("batch_size", self.batch_size, 1)
        for name in ("decay_every", "patience"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), 1)
        for name in ("learning_rate", "decay", "epsilon", "l2"):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, (int, float)):
                raise TypeError(f"{name}: a number is needed, not {given!r}")
            if not 0 <= given < math.inf or (given == 0 and name != "l2"):
                least = "of at least 0" if name == "l2" else "above 0"
                raise ValueError(f"{name}: a finite number {least} is needed, not {given!r}")
        if (self.decay == 1) != (self.decay_every is None):
            raise ValueError(
                f"decay={self.decay} and decay_every={self.decay_every}: give both or none; "
                "decay=0.1, decay_every=20 divides the learning rate by 10 every 20 epochs"
            )

    @classmethod
    def code(cls, **changes: Any) -> "Recipe":
        """Protocol B, the settings of the authors' published code.

        A learning rate of 1e-2, divided by 10 every 20 epochs; an L2 penalty of 1e-6; at
        most 200 epochs, and a patience of 10 on the training loss. It goes with batch
        normalization: ``mlp(..., batch_norm=True)``.

        Parameters
        ----------
        **changes
            Settings to be different from that.

        Examples
        --------
        >>> Recipe.code(epochs=60, patience=None)
        Recipe(epochs=60, batch_size=64, learning_rate=0.01, decay=0.1, decay_every=20,
               l2=1e-06, patience=None, epsilon=1e-07)
        """
        settings = {
            "epochs": 200,
            "learning_rate": 1e-2,
            "decay": 0.1,
            "decay_every": 20,
            "l2": 1e-6,
            "patience": 10,
        }
        return cls(**{**settings, **changes})

    def learning_rate_in(self, epoch: int) -> float:
        """Return the learning rate in an epoch; the first is epoch 1."""
        decays = (epoch - 1) // self.decay_every if self.decay_every else 0
        return self.learning_rate * self.decay**decays


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
