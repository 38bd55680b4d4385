"""Compare codes that learned true labels, shuffled labels, or noise; write memorization.csv.

    python book/results/memorization.py

Ten seeds of an MLP on the embedded digits under protocol A, measured before training and in the
first epochs in which the training loss is at most 0.1 and 0.01. It takes some minutes on one core;
rows are kept under build/results/memorization/ at once.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the libraries that read it are loaded

from dataclasses import replace
from pathlib import Path

import nhlib as nh
import numpy as np
from nhlib._files import replacing

from kept import table_of
from provenance import write_provenance

HERE = Path(__file__).parent

WIDTHS = (50, 100)
SEEDS = range(10)
LOSSES = (0.1, 0.01)
RECIPE = nh.Recipe(epochs=1500, batch_size=128)


def tasks(seed: int) -> dict[str, nh.Dataset]:
    """Return three data sets of as many examples: what differs is what there is to learn."""
    data = nh.load("digits")
    noise = nh.random_inputs(data, len(data.train), seed=seed)
    return {
        "true labels": data,
        "shuffled labels": nh.with_label_noise(data, 1.0, seed),
        "noise inputs": replace(data, train=nh.Split(noise, data.train.labels)),
    }


def measure(width: int, seed: int) -> list[dict]:
    of_task = tasks(seed)
    rows = []
    for task, data in of_task.items():
        network = nh.mlp(data.n_inputs, [width], data.n_classes, seed=seed)
        every = range(RECIPE.epochs + 1)
        history = nh.fit(network, data, RECIPE, snapshots=every, seed=seed, progress=False)
        losses = np.array(history.train_loss)
        reached = {"": 0}
        for wanted in LOSSES:
            (below,) = np.nonzero(losses <= wanted)
            if len(below):
                reached[str(wanted)] = int(below[0]) + 1
        start = nh.encode(history.network(0), data.train).bits()
        for loss, epoch in reached.items():
            then = history.network(epoch)
            n = len(data.test)
            codes = nh.encode(then, data.train)
            bits, own = codes.bits(), data.train.inputs
            digits = [nh.encode(then, split) for split in (of_task["true labels"].train, data.test)]
            of_digits = of_task["true labels"].train.labels, data.test.labels
            rows.append(
                {
                    "width": width,
                    "seed": seed,
                    "task": task,
                    "loss": loss,
                    "epoch": epoch,
                    "train_accuracy": history.train_accuracy[epoch - 1] if epoch else None,
                    "test_accuracy": history.test_accuracy[epoch - 1] if epoch else None,
                    # Of what it has learned, of digits that it has not, and of noise.
                    "redundancy_own": nh.redundancy_ratio(codes, n),
                    "redundancy_test": nh.redundancy_ratio(digits[1]),
                    "redundancy_random": nh.redundancy_ratio(
                        nh.encode(then, nh.random_inputs(data, n, seed=1000 + seed))
                    ),
                    "margin_own": float(np.median(nh.border_distances(then, own[:n]).min(axis=1))),
                    "on_own": float(bits.mean()),
                    "changed_own": float((bits != start).mean()),
                    # What could have stayed by chance, if units only kept how often they are on.
                    "changed_by_chance": float(
                        (
                            bits.mean(axis=0) * (1 - start.mean(axis=0))
                            + (1 - bits.mean(axis=0)) * start.mean(axis=0)
                        ).mean()
                    ),
                    "knn_digits": nh.knn_accuracy(
                        digits[0], of_digits[0], digits[1], of_digits[1], progress=False
                    ),
                    "logreg_digits": nh.logreg_accuracy(
                        digits[0], of_digits[0], digits[1], of_digits[1]
                    ),
                }
            )
    return rows


def main() -> None:
    jobs = [(width, seed) for width in WIDTHS for seed in SEEDS]
    table = table_of("memorization", jobs, measure)
    with replacing(HERE / "memorization.csv") as partial:
        table.round(5).to_csv(partial, index=False)
    about = {
        "data": "digits, 1,437 for training; their labels shuffled; as many random inputs",
        "recipe": repr(RECIPE),
        "seeds": list(SEEDS),
        "losses": list(LOSSES),
    }
    write_provenance("memorization", "", about)


if __name__ == "__main__":
    main()
