"""What a page has to know of nhlib's protocols to train as nhlib does."""

from dataclasses import asdict
from inspect import signature
from typing import Any

import torch

from nhlib._provenance import versions
from nhlib.measures import knn_accuracy
from nhlib.networks import mlp
from nhlib.sweeps import BEFORE, FACTORS, KEYS, MEASURES, PROTOCOLS, columns

# Of a recipe, what the page follows. Others are refused: it would train another network.
_FOLLOWED = ("batch_size", "learning_rate", "decay", "decay_every", "l2", "epsilon")
# The measures that the page takes.
_MEASURES = ("redundancy", "knn", "kmeans")
_REFUSED = {"optimizer": "adam", "schedule": "steps", "augmentation": None, "patience": None}


def recipes() -> dict[str, dict[str, Any]]:
    """Return how the networks of each protocol are built and trained, in plain numbers.

    Examples
    --------
    >>> recipes()["B"]["decay_every"], recipes()["B"]["batch_norm"]
    (20, True)
    """
    norm: Any = mlp(1, [1], 2, batch_norm=True)[2]
    (adam,) = torch.optim.Adam([torch.zeros(1)]).param_groups
    found = {}
    for name, (recipe, batch_norm) in PROTOCOLS.items():
        settings = asdict(recipe)
        for setting, value in _REFUSED.items():
            if settings[setting] != value:
                raise ValueError(f"protocol {name}: a page trains with {setting}={value!r} only")
        found[name] = {
            **{setting: settings[setting] for setting in _FOLLOWED},
            "batch_norm": batch_norm,
            "beta1": adam["betas"][0],
            "beta2": adam["betas"][1],
            "norm_epsilon": norm.eps,
            "norm_momentum": norm.momentum,
        }
    return found


def facts() -> dict[str, Any]:
    """Return all that the engine is told by Python; see ``grid.js``."""
    return {
        "recipes": recipes(),
        "factors": [
            {
                "argument": factor.argument,
                "column": factor.column,
                "usual": _usual(factor),
            }
            for factor in FACTORS.values()
        ],
        "columns": columns(),
        "keys": list(KEYS),
        "before": BEFORE,
        "shown_by": {name: list(MEASURES[name].shown_by) for name in _MEASURES},
        "measures": list(_MEASURES),
        "neighbours": int(signature(knn_accuracy).parameters["k"].default),
        "version": versions("nhlib"),
    }


def _usual(factor: Any) -> Any:
    """Return what a setting is where nobody says: one value, or those of the protocols."""
    if factor.by_protocol is not None:
        return {name: factor.by_protocol(protocol) for name, protocol in PROTOCOLS.items()}
    return factor.default
