"""The experiments of the paper, as grids: what is measured on a laptop, and what in full."""

from typing import Any

from nhlib.sweeps.grid import Grid

_WIDTHS = [3, 7, 10, 15, 20, 23, 27, 30, 33, 37, 40, 43]
_WIDTHS += [47, 50, 53, 57, 60, 65, 70, 75, 80, 90, 100]
_THREE, _BASE = [40, 50, 60], [50]
_SIZES = [10, 30, 60, 100, 300, 600, 1000, 2000, 3000, 6000, 10_000, 20_000, 30_000, 40_000]
_EPOCHS = [0, 1, 3, 6, 10, 20, 30, 40, 60]
_LONG = [*_EPOCHS, 80, 100, 120, 140, 160, 180, 200]
_LONGER = [300, 500, 700, 1000, 1500, 2000]
# Classes are told at fewer epochs, since that takes longer than training.
_CLASSES_AT = [0, 1, 3, 10, 30, 60]
_CLASSES = ["kmeans", "knn", "logreg"]
# Minibatches of the first epoch; it has 469 of 128 images.
_FIRST_STEPS = [25, 50, 100, 150, 200, 300]
_DEEP = [(width,) * 5 for width in range(10, 201, 10)]
_DEEP_FOUR = [(width,) * 5 for width in (10, 20, 40, 80)]
_DEEP_SIZES = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 40_000]
_CIFAR10: dict[str, Any] = {"data": "cifar10", "train_sizes": 40_000, "protocols": "B"}


def _mnist_layer_width(full: bool) -> list[dict[str, Any]]:
    of: dict[str, Any] = {"data": "mnist", "widths": _WIDTHS, "seeds": range(10)}
    redundancy = {**of, "epochs": _LONG if full else _EPOCHS, "measures": "redundancy"}
    classes = {**of, "epochs": [*_CLASSES_AT, 200] if full else _CLASSES_AT, "measures": _CLASSES}
    if not full:
        classes["seeds"] = range(3)
    return [{**what, "protocols": p} for p in ("A", "B") for what in (redundancy, classes)]


def _mnist_training_time(full: bool) -> list[dict[str, Any]]:
    of: dict[str, Any] = {"data": "mnist", "widths": _THREE, "seeds": range(10 if full else 3)}
    redundancy = {**of, "epochs": _LONG, "measures": "redundancy"}
    classes = {**of, "epochs": [*_CLASSES_AT, 100, 200], "measures": _CLASSES}
    far = {**of, "epochs": _LONG + _LONGER, "measures": "redundancy"}
    if not full:
        classes["widths"] = _BASE
        far["seeds"] = 0
    return [redundancy, {**redundancy, "protocols": "B"}, classes, far]


def _mnist_first_epoch(full: bool) -> list[dict[str, Any]]:
    of: dict[str, Any] = {"data": "mnist", "widths": _THREE, "batch_sizes": 128}
    of |= {"train_sizes": 60_000, "seeds": range(11)}
    of["measures"] = ["redundancy", *(_CLASSES if full else ["knn"])]
    return [{**of, "epochs": 0, "steps": _FIRST_STEPS}, {**of, "epochs": [0, 1]}]


def _mnist_sample_size(full: bool) -> list[dict[str, Any]]:
    of = {"data": "mnist", "widths": _THREE, "train_sizes": _SIZES, "epochs": _CLASSES_AT}
    seeds = range(10 if full else 3)
    return [{**of, "protocols": p, "seeds": seeds} for p in (("A", "B") if full else ("A",))]


def _mnist_label_noise(full: bool) -> list[dict[str, Any]]:
    return [{**_end(full), "label_noise": [0, 0.2, 0.4, 0.6, 0.8, 1]}]


def _mnist_regularization(full: bool) -> list[dict[str, Any]]:
    return [
        {**_end(full), "l2": [0, 1e-6, 1e-5, 1e-4, 1e-3]},
        {**_end(full), "batch_norm": True},
        {**_end(full), "dropout": [0.2, 0.5]},
    ]


def _end(full: bool) -> dict[str, Any]:
    """Return what is measured of networks at the end of training."""
    widths, seeds = (_THREE, range(10)) if full else (_BASE, range(3))
    return {"data": "mnist", "widths": widths, "epochs": [60], "seeds": seeds}


def _mnist_phase_chart(full: bool) -> list[dict[str, Any]]:
    return [
        {
            "data": "mnist",
            "widths": [10, 20, 30, 40, 50, 60, 80, 100],
            "train_sizes": [100, 300, 1000, 3000, 10_000, 30_000, 48_000],
            "epochs": _CLASSES_AT,
            "seeds": range(10 if full else 3),
        }
    ]


def _cifar10_layer_width(full: bool) -> list[dict[str, Any]]:
    of = {**_CIFAR10, "measures": ["redundancy", *_CLASSES, "kmeans_train"]}
    if full:
        return [{**of, "widths": _DEEP, "epochs": [0, 10, 60, 200], "seeds": range(3)}]
    return [{**of, "widths": _DEEP[::4], "epochs": [0, 10, 60]}]


def _cifar10_training_time(full: bool) -> list[dict[str, Any]]:
    of = {**_CIFAR10, "widths": _DEEP_FOUR, "seeds": range(3 if full else 1)}
    return [{**of, "epochs": _LONG}]


def _cifar10_sample_size(full: bool) -> list[dict[str, Any]]:
    of = {**_CIFAR10, "widths": _DEEP_FOUR, "train_sizes": _DEEP_SIZES}
    return [{**of, "epochs": [0, 60, 200] if full else [0, 60], "seeds": range(3 if full else 1)}]


_EXPERIMENTS = {
    "mnist-layer-width": _mnist_layer_width,
    "mnist-training-time": _mnist_training_time,
    "mnist-first-epoch": _mnist_first_epoch,
    "mnist-sample-size": _mnist_sample_size,
    "mnist-label-noise": _mnist_label_noise,
    "mnist-regularization": _mnist_regularization,
    "mnist-phase-chart": _mnist_phase_chart,
    "cifar10-layer-width": _cifar10_layer_width,
    "cifar10-training-time": _cifar10_training_time,
    "cifar10-sample-size": _cifar10_sample_size,
}
EXPERIMENTS = tuple(_EXPERIMENTS)


def experiment(name: str, full: bool = False, data: str | None = None) -> list[Grid]:
    """Return the grids of one of the paper's experiments, in the order in which they are run.

    Grids overlap, within an experiment and between several: with one store, nothing is measured
    twice.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    full : bool, default False
        What a GPU measures: more seeds and longer trainings. By default what the book's tables
        hold, which takes a laptop some minutes to two hours each.
    data : str, optional
        Another data set, as `nhlib.load` calls it: a copy in a folder, say.

    Raises
    ------
    ValueError
        If there is no such experiment.

    Examples
    --------
    >>> from nhlib.sweeps import EXPERIMENTS
    >>> EXPERIMENTS[:2]
    ('mnist-layer-width', 'mnist-training-time')
    """
    if name not in _EXPERIMENTS:
        raise ValueError(f"experiment: there are {', '.join(EXPERIMENTS)}, not {name!r}")
    steps = _EXPERIMENTS[name](full)
    return [Grid(**{**settings, "data": data or settings["data"]}) for settings in steps]
