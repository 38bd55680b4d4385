"""What angles and offsets say of codes, on the digits."""

from collections.abc import Iterator

import nhlib as nh
import numpy as np
import torch

from ledger import Trial, claim
from runs import trained

SEEDS = range(10, 18)


@claim(
    "digits, one layer without biases, 10 to 80 units; per width 40 untrained networks, seeds 100 "
    "to 139; the page shows seeds 0 to 7",
    cheap=True,
)
def angles_predict_untrained_codes() -> Iterator[Trial]:
    """a width; half a bit less the distance between the entropy from angles and that of the mean
    chance that two digits share a code."""
    data = nh.load("digits")
    widths = (10, 15, 20, 25, 30, 40, 50, 60)
    for width, predicted in zip(widths, nh.hyperplane_entropy(data.train, widths), strict=True):
        codes = [
            nh.encode(nh.mlp(64, [width], 10, seed=seed), data.train) for seed in range(100, 140)
        ]
        share = np.mean([2 ** -nh.collision_entropy(of_one) for of_one in codes])
        yield f"{width} units", 0.5 - abs(-np.log2(share) - predicted)


def entropies(protocol: str) -> Iterator[tuple[str, float, float, float]]:
    """Yield the entropy of a trained code, what its offsets predict, and that of random units.

    These have the same offsets, and directions drawn five times without regard to anything.
    """
    data = nh.load("digits")
    x = data.train.inputs
    for seed, (_, network) in zip(SEEDS, trained(protocol, 50, SEEDS, 100), strict=True):
        with torch.no_grad():
            z = network[: list(network._modules).index("relu1")](x)
        offsets = (z.mean(dim=0) / z.std(dim=0)).numpy()
        middle = (x - x.mean(dim=0)).flatten(1).double().numpy()
        shares = []
        for draw in range(5):
            directions = np.random.default_rng([seed, draw]).standard_normal((64, 50))
            drawn = middle @ directions
            bits = drawn + offsets * drawn.std(axis=0) > 0
            shares.append(2 ** -nh.collision_entropy(nh.NeuralCodes.from_bits(bits)))
        measured = nh.collision_entropy(nh.encode(network, data.train))
        predicted = nh.hyperplane_entropy(middle, 50, offsets)
        yield f"seed {seed}", measured, predicted, -np.log2(np.mean(shares))


OF_TRAINED = "digits, 50 units, 100 epochs, seeds 10 to 17; the page shows seed 0"


@claim(f"{OF_TRAINED}, protocol A")
def offsets_leave_a_deficit() -> Iterator[Trial]:
    """a network; how many bits its entropy is below what its offsets predict for independent
    units, and below that of random units with the same offsets, whichever is less."""
    for trial, measured, predicted, random in entropies("A"):
        yield trial, min(predicted, random) - measured


@claim(
    f"{OF_TRAINED}, protocol B",
    believed="Under B the codes are at least as spread as independent units would make them.",
)
def batch_norm_leaves_no_deficit() -> Iterator[Trial]:
    """a network; how many bits its entropy is above what its offsets predict for independent
    units."""
    for trial, measured, predicted, _ in entropies("B"):
        yield trial, measured - predicted
