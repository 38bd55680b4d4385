"""MarginExplorer: one digit moved along a line, and what flips on the way."""

from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nhlib.data import Split, load
from nhlib.explorers.common.digits import pack_digits
from nhlib.explorers.common.explorer import Explorer
from nhlib.networks import mlp
from nhlib.plots import plot_images
from nhlib.regions import Segment, border_distances, fold, segment
from nhlib.training import History, Recipe, fit

_WIDTH = 50
_EPOCHS = (0, 30)
_RECIPES = {
    "A": Recipe(epochs=_EPOCHS[-1]),
    "B": Recipe.code(epochs=_EPOCHS[-1], patience=None),
}
_N_DIGITS = 360
_DIGIT = 227  # an 8 at a usual distance from the borders
_DRAWS = 16
_LONGEST = 3


class MarginExplorer(Explorer):
    """A test digit moved in a straight line, until bits of its code flip and its answer changes.

    Shows the digit, what is added to it and the sum; the code before and after; and how many
    bits have flipped at every length of the step, beside the margin: the distance to the nearest
    border, whatever its direction. The network has one hidden layer of 50 units, and all places
    are exact.

    The networks are trained when the first explorer is made, which takes some seconds, and kept.

    Parameters
    ----------
    protocol : {"A", "B"}
        How the network is trained: A, `nhlib.Recipe`; B, `nhlib.Recipe.code` with batch norm. By
        default ``"B"``.
    epoch : {0, 30}
        When; 0 is before training. By default 30.
    digit : int
        One of the 360 test digits, from 0 to 359. By default 227.
    direction : {"attack", "random", "digit"}
        Where to: against the digit's class, as the gradient of its loss points at the digit; at
        random; or towards the nearest test digit of another class.
    draw : int
        Which random direction, from 0 to 15: the seed that it is drawn with.
    length : float
        Euclidean length of the step, from 0 to 3. By default 0.5.

    Raises
    ------
    TypeError
        If there is no setting of a name that was given.
    traitlets.TraitError
        If a value is not one that the setting takes.

    Examples
    --------
    >>> from nhlib import MarginExplorer
    >>> explorer = MarginExplorer(digit=7, direction="random", length=1)
    >>> explorer.length
    1.0
    """

    _entry = "margins/margins.js"
    _version = traitlets.Int(1).tag(sync=True)

    protocol = traitlets.Enum(list(_RECIPES), "B").tag(sync=True, setting=True)
    epoch = traitlets.Enum(list(_EPOCHS), _EPOCHS[-1]).tag(sync=True, setting=True)
    digit = traitlets.Int(_DIGIT, min=0, max=_N_DIGITS - 1).tag(sync=True, setting=True)
    direction = traitlets.Enum(["attack", "random", "digit"], "attack").tag(sync=True, setting=True)
    draw = traitlets.Int(0, min=0, max=_DRAWS - 1).tag(sync=True, setting=True)
    length = traitlets.Float(0.5, min=0, max=_LONGEST).tag(sync=True, setting=True)

    _pixels = traitlets.Bytes().tag(sync=True)  # 0 to 16, five bits each
    _labels = traitlets.Bytes().tag(sync=True)  # a byte each
    # Float64 as the network computes with: inputs, hidden units and outputs are counted in sizes,
    # the networks in the order of protocols, then of epochs.
    _weights = traitlets.Bytes().tag(sync=True)
    _sizes = traitlets.List(traitlets.Int()).tag(sync=True)
    _random = traitlets.Bytes().tag(sync=True)  # directions of normal numbers, of any length

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        digits = _digits()
        self._pixels, self._labels = pack_digits(digits)
        numbers: list[np.ndarray] = []
        for protocol in _RECIPES:
            for epoch in _EPOCHS:
                hidden, last = fold(_network(protocol, epoch), digits.inputs.shape[1:]).layers
                parts = (hidden.weights, hidden.biases, last.weights, last.biases)
                numbers += [part.ravel() for part in parts]
        self._weights = np.concatenate(numbers).astype("<f8").tobytes()
        self._sizes = [hidden.weights.shape[1], _WIDTH, len(last.biases)]
        drawn = np.stack([_drawn(draw) for draw in range(_DRAWS)])
        self._random = drawn.astype("<f8").tobytes()

    def still(self) -> tuple[Figure, str, str]:
        """Draw what is shown; return it, its alt text and caption."""
        network, digits = _network(self.protocol, self.epoch), _digits()
        step = _step(network, digits, self.digit, self.direction, self.draw)
        start, label = digits.inputs[self.digit].double(), int(digits.labels[self.digit])
        moved, added = start + self.length * step, self.length * step
        line = segment(network, start, start + _LONGEST * step)
        margin = float(border_distances(network, start[None]).min())
        flips = _LONGEST * line.breakpoints
        n_flipped = int((flips < self.length).sum())
        before, after = line.outputs([0, self.length / _LONGEST]).argmax(axis=1).tolist()

        figure, axes = plt.subplot_mosaic(
            [["pictures"], ["chart"]], figsize=(6.4, 5.2), height_ratios=[1, 1.7]
        )
        titles = [f"digit {self.digit}", "added", "moved"]
        # Beyond black and white a picture can show no more.
        pictures = torch.stack([start, torch.zeros_like(start), moved.clamp(0, 1)])
        plot_images(pictures, titles, ax=axes["pictures"])
        _hinton(axes["pictures"], added[0].numpy())
        _staircase(axes["chart"], flips, margin, _first_change(line), self.length)
        when = "before training" if self.epoch == 0 else f"after epoch {self.epoch}"
        counted = (
            f"Moved by {self.length:.3g}, {n_flipped} of the {_WIDTH} bits of the digit's code "
            f"flip; the answer is {after} (was {before})."
        )
        return (
            figure,
            f"Three pictures: test digit {self.digit}, of class {label}; what is "
            f"added to it; and the sum. Below, a staircase: flipped bits against the length of "
            f"the step. {counted}",
            f"Test digit {self.digit}, of class {label}, moved {_WHERE[self.direction]}, "
            f"protocol {self.protocol}, {when}. Its margin is {margin:.3g}. {counted}",
        )


_WHERE = {
    "attack": "against its class",
    "random": "at random",
    "digit": "towards the nearest digit of another class",
}


@cache
def _digits() -> Split:
    return load("digits").test


@cache
def _history(protocol: str) -> History:
    data = load("digits")
    network = mlp(data.n_inputs, [_WIDTH], data.n_classes, batch_norm=protocol == "B")
    return fit(network, data, _RECIPES[protocol], snapshots=_EPOCHS, progress=False)


def _network(protocol: str, epoch: int) -> nn.Module:
    """The network in float64, as gradients need it where the loss is nearly 0."""
    return _history(protocol).network(epoch).double()


def _drawn(draw: int) -> Float64[np.ndarray, " pixels"]:
    return np.random.default_rng(draw).normal(size=_digits().inputs[0].numel())


def _step(network: nn.Module, digits: Split, digit: int, direction: str, draw: int) -> Tensor:
    """Return the direction in which a digit is moved: an image of Euclidean length 1."""
    inputs, labels = digits.inputs.double(), digits.labels
    one, label = inputs[[digit]], labels[[digit]]
    if direction == "attack":
        step = torch.func.grad(lambda x: cross_entropy(network(x), label))(one)[0]
    elif direction == "random":
        step = torch.from_numpy(_drawn(draw)).reshape(one[0].shape)
    else:
        others = inputs[labels != label]
        squares = (others - one).square().flatten(1).sum(dim=1)  # exact: of several the first
        step = others[int(squares.numpy().argmin())] - one[0]
    unit: Tensor = (step / step.norm()).detach()
    return unit


# -- the still -----------------------------------------------------------------------------


def _hinton(ax: Axes, added: Float64[np.ndarray, "height width"]) -> None:
    """Draw numbers in the place of the second picture: squares, hollow where they are below 0."""
    most = np.abs(added).max()
    width = added.shape[1]
    for (row, column), value in np.ndenumerate(added):
        side = 0.86 * np.sqrt(abs(value) / most) if most else 0
        corner = (1.15 * width + column + (1 - side) / 2, row + (1 - side) / 2)
        look = {"fc": "C1", "ec": "none"} if value > 0 else {"fc": "none", "ec": "C0", "lw": 1.2}
        ax.add_patch(Rectangle(corner, side, side, **look))


def _staircase(
    ax: Axes, flips: Float64[np.ndarray, " k"], margin: float, change: float | None, length: float
) -> None:
    """Draw how many bits have flipped at every length of the step."""
    ax.step([0, *flips, _LONGEST], [*range(len(flips) + 1), len(flips)], where="post", color="C4")
    ax.axvline(margin, color="C2", linestyle=":", label=f"margin {margin:.3g}")
    if change is not None:
        ax.axvline(change, color="C1", linestyle="--", label=f"the answer changes at {change:.3g}")
    ax.plot(length, (flips < length).sum(), "o", color="#1f2733", label=f"the step of {length:.3g}")
    ax.set(xlabel="length of the step", ylabel="flipped bits", xlim=(-0.03, _LONGEST))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()


def _first_change(line: Segment) -> float | None:
    """Return at which length the answer changes first, exactly: outputs bend only at flips."""
    ends = np.array([0, *line.breakpoints, 1])
    outputs = line.outputs(ends)
    answer = outputs[0].argmax()
    lead = outputs[:, [answer]] - outputs
    behind = (lead < 0).any(axis=1)
    if not behind.any():
        return None
    # What is ahead at both ends of a piece is ahead between them.
    i = behind.argmax()
    before, after = lead[i - 1, lead[i] < 0], lead[i, lead[i] < 0]
    share = (before / (before - after)).min()
    return float(_LONGEST * (ends[i - 1] + share * (ends[i] - ends[i - 1])))
