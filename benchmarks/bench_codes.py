"""Counting distinct codes beside NumPy's own way to count distinct rows."""

import numpy as np
import pytest

import nhlib as nh

WAYS = {
    "np.unique(bits, axis=0)": lambda bits, codes: len(np.unique(bits, axis=0)),
    "codes.n_distinct": lambda bits, codes: nh.NeuralCodes(codes.packed, codes.layers).n_distinct,
    "from bits, packing included": lambda bits, codes: nh.NeuralCodes.from_bits(bits).n_distinct,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(48_000, 100), (10_000, 50_000)])
def test_distinct_codes(benchmark, shape, way):
    # A tenth of the rows comes twice.
    bits = np.random.default_rng(0).integers(0, 2, shape, dtype=np.uint8)
    bits[: shape[0] // 10] = bits[shape[0] // 2 : shape[0] // 2 + shape[0] // 10]
    codes = nh.NeuralCodes.from_bits(bits)
    benchmark.group = "distinct codes, {:,} × {:,} bits".format(*shape)
    benchmark.name = way
    rounds = 9 if shape[1] == 100 else 2
    found = benchmark.pedantic(WAYS[way], (bits, codes), rounds=rounds, iterations=1)
    assert found == shape[0] - shape[0] // 10
