"""What is measured on codes: are they unique, and do they tell classes apart?"""

from nhlib.measures.baselines import compare_with_baselines
from nhlib.measures.categorization import (
    bit_information,
    categorize,
    kmeans_accuracy,
    knn_accuracy,
    logreg_accuracy,
)
from nhlib.measures.determinism import (
    bound_on_other_half,
    collision_entropy,
    compare_redundancy,
    rarefaction_curve,
    redundancy_bound,
    redundancy_ratio,
    unit_activity,
)
from nhlib.measures.hyperplanes import hyperplane_entropy, random_hyperplanes

__all__ = [
    "bit_information",
    "bound_on_other_half",
    "categorize",
    "collision_entropy",
    "compare_redundancy",
    "compare_with_baselines",
    "hyperplane_entropy",
    "kmeans_accuracy",
    "knn_accuracy",
    "logreg_accuracy",
    "random_hyperplanes",
    "rarefaction_curve",
    "redundancy_bound",
    "redundancy_ratio",
    "unit_activity",
]
