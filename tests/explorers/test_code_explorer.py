"""CodeExplorer: its script's neighbours and groups beside nhlib's, and what it embeds."""

import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

import nhlib as nh
from nhlib.explorers.codes.code_explorer import CodeExplorer

NAMES = (
    "accuracyOf, bitOf, codesFrom, groupsOf, hammingDistances, nearestOthers, redundancyRatio, "
    "sharedCodes, squaredDistances, votesOf"
)


def table_of(bits, before, after):
    """Pack codes as columns of a wider table; return its bytes and those of a row."""
    rng = np.random.default_rng(0)
    wide = [rng.integers(0, 2, (len(bits), n)) for n in (before, after)]
    packed = np.packbits(np.hstack([wide[0], bits, wide[1]]).astype(np.uint8), axis=1)
    return packed.ravel().tolist(), packed.shape[1]


def seen(node, bits, labels, k, before=0, after=0):
    """Return what the script measures."""
    table, stride = table_of(bits, before, after)
    script = """
      const table = Uint8Array.from(given.table);
      const codes = codesFrom(table, given.stride, given.first, given.length);
      const apart = hammingDistances(codes);
      const nearest = nearestOthers(apart, codes.n, given.k);
      const votes = votesOf(nearest, given.k, given.k, given.labels, given.classes);
      const groups = groupsOf(codes);
      return {
        bits: [...Array(codes.n).keys()].map((i) =>
          [...Array(codes.length).keys()].map((b) => bitOf(codes, i, b))),
        apart: [...apart], nearest: [...nearest], votes: [...votes], groups: [...groups],
        accuracy: accuracyOf(votes, given.labels), shared: sharedCodes(groups),
        redundancy: redundancyRatio(codes.n, Math.max(...groups) + 1),
      };
    """
    asked = {"table": table, "stride": stride, "first": before, "length": bits.shape[1], "k": k}
    asked |= {"labels": labels.tolist(), "classes": int(labels.max()) + 1}
    return node({"common/neighbours.js": NAMES}, script, asked)


@st.composite
def coded(draw):
    """Draw few bits, so that codes are shared and distances equal, or more than a word of them."""
    n, length = draw(st.integers(3, 30)), draw(st.sampled_from([1, 3, 6, 32, 33, 70]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bits = (rng.random((n, length)) < draw(st.sampled_from([0.1, 0.5]))).astype(np.uint8)
    k = draw(st.integers(1, n - 1))
    return bits, rng.integers(0, draw(st.integers(1, 5)), n), k


@given(coded(), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=15)
def test_measures_are_those_of_nhlib(node, case, before, after):
    bits, labels, k = case
    codes = nh.NeuralCodes.from_bits(bits)
    found = seen(node, bits, labels, k, before, after)
    assert np.array_equal(found["bits"], bits)
    apart = codes.hamming(codes)
    assert np.array_equal(np.reshape(found["apart"], apart.shape), apart)
    right = 0
    nearest = np.reshape(found["nearest"], (len(bits), k))
    for i in range(len(bits)):
        others = np.delete(np.arange(len(bits)), i)
        _, near = nh.nearest_codes(codes[[i]], codes[others], k)
        assert np.array_equal(nearest[i], others[near[0]])
        # Leaving one out is a K-NN that was given all the others.
        one = nh.knn_accuracy(
            codes[others], labels[others], codes[[i]], _known(labels[i], labels[others]), k=k
        )
        right += one if labels[i] in labels[others] else 0
    assert found["accuracy"] == pytest.approx(right / len(bits))
    assert found["redundancy"] == nh.redundancy_ratio(codes)
    groups = np.array(found["groups"])
    same = codes.groups()
    assert np.array_equal(groups[:, None] == groups, same[:, None] == same)
    sizes = [len(members) for members in found["shared"]]
    assert sizes == sorted(np.bincount(same)[np.bincount(same) > 1].tolist(), reverse=True)
    for members in found["shared"]:
        assert members == np.flatnonzero(same == same[members[0]]).tolist()


def _known(label, labels):
    """A class that does not occur among the points cannot be asked for, nor be voted for."""
    return [label if label in labels else labels[0]]


def test_distances_of_pixels_are_exact(node):
    digits = nh.load("digits").train
    pixels = (16 * digits.inputs).flatten(1).numpy()[:50]
    script = "return [...squaredDistances(Uint8Array.from(given), 64)];"
    found = node({"common/neighbours.js": NAMES}, script, pixels.ravel().astype(int).tolist())
    theirs = ((pixels[:, None] - pixels) ** 2).sum(axis=2)
    assert np.array_equal(np.reshape(found, theirs.shape), theirs)
    # Of all digits they fit into 16 bits.
    assert 64 * 16**2 < 2**16


def test_what_is_embedded_are_the_digits_and_their_codes(node):
    explorer = CodeExplorer()
    digits = nh.load("digits").train
    stride = len(explorer._bits) // len(digits)
    bits = np.unpackbits(np.frombuffer(explorer._bits, np.uint8).reshape(-1, stride), axis=1)
    assert np.frombuffer(explorer._labels, np.uint8).tolist() == digits.labels.tolist()
    levels = np.unpackbits(np.frombuffer(explorer._pixels, np.uint8))[: len(digits) * 320]
    levels = levels.reshape(-1, 64, 5) @ [16, 8, 4, 2, 1]
    assert np.array_equal(levels, (16 * digits.inputs).flatten(1).numpy())
    for name, network in explorer._networks.items():
        for protocol, columns in network["columns"].items():
            for epoch, begin in columns.items():
                shown = CodeExplorer(network=name, protocol=protocol, epoch=int(epoch))
                theirs = shown.codes().bits()
                assert sum(network["layers"]) == theirs.shape[1]
                assert np.array_equal(bits[:, begin : begin + theirs.shape[1]], theirs)


def test_codes_are_those_of_the_network_that_it_names():
    data = nh.load("digits")
    network = nh.mlp(64, [16, 16, 16], 10, batch_norm=True, seed=0)
    nh.fit(network, data, nh.Recipe.code(epochs=10, patience=None), seed=0, progress=False)
    explorer = CodeExplorer(network="16-16-16", protocol="B", epoch=10, layer="relu2")
    expected = nh.encode(network, data.train, layers="relu2")
    assert explorer.codes() == expected
    other = CodeExplorer(network="16-16-16").codes(protocol="B", epoch=10, layer="relu2")
    assert other == expected
    for wrong in ({"epoch": 2}, {"width": 6}, {"network": 50}):
        with pytest.raises(ValueError, match="name network, protocol, epoch, layer"):
            explorer.codes(**wrong)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"network": "7"}, traitlets.TraitError, "network"),
        ({"epoch": 2}, traitlets.TraitError, "epoch"),
        ({"digit": 1437}, traitlets.TraitError, "1436"),
        ({"k": 0}, traitlets.TraitError, "k"),
        ({"layer": "relu2"}, ValueError, "network '50' has 'all', 'relu1', not 'relu2'"),
        ({"digits": 3}, TypeError, "no setting 'digits'; it has .*digit"),
    ],
)
def test_settings_that_are_none(given, error, words):
    with pytest.raises(error, match=words):
        CodeExplorer(**given)


@pytest.mark.parametrize(
    ("given", "alt", "caption"),
    [
        ({"view": "matrix"}, "160 digits as rows", "have 782 distinct codes"),
        (
            {"view": "collisions", "network": "12", "protocol": "B"},
            "Pictures of digits that share a code: 23 digits, classes 1, 2, 8;",
            "protocol B, after epoch 30",
        ),
        (
            {"view": "neighbours", "digit": 5, "epoch": 0, "network": "16-16-16", "layer": "relu1"},
            "nearest by pixels: classes",
            "The code of relu1 of 16 + 16 + 16 hidden units, protocol A, before training",
        ),
    ],
)
def test_stills_say_what_they_show(given, alt, caption):
    html = CodeExplorer(**given)._repr_mimebundle_()[0]["text/html"]
    assert "<svg" in html
    assert alt in html.split("<figcaption>")[0].split("aria-label")[1]
    assert caption in html.split("<figcaption>")[1]
