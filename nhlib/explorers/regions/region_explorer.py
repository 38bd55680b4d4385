"""RegionExplorer: train a network on points in the plane, and watch its regions move."""

from typing import Any

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import nn

from nhlib.codes import encode
from nhlib.data import Dataset, Split, load, with_label_noise
from nhlib.explorers.common.explorer import Explorer
from nhlib.explorers.common.rows import Limits, Row, Rows
from nhlib.measures import redundancy_ratio
from nhlib.networks import mlp
from nhlib.regions import partition
from nhlib.training import Recipe, fit

_DATA = ("moons", "spirals")
_SQUARE = (Limits(-1.0, 1.0), Limits(-1.0, 1.0))
# Four quarters, those across from each other of one class.
_QUARTERS = [[0.5, 0.5, 0], [-0.5, 0.5, 1], [-0.5, -0.5, 0], [0.5, -0.5, 1]]
_SIZES = (20, 50, 100, 200, 500)
_NOISES = (0.0, 0.05, 0.1, 0.2, 0.4)


class RegionExplorer(Explorer):
    """Train an MLP on points in the plane, and watch its linear regions move.

    The page trains it itself, in float32, with full batches and Adam: the network that
    `network` returns, up to rounding. Every setting is also an attribute that can be assigned.

    Parameters
    ----------
    data : {"moons", "spirals", "own"}, default "moons"
        The points (see `nhlib.load`), or those of `points`.
    points : list of [x, y, class], default four
        Up to 500 points of one's own, between -1 and 1, of class 0 or 1.
    width : int, default 8
        Units in each hidden layer, 1 to 24.
    depth : int, default 2
        Hidden layers, 1 to 3.
    learning_rate : float, default 0.01
        Adam's step size: 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10 or 100.
    label_noise : float, default 0
        Share of the training labels that are shuffled: 0, 0.05, 0.1, 0.2 or 0.4.
    sample_size : int, default 100
        Training points: 20, 50, 100, 200 or 500.
    seed : int, default 0
        Seed of the network's weights, 0 to 99.
    epochs : int, default 300
        Epochs trained, 0 to 100,000; each is one step, since all points are one batch.
    pace : {"slow", "fast", "fastest"}, default "slow"
        Epochs in a second when it plays: 60, 500, or as many as there is time for.
    view : {"regions", "graph"}, default "regions"
        Regions and points, or a dot for each region and a line between neighbours.
    cursor, pinned : [x, y]
        The place of which the code is shown, and that with which it is compared.
    tool : {"look", "add 0", "add 1", "move", "delete"}, default "look"
        What a click in the picture does: pin the place, or change the points.

    Raises
    ------
    TypeError
        If there is no setting of a name that was given.
    traitlets.TraitError
        If a value is not one that the setting takes.

    Examples
    --------
    >>> import nhlib as nh
    >>> explorer = nh.RegionExplorer(width=4, depth=1, epochs=50)
    >>> nh.partition(explorer.network()).n_regions
    11
    """

    _entry = "regions/regions.js"
    _version = traitlets.Int(2).tag(sync=True)

    data = traitlets.Enum((*_DATA, "own"), "moons").tag(sync=True, setting=True)
    points = Rows(_QUARTERS, *_SQUARE, Limits(0, 1), least=1, most=500).tag(sync=True, setting=True)
    width = traitlets.Int(8, min=1, max=24).tag(sync=True, setting=True)
    depth = traitlets.Int(2, min=1, max=3).tag(sync=True, setting=True)
    learning_rate = traitlets.Enum(
        (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 100.0), 0.01
    ).tag(sync=True, setting=True)
    label_noise = traitlets.Enum(_NOISES, 0.0).tag(sync=True, setting=True)
    sample_size = traitlets.Enum(_SIZES, 100).tag(sync=True, setting=True)
    seed = traitlets.Int(0, min=0, max=99).tag(sync=True, setting=True)
    epochs = traitlets.Int(300, min=0, max=100_000).tag(sync=True, setting=True)
    pace = traitlets.Enum(("slow", "fast", "fastest"), "slow").tag(sync=True, setting=True)

    view = traitlets.Enum(("regions", "graph"), "regions").tag(sync=True, setting=True)
    cursor = Row([0.35, 0.1], *_SQUARE).tag(sync=True, setting=True)
    pinned = Row([-0.35, -0.1], *_SQUARE).tag(sync=True, setting=True)
    tool = traitlets.Enum(("look", "add 0", "add 1", "move", "delete"), "look").tag(
        sync=True, setting=True
    )

    # Float32 coordinates of the points, and a byte a label for each share of noise and each size.
    _points = traitlets.Dict().tag(sync=True)
    _labels = traitlets.Dict().tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._points = {
            name: load(name, max(_SIZES)).train.inputs.numpy().tobytes() for name in _DATA
        }
        self._labels = {
            name: {
                f"{size} {noise:g}": _dataset(name, size, noise)
                .train.labels.numpy()
                .astype(np.uint8)
                .tobytes()
                for size in _SIZES
                for noise in _NOISES
            }
            for name in _DATA
        }

    def dataset(self) -> Dataset:
        """Return the data that the settings describe.

        One's own points are the test split, too.
        """
        if self.data == "own":
            points = torch.tensor(self.points, dtype=torch.float32)
            split = Split(points[:, :2], points[:, 2].long())
            return Dataset("own points", split, split, n_classes=2, box=(-1.0, 1.0))
        return _dataset(self.data, self.sample_size, self.label_noise)

    def network(self) -> nn.Sequential:
        """Train the network that the settings describe, with PyTorch.

        Returns
        -------
        torch.nn.Sequential
            What `nhlib.mlp` makes and `nhlib.fit` trains.
        """
        data = self.dataset()
        network = mlp(2, [self.width] * self.depth, data.n_classes, seed=self.seed)
        recipe = Recipe(
            epochs=self.epochs, batch_size=len(data.train), learning_rate=self.learning_rate
        )
        fit(network, data, recipe, seed=self.seed, progress=False)
        return network

    def still(self) -> tuple[Figure, str, str]:
        """Draw regions, data and decision boundary of the network of the settings."""
        from nhlib.plots import plot_partition

        data, network = self.dataset(), self.network()
        regions = partition(network)
        figure = Figure(figsize=(5.2, 5.2))
        plot_partition(
            regions,
            points=data.train.inputs,
            labels=data.train.labels,
            boundary=True,
            ax=figure.gca(),
        )
        ratio = redundancy_ratio(encode(network, data.train.inputs))
        layers = "-".join(map(str, [2, *[self.width] * self.depth, data.n_classes]))
        words = (
            f"{regions.n_regions:,} linear regions of a {layers} network, trained for "
            f"{self.epochs:,} epochs on {len(data.train)} points of two classes, "
            f"{data.name}. The redundancy ratio of the points' codes is {100 * ratio:.1f} %."
        )
        return (
            figure,
            f"A square cut into polygons by the lines of the units, with points of two classes and "
            f"the decision boundary between them: {words}",
            f"{words} Thin lines: where a unit turns on or off. Thick line: the decision boundary.",
        )


def _dataset(name: str, size: int, noise: float) -> Dataset:
    data = load(name, size)
    return with_label_noise(data, noise) if noise else data
