"""The regions that the page cuts, beside those of nhlib.partition and those of exact fractions."""

from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from polygon_splitter import area, linear_regions, split

import nhlib as nh
from nhlib.regions import fold

SQUARE = (-1.0, 1.0, -1.0, 1.0)
MODULES = {"regions/network.js": "Network", "regions/partition.js": "partition"}
# All that a partition has, for a list of networks.
SCRIPT = """return given.map(({ sizes, weights }) => {
  const found = partition(new Network(sizes).load(Float32Array.from(weights)));
  const regions = found.codes.map((_, region) => region);
  return {
    linear: found.nLinearRegions,
    codes: found.codes.map((code) => Array.from(code)),
    areas: regions.map((region) => found.area(region)),
    centroids: regions.map((region) => found.centroid(region)),
    maps: regions.map((region) => found.affineMap(region)),
    located: regions.map((region) => found.locate(found.centroid(region))),
    polygons: found.polygons.map((corners) => corners.map((i) => [found.x[i], found.y[i]])),
    pairs: found.pairs,
    units: found.units.filter((_, e) => found.left[e] >= 0 && found.right[e] >= 0),
    vertices: found.x.length,
    edges: found.units.length,
    boundary: found.boundary,
  };
});"""


def cut(node, networks):
    """Return what the page finds of some networks, in one run of node."""
    given = []
    for network in networks:
        layers = fold(network, (2,)).layers
        given.append(
            {
                "sizes": [2, *(len(layer.biases) for layer in layers)],
                "weights": [
                    float(value)
                    for layer in layers
                    for part in (layer.weights, layer.biases)
                    for value in part.ravel()
                ],
            }
        )
    return node(MODULES, SCRIPT, given)


def network_from(*layers):
    """Make a network of hidden layers (weights, biases), and two outputs of whole weights."""
    width = len(layers[-1][1])
    last = np.random.default_rng(width).integers(-2, 3, (2, width)), [0.0, 0.0]
    modules = []
    for weights, biases in (*layers, last):
        linear = torch.nn.Linear(np.shape(weights)[1], len(biases))
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(np.asarray(weights, float)))
            linear.bias.copy_(torch.tensor(np.asarray(biases, float)))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def matrices(network):
    return [(layer.weights, layer.biases, layer.slopes) for layer in fold(network, (2,)).layers]


def check(seen, expected):
    """Compare what the page has found with a partition of nhlib's, region by region."""
    codes = [tuple(code) for code in seen["codes"]]
    ours = {code: i for i, code in enumerate(codes)}
    theirs = [tuple(code) for code in expected.codes.bits().tolist()]
    assert Counter(codes) == Counter(theirs)
    order = [ours[code] for code in theirs]
    assert seen["linear"] == expected.n_linear_regions
    assert np.take(seen["areas"], order) == pytest.approx(expected.areas, abs=1e-9)
    assert np.sum(seen["areas"]) == pytest.approx(4, abs=1e-12)
    maps = np.array(seen["maps"])[order]
    scale = 1 + np.abs(expected.offsets).max() + np.abs(expected.slopes).max()
    assert np.allclose(maps[:, :, :2], expected.slopes, rtol=0, atol=1e-12 * scale)
    assert np.allclose(maps[:, :, 2], expected.offsets, rtol=0, atol=1e-12 * scale)
    assert seen["located"] == list(range(len(codes)))
    # Neighbours differ in the unit whose line parts them, the first of several.
    bits = np.array(seen["codes"])
    pairs = {frozenset((codes[i], codes[j])) for i, j in seen["pairs"]}
    assert len(pairs) == len(seen["pairs"])
    assert pairs == {
        frozenset((theirs[i], theirs[j]))
        for i, row in enumerate(expected.neighbours)
        for j in row.tolist()
    }
    left, right = np.array(seen["pairs"], int).reshape(-1, 2).T
    assert (bits[left] != bits[right]).argmax(axis=1).tolist() == seen["units"]
    assert (seen["vertices"], seen["edges"]) == (len(expected.vertices), len(expected.edges))
    # The boundary, piece by piece.
    lengths = [
        np.hypot(*np.diff(np.reshape(pieces, (-1, 2, 2)), axis=1)[:, 0].T).sum()
        for pieces in (seen["boundary"], expected.decision_boundary())
    ]
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-9)


def trained(widths, data, epochs, seed, rate=0.01):
    network, data = nh.mlp(2, widths, 2, seed=seed), nh.load(data, 100)
    recipe = nh.Recipe(epochs=epochs, batch_size=100, learning_rate=rate)
    nh.fit(network, data, recipe, progress=False)
    return network


@pytest.mark.parametrize(
    "widths", [[1], [24], [8, 8], [16, 16], [12, 12, 12], [24, 24, 24]], ids=str
)
def test_networks_before_training(node, widths):
    # All lines of the first layer run through one point.
    networks = [nh.mlp(2, widths, 2, seed=seed) for seed in range(6)]
    for seen, network in zip(cut(node, networks), networks, strict=True):
        check(seen, nh.partition(network))


def test_networks_in_training(node):
    networks = [
        trained(widths, data, epochs, seed, rate)
        for seed, (widths, data, epochs, rate) in enumerate(
            [
                ([8, 8], "moons", 1, 0.01),
                ([8, 8], "moons", 150, 0.01),
                ([16, 16], "spirals", 100, 0.03),
                ([24, 24, 24], "spirals", 60, 0.01),
                ([8, 8], "moons", 30, 1.0),
                ([12, 12, 12], "moons", 30, 0.3),
                ([8, 8], "spirals", 20, 10.0),
                ([24], "spirals", 60, 0.1),
            ]
        )
    ]
    for seen, network in zip(cut(node, networks), networks, strict=True):
        check(seen, nh.partition(network))


def test_random_biases(node):
    networks = []
    for seed in range(12):
        network = nh.mlp(2, [5 + seed] * (1 + seed % 3), 2, seed=seed)
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.data.uniform_(-0.5, 0.5, generator=generator)
        networks.append(network)
    for seen, network in zip(cut(node, networks), networks, strict=True):
        check(seen, nh.partition(network))


QUARTERS = np.arange(-3, 4) / 4
DIRECTIONS = [[1, 0], [0, 1], [1, 1], [1, -1]]
LATTICE = ([row for row in DIRECTIONS for _ in QUARTERS], np.tile(-QUARTERS, 4))
FOLD_BOTH = ([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 0, 0])  # |x| and |y| are its sums
CORNERS = 0.5 * np.exp(2j * np.pi * (np.arange(9) + 0.1) / 9)
HARD = {
    "duplicates, scaled": [([[1, 2], [3, 6], [0.25, 0.5], [2, 1]], [0.5, 1.5, 0.125, 0])],
    "opposites": [([[1, 2], [-1, -2], [-4, -8]], [0.5, -0.5, -2])],
    "dead, zero and constant": [([[0, 0], [1, 1], [0, 0], [0, 0]], [-1, 0, 0, 1])],
    "all dead": [(np.zeros((3, 2)), [-1, 0, 1]), ([[1, 1, 1], [0, 0, 1]], [-1, 0.5])],
    "on the frame": [([[1, 0], [-1, 0], [0, 1], [0, 2]], [-1, -1, 1, -2])],
    "through the corners": [([[1, 1], [1, -1], [1, 1], [3, 1], [1, 2]], [0, 0, 2, 2, -1])],
    "lattice": [LATTICE],
    "parallel": [([[1, 2]] * 7, QUARTERS)],
    "meet in one point": [([[k, 3 - k] for k in range(7)], [0.25 * k - 0.75 for k in range(7)])],
    "meet on the frame": [([[1, k] for k in range(-3, 4)], [1] * 7)],
    "meet in a corner": [([[1, -k] for k in range(5)], [1 - k for k in range(5)])],
    "second layer through vertices of the first": [
        FOLD_BOTH,
        ([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [0, 0, 1, 1]], [-0.5, 0, 0, -0.5]),
    ],
    "second layer along lines of the first": [
        ([[1, 0], [0, 1], [1, 1]], [0, 0, 0]),
        ([[1, 0, 0], [0, 1, 0], [-1, 1, 0], [1, 1, -1], [-1, -1, 1]], [0, 0, 0, 0, 0]),
    ],
    "folded and folded again": [
        FOLD_BOTH,
        ([[1, 1, 0, 0], [-1, -1, 0, 0], [0, 0, 1, 1], [0, 0, -1, -1]], [-0.5, 0.5, -0.5, 0.5]),
        ([[1, 1, 1, 1], [1, 1, -1, -1], [1, 0, -1, 0]], [-0.25, 0, 0]),
    ],
    "lines of tiny weights": [
        ([[1, 0], [0, 1], [1 / 3, 0], [0, 1 / 3]], [0.1, 0.3, 0.1 / 3, 0.1]),
        ([[-1, 0, 3, 0], [0, -1, 0, 3]], [0, 0]),
    ],
    "diagonals of a polygon": [
        (
            [[(a - b).imag, (b - a).real] for a, b in combinations(CORNERS, 2)],
            [(a.conjugate() * b).imag for a, b in combinations(CORNERS, 2)],
        )
    ],
    "two units that undo each other": [([[1, 0.25], [-1, -0.25], [1, 0.25]], [0, 0, 0])],
    "paths that cancel": [([[1, 0.25]], [0]), ([[0.5], [0.25], [1]], [9, 9, 9])],
    "paths that nearly cancel": [([[1, 0.25]], [0]), ([[1], [2.0**-60], [-1]], [9, 9, 9])],
}


def test_lines_in_special_position_against_nhlib_and_fractions(node):
    networks = [network_from(*layers) for layers in HARD.values()]
    for name, seen, network in zip(HARD, cut(node, networks), networks, strict=True):
        check(seen, nh.partition(network))
        exact = split(matrices(network), SQUARE)
        areas = {region.code: float(area(region.polygon)) for region in exact}
        assert Counter(map(tuple, seen["codes"])) == Counter(areas.keys()), name
        found = dict(zip(map(tuple, seen["codes"]), seen["areas"], strict=True))
        assert found == pytest.approx(areas, abs=1e-9)
        assert seen["linear"] == linear_regions(exact), name


@pytest.mark.parametrize("seed", range(4))
def test_small_whole_numbers_against_fractions(node, seed):
    # With weights in eighths nothing is in general position.
    rng = np.random.default_rng(seed)
    networks = []
    for _ in range(40):
        widths = [2, *rng.integers(1, 6, rng.integers(1, 4))]
        networks.append(
            network_from(
                *(
                    (rng.integers(-6, 7, (b, a)) / 8, rng.integers(-6, 7, b) / 8)
                    for a, b in pairwise(widths)
                )
            )
        )
    for seen, network in zip(cut(node, networks), networks, strict=True):
        exact = split(matrices(network), SQUARE)
        areas = {region.code: float(area(region.polygon)) for region in exact}
        assert Counter(map(tuple, seen["codes"])) == Counter(areas.keys())
        assert seen["linear"] == linear_regions(exact)
        found = dict(zip(map(tuple, seen["codes"]), seen["areas"], strict=True))
        assert found == pytest.approx(areas, abs=1e-9)
        check(seen, nh.partition(network))
