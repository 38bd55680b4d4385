"""CodeExplorer: the digits, and the codes that ten trainings of five networks give them."""

from collections import Counter
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import traitlets
from jaxtyping import Int64
from matplotlib.figure import Figure

from nhlib._progress import progress_bar
from nhlib.codes import NeuralCodes, encode, nearest_codes
from nhlib.data import Split, load
from nhlib.explorers.common.digits import pack_digits
from nhlib.explorers.common.explorer import Explorer
from nhlib.networks import mlp
from nhlib.plots import plot_codes, plot_images
from nhlib.training import Recipe, fit

# Widths of the hidden layers; all of seed 0. Their bits, 987 a digit, are what the page carries.
_NETWORKS = {"6": [6], "12": [12], "25": [25], "50": [50], "16-16-16": [16, 16, 16]}
_EPOCHS = (0, 1, 10, 30)
_RECIPES = {
    "A": Recipe(epochs=_EPOCHS[-1]),
    "B": Recipe.code(epochs=_EPOCHS[-1], patience=None),
}
_N_DIGITS = 1437
_LAYERS = ["all", "relu1", "relu2", "relu3"]
# Examples a class in the matrix of bits: as many as have a row that can be seen.
_ROWS = 16
# Codes and pictures of each in the still of the collisions; neighbours in that of the neighbours.
_SHARED, _PICTURES = 5, 12
_NEIGHBOURS = 9


class CodeExplorer(Explorer):
    """The training digits, and their codes under networks of several sizes, while they learn.

    Three views: a matrix of bits, one row a digit, by class; the digits that share a code, as
    pictures; and one digit's nearest neighbours by the Hamming distance of codes, beside those
    by pixels. Redundancy ratio and the accuracy of K-NN, each digit left out in turn, are
    measured in the page.

    The networks are trained when the first explorer is made, which takes some seconds, and kept.

    Parameters
    ----------
    view : {"matrix", "collisions", "neighbours"}
        What is shown first.
    network : {"6", "12", "25", "50", "16-16-16"}
        Units in the hidden layers. By default ``"50"``.
    protocol : {"A", "B"}
        How it is trained: A, `nhlib.Recipe`; B, `nhlib.Recipe.code` with batch norm.
    epoch : {0, 1, 10, 30}
        When; 0 is before training. By default 30.
    layer : {"all", "relu1", "relu2", "relu3"}
        Whose units are the code.
    digit : int
        One of the 1,437 training digits, from 0 to 1436: the one whose neighbours are shown.
    k : int
        How many neighbours are shown, and vote, from 1 to 25. By default 9.

    Raises
    ------
    TypeError
        If there is no setting of a name that was given.
    ValueError
        If the network does not have the layer.
    traitlets.TraitError
        If a value is not one that the setting takes.

    Examples
    --------
    >>> from nhlib import CodeExplorer
    >>> explorer = CodeExplorer(view="collisions", network="12", epoch=10)
    >>> explorer.epoch
    10
    """

    _entry = "codes/codes.js"
    _version = traitlets.Int(1).tag(sync=True)

    view = traitlets.Enum(["matrix", "collisions", "neighbours"], "matrix").tag(
        sync=True, setting=True
    )
    network = traitlets.Enum(list(_NETWORKS), "50").tag(sync=True, setting=True)
    protocol = traitlets.Enum(list(_RECIPES), "A").tag(sync=True, setting=True)
    epoch = traitlets.Enum(list(_EPOCHS), _EPOCHS[-1]).tag(sync=True, setting=True)
    layer = traitlets.Enum(_LAYERS, "all").tag(sync=True, setting=True)
    digit = traitlets.Int(0, min=0, max=_N_DIGITS - 1).tag(sync=True, setting=True)
    k = traitlets.Int(_NEIGHBOURS, min=1, max=25).tag(sync=True, setting=True)

    _pixels = traitlets.Bytes().tag(sync=True)  # 0 to 16, five bits each
    _labels = traitlets.Bytes().tag(sync=True)  # a byte each
    _bits = traitlets.Bytes().tag(sync=True)  # of all codes side by side, one row a digit
    # Of every network: how many units its layers have, and at which column of the bits its codes
    # begin, by protocol and epoch.
    _networks = traitlets.Dict().tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        layers = _LAYERS[: len(_NETWORKS[self.network]) + 1]
        if self.layer not in layers:
            raise ValueError(
                f"layer: network {self.network!r} has {', '.join(map(repr, layers))}, "
                f"not {self.layer!r}"
            )
        digits = _digits()
        self._pixels, self._labels = pack_digits(digits)
        columns: list[np.ndarray] = []
        networks: dict[str, Any] = {
            name: {"layers": widths, "columns": {protocol: {} for protocol in _RECIPES}}
            for name, widths in _NETWORKS.items()
        }
        for (name, protocol, epoch), codes in _all_codes().items():
            begin = networks[name]["columns"]
            # Before training, batch norm changes no sign: the codes are those without.
            if epoch == 0 and begin["A"]:
                begin[protocol]["0"] = begin["A"]["0"]
                continue
            begin[protocol][str(epoch)] = sum(part.shape[1] for part in columns)
            columns.append(codes.bits())
        self._bits = np.packbits(np.hstack(columns), axis=1).tobytes()
        self._networks = networks

    def codes(self, **instead: Any) -> NeuralCodes:
        """Return the codes that are shown, of all training digits.

        Parameters
        ----------
        **instead
            `network`, `protocol`, `epoch` or `layer`, where others than the shown are wanted.

        Returns
        -------
        NeuralCodes
            1,437 codes.

        Raises
        ------
        ValueError
            If there are no such codes.

        Examples
        --------
        >>> CodeExplorer(network="6").codes(epoch=0).n_bits
        6
        """
        names = ("network", "protocol", "epoch", "layer")
        wanted = {name: getattr(self, name) for name in names} | instead
        codes = _all_codes().get((wanted["network"], wanted["protocol"], wanted["epoch"]))
        if wanted.keys() != set(names) or codes is None:
            raise ValueError(f"no codes of {instead}: name {', '.join(names)} as the settings are")
        return codes if wanted["layer"] == "all" else codes[wanted["layer"]]

    def still(self) -> tuple[Figure, str, str]:
        """Draw what is shown; return it, its alt text and caption."""
        codes, digits = self.codes(), _digits()
        units = self.network.replace("-", " + ")
        of = "" if self.layer == "all" else f" {self.layer} of"
        when = "before training" if self.epoch == 0 else f"after epoch {self.epoch}"
        caption = (
            f"The code of{of} {units} hidden units, protocol {self.protocol}, {when}: the "
            f"{_N_DIGITS:,} training digits have {codes.n_distinct:,} distinct codes. "
        )
        if self.view == "matrix":
            return *_matrix(codes, digits), caption + "Rows are digits; filled: the unit is on."
        if self.view == "collisions":
            return *_collisions(codes, digits), caption + "Each row shows digits of one code."
        figure, alt = _neighbours(codes, digits, self.digit)
        return figure, alt, caption + "Below each picture stands its class."


@cache
def _digits() -> Split:
    return load("digits").train


@cache
def _all_codes() -> dict[tuple[str, str, int], NeuralCodes]:
    """Train the networks; return their codes by name, protocol and epoch."""
    data = load("digits")
    found = {}
    with progress_bar("networks", len(_NETWORKS) * len(_RECIPES), "networks") as bar:
        for name, widths in _NETWORKS.items():
            for protocol, recipe in _RECIPES.items():
                # One by one, so that the few lines shown in the page repeat each to the bit.
                network = mlp(data.n_inputs, widths, data.n_classes, batch_norm=protocol == "B")
                history = fit(network, data, recipe, snapshots=_EPOCHS, progress=False)
                for epoch in _EPOCHS:
                    found[name, protocol, epoch] = encode(history.network(epoch), data.train)
                bar.update()
    return found


# -- stills --------------------------------------------------------------------------------


def _matrix(codes: NeuralCodes, digits: Split) -> tuple[Figure, str]:
    labels = digits.labels.numpy()
    rows = np.concatenate([np.flatnonzero(labels == c)[:_ROWS] for c in range(10)])
    figure, ax = plt.subplots(figsize=(7, 5))
    plot_codes(codes[rows], labels[rows], ax=ax)
    alt = (
        f"A matrix of filled and empty cells: {len(rows)} digits as rows, {_ROWS} of each class "
        f"together, by {codes.n_bits} units as columns; filled where a unit is on."
    )
    return figure, alt


def _collisions(codes: NeuralCodes, digits: Split) -> tuple[Figure, str]:
    groups = codes.groups()
    sizes = np.bincount(groups)
    largest = np.argsort(-sizes, kind="stable")[:_SHARED]
    largest = largest[sizes[largest] > 1]
    figure, axes = plt.subplots(
        max(1, len(largest)), figsize=(7, 1.0 * max(1, len(largest))), squeeze=False
    )
    sentences = []
    for group, ax in zip(largest, axes[:, 0], strict=False):
        members = np.flatnonzero(groups == group)
        classes = Counter(digits.labels.numpy()[members].tolist())
        title = f"{len(members)} digits, classes {', '.join(map(str, sorted(classes)))}"
        plot_images(digits.inputs[members[:_PICTURES]], n_columns=_PICTURES, ax=ax)
        ax.set_title(title, fontsize=10)
        sentences.append(title)
    if not sentences:
        axes[0, 0].axis("off")
        axes[0, 0].text(0, 0.5, "Every digit has a code of its own.")
        return figure, "No pictures: every digit has a code of its own."
    return figure, f"Pictures of digits that share a code: {'; '.join(sentences)}."


def _neighbours(codes: NeuralCodes, digits: Split, digit: int) -> tuple[Figure, str]:
    labels = digits.labels.numpy()
    pixels = (16 * digits.inputs.flatten(1)).numpy()
    nearest = {
        "code": _others(codes, digit),
        "pixels": np.argsort(((pixels - pixels[digit]) ** 2).sum(axis=1), kind="stable"),
    }
    figure, axes = plt.subplots(2, figsize=(7, 2.9))
    sentences = []
    for (kind, order), ax in zip(nearest.items(), axes, strict=True):
        near = order[order != digit][:_NEIGHBOURS]
        classes = labels[near].tolist()
        plot_images(
            digits.inputs[[digit, *near]], [f"[{labels[digit]}]", *classes], _NEIGHBOURS + 1, ax=ax
        )
        ax.set_title(f"a digit, and its nearest by {kind}", fontsize=10)
        sentences.append(f"nearest by {kind}: classes {', '.join(map(str, classes))}")
    return figure, f"Digit {digit}, of class {labels[digit]}; {'; '.join(sentences)}."


def _others(codes: NeuralCodes, digit: int) -> Int64[np.ndarray, " n"]:
    """All digits, the nearest by code first."""
    _, nearest = nearest_codes(codes[digit], codes, len(codes))
    order: np.ndarray = nearest[0]
    return order
