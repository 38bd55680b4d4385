"""What claims share: stored tables, and networks that are trained once."""

from collections.abc import Iterable
from functools import partial

import nhlib as nh
import pandas as pd
from torch import nn

from ledger import RESULTS


def stored(name: str) -> pd.DataFrame:
    """Read a table of book/results."""
    return pd.read_csv(RESULTS / f"{name}.csv", dtype={"widths": str})


def trained(
    protocol: str, width: int, seeds: Iterable[int], epochs: int
) -> list[tuple[nn.Module, nn.Module]]:
    """Train one layer on the digits; return each network before and after."""
    data, seeds = nh.load("digits"), list(seeds)
    recipe = nh.Recipe if protocol == "A" else partial(nh.Recipe.code, patience=None)
    networks = [
        nh.mlp(data.n_inputs, [width], data.n_classes, batch_norm=protocol == "B", seed=seed)
        for seed in seeds
    ]
    population = nh.Population(networks, data, recipe(epochs=epochs), seeds, snapshots=(0, epochs))
    population.fit(progress=False)
    return [(of.network(0), of.network(epochs)) for of in population.histories]
