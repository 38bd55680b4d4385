"""Neural codes of ReLU networks: extraction, exact measures and teaching figures."""

from typing import Any

from nhlib._provenance import __version__ as __version__
from nhlib.codes import NeuralCodes, drop_constant_bits, encode, hidden_activations, nearest_codes
from nhlib.data import Dataset, Split, load, random_inputs, with_instance_noise, with_label_noise
from nhlib.measures import (
    bit_information,
    bound_on_other_half,
    categorize,
    collision_entropy,
    compare_redundancy,
    compare_with_baselines,
    hyperplane_entropy,
    kmeans_accuracy,
    knn_accuracy,
    logreg_accuracy,
    random_hyperplanes,
    rarefaction_curve,
    redundancy_bound,
    redundancy_ratio,
    unit_activity,
)
from nhlib.networks import (
    imagenet_network,
    mlp,
    resnet18,
    resnet20,
    resnet32,
    resnet56,
    vgg,
    vgg16,
    vgg19,
)
from nhlib.phases import critical_size, phase_chart, regime, sensitivity
from nhlib.regions import (
    Partition,
    Plane,
    Region,
    Segment,
    arrangement_count,
    border_distances,
    hanin_rolnick_scale,
    montufar_bound,
    partition,
    region,
    segment,
    serra_bound,
    walk,
    zaslavsky_bound,
)
from nhlib.sweeps import Results, sweep
from nhlib.training import (
    Augmentation,
    Diverged,
    History,
    Population,
    Recipe,
    Stopped,
    fit,
    load_trained,
    training_log,
)

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
    "Diverged",
    "History",
    "MarginExplorer",
    "NeuralCodes",
    "Partition",
    "PhaseExplorer",
    "Plane",
    "Population",
    "Recipe",
    "Region",
    "RegionExplorer",
    "Results",
    "Segment",
    "Split",
    "Stopped",
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
    "hyperplane_entropy",
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
    "region",
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
    "walk",
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
