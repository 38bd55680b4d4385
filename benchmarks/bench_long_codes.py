"""Codes of 10⁵ to 10⁶ bits: their distances, beside scikit-learn, and their way to a file.

The distances of both are exact. `test_streaming` writes 6.25 GB to the folder for temporary files.
"""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import pairwise_distances
from torch import nn

import nhlib as nh

N_BITS = 500_000


def rows(n, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, N_BITS // 8), dtype=np.uint8)


def of_scikit_learn(codes, others):
    bits = [part.bits().astype(bool) for part in (codes, others)]
    return np.rint(pairwise_distances(*bits, metric="hamming") * N_BITS).astype(np.int32)


WAYS = {
    "codes.hamming": lambda codes, others: codes.hamming(others),
    'scikit-learn, metric="hamming"': of_scikit_learn,
}


@pytest.mark.parametrize("way", WAYS)
def test_distances(benchmark, way):
    layers = {"long": (N_BITS,)}
    codes, others = nh.NeuralCodes(rows(50, 0), layers), nh.NeuralCodes(rows(500, 1), layers)
    benchmark.group = "Hamming distances, 50 × 500 codes of 500,000 bits"
    benchmark.name = way
    found = benchmark.pedantic(WAYS[way], (codes, others), rounds=2, iterations=1)
    assert np.array_equal(found, codes.hamming(others))


def test_more_distances(benchmark):
    layers = {"long": (N_BITS,)}
    codes, others = nh.NeuralCodes(rows(1000, 0), layers), nh.NeuralCodes(rows(10_000, 1), layers)
    benchmark.group = "Hamming distances, 1,000 × 10,000 codes of 500,000 bits"
    benchmark.name = "codes.hamming"
    benchmark.pedantic(codes.hamming, (others,), rounds=1, iterations=1)


def _stream(path, n, n_bits, answer):
    torch.set_num_threads(1)
    network = nn.Sequential(
        nn.Conv2d(1, n_bits // 1024, 1), nn.ReLU(), nn.Flatten(), nn.Linear(n_bits, 1, bias=False)
    )
    inputs = torch.rand(n, 1, 32, 32)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak until now
    before = _memory("VmRSS")
    nh.encode(network, inputs, batch_size=64, out=path, progress=False)
    answer.put((_memory("VmHWM") - before) / 2**20)


def _memory(what):
    """Return bytes of Linux's account of this process: its memory now, or at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(what))


def test_streaming(benchmark, tmp_path):
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    arguments = tmp_path / "codes", 50_000, 1_000_448, answer

    def run():
        child = context.Process(target=_stream, args=arguments)
        child.start()
        child.join()
        return answer.get(timeout=1)

    benchmark.group = "50,000 codes of 1,000,448 bits to a file"
    benchmark.name = "nh.encode(out=...)"
    grown = benchmark.pedantic(run, rounds=1, iterations=1)
    benchmark.extra_info["peak memory beyond network and inputs"] = f"{grown:,.0f} MiB"
    assert grown < 2048
    (tmp_path / "codes").unlink()
