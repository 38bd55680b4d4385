"""What `fit` and `Population` refuse, before anything is changed."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nhlib._arguments import whole_number
from nhlib._threads import threads_for
from nhlib.data import Dataset
from nhlib.networks import undisturbed
from nhlib.training.history import Moment, last_epoch, moment_order
from nhlib.training.recipe import Recipe

# What PyTorch raises where a network cannot compute with what it is given.
_PYTORCH_ERRORS = (RuntimeError, ValueError, IndexError, TypeError)


def snapshot_moments(snapshots: Any) -> set[Moment]:
    """Return when snapshots are asked for."""
    if not isinstance(snapshots, Iterable) or isinstance(snapshots, str):
        raise TypeError(f"snapshots: epochs are needed, such as (0, 3) or (), not {snapshots!r}")
    return {_moment(given) for given in snapshots}


def _moment(given: Any) -> Moment:
    if not isinstance(given, (tuple, list)):
        return whole_number("snapshots", given, 0)
    if len(given) != 2:
        raise ValueError(
            "snapshots: an epoch, or an epoch and minibatches after it, such as (0, 25), are "
            f"needed, not {given!r}"
        )
    epoch, step = whole_number("snapshots", given[0], 0), whole_number("snapshots", given[1], 0)
    return (epoch, step) if step else epoch


def check_training(network: Any, data: Any, recipe: Any, snapshots: set[Moment]) -> None:
    """Refuse what cannot be trained."""
    wanted: dict[str, tuple[Any, type]] = {
        "network": (network, nn.Module),
        "data": (data, Dataset),
        "recipe": (recipe, Recipe),
    }
    for name, (given, kind) in wanted.items():
        if not isinstance(given, kind):
            both = ", with its training and its test split" if kind is Dataset else ""
            raise TypeError(f"{name}: a {kind.__name__} is needed{both}; not {given!r}")
    last = max(map(last_epoch, snapshots), default=0)
    if last > recipe.epochs:
        raise ValueError(f"snapshots: the recipe ends after epoch {recipe.epochs}, not {last}")
    n_steps = -(-len(data.train) // recipe.batch_size)
    step = max((moment_order(moment)[1] for moment in snapshots), default=0)
    if step >= max(n_steps, 1):
        raise ValueError(
            f"snapshots: an epoch has {n_steps} minibatches, so that none is within it after "
            f"{step} of them"
        )
    if not len(data.train) or not len(data.test):
        raise ValueError(f"data: both splits need examples, but this is {data!r}")
    for split in (data.train, data.test):
        # Whoever made the data set may have changed its tensors since.
        if split.labels.min() < 0 or split.labels.max() >= data.n_classes:
            raise ValueError(
                f"data: labels run from 0 to {data.n_classes - 1}, but there are labels from "
                f"{split.labels.min()} to {split.labels.max()}"
            )
    if recipe.augmentation is not None and len(data.input_shape) != 3:
        raise ValueError(
            "recipe: augmentation changes images of shape (channels, height, width), and the "
            f"inputs of data have shape {data.input_shape}; pass augmentation=None"
        )
    _check_network(network, data, recipe)


def check_stop(stop: Any) -> None:
    """Refuse a `stop` that cannot be asked."""
    if stop is not None and not callable(stop):
        raise TypeError(
            "stop: a function without arguments is needed that returns True when training is to "
            f"end, not {stop!r}"
        )


def _check_network(network: nn.Module, data: Dataset, recipe: Recipe) -> None:
    weights = next((p for p in network.parameters() if p.requires_grad), None)
    if weights is None:
        raise ValueError("network: it has no weights to train")
    tensors = dict(network.named_parameters()) | dict(network.named_buffers())
    for name, tensor in tensors.items():
        if nn.parameter.is_lazy(tensor):
            raise ValueError(f"network: {name} has no shape yet; run the network once first")
    if any(tensor.is_meta for tensor in tensors.values()):
        raise ValueError("network: it is on the device meta, where weights have no numbers")
    inputs = data.train.inputs[:2].to(weights.device, weights.dtype)
    state = undisturbed(network, weights.device, train_mode=False)
    try:
        with state as interrupts, threads_for(0), interrupts.let_through():
            output = network(inputs)
    except _PYTORCH_ERRORS as error:
        raise ValueError(
            f"network: it does not take inputs of shape {data.input_shape}, as data has them. "
            f"PyTorch says: {error}"
        ) from error
    _check_scores(output, data.n_classes)
    if (output >= 0).all() and torch.allclose(output.sum(1), torch.ones_like(output[:, 0])):
        raise ValueError(
            "network: its output is probabilities already, where scores (logits) are needed; "
            "leave out the softmax at its end"
        )
    n, lone = len(data.train), 1 in (recipe.batch_size, len(data.train) % recipe.batch_size)
    labels = data.train.labels[:2].to(weights.device)
    failure = _error_in_step(network, inputs[: 2 - lone], labels[: 2 - lone], data.n_classes)
    if failure is None:
        return
    if lone and n > 1 and not _error_in_step(network, inputs, labels, data.n_classes):
        raise ValueError(
            f"recipe: batch_size={recipe.batch_size} leaves one of the {n} training examples to a "
            "minibatch of its own, which batch normalization cannot normalize; change "
            "batch_size, or train_size in load"
        ) from failure
    raise ValueError(f"network: it cannot be trained. PyTorch says: {failure}") from failure


def _error_in_step(
    network: nn.Module, inputs: Tensor, labels: Tensor, n_classes: int
) -> Exception | None:
    """Return what PyTorch raises in a training step; the network is left as it was."""
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    with undisturbed(network, inputs.device, train_mode=True), threads_for(0), torch.enable_grad():
        try:
            output = network(inputs)
        except _PYTORCH_ERRORS as error:
            return error
        _check_scores(output, n_classes, " in train mode")
        try:
            torch.autograd.grad(F.cross_entropy(output, labels), trained, allow_unused=True)
        except _PYTORCH_ERRORS as error:
            return error
    return None


def _check_scores(output: Any, n_classes: int, when: str = "") -> None:
    shape = tuple(output.shape) if isinstance(output, Tensor) else ()
    if len(shape) != 2 or shape[1] < n_classes:
        raise ValueError(
            f"network: one score for each of the {n_classes} classes is needed, that is an "
            f"output of shape (n, {n_classes}), not {shape or type(output).__name__}{when}"
        )
