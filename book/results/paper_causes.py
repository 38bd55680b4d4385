"""Try what could explain where our curves leave the paper's; write paper_causes.csv.

    python book/results/paper_causes.py

MNIST, one hidden layer of 50 units, protocol A on minibatches of 128, seeds 0 to 9. *Few images*:
the first 100 training images, 600 times an epoch, with the loss as it is, with the loss clipped as
Keras clips it, and in float64. *First epochs*: all 60,000 images, other minibatches and rates. Rows
are kept under build/results/paper_causes/ at once; it takes half an hour on one core.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the libraries that read it are loaded

from functools import cache
from pathlib import Path

import nhlib as nh
import torch
from nhlib._files import replacing
from nhlib.training import epoch_order
from torch import Tensor
from torch.nn import functional as F

from kept import table_of
from provenance import write_provenance

HERE = Path(__file__).parent

WIDTH, SEEDS = 50, range(10)
# The case, how the loss is computed, images, the examples in a minibatch, the rate, and epochs.
CASES = {
    "few images": ("plain", 100, 128, 1e-3, 40),
    "few images, clipped": ("clipped", 100, 128, 1e-3, 40),
    "few images, float64": ("float64", 100, 128, 1e-3, 40),
    "minibatches of 64": ("plain", 60_000, 64, 1e-3, 10),
    "minibatches of 64, half the rate": ("plain", 60_000, 64, 5e-4, 10),
    "minibatches of 128": ("plain", 60_000, 128, 1e-3, 10),
    "minibatches of 128, half the rate": ("plain", 60_000, 128, 5e-4, 10),
    "minibatches of 256": ("plain", 60_000, 256, 1e-3, 10),
}
EPOCHS = (0, 1, 3, 6, 10, 20, 40)


@cache
def mnist() -> nh.Dataset:
    return nh.load("mnist")


def clipped(output: Tensor, labels: Tensor) -> Tensor:
    """The loss of Keras 2.2: probabilities are cut to at least 1e-7 and at most 1 - 1e-7."""
    chances = output.softmax(dim=1).clamp(1e-7, 1 - 1e-7)
    return -chances.log().gather(1, labels[:, None]).mean()


def measure(case: str, seed: int) -> list[dict]:
    loss_of, n, batch_size, rate, n_epochs = CASES[case]
    data = mnist()
    network = nh.mlp(data.n_inputs, [WIDTH], data.n_classes, seed=seed)
    kind = torch.float64 if loss_of == "float64" else torch.float32
    network.to(kind)
    times = len(data.train) // n
    inputs = data.train.inputs[:n].to(kind)
    labels = data.train.labels[:n]
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, eps=1e-7, fused=True)
    criterion = clipped if loss_of == "clipped" else F.cross_entropy
    test = data.test.inputs.to(kind)
    rows = []
    for epoch in range(n_epochs + 1):
        if epoch:
            # The n images, several times: the order of nh.fit.
            for batch in epoch_order(times * n, seed, epoch).split(batch_size):
                chosen = batch % n
                optimizer.zero_grad()
                criterion(network(inputs[chosen]), labels[chosen]).backward()
                optimizer.step()
        if epoch in EPOCHS:
            with torch.no_grad():
                loss = F.cross_entropy(network(inputs).double(), labels).item()
            rows.append(
                {
                    "case": case,
                    "seed": seed,
                    "epoch": epoch,
                    "loss": loss,
                    "redundancy_train": nh.redundancy_ratio(nh.encode(network, inputs)),
                    "redundancy_test": nh.redundancy_ratio(nh.encode(network, test)),
                }
            )
    return rows


def main() -> None:
    jobs = [(case, seed) for seed in SEEDS for case in CASES]
    table = table_of("paper_causes", jobs, measure)
    with replacing(HERE / "paper_causes.csv") as partial:
        table.sort_values(["case", "seed", "epoch"]).to_csv(
            partial, index=False, float_format="%.6g"
        )
    about = {
        "data": "MNIST: the first 100 or all 60,000 training images, 10,000 test images",
        "cases": {name: list(case) for name, case in CASES.items()},
        "seeds": list(SEEDS),
    }
    write_provenance("paper_causes", "", about)


if __name__ == "__main__":
    main()
