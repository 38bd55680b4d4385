"""`Population` beside networks that are trained one after another.

Networks of one hidden layer of 3 to 100 units. Every way measures the test accuracy after every
epoch; networks are built outside of the time measured.
"""

import multiprocessing
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import platformdirs
import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

import nhlib as nh

WIDTHS = [3, 7, 10, 15, 20, 23, 27, 30, 33, 37, 40, 43, 47, 50, 53, 57, 60, 65, 70, 75, 80, 90, 100]
SEEDS = range(10)
PROTOCOLS = {
    "A": (nh.Recipe(epochs=20), False),
    "B, batch norm": (nh.Recipe.code(epochs=20, patience=None), True),
}
# Those of the widths that the slowest loop is measured with.
SAMPLE = [3, 43, 100]


def networks_of(data, widths=WIDTHS, seeds=(0,), batch_norm=False):
    return [
        nh.mlp(data.n_inputs, [width], data.n_classes, batch_norm=batch_norm, seed=seed)
        for seed in seeds
        for width in widths
    ]


def one_by_one(networks, data, recipe, seeds=None):
    for network, seed in zip(networks, seeds or [0] * len(networks), strict=True):
        nh.fit(network, data, recipe, seed=seed, progress=False)


def together(networks, data, recipe, seeds=0):
    nh.Population(networks, data, recipe, seeds).fit(progress=False)


def measure(benchmark, way, build, *args, rounds=3, counted=1):
    """Time a way to train networks, which are new in every round."""
    benchmark.pedantic(way, setup=lambda: ((build(), *args), {}), rounds=rounds)
    seconds = benchmark.stats.stats.median / counted
    benchmark.extra_info["a network"] = f"{1000 * seconds:,.0f} ms"


# -- digits --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["`nh.fit`, one by one", "`nh.Population`"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_digits(benchmark, protocol, way):
    data = nh.load("digits")
    recipe, batch_norm = PROTOCOLS[protocol]
    benchmark.group = (
        f"Digits, {len(WIDTHS)} widths, {recipe.epochs} epochs, protocol {protocol}, "
        f"{threads(torch.get_num_threads())}"
    )
    benchmark.name = way
    train = together if "Population" in way else one_by_one
    build = partial(networks_of, data, batch_norm=batch_norm)
    measure(benchmark, train, build, data, recipe, counted=len(WIDTHS))


def threads(n):
    return f"{n} thread" + "s" * (n > 1)


def memory(key):
    """Return a line of Linux's account of this process: its memory now, or at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def grid(data, recipe):
    """Return what 23 widths × 10 seeds are trained with: networks, data, recipe, seeds."""
    seeds = [seed for seed in SEEDS for _ in WIDTHS]
    return networks_of(data, seeds=SEEDS), data, recipe, seeds


def peak_memory(connection, name):
    """Send by how many bytes the process grows at its peak, beyond networks and data."""
    data = nh.load(name, train_size=48_000 if name == "mnist" else None)
    if name == "mnist":
        data = replace(data, train=data.train[:6400])  # what there is of them does not count
    networks, data, recipe, seeds = grid(data, nh.Recipe(epochs=1))
    together(networks_of(data, [3]), data, nh.Recipe(epochs=1))
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak until now
    before = memory("VmRSS")
    together(networks, data, recipe, seeds)
    connection.send(memory("VmHWM") - before)


def measure_memory(name):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=peak_memory, args=(theirs, name))
    process.start()
    size = ours.recv()
    process.join()
    return f"{size / 2**20:,.0f} MiB"


def test_seeds(benchmark):
    networks, data, recipe, seeds = grid(nh.load("digits"), PROTOCOLS["A"][0])
    benchmark.group = (
        f"Digits, {len(WIDTHS)} widths × {len(SEEDS)} seeds, {recipe.epochs} epochs, "
        f"protocol A, {threads(torch.get_num_threads())}"
    )
    benchmark.name = "`nh.Population`"
    build = partial(networks_of, data, seeds=SEEDS)
    measure(benchmark, together, build, data, recipe, seeds, rounds=2, counted=len(networks))
    if Path("/proc/self/clear_refs").exists():
        benchmark.extra_info["peak memory"] = measure_memory("digits")


def test_phase_chart(benchmark):
    settings = {
        "widths": [10, 15, 20, 30, 40, 50, 65, 80, 100, 125, 160, 200],
        "train_sizes": [360, 450, 560, 700, 850, 1000, 1200, 1437],
        "epochs": [0, 1, 3, 6, 10, 20, 40, 100],
        "seeds": range(3),
        "measures": ("redundancy", "knn"),
    }
    benchmark.group = (
        "Digits, a phase chart: 12 widths × 8 sample sizes × 3 seeds, 100 epochs, redundancy and "
        f"K-NN at 8 of them, {threads(torch.get_num_threads())}"
    )
    benchmark.name = "`nh.sweep`"
    sweep = partial(nh.sweep, "digits", progress=False, **settings)
    rows = benchmark.pedantic(sweep, rounds=1)
    benchmark.extra_info["rows"] = f"{len(rows):,}"


# -- MNIST ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mnist():
    try:
        return nh.load("mnist", train_size=48_000)
    except FileNotFoundError:
        pytest.skip("MNIST is not there, and cannot be downloaded: set NHLIB_DATA to its folder")


@pytest.fixture
def one_thread():
    number = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(number)


def accuracy(network, batches):
    network.eval()
    with torch.no_grad():
        return sum((network(x).argmax(1) == y).sum().item() for x, y in batches)


def by_loader(networks, data):
    """As most tutorials write it."""
    for network in networks:
        optimizer = torch.optim.Adam(network.parameters(), eps=1e-7)
        network.train()
        for inputs, labels in DataLoader(data.train, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            F.cross_entropy(network(inputs), labels).backward()
            optimizer.step()
        accuracy(network, DataLoader(data.test, batch_size=1024))


class Images(NamedTuple):
    """Both splits of MNIST, one PIL image after another made a tensor."""

    train: Subset
    test: Dataset


def as_in_tutorials():
    root = os.environ.get("NHLIB_DATA") or platformdirs.user_cache_path("nhlib")
    train, test = (MNIST(root, train=part, transform=ToTensor()) for part in (True, False))
    return Images(Subset(train, range(48_000)), test)


def by_index(networks, data):
    """The same loop, on tensors that lie in memory."""
    inputs, labels = data.train.inputs, data.train.labels
    for network in networks:
        optimizer = torch.optim.Adam(network.parameters(), eps=1e-7)
        network.train()
        for batch in torch.randperm(len(inputs)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(network(inputs[batch]), labels[batch]).backward()
            optimizer.step()
        test = zip(data.test.inputs.split(1024), data.test.labels.split(1024), strict=True)
        accuracy(network, test)


MNIST_WAYS = {
    "loop over tensors, one by one": by_index,
    "`nh.fit`, one by one": partial(one_by_one, recipe=nh.Recipe(epochs=1)),
    "`nh.Population`": partial(together, recipe=nh.Recipe(epochs=1)),
}


@pytest.mark.parametrize("way", MNIST_WAYS)
def test_mnist(benchmark, mnist, one_thread, way):
    benchmark.group = f"MNIST, 48,000 examples, {len(WIDTHS)} widths, one epoch, 1 thread"
    benchmark.name = way
    build = partial(networks_of, mnist)
    measure(benchmark, MNIST_WAYS[way], build, mnist, rounds=1, counted=len(WIDTHS))


SLOW_WAYS = {
    "`nh.Population`, all widths": together,
    "`DataLoader` on tensors": by_loader,
    "`DataLoader` on torchvision's images": by_loader,
}


@pytest.mark.parametrize("way", SLOW_WAYS)
def test_mnist_by_loader(benchmark, mnist, one_thread, way):
    benchmark.group = (
        f"MNIST, the same in the usual loop, widths {', '.join(map(str, SAMPLE))} for all"
    )
    benchmark.name = way
    data, widths = mnist, WIDTHS if SLOW_WAYS[way] is together else SAMPLE
    if "torchvision" in way:
        data = as_in_tutorials()
    build = partial(networks_of, mnist, widths)
    args = (nh.Recipe(epochs=1),) if SLOW_WAYS[way] is together else ()
    measure(benchmark, SLOW_WAYS[way], build, data, *args, rounds=1, counted=len(widths))
    seconds = benchmark.stats.stats.median / len(widths) * len(WIDTHS)
    benchmark.extra_info[f"{len(WIDTHS)} widths"] = f"{1000 * seconds:,.0f} ms"
    memory_of = Path("/proc/self/clear_refs").exists() and SLOW_WAYS[way] is together
    benchmark.extra_info["memory, 230 networks"] = measure_memory("mnist") if memory_of else "–"
