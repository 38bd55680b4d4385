"""Training: one network, a population of them, and networks that come trained."""

from nhlib.training.augmentation import Augmentation
from nhlib.training.endings import Diverged, Stopped
from nhlib.training.history import History
from nhlib.training.loop import accuracy_of, fit
from nhlib.training.population import Population
from nhlib.training.pretrained import load_trained, save_trained, training_log
from nhlib.training.randomness import epoch_order
from nhlib.training.recipe import Recipe

__all__ = [
    "Augmentation",
    "Diverged",
    "History",
    "Population",
    "Recipe",
    "Stopped",
    "accuracy_of",
    "epoch_order",
    "fit",
    "load_trained",
    "save_trained",
    "training_log",
]
