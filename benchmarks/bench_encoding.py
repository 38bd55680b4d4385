"""`encode` beside the bare forward pass and beside what one would write without it.

The pairs run on the same inputs in batches of the same size, in eval mode without gradients.
The baseline that ratios refer to is the bare forward pass.
"""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import resnet18
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

import nhlib as nh

BATCH = 1024
MLP = "MLP 784-100-10, 48,000 inputs"
RESNET = "ResNet-18, 4,096 inputs of 3 × 32 × 32"


def workload(name):
    torch.manual_seed(0)
    if name == MLP:
        return nh.mlp(784, [100], 10).eval(), torch.rand(48_000, 1, 28, 28)
    return resnet18(num_classes=10).eval(), torch.rand(4096, 3, 32, 32)


def forward(network, inputs):
    with torch.no_grad():
        for batch in inputs.split(BATCH):
            network(batch)


def extract_and_concatenate(network, inputs):
    """As the paper's authors did: all activations of all inputs, > 0, side by side."""
    relus = [node for node in get_graph_node_names(network)[1] if "relu" in node]
    extractor = create_feature_extractor(network, relus)
    with torch.no_grad():
        parts = [
            torch.hstack([(x > 0).flatten(1).to(torch.int8) for x in extractor(batch).values()])
            for batch in inputs.split(BATCH)
        ]
    return torch.vstack(parts).numpy()


WAYS = {
    "bare forward pass": forward,
    "nh.encode": lambda network, inputs: nh.encode(network, inputs, batch_size=BATCH),
    "feature extractor + concatenation": extract_and_concatenate,
}


def memory(key):
    """Return a line of Linux's account of this process: its memory now, or at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def peak_memory(name, way, connection):
    """Send by how many bytes the process grows at its peak, beyond network and inputs."""
    network, inputs = workload(name)
    WAYS[way](network, inputs[:8])
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak until now
    before = memory("VmRSS")
    WAYS[way](network, inputs)
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
@pytest.mark.parametrize(
    "name", ["MLP 784-100-10, 48,000 inputs", "ResNet-18, 4,096 × 3 × 32 × 32"]
)
def test_encode(benchmark, name, way):
    network, inputs = workload(name)
    benchmark.group = name
    benchmark.name = way
    rounds = 15 if name == MLP else 5
    result = benchmark.pedantic(
        WAYS[way], (network, inputs), rounds=rounds, iterations=1, warmup_rounds=1
    )
    if Path("/proc/self/clear_refs").exists():
        benchmark.extra_info["peak memory"] = f"{measure_memory(name, way) / 2**20:.0f} MiB"
    if way == "feature extractor + concatenation":
        assert np.array_equal(result, nh.encode(network, inputs, batch_size=BATCH).bits())
