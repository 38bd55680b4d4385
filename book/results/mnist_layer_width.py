"""Measure MLPs of the paper's 23 widths on MNIST, and write the table beside this file.

    python book/results/mnist_layer_width.py

Rows are kept in build/results/mnist_layer_width.sqlite as soon as they are measured: the run may
be stopped at any time, and goes on where it was, or from the table, when it is started again.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the libraries that read it are loaded

from pathlib import Path

import nhlib as nh
import pandas as pd

HERE = Path(__file__).parent
TABLE = HERE / "mnist_layer_width.csv"
STORE = HERE.parents[1] / "build" / "results" / "mnist_layer_width.sqlite"
WIDTHS = [3, 7, 10, 15, 20, 23, 27, 30, 33, 37, 40, 43]
WIDTHS += [47, 50, 53, 57, 60, 65, 70, 75, 80, 90, 100]
EPOCHS = [0, 1, 3, 6, 10, 20, 30, 40, 60]
# Classes are told at fewer epochs, and last, since that takes longer than all the rest.
STEPS = [
    (protocol, measures, epochs)
    for measures, epochs in [("redundancy", EPOCHS), (["kmeans", "knn", "logreg"], [0, 1, 10, 60])]
    for protocol in ("A", "B")
]


def main() -> None:
    STORE.parent.mkdir(parents=True, exist_ok=True)
    with nh.Results(STORE) as results:
        if TABLE.exists():
            results.add_table(pd.read_csv(TABLE, dtype={"widths": str}))
        for protocol, measures, epochs in STEPS:
            nh.sweep(
                "mnist",
                WIDTHS,
                epochs,
                protocols=protocol,
                seeds=[0, 1, 2],
                measures=measures,
                store=STORE,
            )
            results.table().round(6).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
