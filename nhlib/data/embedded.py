"""Data sets that need no download: scikit-learn's digits, and points in the plane."""

from collections.abc import Callable

import numpy as np
import torch

from nhlib.data.dataset import Dataset, Split

# Seed of everything that `load` shuffles or draws.
SEED = 0
_TOY_SIZE = 1000


def _digits() -> Dataset:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    parts = train_test_split(
        digits.images.astype(np.float32)[:, None] / 16,
        digits.target.astype(np.int64),
        test_size=0.2,
        stratify=digits.target,
        random_state=SEED,
    )
    train_inputs, test_inputs, train_labels, test_labels = map(torch.from_numpy, parts)
    return Dataset(
        "digits",
        Split(train_inputs, train_labels),
        Split(test_inputs, test_labels),
        n_classes=10,
        class_names=tuple(map(str, digits.target_names)),
    )


def _moons(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    # Two half circles of radius 1/2, the ends of each reaching into the other.
    labels = rng.integers(2, size=n)
    angle = np.pi * rng.random(n) + np.pi * labels
    centre = np.where(labels[:, None] == 0, (-0.25, -0.125), (0.25, 0.125))
    points = centre + 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.05 * rng.standard_normal((n, 2)), labels


def _spirals(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    # Two arms that wind one and a half times around the centre, half a turn apart; the
    # square root spreads the points evenly along them.
    labels = rng.integers(2, size=n)
    radius = 0.05 + 0.85 * np.sqrt(rng.random(n))
    angle = 3 * np.pi * radius + np.pi * labels
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.02 * rng.standard_normal((n, 2)), labels


def _toy(name: str, draw: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Dataset:
    points, labels = draw(2 * _TOY_SIZE, np.random.default_rng(SEED))
    both = Split(torch.from_numpy(points.astype(np.float32)), torch.from_numpy(labels))
    return Dataset(name, both[:_TOY_SIZE], both[_TOY_SIZE:], n_classes=2, box=(-1.0, 1.0))


EMBEDDED: dict[str, Callable[[], Dataset]] = {
    "digits": _digits,
    "moons": lambda: _toy("moons", _moons),
    "spirals": lambda: _toy("spirals", _spirals),
}
