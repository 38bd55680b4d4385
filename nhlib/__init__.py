"""Neural codes of ReLU networks: extraction, exact measures and teaching figures."""

from typing import Any

from nhlib.codes import NeuralCodes, drop_constant_bits
from nhlib.datasets import (
    Dataset,
    Split,
    load,
    random_inputs,
    with_instance_noise,
    with_label_noise,
)
from nhlib.determinism import redundancy_ratio
from nhlib.encoding import encode
from nhlib.networks import mlp
from nhlib.recipes import Recipe
from nhlib.training import History, fit

__version__ = "0.1.0"

_PLOTS = ("plot_codes", "plot_distances", "plot_images", "plot_redundancy")

__all__ = [
    "Dataset",
    "History",
    "NeuralCodes",
    "Recipe",
    "Split",
    "drop_constant_bits",
    "encode",
    "fit",
    "load",
    "mlp",
    "plot_codes",
    "plot_distances",
    "plot_images",
    "plot_redundancy",
    "random_inputs",
    "redundancy_ratio",
    "with_instance_noise",
    "with_label_noise",
]


def __getattr__(name: str) -> Any:
    # Plots bring matplotlib, seaborn and pandas along, and are loaded when the first is used.
    if name in _PLOTS:
        from nhlib import plots

        return getattr(plots, name)
    raise AttributeError(f"module 'nhlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_PLOTS]
