"""Measure MLPs of the paper's 23 widths on MNIST, and write the table beside this file.

    python book/results/mnist_layer_width.py

Rows are kept in build/results/mnist_layer_width.sqlite as soon as they are measured: the run may
be stopped at any time, and goes on where it was when it is started again.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before the libraries that read it are loaded

from pathlib import Path

import nhlib as nh

HERE = Path(__file__).parent
STORE = HERE.parents[1] / "build" / "results" / "mnist_layer_width.sqlite"
WIDTHS = [3, 7, 10, 15, 20, 23, 27, 30, 33, 37, 40, 43]
WIDTHS += [47, 50, 53, 57, 60, 65, 70, 75, 80, 90, 100]
GRID = {"data": "mnist", "widths": WIDTHS, "protocols": ["A", "B"], "seeds": [0, 1, 2]}
# Classes are told at fewer epochs, since that takes longer than all the rest.
MEASURES = {
    ("redundancy",): [0, 1, 3, 6, 10, 20, 30, 40, 60],
    ("kmeans", "knn", "logreg"): [0, 1, 10, 60],
}


def main() -> None:
    STORE.parent.mkdir(parents=True, exist_ok=True)
    for protocol in GRID["protocols"]:
        for measures, epochs in MEASURES.items():
            nh.sweep(
                **{**GRID, "protocols": protocol}, epochs=epochs, measures=measures, store=STORE
            )
    with nh.Results(STORE) as results:
        table = results.table()
    table.round(6).to_csv(HERE / "mnist_layer_width.csv", index=False)


if __name__ == "__main__":
    main()
