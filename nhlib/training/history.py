"""The record of a training: losses, accuracies, and the network as it was on the way."""

import copy
from typing import TYPE_CHECKING

from torch import nn

from nhlib.training.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd


class History:
    """What happened while a network was trained; `fit` makes it.

    Attributes
    ----------
    recipe : Recipe
        The settings.
    train_loss, train_accuracy : list of float
        Mean over each epoch's examples, taken while the weights change: every minibatch
        counts with the weights that it met. The loss includes the penalty.
    test_accuracy : list of float
        After each epoch, in eval mode.
    stopped_early : bool
        Whether `Recipe.patience` ended the training.

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
        self.train_loss: list[float] = []
        self.train_accuracy: list[float] = []
        self.test_accuracy: list[float] = []
        self.stopped_early = False
        self.snapshots: dict[int, nn.Module] = {}

    @property
    def epochs(self) -> int:
        """Count the epochs completed."""
        return len(self.train_loss)

    def network(self, epoch: int) -> nn.Module:
        """Return the network as it was after an epoch; epoch 0 is before training.

        Every call makes a new network, in eval mode, on the device it was trained on.

        Raises
        ------
        ValueError
            If no snapshot was taken then.
        """
        if epoch not in self.snapshots:
            taken = ", ".join(map(str, self.snapshots))
            hint = f"there are epochs {taken}" if taken else "pass snapshots=(0, 1, …) to fit"
            early = f", and training stopped early after {self.epochs}" * self.stopped_early
            raise ValueError(f"epoch: no snapshot of epoch {epoch!r}; {hint}{early}")
        return copy.deepcopy(self.snapshots[epoch])

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
        if self.test_accuracy:
            parts.append(f"test accuracy {self.test_accuracy[-1]:.3g}")
        if self.snapshots:
            parts.append(f"snapshots of epochs {', '.join(map(str, self.snapshots))}")
        return f"History({', '.join(parts)})"

    def stalled(self) -> bool:
        """Tell whether `Recipe.patience` is over."""
        # Keras' rule, with no least improvement: epochs since the lowest loss so far.
        if self.recipe.patience is None:
            return False
        since_lowest = self.epochs - 1 - self.train_loss.index(min(self.train_loss))
        return bool(since_lowest >= self.recipe.patience)
