"""Labels as figures take them."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Int


def classes_of(labels: Any, n: int, each: str = "code") -> Int[np.ndarray, " n"]:
    """Return labels as an array, one for each of n things."""
    classes = torch.as_tensor(labels).cpu().numpy()
    if classes.shape != (n,):
        raise ValueError(f"labels: {n} are needed, one a {each}, not shape {classes.shape}")
    return classes
