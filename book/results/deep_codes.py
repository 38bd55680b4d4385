"""Measure the codes of the two deep networks on CIFAR-10, and write the tables beside this file.

    python book/results/deep_codes.py [--cifar10 folder:PATH]

The trained networks are those of nhlib/weights. What is measured is kept under
build/results/deep_codes/ at once: the run may be stopped at any time, and goes on where it was
when it is started again.
"""

import argparse
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nhlib as nh
import numpy as np
import pandas as pd
import torch
from nhlib._files import replacing
from nhlib._progress import progress_bar
from sklearn.preprocessing import StandardScaler

from provenance import cifar10_source, write_provenance

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "build" / "results" / "deep_codes"

SEED = 0
N = 10_000  # training, test and random inputs are compared at as many
N_TRAIN, N_TEST = 2_000, 2_000  # with these K-Means, K-NN and logistic regression work
BITS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
DRAWS = (0, 1, 2)
NETWORKS = {
    "ResNet-20": (
        "resnet20-cifar10",
        lambda: nh.resnet20(seed=SEED),
    ),
    "small VGG": (
        "vgg-cifar10",
        lambda: nh.vgg([[32, 32], [64, 64], [128, 128]], hidden=[128], seed=SEED),
    ),
}


def uniqueness(codes: dict[str, nh.NeuralCodes]) -> dict:
    """Measure how often units are on, and how many codes are redundant."""
    on = codes["test"][:N_TEST].bits().mean(axis=0)
    return {
        "bits": codes["train"].n_bits,
        "never_on": float((on == 0).mean()),
        "always_on": float((on == 1).mean()),
        "on": float(on.mean()),
        "redundancy_train": nh.redundancy_ratio(codes["train"]),
        f"redundancy_train_{N}": nh.redundancy_ratio(codes["train"], N),
        f"redundancy_test_{N}": nh.redundancy_ratio(codes["test"]),
        f"redundancy_random_{N}": nh.redundancy_ratio(codes["random"]),
    }


class Measured:
    """One network, trained or not, and its codes of all inputs that are asked for."""

    def __init__(self, data: nh.Dataset, name: str, state: str) -> None:
        trained, build = NETWORKS[name]
        self.data, self.name, self.state = data, name, state
        self.network = nh.load_trained(trained) if state == "trained" else build().eval()

    @cache  # noqa: B019 (few, and kept as long as the run)
    def codes(self, which: str) -> nh.NeuralCodes:
        data = self.data
        inputs = {
            "train": lambda: data.train.inputs,
            "test": lambda: data.test.inputs,
            "random": lambda: nh.random_inputs(data, N, seed=SEED),
        }
        return nh.encode(self.network, inputs[which]())

    def whole(self) -> dict:
        """Measure what takes long, or is no matter of layers: on all examples."""
        train, test = self.data.train, self.data.test
        with torch.no_grad():
            answers = [self.network(batch).argmax(dim=1) for batch in test.inputs.split(500)]
        codes = self.codes("train"), train.labels, self.codes("test"), test.labels
        return {
            "knn_full": nh.knn_accuracy(*codes, progress=False),
            "accuracy": (torch.cat(answers) == test.labels).double().mean().item(),
        }

    def layer(self, layer: str) -> dict:
        """Measure the codes of one layer, or of all."""
        codes = {which: self.codes(which) for which in ("train", "test", "random")}
        if layer != "all":
            codes = {which: of_all[layer] for which, of_all in codes.items()}
        data = self.data
        few = codes["train"][:N_TRAIN], data.train.labels[:N_TRAIN]
        asked = codes["test"][:N_TEST], data.test.labels[:N_TEST]
        return {
            **uniqueness(codes),
            **nh.categorize(*few, *asked, progress=False),
        }

    def channels(self) -> dict:
        """Measure one number a channel, as the authors' scripts for ImageNet, and its bit."""
        of_one = nh.encode(self.network, self.data.test.inputs[:1])
        layers = [name for name in of_one.layers if not name.endswith("_1")]
        random = nh.random_inputs(self.data, N, seed=SEED)
        inputs = {"train": self.data.train, "test": self.data.test, "random": random}
        sums = {
            which: nh.hidden_activations(self.network, x, layers, sum_space=True)
            for which, x in inputs.items()
        }
        codes = {which: nh.NeuralCodes.from_bits(x > 0) for which, x in sums.items()}
        few, asked = self.data.train.labels[:N_TRAIN], self.data.test.labels[:N_TEST]
        parts = {
            ending: (x["train"][:N_TRAIN], x["test"][:N_TEST])
            for ending, x in (("", codes), ("_sums", sums))
        }
        # Sums over 32 x 32 places are larger than sums over 8 x 8.
        scaler = StandardScaler().fit(parts["_sums"][0])
        parts["_scaled"] = tuple(torch.from_numpy(scaler.transform(x)) for x in parts["_sums"])
        found = {
            f"{method}{ending}": accuracy
            for ending, (train, test) in parts.items()
            for method, accuracy in nh.categorize(train, few, test, asked, progress=False).items()
        }
        return {**uniqueness(codes), **found}

    def few_bits(self, source: str, n_bits: int, draw: int) -> dict:
        """Measure some bits, drawn at random from a source."""
        train, test = self.data.train[:N_TRAIN], self.data.test[:N_TEST]
        if source == "random hyperplanes":
            layer = nh.random_hyperplanes(self.data.train, n_bits, draw)
            codes = [nh.encode(layer, split) for split in (train, test)]
        else:
            whole = [self.codes("train")[:N_TRAIN], self.codes("test")[:N_TEST]]
            if source != "all":
                whole = [part[source] for part in whole]
            rng = np.random.default_rng(draw)
            chosen = np.sort(rng.choice(whole[0].n_bits, n_bits, replace=False))
            codes = [nh.NeuralCodes.from_bits(part.bits()[:, chosen]) for part in whole]
        return {
            "knn": nh.knn_accuracy(codes[0], train.labels, codes[1], test.labels, progress=False),
            "logreg": nh.logreg_accuracy(codes[0], train.labels, codes[1], test.labels),
        }


def pixels(data: nh.Dataset) -> dict:
    """Measure what there is without a network."""
    train, test = data.train, data.test
    few, asked = train[:N_TRAIN], test[:N_TEST]
    raw = train.inputs, train.labels, test.inputs, test.labels
    return {
        **nh.categorize(few.inputs, few.labels, asked.inputs, asked.labels, progress=False),
        "knn_full": nh.knn_accuracy(*raw, progress=False),
    }


def jobs(layers: dict[str, list[str]]) -> Iterator[tuple[str, dict]]:
    """What is to be done: the table, and the keys of the row."""
    yield "layers", {"network": "none (pixels)", "state": "", "place": 0, "layer": "all"}
    for name in NETWORKS:
        for state in ("trained", "untrained"):
            row = {"network": name, "state": state}
            for place, layer in enumerate(["all", *layers[name]]):
                yield "layers", row | {"place": place, "layer": layer}
            if name == "ResNet-20":
                yield "channels", row
                last = layers[name][-1]
                sources = ["all", last, "random hyperplanes"] if state == "trained" else ["all"]
                for source in sources:
                    for n_bits in BITS:
                        for draw in DRAWS:
                            yield (
                                "few_bits",
                                row | {"source": source, "n_bits": n_bits, "draw": draw},
                            )


def measure(measured: Measured, table: str, row: dict) -> dict:
    if table == "layers":
        found = measured.layer(row["layer"])
        if row["layer"] == "all":
            found |= measured.whole()
        return found
    if table == "channels":
        return measured.channels()
    return measured.few_bits(row["source"], row["n_bits"], row["draw"])


def main() -> None:
    asked, title = cifar10_source(argparse.ArgumentParser(description=__doc__.splitlines()[0]))
    source = asked.cifar10
    data = nh.load(source, train_size=40_000)
    layers = {
        name: list(nh.encode(build(), data.test.inputs[:1]).layers)
        for name, (_, build) in NETWORKS.items()
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    todo = list(jobs(layers))
    tables: dict[str, list[dict]] = {}
    measured = None
    with progress_bar("deep codes", len(todo), "rows") as bar:
        for table, row in todo:
            file = KEPT / ("-".join(map(str, (table, *row.values()))) + ".json")
            if not file.exists():
                wanted = row["network"], row["state"]
                if wanted[0] not in NETWORKS:
                    found = pixels(data)
                else:
                    if measured is None or (measured.name, measured.state) != wanted:
                        measured = Measured(data, *wanted)
                    found = measure(measured, table, row)
                with replacing(file) as partial:
                    partial.write_text(json.dumps(row | found))
            tables.setdefault(table, []).append(json.loads(file.read_text()))
            bar.update()
    for table, rows in tables.items():
        with replacing(HERE / f"deep_{table}.csv") as partial:
            pd.DataFrame(rows).round(5).to_csv(partial, index=False)
    about = {
        "data": f"{title}: the first 40,000 training images, the 10,000 test images, and "
        f"{N:,} random inputs; K-Means, K-NN and logistic regression learn from the first "
        f"{N_TRAIN:,} training images and are asked about the first {N_TEST:,} test images; "
        "knn_full: 40,000 and 10,000",
        "seeds": [SEED],
        "draws": list(DRAWS),
    }
    write_provenance("deep_codes", source, about)


if __name__ == "__main__":
    main()
