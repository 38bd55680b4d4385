"""What is studied: networks with named layers, drawn from a seed."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from nhlib._arguments import real_number, seed_number, true_or_false, whole_number


def _he(weight: Tensor, generator: torch.Generator) -> Tensor:
    return nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)


def _glorot(weight: Tensor, generator: torch.Generator) -> Tensor:
    return nn.init.xavier_uniform_(weight, generator=generator)


_INITS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {"glorot": _glorot, "he": _he}


def mlp(
    n_inputs: int,
    widths: Sequence[int],
    n_classes: int,
    *,
    batch_norm: bool = False,
    init: str = "glorot",
    seed: int = 0,
    dropout: Any = 0,
) -> nn.Sequential:
    """Build an untrained multilayer perceptron (MLP) of ReLU units.

    It takes images or vectors, since it begins by flattening them, and returns one score
    (logit) for every class. Its layers are called ``flatten``, ``linear1``, ``relu1``,
    ``linear2``, ``relu2``, …, ``output``; with batch normalization there is a ``norm1``
    between ``linear1`` and ``relu1``, and so on; with dropout, a ``drop1`` after ``relu1``.

    Parameters
    ----------
    n_inputs : int
        Numbers in one input; ``data.n_inputs`` of a `Dataset`.
    widths : sequence of int
        Units in each hidden layer, from the input on: ``[50]``, ``[40, 40, 40]``.
    n_classes : int
        Number of classes, at least 2.
    batch_norm : bool, default False
        Normalize over the batch before every ReLU [1]_, with ε = 1e-3 and a running
        average that keeps 0.99 of its value (PyTorch: ``momentum=0.01``).
    init : {"glorot", "he"}, default "glorot"
        How weights are drawn; biases start at 0. With a and b the numbers of units before
        and after the weights, ``"glorot"`` draws uniformly from ±√(6 / (a + b)) [2]_, and
        ``"he"`` from a normal distribution of variance 2 / a [3]_.
    seed : int, default 0
        Seed of the weights. They are drawn on the CPU by a generator of their own: the
        global random state is neither used nor changed. Another kind of processor may round
        their last digits otherwise.
    dropout : float, default 0
        Share of the units of every hidden layer that a training step leaves out, at random
        [4]_. Codes are read without it.

    Returns
    -------
    torch.nn.Sequential
        On the CPU, in float32, in training mode.

    Raises
    ------
    TypeError
        If a size is not a whole number, `widths` not a sequence, `batch_norm` neither True nor
        False, or `dropout` not a number.
    ValueError
        If a size is too small, `init` is unknown, or `dropout` not from 0 to below 1.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy, "Batch normalization", ICML 2015.
    .. [2] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    .. [3] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015.
    .. [4] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout:
       A simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> mlp(64, [50], 10)
    Sequential(
      (flatten): Flatten(start_dim=1, end_dim=-1)
      (linear1): Linear(in_features=64, out_features=50, bias=True)
      (relu1): ReLU()
      (output): Linear(in_features=50, out_features=10, bias=True)
    )
    >>> mlp(64, [50], 10, seed=3)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """
    if isinstance(widths, (str, bytes)) or not isinstance(widths, Sequence):
        raise TypeError(
            f"widths: a list with the units of each hidden layer is needed, such as [50] or "
            f"[40, 40]; not {widths!r}"
        )
    if not widths:
        raise ValueError(
            "widths is empty: without a hidden layer there is no ReLU, and no code; "
            "pass [50] for one layer of 50 units"
        )
    if isinstance(n_inputs, (tuple, list)):
        raise TypeError(
            f"n_inputs: one number is needed, not the shape {n_inputs!r}; "
            "pass data.n_inputs, or the product of the shape"
        )
    if init not in _INITS:
        raise ValueError(f"init: there are {' and '.join(map(repr, _INITS))}, not {init!r}")
    batch_norm = true_or_false("batch_norm", batch_norm)
    dropout = real_number("dropout", dropout, 0, 1, without=1)
    sizes = [whole_number("n_inputs", n_inputs, 1)]
    sizes += [whole_number(f"widths[{i}]", width, 1) for i, width in enumerate(widths)]
    sizes += [whole_number("n_classes", n_classes, 2)]
    generator = torch.Generator().manual_seed(seed_number(seed))

    def linear(before: int, after: int) -> nn.Linear:
        # The constructor would draw weights of its own from the global random state.
        layer: nn.Linear = skip_init(nn.Linear, before, after, device="cpu", dtype=torch.float32)
        _INITS[init](layer.weight, generator)
        nn.init.zeros_(layer.bias)
        return layer

    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for i, (before, after) in enumerate(pairwise(sizes[:-1]), start=1):
        layers[f"linear{i}"] = linear(before, after)
        if batch_norm:
            # Keras' defaults; its momentum of 0.99 is what PyTorch calls 0.01.
            layers[f"norm{i}"] = nn.BatchNorm1d(
                after, eps=1e-3, momentum=0.01, device="cpu", dtype=torch.float32
            )
        layers[f"relu{i}"] = nn.ReLU()
        if dropout:
            layers[f"drop{i}"] = nn.Dropout(dropout)
    layers["output"] = linear(sizes[-2], sizes[-1])
    return nn.Sequential(layers)
