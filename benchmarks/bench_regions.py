"""`partition` and `segment` beside the two plain ways to find linear regions.

Networks have PyTorch's default initialization after ``torch.manual_seed(0)``, the rectangle is
the square [-1, 1]²; one thread. A partition counts with vertices, ordered polygons, areas,
codes and neighbours, on a network that was not seen before. Peak memory is that of a process of its
own, beside the result.
"""

import multiprocessing
from itertools import pairwise
from pathlib import Path

import numpy as np
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


def network_of(widths, n_outputs=1):
    torch.manual_seed(0)
    sizes = [2, *widths]
    layers = [
        layer
        for before, after in pairwise(sizes)
        for layer in (nn.Linear(before, after), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(widths[-1], n_outputs))


def fresh(widths):
    return (network_of(widths),), {}


def everything(network, plane=None):
    found = nh.partition(network, plane, threads=1)
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
    "one layer": [(32,), (128,), (256,), (512,), (800,)],
    "three layers": [(n, n, n) for n in (16, 32, 64, 128, 192, 256, 288, 384, 512, 768)],
    "three digits of MNIST, channels of two convolutions": [(8, 16), (16, 32)],
}


def growing(how, size):
    """Return the arguments of a partition."""
    if "MNIST" not in how:
        return (network_of(size),), {}
    torch.manual_seed(0)
    one, other = size
    network = nn.Sequential(
        *(nn.Conv2d(1, one, 3, stride=2), nn.ReLU(), nn.Conv2d(one, other, 3, stride=2)),
        *(nn.ReLU(), nn.Flatten(), nn.Linear(36 * other, 64), nn.ReLU(), nn.Linear(64, 10)),
    )
    return (network, nh.load("mnist").train.inputs[:3]), {}


@pytest.mark.parametrize(
    ("how", "size"), [(how, size) for how in GROWING for size in GROWING[how]], ids=str
)
def test_growth(benchmark, how, size):
    """Time and memory against the number of regions."""
    benchmark.group = f"Growth: {how}"
    benchmark.name = " · ".join(map(str, size))
    try:
        growing(how, size)
    except FileNotFoundError:
        pytest.skip("no MNIST here")
    rounds = 3 if sum(size) > 1000 or "MNIST" in how else 5
    found = benchmark.pedantic(everything, setup=lambda: growing(how, size), rounds=rounds)
    benchmark.extra_info["regions"] = f"{found.n_regions:,}"
    microseconds = 1e6 * benchmark.stats.stats.median / found.n_regions
    benchmark.extra_info["a region"] = f"{microseconds:.2f} µs"
    if Path("/proc/self/clear_refs").exists():
        result, beside = measure_memory(how, size)
        benchmark.extra_info["result"] = f"{result / 2**20:,.0f} MiB"
        benchmark.extra_info["peak memory beside it"] = f"{beside / 2**20:,.0f} MiB"


def memory(key):
    """Return a line of Linux's account of this process: its memory now, or at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def peak_memory(connection, how, size):
    """Send how large a partition is, and by how much more the process grows at its peak."""
    torch.set_num_threads(1)
    everything(network_of((8,)))
    arguments, _ = growing(how, size)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak until now
    before = memory("VmRSS")
    found = everything(*arguments)
    arrays = [found.vertices, found.edges, found.edge_regions, found.edge_units, found.areas]
    arrays += [
        found.codes.packed,
        *(a for r in (found.polygons, found.neighbours) for a in (r.flat, r.starts)),
    ]
    result = sum(array.nbytes for array in arrays)
    connection.send((result, memory("VmHWM") - before - result))


def measure_memory(*arguments):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=peak_memory, args=(theirs, *arguments))
    process.start()
    sizes = ours.recv()
    process.join()
    return sizes


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


POINTS = torch.rand(60_000, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
QUESTIONS = {
    "the partition itself": lambda p: None,
    "`slopes` and `offsets`": lambda p: (p.slopes, p.offsets),
    "`linear_regions`": lambda p: p.linear_regions,
    "`decision_boundary()` of ten outputs": lambda p: p.decision_boundary(),
    "`locate`, 60,000 points": lambda p: p.locate(POINTS),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions(benchmark, question):
    benchmark.group = "What to ask of 3 layers of 128: time with the partition"
    benchmark.name = question
    network = network_of((128, 128, 128), n_outputs=10)
    benchmark.pedantic(lambda: QUESTIONS[question](everything(network)), rounds=5, warmup_rounds=1)


def mlp(n_inputs, *widths):
    """A network of other than two inputs, initialized as the others are."""
    torch.manual_seed(0)
    sizes = [n_inputs, *widths]
    layers = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def test_walk(benchmark):
    """Relucent 1.0 took 43 ms for each of the 420 regions of 2-16-16-2."""
    benchmark.group = "All regions of 3-16-16-2 in the box from -1 to 1"
    benchmark.name = "`nh.walk`"
    network = mlp(3, 16, 16, 2)
    graph = benchmark.pedantic(nh.walk, (network, [0, 0, 0]), {"box": (-1, 1)}, rounds=3)
    benchmark.extra_info["regions"] = f"{graph.n_regions:,}"
    milliseconds = 1e3 * benchmark.stats.stats.median / graph.n_regions
    benchmark.extra_info["a region"] = f"{milliseconds:.2f} ms"


@pytest.mark.parametrize("box", [None, (0, 1)])
def test_regions_of_digits(benchmark, box):
    """Relucent 1.0 took half a second for a region of 64-50-10."""
    benchmark.group = "Regions of 200 digits, 64-100-10"
    benchmark.name = "`nh.region`, whole space" if box is None else "`nh.region`, in [0, 1]⁶⁴"
    network = mlp(64, 100, 10)
    digits = nh.load("digits").train.inputs[:200].flatten(1)

    def regions():
        return [len(nh.region(network, digit, box=box).neighbours) for digit in digits]

    neighbours = benchmark.pedantic(regions, rounds=3, warmup_rounds=1)
    benchmark.extra_info["neighbours"] = f"{np.mean(neighbours):.1f}"
    milliseconds = 1e3 * benchmark.stats.stats.median / len(digits)
    benchmark.extra_info["a region"] = f"{milliseconds:.1f} ms"


def diagonals(n):
    """Every diagonal and side of a regular polygon: hundreds of lines through few points."""
    angles = 2 * np.pi * np.arange(n) / n
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    first, second = corners[np.array(np.triu_indices(n, 1))]
    along = second - first
    weights = np.stack([-along[:, 1], along[:, 0]], axis=1)
    network = nn.Sequential(nn.Linear(2, len(weights)), nn.ReLU()).double()
    network[0].weight.data = torch.tensor(weights)
    network[0].bias.data = torch.tensor(-(weights * first).sum(axis=1))
    return network


def images():
    """Three images with a black margin, and a bias-free convolution that sees nothing there."""
    torch.manual_seed(0)
    pixels = torch.zeros(3, 1, 16, 16)
    pixels[:, :, 3:13, 3:13] = torch.rand(3, 1, 10, 10)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
    return network.eval(), pixels


def test_special_diagonals(benchmark):
    benchmark.group = "Lines in special position"
    benchmark.name = "435 sides and diagonals of a regular 30-gon"
    network = diagonals(30)
    found = benchmark.pedantic(everything, (network,), rounds=3)
    benchmark.extra_info["regions"] = f"{found.n_regions:,}"


def test_special_images(benchmark):
    benchmark.group = "Lines in special position"
    benchmark.name = "bias-free convolution, 784 units, a plane of images with black margins"
    network, pixels = images()
    found = benchmark.pedantic(everything, (network, pixels), rounds=3)
    benchmark.extra_info["regions"] = f"{found.n_regions:,}"
