"""What `fit` and `Population` refuse, before anything is changed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nhlib._arguments import whole_number
from nhlib._threads import threads_for
from nhlib.data import Dataset
from nhlib.training.recipe import Recipe


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


def checked(network: Any, data: Any, recipe: Any, snapshots: Iterable[Any], seed: Any) -> set[int]:
    """Refuse arguments that do not fit, and return the epochs of the snapshots."""
    wanted: dict[str, tuple[Any, type]] = {
        "network": (network, nn.Module),
        "data": (data, Dataset),
        "recipe": (recipe, Recipe),
    }
    for name, (given, kind) in wanted.items():
        if not isinstance(given, kind):
            both = ", with its training and its test split" if kind is Dataset else ""
            raise TypeError(f"{name}: a {kind.__name__} is needed{both}; not {given!r}")
    whole_number("seed", seed, 0)
    keep = {whole_number("snapshots", epoch, 0) for epoch in snapshots}
    if max(keep, default=0) > recipe.epochs:
        raise ValueError(f"snapshots: the recipe ends after epoch {recipe.epochs}, not {max(keep)}")
    if not len(data.train) or not len(data.test):
        raise ValueError(f"data: both splits need examples, but this is {data!r}")
    if len(data.train) % recipe.batch_size == 1 and any(
        isinstance(module, nn.BatchNorm1d) for module in network.modules()
    ):
        raise ValueError(
            f"recipe: batch_size={recipe.batch_size} leaves one of the {len(data.train)} training "
            "examples to a minibatch of its own, which batch normalization cannot normalize; "
            "change batch_size, or train_size in load"
        )
    if recipe.augmentation is not None and len(data.input_shape) != 3:
        raise ValueError(
            "recipe: augmentation changes images of shape (channels, height, width), and the "
            f"inputs of data have shape {data.input_shape}; pass augmentation=None"
        )
    _check_output(network, data)
    return keep


def check_stop(stop: Any) -> None:
    """Refuse a `stop` that cannot be asked."""
    if stop is not None and not callable(stop):
        raise TypeError(
            "stop: a function without arguments is needed that returns True when training is to "
            f"end, not {stop!r}"
        )


def _check_output(network: nn.Module, data: Dataset) -> None:
    weights = next((p for p in network.parameters() if p.requires_grad), None)
    if weights is None:
        raise ValueError("network: it has no weights to train")
    inputs = data.train.inputs[:2].to(weights.device, weights.dtype)
    modes = [(module, module.training) for module in network.modules()]
    try:
        with random_state(0, weights.device), torch.no_grad(), threads_for(0):
            output = network.eval()(inputs)
    except (RuntimeError, IndexError) as error:
        raise ValueError(
            f"network: it does not take inputs of shape {data.input_shape}, as data has them. "
            f"PyTorch says: {error}"
        ) from error
    finally:
        for module, mode in modes:
            module.training = mode
    shape = tuple(output.shape) if isinstance(output, Tensor) else ()
    if len(shape) != 2 or shape[1] < data.n_classes:
        raise ValueError(
            f"network: one score for each of the {data.n_classes} classes is needed, that is an "
            f"output of shape (n, {data.n_classes}), not {shape or type(output).__name__}"
        )
    if (output >= 0).all() and torch.allclose(output.sum(1), torch.ones_like(output[:, 0])):
        raise ValueError(
            "network: its output is probabilities already, where scores (logits) are needed; "
            "leave out the softmax at its end"
        )
