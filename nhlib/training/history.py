"""The record of a training: losses, accuracies, and the network as it was on the way."""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn

from nhlib.training.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd


# When a network is copied: after so many epochs, or after some minibatches of the next one, too.
Moment = int | tuple[int, int]


def moment_order(moment: Moment) -> tuple[int, int]:
    """Return the epochs of a moment and the minibatches after them, which sort as time does."""
    return (moment, 0) if isinstance(moment, int) else moment


def last_epoch(moment: Moment) -> int:
    """Return the epoch in which a moment is, or which ends there."""
    epoch, step = moment_order(moment)
    return epoch + (step > 0)


def _in_words(moment: Moment) -> str:
    epoch, step = moment_order(moment)
    return f"{epoch} + {step} steps" if step else str(epoch)


class _Epoch(NamedTuple):
    train_loss: float
    train_accuracy: float
    test_accuracy: float


class History:
    """What happened while a network was trained; `fit` makes it.

    Attributes
    ----------
    recipe : Recipe
        The settings.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> network = nh.mlp(data.n_inputs, [50], data.n_classes)
    >>> history = nh.fit(network, data, nh.Recipe(epochs=3), snapshots=[0, 1])
    >>> history
    History(3 epochs, test accuracy 0.667, snapshots of epochs 0, 1)
    >>> history.table().round(2)
       epoch  learning_rate  train_loss  train_accuracy  test_accuracy
    0      1            0.0        2.31            0.15           0.29
    1      2            0.0        2.03            0.41           0.48
    2      3            0.0        1.80            0.61           0.67
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._epochs: list[_Epoch] = []
        self._snapshots: dict[Moment, nn.Module] = {}

    def record(
        self,
        train_loss: float,
        train_accuracy: float,
        test_accuracy: float,
        snapshot_of: nn.Module | None = None,
    ) -> None:
        """Record the next epoch: all of it, or nothing where an interrupt comes in between."""
        if snapshot_of is not None:
            self.take_snapshot(self.epochs + 1, snapshot_of)
        # Everything else follows from this list, and within an append there is no interrupt.
        self._epochs.append(_Epoch(train_loss, train_accuracy, test_accuracy))

    def take_snapshot(self, moment: Moment, network: nn.Module) -> None:
        """Copy a network as it is; the copy counts once the epoch is recorded."""
        self._snapshots[moment] = copy.deepcopy(network).eval()

    def resume(
        self, table: Mapping[str, Sequence[Any]], snapshots: dict[Moment, nn.Module]
    ) -> None:
        """Take over what an earlier training recorded: its columns by name, and its snapshots."""
        self._snapshots = snapshots
        self._epochs = [
            _Epoch(*row) for row in zip(*(table[name] for name in _Epoch._fields), strict=True)
        ]

    @property
    def epochs(self) -> int:
        """Count the epochs completed."""
        return len(self._epochs)

    @property
    def train_loss(self) -> list[float]:
        """Mean loss over each epoch's examples, with the penalty.

        It is taken while the weights change: every minibatch counts with the weights that it met.
        """
        return [epoch.train_loss for epoch in self._epochs]

    @property
    def train_accuracy(self) -> list[float]:
        """Share of each epoch's examples that were right, with the weights that they met."""
        return [epoch.train_accuracy for epoch in self._epochs]

    @property
    def test_accuracy(self) -> list[float]:
        """Share of the test examples that are right after each epoch, in eval mode."""
        return [epoch.test_accuracy for epoch in self._epochs]

    @property
    def snapshots(self) -> dict[Moment, nn.Module]:
        """Networks as they were, by epoch, or by epoch and step; `network` returns copies."""
        return {
            moment: self._snapshots[moment]
            for moment in sorted(self._snapshots, key=moment_order)
            if last_epoch(moment) <= self.epochs
        }

    @property
    def stopped_early(self) -> bool:
        """Whether `Recipe.patience` ended the training."""
        # Keras' rule, with no least improvement: epochs since the lowest loss so far.
        if self.recipe.patience is None or not 0 < self.epochs < self.recipe.epochs:
            return False
        losses = self.train_loss
        return bool(self.epochs - 1 - losses.index(min(losses)) >= self.recipe.patience)

    def network(self, epoch: int, step: int = 0) -> nn.Module:
        """Return the network as it was after an epoch; epoch 0 is before training.

        Every call makes a new network, in eval mode, on the device it was trained on.

        Parameters
        ----------
        epoch : int
            Epochs that were complete.
        step : int, default 0
            Minibatches of the next epoch after them.

        Raises
        ------
        ValueError
            If no snapshot was taken then.
        """
        snapshots = self.snapshots
        moment: Moment = (epoch, step) if step else epoch
        if moment not in snapshots:
            taken = ", ".join(map(_in_words, snapshots))
            hint = f"there are epochs {taken}" if taken else "pass snapshots=(0, 1, …) to fit"
            early = f", and training stopped early after {self.epochs}" * self.stopped_early
            wanted = f"{epoch!r} + {step!r} steps" if step else repr(epoch)
            raise ValueError(f"epoch: no snapshot of epoch {wanted}; {hint}{early}")
        return copy.deepcopy(snapshots[moment])

    def table(self) -> "pd.DataFrame":
        """Return one row an epoch: losses, accuracies and learning rate."""
        import pandas as pd

        epochs = range(1, self.epochs + 1)
        return pd.DataFrame(
            {
                "epoch": epochs,
                "learning_rate": [self.recipe.learning_rate_in(epoch) for epoch in epochs],
                "train_loss": self.train_loss,
                "train_accuracy": self.train_accuracy,
                "test_accuracy": self.test_accuracy,
            }
        )

    def __repr__(self) -> str:
        parts = [f"{self.epochs} epochs" + ", stopped early" * self.stopped_early]
        if self.epochs:
            parts.append(f"test accuracy {self.test_accuracy[-1]:.3g}")
        if self.snapshots:
            parts.append(f"snapshots of epochs {', '.join(map(_in_words, self.snapshots))}")
        return f"History({', '.join(parts)})"
