"""Put the codes of two trained networks to work, and write the tables beside this file.

    python book/results/codes_at_work.py [--cifar10 folder:PATH]

Retrieval, shifted inputs, copies, wrong labels, and small steps: each on CIFAR-10 with
resnet20-cifar10, shifted inputs also on MNIST with cnn-mnist. It takes a quarter of an hour. Each
table is kept under build/results/codes_at_work/ as soon as it is measured: the run may be stopped,
and goes on with the next one when it is started again.
"""

import argparse
import shutil
import statistics
import time
from functools import cache, cached_property
from pathlib import Path

import faiss
import nhlib as nh
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from nhlib._files import replacing
from nhlib._progress import progress_bar
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn

from provenance import cifar10_source, write_provenance

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "build" / "results" / "codes_at_work"

N_QUERIES, N_NEAREST = 1_000, 10
N_TRAIN, N_SHIFTED = 10_000, 2_000
SHORT = 256  # bits
WRONG, SEEDS = 0.05, (0, 1, 2)
# Of features of length 1, the neighbour whose distance counts: Sun et al. take the 50th of 50,000.
K_OF_FEATURES = 10
PERCENTILES = (10, 30, 50, 70, 90)
CHOSEN_ON = "shuffled pixels"  # the strangers that choose a layer and a percentile
LENGTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


def answers(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Compute scores of the classes, and the features that the last layer gets."""
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    features: list[Tensor] = []
    hook = last.register_forward_hook(lambda module, args, _: features.append(args[0]))
    with torch.no_grad():
        scores = [network(batch) for batch in inputs.split(500)]
    hook.remove()
    return torch.cat(scores), torch.cat(features)


class Seen:
    """What there is to know of some inputs: codes, features, pixels, and the network's scores."""

    def __init__(self, network: nn.Module, inputs: Tensor) -> None:
        self.codes = nh.encode(network, inputs)
        self.last = self.codes[list(self.codes.layers)[-1]]
        self.scores, self.features = answers(network, inputs)
        self.pixels = inputs.flatten(1)
        self.network, self.inputs = network, inputs

    @cached_property
    def channels(self) -> dict[str, Tensor]:
        """Sums of the activations of every channel, layer by layer."""
        return {
            layer: nh.hidden_activations(self.network, self.inputs, layer, sum_space=True)
            for layer in self.codes.layers
        }

    def patterns(self, layer: str, percentile: int) -> nh.NeuralCodes:
        """Which channels of a layer are above a percentile of all its channels, by input."""
        sums = self.channels[layer].numpy()
        thresholds = np.percentile(sums, percentile, axis=1, keepdims=True)
        return nh.NeuralCodes.from_bits(sums > thresholds)


def hyperplanes(seen: Tensor, others: Tensor, n_bits: int) -> list[nh.NeuralCodes]:
    layer = nh.random_hyperplanes(seen, n_bits)
    return [nh.encode(layer, points) for points in (seen, others)]


def nearest(queries, others, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and indices of the k nearest, by Hamming or Euclidean distance."""
    if isinstance(queries, nh.NeuralCodes):
        return nh.nearest_codes(queries, others, k, progress=False)
    index = faiss.IndexFlatL2(others.shape[1])
    index.add(others.numpy())
    return index.search(queries.numpy(), k)


def milliseconds(queries, others, k: int) -> float:
    """Time a search in a flat index of faiss on one thread, for one query."""
    if isinstance(queries, nh.NeuralCodes):
        index = faiss.IndexBinaryFlat(8 * others.n_bytes)
        index.add(np.ascontiguousarray(others.packed))
        rows = np.ascontiguousarray(queries.packed)
    else:
        index = faiss.IndexFlatL2(others.shape[1])
        index.add(others.numpy())
        rows = queries.numpy()
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        for row in rows[:100]:
            index.search(row[None], k)
        seconds.append((time.perf_counter() - start) / 100)
    faiss.omp_set_num_threads(threads)
    return 1000 * statistics.median(seconds)


def retrieval(database: Seen, queries: Seen, labels: Tensor, classes: Tensor) -> list[dict]:
    """Find images of the same class among images that the network was not trained on."""
    n_bits = queries.last.n_bits
    rng = np.random.default_rng(0)
    some = np.sort(rng.choice(n_bits, SHORT, replace=False))
    few = [nh.NeuralCodes.from_bits(s.last.bits()[:, some]) for s in (database, queries)]
    centre = database.features.mean(dim=0)
    ways = {
        "features": (database.features, queries.features),
        "angles of features": [F.normalize(s.features - centre) for s in (database, queries)],
        "raw pixels": (database.pixels, queries.pixels),
        "code, all layers": (database.codes, queries.codes),
        "code, last layer": (database.last, queries.last),
        f"code, {SHORT} bits of the last layer": few,
        "hyperplanes on features": hyperplanes(database.features, queries.features, n_bits),
        f"{SHORT} hyperplanes on features": hyperplanes(database.features, queries.features, SHORT),
        "hyperplanes on pixels": hyperplanes(database.pixels, queries.pixels, n_bits),
        f"{SHORT} hyperplanes on pixels": hyperplanes(database.pixels, queries.pixels, SHORT),
    }
    _, wanted = nearest(queries.features, database.features, N_NEAREST)
    rows = []
    for name, (those, asked) in ways.items():
        _, found = nearest(asked, those, N_NEAREST)
        hits = [len(set(a) & set(b)) for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]
        binary = isinstance(those, nh.NeuralCodes)
        rows.append(
            {
                "way": name,
                "bytes": those.n_bytes if binary else 4 * those.shape[1],
                "ms": milliseconds(asked, those, N_NEAREST),
                "recall": np.mean(hits) / N_NEAREST,
                "precision": (labels[found] == classes[:, None]).double().mean().item(),
            }
        )
    # What needs no search: all images of the library with the same answer are equally near.
    same = database.scores.argmax(dim=1) == queries.scores.argmax(dim=1)[:, None]
    right = (same & (labels == classes[:, None])).sum(dim=1) / same.sum(dim=1)
    rows.append({"way": "the network's answer", "bytes": 1, "precision": right.mean().item()})
    return rows


def suspicions(seen: Seen, train: Seen) -> dict[str, np.ndarray]:
    """How strange inputs look: the larger, the stranger."""
    return {
        "nearest code, all layers": nearest(seen.codes, train.codes, 1)[0][:, 0],
        "nearest code, last layer": nearest(seen.last, train.last, 1)[0][:, 0],
        "nearest features": nearest(seen.features, train.features, 1)[0][:, 0],
        # As Sun et al. publish it: features of length 1, and the k-th of them.
        "unit features, 10th": nearest(
            F.normalize(seen.features), F.normalize(train.features), K_OF_FEATURES
        )[0][:, -1],
        "nearest pixels": nearest(seen.pixels, train.pixels, 1)[0][:, 0],
        "max-softmax": -seen.scores.softmax(dim=1).amax(dim=1).numpy(),
        "energy": -seen.scores.logsumexp(dim=1).numpy(),
    }


def pattern_distances(seen: Seen, train: Seen, layer: str, percentile: int) -> np.ndarray:
    """Distance to the nearest pattern of a training image that gets the same answer."""
    own, others = seen.patterns(layer, percentile), train.patterns(layer, percentile)
    answers_here, answers_there = (s.scores.argmax(dim=1).numpy() for s in (seen, train))
    distances = np.empty(len(own))
    for answer in np.unique(answers_here):
        of_here = answers_here == answer
        of_there = answers_there == answer
        if not of_there.any():
            distances[of_here] = own.n_bits
            continue
        distances[of_here] = nearest(own[of_here], others[of_there], 1)[0][:, 0]
    return distances


def area(usual: np.ndarray, strange: np.ndarray) -> float:
    truth = np.repeat([0, 1], [len(usual), len(strange)])
    return float(roc_auc_score(truth, np.concatenate([usual, strange])))


def shuffled(images: Tensor) -> Tensor:
    places = torch.randperm(
        images.shape[-1] * images.shape[-2], generator=torch.Generator().manual_seed(0)
    )
    return images.flatten(2)[:, :, places].reshape(images.shape)


def blurred(images: Tensor) -> Tensor:
    coarse = F.avg_pool2d(images, 4)
    return F.interpolate(coarse, scale_factor=4.0, mode="nearest")


def shifts(name: str, network: nn.Module, data: nh.Dataset, strangers: Tensor) -> list[dict]:
    """Tell inputs like those of training from others."""
    train = Seen(network, data.train.inputs[:N_TRAIN])
    usual_images = data.test.inputs[:N_SHIFTED]
    usual_seen = Seen(network, usual_images)
    usual = suspicions(usual_seen, train)
    inputs = {
        "the other data set": strangers[:N_SHIFTED],
        "blurred": blurred(usual_images),
        "one colour": usual_images.mean(dim=(2, 3), keepdim=True).expand_as(usual_images),
        "negative": 1 - usual_images,
        "shuffled pixels": shuffled(usual_images),
        "uniform noise": nh.random_inputs(data, N_SHIFTED, seed=0),
    }
    rows = []
    choices = [(layer, p) for layer in usual_seen.codes.layers for p in PERCENTILES]
    calm = {choice: pattern_distances(usual_seen, train, *choice) for choice in choices}
    by_choice: dict[str, dict[tuple[str, int], float]] = {}
    for shift, images in inputs.items():
        seen = Seen(network, images)
        rows += [
            {"network": name, "shift": shift, "score": score, "auroc": area(usual[score], found)}
            for score, found in suspicions(seen, train).items()
        ]
        by_choice[shift] = {
            choice: area(calm[choice], pattern_distances(seen, train, *choice))
            for choice in choices
        }
    chosen = max(choices, key=by_choice[CHOSEN_ON].__getitem__)
    for shift, areas in by_choice.items():
        # Olber et al. choose by strangers that they have; so does the first, on one kind.
        best = max(areas, key=areas.__getitem__)
        for score, choice in (("patterns, chosen", chosen), ("patterns, best", best)):
            rows.append(
                {
                    "network": name,
                    "shift": shift,
                    "score": score,
                    "auroc": areas[choice],
                    "layer": choice[0],
                    "percentile": choice[1],
                }
            )
    return rows


def copies(network: nn.Module, database: Seen, images: Tensor, new: Seen) -> list[dict]:
    """Find the original of altered copies, and tell copies from images that have none."""
    generator = torch.Generator().manual_seed(0)
    originals = torch.randperm(len(images), generator=generator)[:N_QUERIES]
    chosen = images[originals]
    noise = torch.randn(chosen.shape, generator=generator)
    altered = {
        "brighter by a fifth": (1.2 * chosen).clamp(0, 1),
        "noise of 0.05": (chosen + 0.05 * noise).clamp(0, 1),
        "moved by a pixel": chosen.roll(1, dims=3),
        "mirrored": chosen.flip(3),
    }
    codes = hyperplanes(database.pixels, new.pixels, database.last.n_bits)
    rows = []
    for change, pictures in altered.items():
        seen = Seen(network, pictures)
        (_, hashed) = hyperplanes(database.pixels, seen.pixels, database.last.n_bits)
        ways = {
            "code, all layers": (seen.codes, new.codes, database.codes),
            "code, last layer": (seen.last, new.last, database.last),
            "features": (seen.features, new.features, database.features),
            "raw pixels": (seen.pixels, new.pixels, database.pixels),
            "hyperplanes on pixels": (hashed, codes[1], codes[0]),
        }
        for way, (copy, other, those) in ways.items():
            distances, found = nearest(copy, those, 1)
            far, _ = nearest(other, those, 1)
            truth = np.repeat([1, 0], [len(copy), len(other)])
            rows.append(
                {
                    "change": change,
                    "way": way,
                    "found": (found[:, 0] == originals.numpy()).mean(),
                    "auroc": roc_auc_score(truth, -np.concatenate([distances[:, 0], far[:, 0]])),
                }
            )
    return rows


def wrong_labels(seen: Seen, labels: Tensor) -> list[dict]:
    """Find labels that were changed, by the labels of the nearest other images."""
    near = {}
    for way, points in {
        "code, all layers": seen.codes,
        "code, last layer": seen.last,
        "features": seen.features,
        "raw pixels": seen.pixels,
    }.items():
        _, found = nearest(points, points, N_NEAREST + 1)
        own = found == np.arange(len(found))[:, None]
        own[~own.any(axis=1), -1] = True
        near[way] = found[~own].reshape(-1, N_NEAREST)
    rows = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        given = labels.numpy().copy()
        wrong = rng.choice(len(given), int(WRONG * len(given)), replace=False)
        given[wrong] = (given[wrong] + rng.integers(1, 10, len(wrong))) % 10
        is_wrong = np.isin(np.arange(len(given)), wrong)
        likely = seen.scores.softmax(dim=1).numpy()[np.arange(len(given)), given]
        strange = {
            way: (given[found] != given[:, None]).mean(axis=1) for way, found in near.items()
        }
        strange["the network's own doubt"] = 1 - likely
        for way, doubt in strange.items():
            first = np.argsort(-doubt, kind="stable")[: len(wrong)]
            rows.append(
                {
                    "way": way,
                    "seed": seed,
                    "auroc": roc_auc_score(is_wrong, doubt),
                    "average_precision": average_precision_score(is_wrong, doubt),
                    "found": is_wrong[first].mean(),
                }
            )
    return rows


def steps(network: nn.Module, images: Tensor, labels: Tensor) -> list[dict]:
    """Move images a little: uphill in the loss, and at random."""
    x = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(F.cross_entropy(network(x), labels, reduction="sum"), x)
    random = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    before = nh.encode(network, images)
    rows = []
    for way, direction in {"uphill": slope, "random": random}.items():
        unit = direction / direction.flatten(1).norm(dim=1)[:, None, None, None]
        for length in LENGTHS:
            moved = images + length * unit
            after = nh.encode(network, moved)
            scores, _ = answers(network, moved)
            for place, layer in enumerate(before.layers):
                bits, others = before[layer].bits(), after[layer].bits()
                rows.append(
                    {
                        "direction": way,
                        "length": length,
                        "place": place + 1,
                        "layer": layer,
                        "bits": bits.shape[1],
                        "flipped": (bits != others).mean(),
                        "accuracy": (scores.argmax(dim=1) == labels).double().mean().item(),
                    }
                )
    return rows


def main() -> None:
    asked, title = cifar10_source(argparse.ArgumentParser(description=__doc__.splitlines()[0]))
    source = asked.cifar10
    cifar, mnist = nh.load(source, train_size=40_000), nh.load("mnist", train_size=48_000)
    images, labels = cifar.test.inputs, cifar.test.labels
    network = nh.load_trained("resnet20-cifar10")

    @cache
    def seen(part: str) -> Seen:
        inputs = {
            "queries": images[:N_QUERIES],
            "library": images[N_QUERIES:],
            "all": images,
        }
        return Seen(network, inputs[part])

    def all_shifts() -> list[dict]:
        digits = F.pad(mnist.test.inputs, (2, 2, 2, 2)).expand(-1, 3, -1, -1)
        grey = images.mean(dim=1, keepdim=True)[:, :, 2:30, 2:30].contiguous()
        return [
            *shifts("ResNet-20, CIFAR-10", network, cifar, digits),
            *shifts("CNN, MNIST", nh.load_trained("cnn-mnist"), mnist, grey),
        ]

    tables = {
        "retrieval": lambda: retrieval(
            seen("library"), seen("queries"), labels[N_QUERIES:], labels[:N_QUERIES]
        ),
        "copies": lambda: copies(network, seen("library"), images[N_QUERIES:], seen("queries")),
        "wrong_labels": lambda: wrong_labels(seen("all"), labels),
        "steps": lambda: steps(network, images[:N_QUERIES], labels[:N_QUERIES]),
        "shifts": all_shifts,
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    with progress_bar("codes at work", len(tables), "tables") as bar:
        for table, measure in tables.items():
            kept = KEPT / f"{table}.csv"
            if not kept.exists():
                with replacing(kept) as partial:
                    pd.DataFrame(measure()).round(5).to_csv(partial, index=False)
            with replacing(HERE / f"work_{table}.csv") as partial:
                shutil.copyfile(kept, partial)
            bar.update()
    about = {
        "data": f"{title} and MNIST",
        "retrieval": f"{N_QUERIES:,} test images as queries, the other 9,000 as library; "
        "times for one query at a time, one thread",
        "copies": f"{N_QUERIES:,} of the 9,000 altered; the {N_QUERIES:,} queries have no copy",
        "wrong labels": f"{WRONG:.0%} of the 10,000 test labels, {N_NEAREST} nearest others",
        "shifts": f"{N_SHIFTED:,} test images against as many shifted ones; distances to "
        f"{N_TRAIN:,} training images",
        "steps": f"{N_QUERIES:,} test images; lengths are Euclidean",
        "seeds": list(SEEDS),
        "faiss": faiss.__version__,
    }
    write_provenance("codes_at_work", source, about)


if __name__ == "__main__":
    main()
