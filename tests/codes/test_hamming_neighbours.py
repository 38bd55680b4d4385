"""Neighbours by tensor products, in blocks, against a stable sort of all distances."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nhlib.codes import neighbours
from nhlib.codes.neighbours import hamming_neighbours

CPU = torch.device("cpu")


def random_bits(n, n_bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_bits), dtype=np.uint8)


@pytest.fixture
def small_blocks(monkeypatch):
    """Make everything that goes block by block take many blocks."""
    monkeypatch.setattr(neighbours, "_PRODUCTS", 300)
    monkeypatch.setattr(neighbours, "_UNPACKED", 2000)


def check_neighbours(queries, points, k):
    # A stable sort by distance leaves equal distances in the order of their indices.
    all_distances = (queries[:, None] != points).sum(axis=2)
    expected = all_distances.argsort(axis=1, kind="stable")[:, :k]
    done = []
    packed = (np.packbits(bits, axis=1) for bits in (queries, points))
    distances, indices = hamming_neighbours(*packed, k, CPU, done.append)
    assert np.array_equal(indices, expected)
    assert np.array_equal(distances, np.take_along_axis(all_distances, expected, axis=1))
    assert (distances.dtype, indices.dtype) == (np.int32, np.int64)
    assert sum(done) == len(queries)
    return done


@given(st.data(), st.integers(1, 20), st.integers(1, 60), st.integers(1, 12))
def test_neighbours_and_their_ties_against_brute_force(data, n, m, n_bits):
    bits = data.draw(arrays(np.uint8, (n + m, n_bits), elements=st.integers(0, 1)))
    check_neighbours(bits[:n], bits[n:], data.draw(st.integers(1, m)))


@pytest.mark.parametrize("n_bits", [1, 7, 8, 100, 1003])
@pytest.mark.parametrize("k", [1, 5, 70])
def test_neighbours_over_many_blocks(small_blocks, n_bits, k):
    done = check_neighbours(random_bits(50, n_bits), random_bits(70, n_bits, seed=1), k)
    assert done == [4] * 12 + [2]  # 300 pairs are 4 queries and 70 points


def test_blocks_of_bits_are_as_small_as_they_should_be(small_blocks, monkeypatch):
    unpacked, unpack = [], neighbours._signs

    def record(packed):
        unpacked.append(8 * packed.size(1))
        return unpack(packed)

    monkeypatch.setattr(neighbours, "_signs", record)
    check_neighbours(random_bits(4, 1003), random_bits(70, 1003, seed=1), 3)
    assert max(unpacked) == 24  # 2000 bits are 24 for each of 74 rows, in whole bytes
    assert sum(unpacked) == 2 * 1008


def test_more_points_than_a_block_has_pairs(small_blocks):
    assert check_neighbours(random_bits(3, 30), random_bits(3000, 30, seed=1), 40) == [1, 1, 1]


def test_identical_codes_come_by_index():
    bits = np.repeat(random_bits(1, 20), 500, axis=0)
    check_neighbours(bits[:3], bits, 500)


def test_distances_of_very_long_codes_are_exact():
    points = np.zeros((3, 1 << 21), np.uint8)
    points[0] = 255
    points[1, -1] = 1
    distances, indices = hamming_neighbours(np.zeros_like(points[:1]), points, 3, CPU)
    assert (distances.tolist(), indices.tolist()) == ([[0, 1, 1 << 24]], [[2, 1, 0]])
    points[0, 0] = 254
    assert hamming_neighbours(points[2:], points, 3, CPU)[0].tolist() == [[0, 1, (1 << 24) - 1]]


def test_codes_that_nobody_may_write_to_codes_of_no_bits_and_no_queries():
    codes = np.packbits(random_bits(5, 9), axis=1)
    codes.flags.writeable = False
    assert hamming_neighbours(codes, codes, 1, CPU)[0].tolist() == [[0]] * 5
    nothing = np.zeros((4, 0), np.uint8)
    distances, indices = hamming_neighbours(nothing, nothing, 2, CPU)
    assert (distances.tolist(), indices.tolist()) == ([[0, 0]] * 4, [[0, 1]] * 4)
    assert hamming_neighbours(codes[:0], codes, 2, CPU)[1].shape == (0, 2)


@pytest.mark.parametrize("k", [0, 6])
def test_a_number_of_neighbours_that_there_are_not(k):
    codes = np.zeros((5, 1), np.uint8)
    with pytest.raises(ValueError, match="k: a whole number from 1 to 5 is needed, not"):
        hamming_neighbours(codes, codes, k, CPU)


def test_codes_too_long_to_be_exact():
    codes = np.zeros((1, (1 << 21) + 1), np.uint8)
    with pytest.raises(ValueError, match="at most 16777216 bits are allowed, not 16777224"):
        hamming_neighbours(codes, codes, 1, CPU)
