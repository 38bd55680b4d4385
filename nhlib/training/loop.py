"""Training one network, reproducibly."""

import copy
import os
import sys
from collections.abc import Callable, Iterable

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from nhlib._arguments import seed_number, torch_device, true_or_false
from nhlib._interrupts import interrupts_held_back
from nhlib._progress import progress_bar
from nhlib._threads import threads_for
from nhlib.data import Dataset
from nhlib.training.augmentation import apply_changes
from nhlib.training.checkpoint import Checkpoint
from nhlib.training.endings import Diverged, Stopped
from nhlib.training.history import History, Moment, moment_order
from nhlib.training.preconditions import check_stop, check_training, snapshot_moments
from nhlib.training.randomness import epoch_order, random_state
from nhlib.training.recipe import Recipe

# Inputs in a batch when no gradients are needed.
_EVALUATION_BATCH = 1024


def fit(
    network: nn.Module,
    data: Dataset,
    recipe: Recipe = Recipe(),  # noqa: B008 (it cannot be changed)
    *,
    snapshots: Iterable[Moment] = (),
    seed: int = 0,
    device: str | torch.device | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    stop: Callable[[], bool] | None = None,
    progress: bool = True,
) -> History:
    """Train a network in place.

    The same network, data, recipe and seed give the same weights on the same machine and
    number of threads; small MLPs take one thread, which is fastest. The global random state is
    left as it was; a network that draws random numbers itself (dropout) gets them from `seed`.

    Parameters
    ----------
    network : torch.nn.Module
        Any classifier whose output is one score (logit) for every class. It is trained in
        its own floating point type, and is left in eval mode, without gradients.
    data : Dataset
        The training split is learnt, and the test split measured after every epoch. Both
        are copied to the device whole.
    recipe : Recipe, optional
        The settings; by default protocol A.
    snapshots : iterable of int or of (int, int), optional
        Epochs after which a copy of the network is kept, for `History.network`; 0 is the
        untrained network, and ``(0, 25)`` is after 25 minibatches of the first epoch. Epochs that
        early stopping does not reach are left out.
    seed : int, default 0
        Decides the order of the examples (see `epoch_order`), not the initial weights.
    device : str or torch.device, optional
        Where to train; the network is moved there. By default where it is.
    checkpoint : path, optional
        A file that holds, after every epoch, all that is needed to go on. If it is there, the
        training goes on from it, to the same weights as if it had never stopped; the network's
        own weights then do not count. When training is over, the file stays.
    stop : callable, optional
        Asked without arguments after every minibatch; when it returns True, the training ends with
        `Stopped`. The ``is_set`` of a ``threading.Event`` lets another thread end it.
    progress : bool, default True
        Show a progress bar when it takes longer than two seconds.

    Returns
    -------
    History
        Losses and accuracies epoch by epoch, and the snapshots.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, before anything is changed; or if `checkpoint` is cut
        short, or comes from another training.
    FileNotFoundError, PermissionError
        If the folder of `checkpoint` does not exist, or is read-only.
    Diverged
        A FloatingPointError, at the end of an epoch in which the loss was not finite.
    Stopped
        When `stop` returned True.

    Notes
    -----
    Before it is trained, the network is tried on one or two examples, in eval mode and in train
    mode. However a training ends, the network has the weights of its last complete epoch.
    `Diverged`, `Stopped` and the KeyboardInterrupt of who stops it from the keyboard carry what
    was recorded until then as their ``history``.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> network = nh.mlp(data.n_inputs, [50], data.n_classes, seed=0)
    >>> history = nh.fit(network, data, nh.Recipe(epochs=10), snapshots=(0, 10))
    >>> round(history.test_accuracy[-1], 1)
    0.9
    >>> untrained = history.network(0)
    """
    wanted, seed = snapshot_moments(snapshots), seed_number(seed)
    check_training(network, data, recipe, wanted)
    check_stop(stop)
    true_or_false("progress", progress)
    device = None if device is None else torch_device("device", device)
    saved = None
    if checkpoint is not None:
        saved = Checkpoint(
            checkpoint, network, data, recipe, sorted(wanted, key=moment_order), seed
        )
    network.to(device)
    if _is_convolutional(network):
        network.to(memory_format=torch.channels_last)  # in which convolutions are fastest
    optimizer = _optimizer(network, recipe)
    weights = next(p for p in network.parameters() if p.requires_grad)
    train, test = (
        (split.inputs.to(weights), split.labels.to(weights.device))
        for split in (data.train, data.test)
    )
    history = History(recipe)
    steps_an_epoch = -(-len(data.train) // recipe.batch_size)
    bar = progress_bar("fit", recipe.epochs * steps_an_epoch, "steps", progress)
    # By the epoch after which they are, so that no interrupt comes between weights and history.
    complete = {0: copy.deepcopy(network.state_dict())}

    def step_done(step: int) -> None:
        bar.update()
        if (history.epochs, step) in wanted:
            history.take_snapshot((history.epochs, step), network)
        if stop is not None and stop():
            raise Stopped(f"training was stopped in epoch {history.epochs + 1}", history)

    try:
        with (
            interrupts_held_back() as interrupts,
            bar,
            random_state(seed, weights.device),
            threads_for(products_in_a_step(network, recipe)),
            torch.enable_grad(),  # whatever is switched off inside
            interrupts.let_through(),
        ):
            if saved is not None:
                complete |= saved.weights()
                saved.restore(network, optimizer, history)
                bar.update(history.epochs * steps_an_epoch)
            if 0 in wanted and not history.epochs:
                history.take_snapshot(0, network)
            while history.epochs < recipe.epochs and not history.stopped_early:
                epoch = history.epochs + 1
                order = epoch_order(len(data.train), seed, epoch).to(weights.device)
                changes = None
                if recipe.augmentation is not None:
                    size = train[0].shape[2:]
                    changes = recipe.augmentation.changes(len(order), size, seed, epoch).to(weights)
                loss, accuracy = _epoch(
                    network, optimizer, train, order, changes, history, step_done
                )
                test_accuracy = accuracy_of(network, test)
                complete[epoch] = copy.deepcopy(network.state_dict())
                history.record(loss, accuracy, test_accuracy, network if epoch in wanted else None)
                complete = {epoch: complete[epoch]}
                bar.set_postfix(epoch=epoch, loss=loss, test_accuracy=test_accuracy, refresh=False)
                if saved is not None:
                    saved.save(network, optimizer, history)
        _leave(network)
        return history
    except BaseException as error:
        network.load_state_dict(complete[history.epochs])
        _leave(network)
        error.add_note(f"The network is as it was after epoch {history.epochs}.")
        if isinstance(error, KeyboardInterrupt):
            error.history = history  # type: ignore[attr-defined]
        raise


def _leave(network: nn.Module) -> None:
    network.zero_grad()
    network.eval()


def products_in_a_step(network: nn.Module, recipe: Recipe) -> int:
    """Count the products in the forward pass of a step, of what is not an MLP as too many."""
    affine = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Linear))
    matrices = sum(p.numel() for p in network.parameters() if p.ndim > 1)
    return recipe.batch_size * affine if affine == matrices else sys.maxsize


def _is_convolutional(network: nn.Module) -> bool:
    return any(weight.ndim == 4 for weight in network.parameters())


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    kinds = (nn.Linear, nn.modules.conv._ConvNd)
    layers = [module for module in network.modules() if isinstance(module, kinds)]
    hidden = {layer.weight for layer in layers[:-1]}
    weights = [p for p in network.parameters() if p.requires_grad]
    groups = [
        # Weight decay adds the penalty's gradient to that of the loss, within the step itself.
        {"params": [p for p in weights if p in hidden], "weight_decay": 2 * recipe.l2},
        {"params": [p for p in weights if p not in hidden], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, nesterov=True, fused=True)
    return torch.optim.Adam(groups, eps=recipe.epsilon, fused=True)


def _penalty(optimizer: torch.optim.Optimizer) -> Tensor | float:
    penalty: Tensor | float = 0.0
    for group in optimizer.param_groups:
        if group["weight_decay"]:
            for weight in group["params"]:
                penalty = penalty + group["weight_decay"] / 2 * weight.detach().square().sum()
    return penalty


_Examples = tuple[Float[Tensor, "n *shape"], Int64[Tensor, " n"]]


def _epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    train: _Examples,
    order: Int64[Tensor, " n"],
    changes: Float[Tensor, "n 2 3"] | None,
    history: History,
    step_done: Callable[[int], None],
) -> tuple[float, float]:
    """Train for the next epoch, and return its mean loss and accuracy."""
    inputs, labels = train
    recipe, epoch = history.recipe, history.epochs + 1
    batches = order.split(recipe.batch_size)
    half = recipe.bfloat16 and inputs.is_cuda
    channels_last = inputs.ndim == 4 and _is_convolutional(network)
    losses, predictions = [], []
    network.train()
    for step, batch in enumerate(batches):
        rate = recipe.learning_rate_in(epoch, step / len(batches))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        seen = inputs.index_select(0, batch)
        if changes is not None:
            seen = apply_changes(seen, changes.index_select(0, batch))
        if channels_last:
            seen = seen.contiguous(memory_format=torch.channels_last)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=half):
            output = network(seen)
            loss = F.cross_entropy(output, labels.index_select(0, batch))
        loss.backward()
        # They stay on the device: to ask for a number would make a GPU wait in every step.
        losses.append(loss.detach() + _penalty(optimizer))
        predictions.append(output.argmax(1))
        optimizer.step()
        step_done(step + 1)
    # The weights as well, because no loss has seen yet what the last step did to them.
    weights = [
        weight.detach().sum() for group in optimizer.param_groups for weight in group["params"]
    ]
    finite = torch.stack([*losses, *weights]).isfinite().tolist()
    if not all(finite):
        step = min(finite.index(False) + 1, len(batches))
        cause = (
            "Try a smaller learning_rate"
            if inputs.isfinite().all()
            else "There are training inputs that are not finite: look for them"
        )
        raise Diverged(
            f"the loss or the weights are not finite in epoch {epoch}, step {step} of "
            f"{len(batches)}, at a learning rate of {rate:g}. {cause}",
            history,
        )
    sizes = [len(batch) for batch in batches]
    loss = np.average(torch.stack(losses).tolist(), weights=sizes)
    hits = torch.cat(predictions) == labels.index_select(0, order)
    return float(loss), hits.sum().item() / len(order)


def accuracy_of(network: nn.Module, test: _Examples) -> float:
    """Return the share of examples that a network gets right; it is left in eval mode."""
    network.eval()
    with torch.no_grad():
        hits = [
            (network(inputs).argmax(1) == labels).sum()
            for inputs, labels in zip(
                *(part.split(_EVALUATION_BATCH) for part in test), strict=True
            )
        ]
    return torch.stack(hits).sum().item() / len(test[1])
