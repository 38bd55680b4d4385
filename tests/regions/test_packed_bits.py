"""Packed rows of bits, and numbers by which they are told apart."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhlib.regions.packed_bits import hashes, later_bits, pack, pack_comparison, set_bits

ROWS = st.integers(1, 200).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=5)
)


@given(ROWS)
def test_packed_as_numpy_packs(rows):
    bits = np.array(rows, bool)
    words = pack(bits)
    packed = np.packbits(bits, axis=1)
    assert np.array_equal(words.view(np.uint8)[:, : packed.shape[1]], packed)
    assert not words.view(np.uint8)[:, packed.shape[1] :].any()
    assert [list(found) for found in set_bits(words)] == [list(x) for x in np.nonzero(bits)]
    compared = pack_comparison(np.greater, bits.astype(float), np.full(bits.shape[1], 0.5))
    assert np.array_equal(compared, words)


def test_later_bits():
    for n in (1, 63, 64, 65):
        row, bit = set_bits(later_bits(n))
        assert list(zip(row, bit, strict=True)) == list(combinations(range(n), 2))


@pytest.mark.parametrize("n_words", [1, 2, 8, 31])
def test_rows_that_differ_in_few_bits_are_told_apart(n_words):
    """By the upper half alone, and in the bits that a product spreads least."""
    n = 64 * n_words
    some = np.random.default_rng(1).permutation(n)[:20]
    # Units 0 to 7 of a word have its last byte's place: 56 to 63.
    units = np.unique([*some, *(64 * w + u for w in range(n_words)[-6:] for u in (0, 8, 24, 56))])
    base = np.random.default_rng(0).random(n) < 0.5
    flips = [flip for k in range(4) for flip in combinations(units, k)]
    rows = np.tile(base, (len(flips), 1))
    for row, flip in zip(rows, flips, strict=True):
        row[list(flip)] ^= True
    assert len(np.unique(hashes(pack(rows)) >> np.uint64(16))) == len(flips)
