"""Inputs with labels: data sets by name, and noise in inputs and in labels."""

from nhlib.data.dataset import Dataset, Split
from nhlib.data.loading import can_load, load
from nhlib.data.noise import random_inputs, with_instance_noise, with_label_noise

__all__ = [
    "Dataset",
    "Split",
    "can_load",
    "load",
    "random_inputs",
    "with_instance_noise",
    "with_label_noise",
]
