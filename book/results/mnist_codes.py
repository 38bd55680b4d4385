"""Train the networks behind chapters 3 and 4 on MNIST, and write the tables beside this file.

    python book/results/mnist_codes.py

Every network is kept under build/results/mnist_codes/ as soon as it is trained, and its
measurements as soon as they are taken: the run may be stopped at any time, and goes on where it
was when it is started again. Two processes work side by side, each with one thread.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the libraries that read it are loaded

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import nhlib as nh
import pandas as pd
import torch
from nhlib._files import replacing
from nhlib._progress import progress_bar

from provenance import surroundings

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "build" / "results" / "mnist_codes"

EPOCHS = (0, 1, 3, 6, 10, 20, 30, 40, 60)
CATEGORIZED = (
    0,
    1,
    10,
    60,
)  # epochs at which classes are told too, which takes longer
SEEDS = (0, 1, 2)
RECIPES = {
    "A": nh.Recipe(epochs=60),
    "A, centred inputs": nh.Recipe(epochs=60),
    "B": nh.Recipe.code(epochs=60, patience=None),
}
WIDTHS = {
    "A": (10, 20, 30, 40, 50, 60, 80, 100),
    "A, centred inputs": (40,),
    "B": (10, 20, 30, 40, 50, 60, 80, 100),
}
BASELINE_WIDTHS = (20, 40, 60)
N = 10_000  # training, test and random inputs are compared at as many


@cache
def data(protocol: str) -> nh.Dataset:
    mnist = nh.load("mnist", train_size=48_000)
    if protocol != "A, centred inputs":
        return mnist
    mean = mnist.train.inputs.mean(dim=0)
    train, test = (nh.Split(s.inputs - mean, s.labels) for s in (mnist.train, mnist.test))
    return replace(mnist, train=train, test=test, box=(-1.0, 1.0))


def untrained(protocol: str, width: int, seed: int) -> torch.nn.Sequential:
    return nh.mlp(28 * 28, [width], 10, batch_norm=protocol == "B", seed=seed).eval()


def trained(protocol: str, width: int, seed: int) -> dict:
    """Train a network, or read it where it is kept; its weights and accuracy at every epoch."""
    path = KEPT / f"{protocol}-{width}-{seed}.pt"
    if not path.exists():
        network = untrained(protocol, width, seed)
        history = nh.fit(
            network,
            data(protocol),
            RECIPES[protocol],
            snapshots=EPOCHS,
            seed=seed,
            progress=False,
        )
        networks = {epoch: history.network(epoch).state_dict() for epoch in EPOCHS}
        with replacing(path) as partial, partial.open("wb") as file:
            torch.save({"networks": networks, "test_accuracy": history.test_accuracy}, file)
    return torch.load(path)


def pre_activations(network: torch.nn.Sequential, inputs: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        before_relu = [name for name, _ in network.named_children()].index("relu1")
        return network[:before_relu](inputs)


def measure(protocol: str, width: int, seed: int) -> list[dict]:
    train, test = data(protocol).train, data(protocol).test
    random = nh.random_inputs(data("A"), N, seed=seed)
    if protocol == "A, centred inputs":
        random = random - data("A").train.inputs.mean(dim=0)
    kept = trained(protocol, width, seed)
    rows = []
    for epoch in EPOCHS:
        network = untrained(protocol, width, seed)
        network.load_state_dict(kept["networks"][epoch])
        codes, test_codes = (
            nh.encode(network, train),
            nh.encode(network, test),
        )
        (activity,) = nh.unit_activity(codes).to_dict("records")
        on = torch.from_numpy(codes.bits()).double().mean(dim=0)
        z = pre_activations(network, train.inputs)
        row = {
            "protocol": protocol,
            "width": width,
            "seed": seed,
            "epoch": epoch,
            "redundancy_train": nh.redundancy_ratio(codes),
            "redundancy_test": nh.redundancy_ratio(test_codes),
            f"redundancy_train_{N}": nh.redundancy_ratio(codes, N),
            f"redundancy_random_{N}": nh.redundancy_ratio(nh.encode(network, random)),
            "entropy_train": nh.collision_entropy(codes),
            # What that would be if the units were independent of one another.
            "entropy_independent": -(on**2 + (1 - on) ** 2).log2().sum().item(),
            "dead": activity["dead"],
            "always_on": activity["always_on"],
            "on": activity["on"],
            # How far borders are from the middle of the inputs, in standard deviations.
            "offset": (z.mean(dim=0) / z.std(dim=0)).abs().nanmedian().item(),
        }
        if epoch:
            row["network"] = kept["test_accuracy"][epoch - 1]
        if epoch in CATEGORIZED:
            examples = codes, train.labels, test_codes, test.labels
            row |= {
                "kmeans_train": nh.kmeans_accuracy(codes, train.labels),
                "kmeans_test": nh.kmeans_accuracy(test_codes, test.labels),
                "kmeans_test_one_to_one": nh.kmeans_accuracy(
                    test_codes, test.labels, mapping="one-to-one"
                ),
                **nh.categorize(*examples, progress=False),
            }
        rows.append(row)
    return rows


def baselines(name: str, width: int, seed: int) -> list[dict]:
    """Measure what codes are compared with: activations of a network, hyperplanes, pixels."""
    protocol = name.removeprefix("activations ")
    train, test = data("A").train, data("A").test
    row = {"representation": name, "width": width, "seed": seed}
    if name == "raw inputs":
        parts = [train.inputs, test.inputs]
    elif name == "random hyperplanes":
        layer = nh.random_hyperplanes(train, width, seed)
        parts = [nh.encode(layer, train), nh.encode(layer, test)]
        row["redundancy_train"] = nh.redundancy_ratio(parts[0])
        row["redundancy_test"] = nh.redundancy_ratio(parts[1])
    else:
        network = untrained(protocol, width, seed)
        network.load_state_dict(trained(protocol, width, seed)["networks"][EPOCHS[-1]])
        parts = [nh.hidden_activations(network, split) for split in (train, test)]
    row |= nh.categorize(parts[0], train.labels, parts[1], test.labels, progress=False)
    row["kmeans_test"] = nh.kmeans_accuracy(parts[1], test.labels)
    return [row]


def rarefaction(protocol: str, width: int, seed: int) -> list[dict]:
    rows = []
    for epoch in (0, 1, 60):
        network = untrained(protocol, width, seed)
        network.load_state_dict(trained(protocol, width, seed)["networks"][epoch])
        codes = nh.encode(network, data(protocol).train)
        halves = nh.bound_on_other_half(codes, seed)
        curve = nh.rarefaction_curve(
            codes, [2, 10, 30, 100, 300, 1000, 3000, 10_000, 24_000, 48_000]
        )
        for point in curve.to_dict("records"):
            rows.append(
                {
                    "protocol": protocol,
                    "width": width,
                    "seed": seed,
                    "epoch": epoch,
                }
                | point
                | {f"half_{key}": value for key, value in halves.items()}
            )
    return rows


def jobs() -> Iterator[tuple]:
    """What is to be done: (table, function, arguments), the most wanted first."""
    measured = [(p, w, s) for p in RECIPES for w in WIDTHS[p] for s in SEEDS]
    measured.sort(key=lambda job: job[1] not in BASELINE_WIDTHS)
    for job in measured:
        yield "mnist_codes", measure, job
    for width in BASELINE_WIDTHS:
        for seed in SEEDS:
            yield (
                "mnist_baselines",
                baselines,
                ("random hyperplanes", width, seed),
            )
            for protocol in ("A", "B"):
                yield (
                    "mnist_baselines",
                    baselines,
                    (f"activations {protocol}", width, seed),
                )
                yield (
                    "mnist_rarefaction",
                    rarefaction,
                    (protocol, width, seed),
                )
    yield "mnist_baselines", baselines, ("raw inputs", 28 * 28, 0)


def done(table: str, function, arguments: tuple) -> Path:
    """Do one job, unless its rows are kept already; return where they are."""
    path = KEPT / f"{table}-{'-'.join(map(str, arguments))}.csv"
    if not path.exists():
        torch.set_num_threads(1)
        with replacing(path) as partial:
            pd.DataFrame(function(*arguments)).to_csv(partial, index=False)
    return path


def about() -> dict:
    return {
        "command": "python book/results/mnist_codes.py",
        "data": "MNIST: first 48,000 training images, all 10,000 test images",
        "recipes": {name: asdict(recipe) for name, recipe in RECIPES.items()},
        "batch_norm": {name: name == "B" for name in RECIPES},
        "seeds": list(SEEDS),
        **surroundings(),
        "device": "CPU, one thread",
    }


def main() -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    todo = list(jobs())
    parts: dict[str, dict[tuple, Path]] = {}
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        progress_bar("mnist", len(todo), "jobs") as bar,
    ):
        running = {pool.submit(done, *job): job for job in todo}
        for future in as_completed(running):
            table, _, arguments = running[future]
            parts.setdefault(table, {})[arguments] = future.result()
            bar.update()
    for table, paths in parts.items():
        rows = pd.concat([pd.read_csv(path) for path in paths.values()])
        keys = [
            key
            for key in (
                "protocol",
                "representation",
                "width",
                "seed",
                "epoch",
                "n",
            )
            if key in rows
        ]
        rows = rows.sort_values(keys).round(5)
        with replacing(HERE / f"{table}.csv") as partial:
            rows.to_csv(partial, index=False)
    with replacing(HERE / "mnist_codes.json") as partial:
        partial.write_text(json.dumps(about(), indent=2) + "\n")


if __name__ == "__main__":
    main()
