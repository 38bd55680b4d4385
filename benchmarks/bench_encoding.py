"""`encode` beside the bare forward pass and beside what one would write without it.

The pairs run on the same inputs in batches of the same size, in eval mode without gradients.
The baseline that ratios refer to is the bare forward pass.
"""

import multiprocessing
import statistics
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

import nhlib as nh

# Name of the workload: (size of a batch, pairs of runs).
WORKLOADS = {
    "MLP 784-100-10, 48,000 inputs, batches of 16,384": (16_384, 30),
    "MLP 784-100-10, 48,000 inputs, batches of 1,024": (1024, 30),
    "ResNet-18, 512 images of 3 × 32 × 32, batches of 128": (128, 6),
}


def workload(name):
    torch.manual_seed(0)
    if name.startswith("MLP"):
        return nh.mlp(784, [100], 10).eval(), torch.rand(48_000, 1, 28, 28)
    return nh.resnet18().eval(), torch.rand(512, 3, 32, 32)


def forward(network, inputs, batch_size):
    with torch.no_grad():
        for batch in inputs.split(batch_size):
            network(batch)


def encode(network, inputs, batch_size):
    return nh.encode(network, inputs, batch_size=batch_size)


def extract_and_concatenate(network, inputs, batch_size):
    """As the paper's authors did: all activations of all inputs, > 0, side by side."""
    relus = [node for node in get_graph_node_names(network)[1] if "relu" in node]
    extractor = create_feature_extractor(network, relus)
    with torch.no_grad():
        parts = [
            torch.hstack([(x > 0).flatten(1).to(torch.int8) for x in extractor(batch).values()])
            for batch in inputs.split(batch_size)
        ]
    return torch.vstack(parts).numpy()


WAYS = {
    "bare forward pass": forward,
    "nh.encode": encode,
    "feature extractor + concatenation": extract_and_concatenate,
}


def paired_ratio(way, arguments, pairs):
    """Time both in turn, so that a machine whose speed drifts slows both; return the median."""
    ratios = []
    for _ in range(pairs):
        seconds = []
        for function in (forward, way):
            start = time.perf_counter()
            function(*arguments)
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[1] / seconds[0])
    return statistics.median(ratios)


def memory(key):
    """Return a line of Linux's account of this process: its memory now, or at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def peak_memory(name, way, connection):
    """Send by how many bytes the process grows at its peak, beyond network and inputs."""
    network, inputs = workload(name)
    batch_size, _ = WORKLOADS[name]
    WAYS[way](network, inputs[:8], 8)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak until now
    before = memory("VmRSS")
    WAYS[way](network, inputs, batch_size)
    connection.send(memory("VmHWM") - before)


def measure_memory(name, way):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=peak_memory, args=(name, way, theirs))
    process.start()
    size = ours.recv()
    process.join()
    return size


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", WORKLOADS)
def test_encode(benchmark, name, way):
    network, inputs = workload(name)
    batch_size, pairs = WORKLOADS[name]
    arguments = (network, inputs, batch_size)
    benchmark.group = name
    benchmark.name = way
    result = benchmark.pedantic(
        WAYS[way], arguments, rounds=max(3, pairs // 2), iterations=1, warmup_rounds=1
    )
    if way == "feature extractor + concatenation":
        assert np.array_equal(result, encode(*arguments).bits())
    benchmark.extra_info["ratio in pairs"] = f"{paired_ratio(WAYS[way], arguments, pairs):.2f}"
    if Path("/proc/self/clear_refs").exists():
        benchmark.extra_info["peak memory"] = f"{measure_memory(name, way) / 2**20:.0f} MiB"
