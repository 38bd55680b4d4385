"""Packed codes against plain arrays of 0 and 1."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save_file

from nhlib import NeuralCodes, drop_constant_bits
from nhlib.codes.code_format import FORMAT

LAYOUTS = [{"bits": (11,)}, {"a": (3,), "b": (8,)}, {"conv": (1, 2, 4), "empty": (0,), "c": (3,)}]

some_bits = st.integers(1, 30).flatmap(
    lambda n: arrays(np.uint8, (n, 11), elements=st.integers(0, 1))
)
layouts = st.sampled_from(LAYOUTS)


def random_bits(n, n_bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_bits), dtype=np.uint8)


@given(some_bits, layouts)
def test_bits_survive_packing(bits, layers):
    codes = NeuralCodes.from_bits(bits, layers)
    assert np.array_equal(codes.bits(), bits)
    assert (len(codes), codes.n_bits, dict(codes.layers)) == (len(bits), 11, layers)
    assert codes == NeuralCodes(codes.packed, layers)
    assert codes == NeuralCodes.from_bits(bits.astype(float), layers)


def test_packed_bytes_are_those_of_packbits_layer_by_layer():
    bits = random_bits(5, 13)
    codes = NeuralCodes.from_bits(bits, {"a": (3,), "b": (2, 5)})
    expected = [np.packbits(bits[:, :3], axis=1), np.packbits(bits[:, 3:], axis=1)]
    assert np.array_equal(codes.packed, np.hstack(expected))
    assert codes.packed.dtype == np.uint8
    assert codes.n_bytes == 3


@given(some_bits, layouts)
def test_distinct_codes_and_groups_against_a_dictionary(bits, layers):
    codes = NeuralCodes.from_bits(bits, layers)
    numbers = {}
    expected = [numbers.setdefault(tuple(row), len(numbers)) for row in bits.tolist()]
    assert codes.groups().tolist() == expected
    assert codes.groups().dtype == np.int64
    assert codes.n_distinct == len(numbers)


@given(some_bits, some_bits, layouts)
def test_hamming_counts_differing_bits(a, b, layers):
    distances = NeuralCodes.from_bits(a, layers).hamming(NeuralCodes.from_bits(b, layers))
    assert distances.dtype == np.int32
    assert np.array_equal(distances, (a[:, None] != b[None]).sum(axis=2))


def test_hamming_over_many_blocks_and_words():
    a, b = random_bits(700, 200), random_bits(900, 200, seed=1)
    distances = NeuralCodes.from_bits(a).hamming(NeuralCodes.from_bits(b))
    expected = a.astype(int) @ (1 - b.T) + (1 - a.astype(int)) @ b.T
    assert np.array_equal(distances, expected)


@pytest.mark.parametrize(
    "key",
    [slice(2, 7), slice(None, None, -2), [4, 4, 0], np.arange(10) % 3 == 0, -1, slice(0, 0), []],
)
def test_selecting_examples(key):
    bits = random_bits(10, 13)
    codes = NeuralCodes.from_bits(bits, {"a": (3,), "b": (10,)})
    expected = bits[[key] if isinstance(key, int) else key]
    assert np.array_equal(codes[key].bits(), expected.reshape(-1, 13))
    assert codes[key].layers == codes.layers


def test_selecting_layers():
    bits = random_bits(6, 13)
    codes = NeuralCodes.from_bits(bits, {"a": (3,), "b": (2, 4), "c": (2,)})
    assert np.array_equal(codes["b"].bits(), bits[:, 3:11])
    assert np.array_equal(codes[["c", "a"]].bits(), np.hstack([bits[:, 11:], bits[:, :3]]))
    assert codes["b"].layers == {"b": (2, 4)}
    with pytest.raises(KeyError, match="no layer 'd'; there are a, b, c"):
        codes["d"]


@pytest.mark.parametrize("key", [10, -11])
def test_an_example_that_is_not_there(key):
    with pytest.raises(IndexError, match=f"there are 10 codes, so none at {key}"):
        NeuralCodes.from_bits(random_bits(10, 4))[key]


@pytest.mark.parametrize("key", [(1, 2, 3), 1.5, np.zeros((2, 2), int), np.ones(3, bool)])
def test_a_key_that_makes_no_sense(key):
    codes = NeuralCodes.from_bits(random_bits(10, 4))
    if isinstance(key, tuple):
        assert np.array_equal(codes[key].bits(), codes[[1, 2, 3]].bits())
        return
    with pytest.raises(IndexError):
        codes[key]


def test_codes_cannot_be_changed():
    codes = NeuralCodes.from_bits(random_bits(3, 4))
    with pytest.raises(ValueError, match="read-only"):
        codes.packed[0, 0] = 1
    with pytest.raises(TypeError):
        codes.layers["bits"] = (5,)


def test_equality():
    bits = random_bits(3, 4)
    codes = NeuralCodes.from_bits(bits)
    assert codes != NeuralCodes.from_bits(1 - bits)
    assert codes != NeuralCodes.from_bits(bits, {"other": (4,)})
    assert codes != NeuralCodes.from_bits(bits, {"bits": (2, 2)})
    assert codes != codes[:2]
    assert codes != "codes"


def test_codes_can_be_copied_and_sent_to_other_processes():
    codes = NeuralCodes.from_bits(random_bits(3, 11), {"a": (3,), "b": (2, 4)})
    assert pickle.loads(pickle.dumps(codes)) == codes
    assert copy.deepcopy(codes) == codes


def test_repr_is_short_for_deep_networks():
    shapes = {f"relu{i}": (2,) for i in range(40)}
    text = repr(NeuralCodes.from_bits(random_bits(3, 80), shapes))
    assert text == (
        "NeuralCodes(3 examples × 80 bits, relu0: 2, relu1: 2, relu2: 2, … 35 more …, "
        "relu38: 2, relu39: 2)"
    )


@pytest.mark.parametrize(
    ("bits", "layers", "message"),
    [
        ([0, 1], None, r"shape \(n, n_bits\) is needed, not \(2,\)"),
        ([[0, 2]], None, "only 0 and 1 are allowed, but there is .*2.*; for pre-activations"),
        ([[0.5, 1]], None, "only 0 and 1"),
        ([[float("nan"), 1]], None, "only 0 and 1"),
        ([[0, 1]], {"a": (3,)}, "take 3 bits, but bits has 2"),
    ],
)
def test_bad_bits(bits, layers, message):
    with pytest.raises(ValueError, match=message):
        NeuralCodes.from_bits(bits, layers)


@pytest.mark.parametrize("packed", [np.zeros((3, 1), np.int64), np.zeros(3, np.uint8)], ids=str)
def test_bytes_are_a_table(unchecked, packed):
    with pytest.raises(ValueError, match=f"packed: a uint8 .* not {packed.dtype} of shape"):
        unchecked(NeuralCodes.__init__)(NeuralCodes.__new__(NeuralCodes), packed, {"a": (5,)})


def test_of_no_codes_no_bit_is_constant():
    none = NeuralCodes.from_bits(np.zeros((0, 5)))
    assert drop_constant_bits(none, none) == (none, none)


def test_bytes_that_do_not_fit_the_layout():
    with pytest.raises(ValueError, match=r"packed has 2 bytes a row, but layers .* take 1"):
        NeuralCodes(np.zeros((3, 2), np.uint8), {"a": (5,)})
    with pytest.raises(ValueError, match="padding bits of layer 'a' are not 0"):
        NeuralCodes(np.ones((3, 1), np.uint8), {"a": (5,)})


def test_codes_of_no_bits_are_all_equal():
    codes = NeuralCodes.from_bits(np.zeros((4, 0), np.uint8))
    assert (codes.n_distinct, codes.groups().tolist()) == (1, [0, 0, 0, 0])
    assert codes.hamming(codes).tolist() == [[0] * 4] * 4


# -- files -----------------------------------------------------------------------------------


@given(some_bits, layouts)
def test_files_bring_back_the_same_codes(tmp_path_factory, bits, layers):
    path = tmp_path_factory.mktemp("codes") / "some.codes"
    codes = NeuralCodes.from_bits(bits, layers)
    codes.save(path)
    assert NeuralCodes.load(path) == codes
    assert [file.name for file in path.parent.iterdir()] == ["some.codes"]


def test_every_truncation_is_noticed(tmp_path):
    NeuralCodes.from_bits(random_bits(20, 40)).save(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    for length in range(len(content)):
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(ValueError, match="cut short or is no file of neural codes"):
            NeuralCodes.load(tmp_path / "cut")


def test_foreign_and_future_files(tmp_path):
    foreign, future = tmp_path / "foreign", tmp_path / "future"
    save_file({"packed": np.zeros((2, 1), np.uint8)}, foreign)
    with pytest.raises(ValueError, match="holds no codes"):
        NeuralCodes.load(foreign)
    layers = json.dumps([["bits", [8]]])
    metadata = {"format": FORMAT, "version": "2", "layers": layers}
    save_file({"packed": np.zeros((2, 1), np.uint8)}, future, metadata)
    with pytest.raises(ValueError, match="has format version 2, and this nhlib reads version 1"):
        NeuralCodes.load(future)
    (tmp_path / "text").write_text("not codes at all, but long enough to look like a header")
    with pytest.raises(ValueError, match="no file of neural codes"):
        NeuralCodes.load(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match="there is no file .*nothing"):
        NeuralCodes.load(tmp_path / "nothing")


def test_saving_never_leaves_half_a_file(tmp_path):
    codes = NeuralCodes.from_bits(random_bits(5, 9))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        codes.save(tmp_path / "missing" / "some.codes")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - the system's own words
        codes.save(tmp_path / "folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


# -- constant bits ---------------------------------------------------------------------------


@given(some_bits, some_bits, layouts)
def test_dropping_constant_bits(a, b, layers):
    train, test = (NeuralCodes.from_bits(bits, layers) for bits in (a, b))
    small_train, small_test = drop_constant_bits(train, test)
    together = np.vstack([a, b])
    mask = together.min(axis=0) != together.max(axis=0)
    assert np.array_equal(small_train.bits(), a[:, mask])
    assert np.array_equal(small_test.bits(), b[:, mask])
    assert list(small_train.layers) == list(layers)
    assert small_train.n_distinct == train.n_distinct or small_test.n_bits == 0
    assert np.array_equal(small_train.hamming(small_test), train.hamming(test))


def test_dropping_needs_codes_of_one_layout():
    a, b = NeuralCodes.from_bits([[1, 0]]), NeuralCodes.from_bits([[1, 0, 1]])
    with pytest.raises(ValueError, match="the layers differ"):
        drop_constant_bits(a, b)
    with pytest.raises(ValueError, match="the layers differ"):
        a.hamming(b)
    with pytest.raises(ValueError, match="at least one set of codes"):
        drop_constant_bits()
