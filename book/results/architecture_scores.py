"""Score untrained architectures, train them, and compare; write architecture_scores.csv.

    python book/results/architecture_scores.py

150 MLPs and 50 small convolutional networks on the embedded digits: NASWOT and its rivals before
training, the accuracy after 30 epochs of protocol A, two seeds each. It takes about twenty minutes
on one core; rows are kept under build/results/architecture_scores/ at once.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the libraries that read it are loaded

from pathlib import Path

import nhlib as nh
import numpy as np
import torch
from nhlib._files import replacing
from torch import nn

from kept import table_of
from provenance import write_provenance

HERE = Path(__file__).parent

N_MLPS, N_CNNS = 150, 50
SEEDS = (0, 1)
RECIPE = nh.Recipe(epochs=30, batch_size=128)
N_SCORED = 128  # inputs that a score looks at
N_FIT = 1_100  # of the 1,437 training digits; K-NN is asked about the others


def architecture(number: int) -> dict:
    """Draw an architecture."""
    rng = np.random.default_rng(number)
    if number < N_MLPS:
        depth = int(rng.integers(1, 5))
        widths = [int(2 ** rng.uniform(2, 8)) for _ in range(depth)]
        return {"kind": "MLP", "layers": widths, "batch_norm": bool(rng.integers(2))}
    blocks = [
        [int(2 ** rng.uniform(1, 5)) for _ in range(rng.integers(1, 3))]
        for _ in range(rng.integers(1, 4))
    ]
    hidden = [int(2 ** rng.uniform(3, 7)) for _ in range(rng.integers(0, 2))]
    return {"kind": "CNN", "blocks": blocks, "hidden": hidden, "batch_norm": True}


def network_of(drawn: dict, seed: int) -> nn.Module:
    if drawn["kind"] == "MLP":
        return nh.mlp(64, drawn["layers"], 10, batch_norm=drawn["batch_norm"], seed=seed)
    return nh.vgg(drawn["blocks"], hidden=drawn["hidden"], in_channels=1, image_size=8, seed=seed)


def naswot(codes: nh.NeuralCodes) -> float | None:
    """Logarithm of the determinant of the kernel "bits in common" of Mellor et al."""
    kernel = codes.n_bits - codes.hamming(codes).astype(float)
    sign, logarithm = np.linalg.slogdet(kernel)
    # Singular where there are fewer bits than inputs, or two inputs share a code.
    return float(logarithm) if sign > 0 and np.isfinite(logarithm) else None


def measure(number: int, seed: int) -> list[dict]:
    data, drawn = nh.load("digits"), architecture(number)
    network = network_of(drawn, seed).eval()
    fit, asked = data.train[:N_FIT], data.train[N_FIT:]
    # In train mode, as Mellor et al.: batch norm with the statistics of the batch.
    scored = nh.encode(network, data.train[:N_SCORED], train_mode=True)
    untrained = [nh.encode(network, split) for split in (fit, asked)]
    history = nh.fit(network, data, RECIPE, seed=seed, progress=False)
    return [
        {
            "number": number,
            "kind": drawn["kind"],
            "architecture": "-".join(map(str, drawn.get("layers") or [drawn["blocks"]])),
            "batch_norm": drawn["batch_norm"],
            "seed": seed,
            "parameters": sum(weight.numel() for weight in network.parameters()),
            "units": scored.n_bits,
            "naswot": naswot(scored),
            "redundancy_untrained": nh.redundancy_ratio(scored),
            "knn_untrained": nh.knn_accuracy(
                untrained[0], fit.labels, untrained[1], asked.labels, progress=False
            ),
            "train_loss": history.train_loss[-1],
            "test_accuracy": history.test_accuracy[-1],
        }
    ]


def main() -> None:
    torch.set_num_threads(1)
    jobs = [(number, seed) for number in range(N_MLPS + N_CNNS) for seed in SEEDS]
    table = table_of("architecture_scores", jobs, measure)
    with replacing(HERE / "architecture_scores.csv") as partial:
        table.round(5).to_csv(partial, index=False)
    about = {
        "data": f"digits; scores of the first {N_SCORED} training images; untrained K-NN of the "
        f"first {N_FIT:,} on the other training images",
        "recipe": repr(RECIPE),
        "seeds": list(SEEDS),
    }
    write_provenance("architecture_scores", "", about)


if __name__ == "__main__":
    main()
