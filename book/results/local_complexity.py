"""Train far beyond fitting and measure borders near the digits; write local_complexity.csv.

    python book/results/local_complexity.py

Ten seeds of two MLPs on the embedded digits, 100,000 steps of protocol A in float64. What five
seeds have shown is kept under build/results/local_complexity/ at once: the run may be stopped, and
goes on with the next five when it is started again.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the libraries that read it are loaded

from pathlib import Path

import nhlib as nh
import numpy as np
from nhlib._files import replacing

from kept import table_of
from provenance import write_provenance

HERE = Path(__file__).parent

NETWORKS = {"50": [50], "50-50-50": [50, 50, 50]}
SEEDS = range(10)
RECIPE = nh.Recipe(epochs=8334, batch_size=128)  # 12 steps an epoch
STEPS = (1, 3, 6)
EPOCHS = (0, 1, 2, 3, 6, 10, 20, 30, 60, 100, 200, 300, 600, 1000, 2000, 4000, 8334)
RADII = (0.03, 0.1, 0.3)


def measure(name: str, first: int) -> list[dict]:
    """Train networks of five seeds together, and measure each at every moment."""
    data, seeds = nh.load("digits"), SEEDS[first : first + 5]
    widths = NETWORKS[name]
    networks = [nh.mlp(data.n_inputs, widths, data.n_classes, seed=s).double() for s in seeds]
    moments = sorted([(epoch, 0) for epoch in EPOCHS] + [(0, step) for step in STEPS])
    population = nh.Population(networks, data, RECIPE, list(seeds), snapshots=moments)
    population.fit(progress=False)
    n = len(data.test)
    rows = []
    for seed, history in zip(seeds, population.histories, strict=True):
        inputs = {
            "train": data.train.inputs[:n],
            "test": data.test.inputs,
            "random": nh.random_inputs(data, n, seed=seed),
        }
        for epoch, step in moments:
            then = history.network(epoch, step)
            row = {"network": name, "seed": seed, "epoch": epoch, "step": 12 * epoch + step}
            if epoch:
                row["train_loss"] = history.train_loss[epoch - 1]
                row["test_accuracy"] = history.test_accuracy[epoch - 1]
            for which, x in inputs.items():
                distances = nh.border_distances(then, x.double())
                row[f"redundancy_{which}"] = nh.redundancy_ratio(nh.encode(then, x.double()))
                row[f"margin_{which}"] = float(np.median(distances.min(axis=1)))
                for radius in RADII:
                    # Units whose border is nearer, as seen from the region of the input.
                    row[f"near_{radius}_{which}"] = float((distances < radius).sum(axis=1).mean())
            rows.append(row)
    return rows


def main() -> None:
    jobs = [(name, first) for name in NETWORKS for first in (0, 5)]
    table = table_of("local_complexity", jobs, measure)
    with replacing(HERE / "local_complexity.csv") as partial:
        table.sort_values(["network", "seed", "step"]).to_csv(
            partial, index=False, float_format="%.6g"
        )
    about = {
        "data": "digits: 1,437 training images; codes and distances of the first 360 of them, of "
        "the 360 test images and of 360 random inputs",
        "recipe": repr(RECIPE),
        "precision": "float64",
        "seeds": list(SEEDS),
        "radii": list(RADII),
    }
    write_provenance("local_complexity", "", about)


if __name__ == "__main__":
    main()
