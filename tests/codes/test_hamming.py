"""Hamming distances of packed codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhlib.codes import hamming
from nhlib.codes.hamming import hamming_distances


def random_rows(n, n_bytes, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, n_bytes), dtype=np.uint8)


def by_bits(codes, others):
    one, other = np.unpackbits(codes, axis=1), np.unpackbits(others, axis=1)
    return (one[:, None] != other).sum(axis=2)


@pytest.fixture(params=["faiss", "numpy"])
def way(request, monkeypatch):
    if request.param == "faiss":
        pytest.importorskip("faiss")
    else:
        monkeypatch.setattr(hamming, "find_spec", lambda name: None)


@pytest.mark.parametrize("n_bytes", [0, 1, 7, 8, 9, 16, 33, 1000])
def test_distances_are_the_bits_that_differ(way, n_bytes):
    codes, others = random_rows(13, n_bytes), random_rows(21, n_bytes, seed=1)
    found = hamming_distances(codes, others)
    assert found.dtype == np.int32
    assert np.array_equal(found, by_bits(codes, others))


@given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 40), st.integers(1, 400))
def test_blocks_do_not_matter(n, m, n_bytes, block):
    codes, others = random_rows(n, n_bytes), random_rows(m, n_bytes, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "_BLOCK", block)
        patch.setattr(hamming, "_CACHED", block // 2)
        patch.setattr(hamming, "_PAIRS", block)
        assert np.array_equal(hamming_distances(codes, others), by_bits(codes, others))


def test_many_pairs_of_long_rows(way):
    codes = random_rows(40, 20_011)
    found = hamming_distances(codes, codes)
    assert not found.diagonal().any()
    assert np.array_equal(found, found.T)
    assert found[3, 8] == np.bitwise_count(codes[3] ^ codes[8]).sum()


def test_rows_may_be_mapped_from_a_file(tmp_path, way):
    codes = random_rows(30, 50)
    codes.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.uint8, "r", shape=codes.shape)
    assert np.array_equal(hamming_distances(mapped, codes[:5]), by_bits(codes, codes[:5]))
