"""What every function says when it is given something else than it takes: one place a kind."""

from nhlib._arguments.devices import torch_device
from nhlib._arguments.labels import class_labels
from nhlib._arguments.lists import one_or_several_names, several
from nhlib._arguments.numbers import (
    is_number,
    real_number,
    real_numbers,
    seed_number,
    true_or_false,
    whole_number,
)
from nhlib._arguments.pixels import brightest, check_range
from nhlib._arguments.tables import check_columns

__all__ = [
    "brightest",
    "check_columns",
    "check_range",
    "class_labels",
    "is_number",
    "one_or_several_names",
    "real_number",
    "real_numbers",
    "seed_number",
    "several",
    "torch_device",
    "true_or_false",
    "whole_number",
]
