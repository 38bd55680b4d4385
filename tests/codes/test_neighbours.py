"""Nearest codes against a stable sort of all distances."""

import importlib.util

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nhlib import NeuralCodes, drop_constant_bits, nearest_codes
from nhlib.codes import neighbours
from nhlib.codes.neighbours import hamming_neighbours


def random_bits(n, n_bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_bits), dtype=np.uint8)


def by_sorting(bits, others, k):
    """Distances and indices in the order of (distance, index), from all pairs of bits."""
    distances = (bits[:, None] != others[None]).sum(axis=2)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


def check(codes, others, k, bits=None, other_bits=None):
    """Compare both programs with sorting."""
    bits = codes.bits() if bits is None else bits
    other_bits = others.bits() if other_bits is None else other_bits
    expected = by_sorting(bits, other_bits, k)
    packed = codes.packed, others.packed
    for found in (
        nearest_codes(codes, others, k),
        hamming_neighbours(*packed, k, torch.device("cpu"), lambda n_queries: None),
    ):
        assert [part.dtype for part in found] == [np.int32, np.int64]
        assert [part.shape for part in found] == [(len(codes), k)] * 2
        for part, wanted in zip(found, expected, strict=True):
            assert np.array_equal(part, wanted)


@pytest.fixture
def without_faiss(monkeypatch):
    """Hide faiss, and make sure that nothing else gets at it."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        neighbours, "find_spec", lambda name: None if name == "faiss" else find(name)
    )

    def refuse(*_):
        raise AssertionError("faiss was used although it is not there")

    monkeypatch.setattr(neighbours, "_by_faiss", refuse)


# -- the right neighbours --------------------------------------------------------------------


@given(st.data(), st.integers(1, 4), st.integers(1, 12), st.integers(1, 40))
def test_neighbours_and_their_ties_are_those_of_a_stable_sort(data, n_bits, n, m):
    bits = data.draw(arrays(np.uint8, (n + m, n_bits), elements=st.integers(0, 1)))
    codes = NeuralCodes.from_bits(bits)
    check(codes[:n], codes[n:], data.draw(st.integers(1, m)))


@pytest.mark.parametrize("n_bits", [1, 2, 8, 127, 128, 129, 256, 1000])
@pytest.mark.parametrize("k", [1, 9, 200])
def test_lengths_around_the_alignment(n_bits, k):
    check(
        NeuralCodes.from_bits(random_bits(30, n_bits)),
        NeuralCodes.from_bits(random_bits(200, n_bits, seed=1)),
        k,
    )


def test_ties_among_very_many_codes_go_to_the_first():
    codes = NeuralCodes.from_bits(random_bits(5, 3))
    others = NeuralCodes.from_bits(random_bits(20_000, 3, seed=1))
    check(codes, others, 30)


@pytest.mark.parametrize(
    "layers",
    [{"a": (3,), "b": (2, 4), "c": (9,)}, {"a": (20,)}, {"a": (7,), "no": (0,), "b": (13,)}],
)
def test_padding_between_layers_does_not_count(layers):
    bits, others = random_bits(15, 20), random_bits(60, 20, seed=1)
    codes = (NeuralCodes.from_bits(part, layers) for part in (bits, others))
    check(*codes, 12, bits, others)


def test_all_others_are_neighbours_when_all_are_asked_for():
    codes = NeuralCodes.from_bits(random_bits(8, 5))
    others = NeuralCodes.from_bits(random_bits(25, 5, seed=1))
    check(codes, others, 25)
    _, indices = nearest_codes(codes, others, 25)
    assert (np.sort(indices, axis=1) == np.arange(25)).all()


def test_equal_codes_come_in_their_order_even_where_no_bit_is_left():
    codes = NeuralCodes.from_bits(np.ones((6, 3)))
    for some in (codes, *drop_constant_bits(codes)):
        distances, indices = nearest_codes(some, some, 4)
        assert (distances == 0).all()
        assert indices.tolist() == [[0, 1, 2, 3]] * 6
    assert some.n_bits == 0
    check(some, some, 6)


def test_a_code_and_its_complement_differ_in_all_bits():
    bits = random_bits(1, 1000)
    found = nearest_codes(NeuralCodes.from_bits(bits), NeuralCodes.from_bits(1 - bits), 1)
    assert [part.tolist() for part in found] == [[[1000]], [[0]]]


def test_no_queries_have_no_neighbours():
    codes = NeuralCodes.from_bits(random_bits(9, 5))
    check(codes[:0], codes, 3)


# -- how they are found ----------------------------------------------------------------------


@pytest.mark.parametrize("queries", [1, 7, 2048])
def test_blocks_of_queries_do_not_matter(monkeypatch, queries):
    pytest.importorskip("faiss")
    codes = NeuralCodes.from_bits(random_bits(50, 20))
    others = NeuralCodes.from_bits(random_bits(80, 20, seed=1))
    blocks = []
    found = neighbours._by_faiss(codes.packed, others.packed, 6, queries, blocks.append)
    assert sum(blocks) == 50
    assert len(blocks) == -(-50 // queries)
    for one, expected in zip(found, by_sorting(codes.bits(), others.bits(), 6), strict=True):
        assert np.array_equal(one, expected)


@pytest.mark.parametrize("k", [1, 5, 300])
def test_long_codes_are_sorted_by_distance_and_index(monkeypatch, k):
    # Twenty bits that vary among many that do not: ties at every rank.
    bits = np.zeros((400, 140_000), np.uint8)
    bits[:, ::7000] = random_bits(400, 20)
    codes = NeuralCodes.from_bits(bits)

    def refuse(*_):
        raise AssertionError("lists of so long codes would fill the memory")

    monkeypatch.setattr(neighbours, "_by_faiss", refuse)
    monkeypatch.setattr(neighbours, "_PAIRS", 1000)
    found = nearest_codes(codes[:100], codes[100:], k)
    expected = by_sorting(bits[:100, ::7000], bits[100:, ::7000], k)
    assert [part.dtype for part in found] == [np.int32, np.int64]
    for part, wanted in zip(found, expected, strict=True):
        assert np.array_equal(part, wanted)


@pytest.mark.parametrize("n_bits", [0, 1, 5, 130])
def test_neighbours_are_the_same_where_there_is_no_faiss(n_bits, without_faiss):
    codes = NeuralCodes.from_bits(random_bits(40, n_bits))
    others = NeuralCodes.from_bits(random_bits(300, n_bits, seed=1))
    expected = by_sorting(codes.bits(), others.bits(), 11)
    for device in ("cpu", torch.device("cpu")):
        found = nearest_codes(codes, others, 11, device=device)
        assert [part.dtype for part in found] == [np.int32, np.int64]
        for part, wanted in zip(found, expected, strict=True):
            assert np.array_equal(part, wanted)


def test_faiss_is_used_where_it_is(monkeypatch):
    pytest.importorskip("faiss")
    monkeypatch.setattr("nhlib.codes.neighbours.hamming_neighbours", None)
    codes = NeuralCodes.from_bits([[0, 1]])
    assert nearest_codes(codes, codes, 1)[1].tolist() == [[0]]


# -- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [False, True], ids=["faiss", "PyTorch"])
@pytest.mark.parametrize("k", [0, -1, 6])
def test_a_number_of_neighbours_that_there_are_not(k, hidden, request):
    if hidden:
        request.getfixturevalue("without_faiss")
    codes = NeuralCodes.from_bits(random_bits(5, 3))
    with pytest.raises(ValueError, match=f"k: a whole number from 1 to 5 is needed, not {k}"):
        nearest_codes(codes, codes, k)


@pytest.mark.parametrize("k", [2.0, "2", None, True])
def test_a_number_of_neighbours_that_is_not_whole(k, unchecked):
    codes = NeuralCodes.from_bits(random_bits(5, 3))
    with pytest.raises(TypeError, match="k: a whole number from 1 to 5 is needed, not"):
        unchecked(nearest_codes)(codes, codes, k)


def test_codes_that_cannot_be_compared():
    codes = NeuralCodes.from_bits(random_bits(5, 4))
    for others in (
        NeuralCodes.from_bits(random_bits(5, 5)),
        NeuralCodes.from_bits(random_bits(5, 4), {"other": (4,)}),
        NeuralCodes.from_bits(random_bits(5, 4), {"bits": (2, 2)}),
    ):
        with pytest.raises(ValueError, match="others: codes with the same layers are needed"):
            nearest_codes(codes, others, 1)
    with pytest.raises(ValueError, match="others: at least one code is needed, and there is none"):
        nearest_codes(codes, codes[:0], 1)
