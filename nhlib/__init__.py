"""Neural codes of ReLU networks: extraction, exact measures and teaching figures."""

from typing import Any

from nhlib.augmentation import Augmentation
from nhlib.baselines import compare_with_baselines, hidden_activations, random_hyperplanes
from nhlib.categorization import (
    bit_information,
    categorize,
    kmeans_accuracy,
    knn_accuracy,
    logreg_accuracy,
)
from nhlib.codes import NeuralCodes
from nhlib.constant_bits import drop_constant_bits
from nhlib.convolutional import (
    imagenet_network,
    resnet18,
    resnet20,
    resnet32,
    resnet56,
    vgg,
    vgg16,
    vgg19,
)
from nhlib.datasets import Dataset, Split, load
from nhlib.determinism import (
    bound_on_other_half,
    collision_entropy,
    compare_redundancy,
    rarefaction_curve,
    redundancy_bound,
    redundancy_ratio,
    unit_activity,
)
from nhlib.encoding import encode
from nhlib.history import History
from nhlib.neighbours import nearest_codes
from nhlib.networks import mlp
from nhlib.noise import random_inputs, with_instance_noise, with_label_noise
from nhlib.phases import critical_size, phase_chart, regime, sensitivity
from nhlib.population import Population
from nhlib.recipes import Recipe
from nhlib.regions import (
    Partition,
    Plane,
    Segment,
    arrangement_count,
    border_distances,
    hanin_rolnick_scale,
    montufar_bound,
    partition,
    segment,
    serra_bound,
    zaslavsky_bound,
)
from nhlib.results import Results
from nhlib.sweeps import sweep
from nhlib.trained import load_trained, training_log
from nhlib.training import fit

__version__ = "0.1.0"

_PLOTS = (
    "plot_accuracy",
    "plot_baselines",
    "plot_class_activity",
    "plot_codes",
    "plot_distances",
    "plot_images",
    "plot_partition",
    "plot_phase_chart",
    "plot_rarefaction",
    "plot_redundancy",
    "plot_segment",
)
_EXPLORERS = ("CodeExplorer", "MarginExplorer", "PhaseExplorer", "RegionExplorer", "SweepExplorer")

__all__ = [
    "Augmentation",
    "CodeExplorer",
    "Dataset",
    "History",
    "MarginExplorer",
    "NeuralCodes",
    "Partition",
    "PhaseExplorer",
    "Plane",
    "Population",
    "Recipe",
    "RegionExplorer",
    "Results",
    "Segment",
    "Split",
    "SweepExplorer",
    "arrangement_count",
    "bit_information",
    "border_distances",
    "bound_on_other_half",
    "categorize",
    "collision_entropy",
    "compare_redundancy",
    "compare_with_baselines",
    "critical_size",
    "drop_constant_bits",
    "encode",
    "fit",
    "hanin_rolnick_scale",
    "hidden_activations",
    "imagenet_network",
    "kmeans_accuracy",
    "knn_accuracy",
    "load",
    "load_trained",
    "logreg_accuracy",
    "mlp",
    "montufar_bound",
    "nearest_codes",
    "partition",
    "phase_chart",
    "plot_accuracy",
    "plot_baselines",
    "plot_class_activity",
    "plot_codes",
    "plot_distances",
    "plot_images",
    "plot_partition",
    "plot_phase_chart",
    "plot_rarefaction",
    "plot_redundancy",
    "plot_segment",
    "random_hyperplanes",
    "random_inputs",
    "rarefaction_curve",
    "redundancy_bound",
    "redundancy_ratio",
    "regime",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet56",
    "segment",
    "sensitivity",
    "serra_bound",
    "sweep",
    "training_log",
    "unit_activity",
    "vgg",
    "vgg16",
    "vgg19",
    "with_instance_noise",
    "with_label_noise",
    "zaslavsky_bound",
]


def __getattr__(name: str) -> Any:
    # Plots bring matplotlib, seaborn and pandas along, explorers ipywidgets: they are loaded when
    # the first is used.
    if name in _PLOTS:
        from nhlib import plots

        return getattr(plots, name)
    if name in _EXPLORERS:
        try:
            from nhlib import explorers
        except ModuleNotFoundError as error:
            if error.name not in ("anywidget", "ipywidgets", "traitlets"):
                raise
            raise ModuleNotFoundError(
                f"nhlib.{name} is a widget, which needs anywidget: pip install anywidget",
                name=error.name,
            ) from error
        return getattr(explorers, name)
    raise AttributeError(f"module 'nhlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_PLOTS, *_EXPLORERS]
