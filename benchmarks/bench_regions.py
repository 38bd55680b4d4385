"""`partition` and `segment` beside the two plain ways to find linear regions.

Networks have PyTorch's default initialization after ``torch.manual_seed(0)``, the rectangle is
the square [-1, 1]²; one thread. A partition counts with vertices, ordered polygons, areas,
codes and neighbours, on a network that was not seen before.
"""

from itertools import pairwise

import pytest
import torch
from polygon_splitter import grid_count, split
from threadpoolctl import threadpool_limits
from torch import nn

import nhlib as nh
from nhlib.regions.folding import fold

# Widths of the hidden layers: the number of regions.
COUNTS = {
    (64, 64, 64): 6_668,
    (128, 128, 128): 20_714,
    (512,): 41_593,
    (128, 128, 128, 128): 29_584,
}
GRID = 700


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):  # NumPy's matrix products
        yield
    torch.set_num_threads(threads)


def network_of(widths):
    torch.manual_seed(0)
    sizes = [2, *widths]
    layers = [
        layer
        for before, after in pairwise(sizes)
        for layer in (nn.Linear(before, after), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1))


def fresh(widths):
    return (network_of(widths),), {}


def everything(network):
    found = nh.partition(network)
    assert len(found.polygons) == len(found.areas) == len(found.neighbours)
    return found


def matrices(network):
    return [(layer.weights, layer.biases, layer.slopes) for layer in fold(network, (2,)).layers]


SQUARE = (-1, 1, -1, 1)
WAYS = {
    "polygon by polygon": lambda network: len(split(matrices(network), SQUARE, number=float)),
    "`nh.partition`": lambda network: everything(network).n_regions,
    f"grid of {GRID} × {GRID} points": lambda network: grid_count(matrices(network), SQUARE, GRID),
}


@pytest.mark.parametrize("way", WAYS)
def test_three_layers_of_64(benchmark, way):
    widths = (64, 64, 64)
    benchmark.group = "Regions of 3 layers of 64 in a square"
    benchmark.name = way
    rounds = 1 if way.startswith("polygon") else 3 if way.startswith("grid") else 50
    found = benchmark.pedantic(WAYS[way], setup=lambda: fresh(widths), rounds=rounds)
    benchmark.extra_info["regions found"] = f"{found:,}"
    if way != f"grid of {GRID} × {GRID} points":
        assert found == COUNTS[widths]


@pytest.mark.parametrize("widths", COUNTS, ids=str)
def test_partition(benchmark, widths):
    benchmark.group = "`nh.partition`, layer widths"
    benchmark.name = " · ".join(map(str, widths))
    found = benchmark.pedantic(everything, setup=lambda: fresh(widths), rounds=20)
    assert found.n_regions == COUNTS[widths]
    benchmark.extra_info["regions"] = f"{found.n_regions:,}"
    microseconds = 1e6 * benchmark.stats.stats.median / found.n_regions
    benchmark.extra_info["a region"] = f"{microseconds:.2f} µs"


GROWING = {
    "one layer, wider and wider": [(32,), (128,), (256,), (512,), (800,)],
    "three layers, wider and wider": [(n, n, n) for n in (16, 32, 64, 128, 192, 288)],
}


@pytest.mark.parametrize(
    ("how", "widths"), [(how, widths) for how in GROWING for widths in GROWING[how]], ids=str
)
def test_growth(benchmark, how, widths):
    """The curve of time against the number of regions."""
    benchmark.group = f"Growth: {how}"
    benchmark.name = " · ".join(map(str, widths))
    found = benchmark.pedantic(everything, setup=lambda: fresh(widths), rounds=5)
    benchmark.extra_info["regions"] = f"{found.n_regions:,}"
    microseconds = 1e6 * benchmark.stats.stats.median / found.n_regions
    benchmark.extra_info["a region"] = f"{microseconds:.2f} µs"


def sampled(network, start, end):
    """Encode points along the line, as one would without `segment`, and count the codes."""
    t = torch.linspace(0, 1, 10_001)[:, None]
    return nh.encode(network, start + t * (end - start)).n_distinct


LINES = {
    "10,001 points encoded": sampled,
    "`nh.segment`": lambda network, start, end: nh.segment(network, start, end).n_regions,
}


@pytest.mark.parametrize("way", LINES)
def test_line_through_three_layers_of_64(benchmark, way):
    benchmark.group = "Regions of 3 layers of 64 along a line"
    benchmark.name = way
    network = network_of((64, 64, 64))
    start, end = torch.tensor([-1.0, -0.7]), torch.tensor([1.0, 0.9])
    found = benchmark.pedantic(LINES[way], (network, start, end), rounds=200, warmup_rounds=5)
    benchmark.extra_info["regions found"] = f"{found:,}"
