"""Partitions against exact fractions, against the networks themselves, and against Euler."""

import copy
from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from polygon_splitter import area, linear_regions, split
from torch import nn

import nhlib as nh
from nhlib.regions.folding import fold

SQUARE = (-1.0, 1.0, -1.0, 1.0)
ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.PReLU)

# Widths of the hidden layers, and the number of regions in the square.
COUNTS = {
    (16,): 27,
    (64,): 756,
    (32, 32): 795,
    (32, 32, 32): 1_180,
    (64, 64, 64): 6_668,
    (128, 128, 128): 20_714,
    (512,): 41_593,
    (128, 128, 128, 128): 29_584,
}


def network_of(widths, n_outputs=1, seed=0):
    """PyTorch's default initialization."""
    torch.manual_seed(seed)
    sizes = [2, *widths]
    layers = [
        layer
        for before, after in zip(sizes[:-1], sizes[1:], strict=True)
        for layer in (nn.Linear(before, after), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(widths[-1], n_outputs))


def network_from(*layers):
    """Make a network of (weights, biases, slopes); one slope for all is that of a LeakyReLU."""
    modules = []
    for weights, biases, slopes in layers:
        weights = torch.as_tensor(np.asarray(weights, float))
        linear = nn.Linear(*weights.T.shape).double()
        with torch.no_grad():
            linear.weight.copy_(weights)
            linear.bias.copy_(torch.as_tensor(np.asarray(biases, float)))
        modules.append(linear)
        if np.ndim(slopes):
            prelu = nn.PReLU(len(slopes)).double()
            with torch.no_grad():
                prelu.weight.copy_(torch.as_tensor(np.asarray(slopes, float)))
            modules.append(prelu)
        elif slopes is not None:
            modules.append(nn.LeakyReLU(float(slopes)) if slopes else nn.ReLU())
    return nn.Sequential(*modules)


def matrices(network):
    return [(layer.weights, layer.biases, layer.slopes) for layer in fold(network, (2,)).layers]


def run(network, inputs):
    """Return pre-activations of all hidden units in float64, and outputs."""
    modules = [m for m in copy.deepcopy(network).double().eval().modules() if not [*m.children()]]
    h, found = torch.as_tensor(inputs, dtype=torch.float64), []
    with torch.no_grad():
        for module in modules:
            if isinstance(module, ACTIVATIONS):
                found.append(h.flatten(1).numpy().copy())
            h = module(h)
    return np.hstack(found), h.flatten(1).numpy()


def rounding(z):
    return 1e-11 * np.abs(z).max(axis=0)


# -- what is true of every partition ---------------------------------------------------------


def check_geometry(found):
    """Euler's formula; convex polygons, counterclockwise, that fill the rectangle."""
    left, right, bottom, top = found.extent
    whole = (right - left) * (top - bottom)
    n = found.n_regions
    assert n == len(found.codes) == len(found.polygons) == len(found.areas) == len(found.centroids)
    assert found.codes.n_distinct == n
    assert len(found.vertices) - len(found.edges) + n == 1
    assert (found.areas > 0).all()
    assert found.areas.sum() == pytest.approx(whole, rel=1e-12)

    corners, starts = found.polygons.flat, found.polygons.starts
    assert np.array_equal(np.unique(corners), np.arange(len(found.vertices)))
    assert found.polygons.lengths.min() >= 3
    last = starts[1:] - 1
    after = np.arange(1, len(corners) + 1)
    after[last] = starts[:-1]
    points = found.vertices[corners]
    assert (points >= (left, bottom)).all()
    assert (points <= (right, top)).all()
    side = points[after] - points
    turn = side[after]
    cross, dot = side[:, 0] * turn[:, 1] - side[:, 1] * turn[:, 0], (side * turn).sum(axis=1)
    length = np.hypot(*side.T)
    assert (length > 0).all()
    size = np.abs(found.extent).max()
    assert (cross >= -1e-13 * size * (length + length[after])).all()
    turns = np.add.reduceat(np.arctan2(cross, dot), starts[:-1])
    assert np.allclose(turns, 2 * np.pi)  # once round, and not a star

    # Every side of a polygon is an edge, seen from the region on its left.
    ours = np.stack([corners, corners[after], np.repeat(np.arange(n), found.polygons.lengths)])
    inside = [found.edge_regions[:, k] >= 0 for k in (0, 1)]
    edges = np.hstack(
        [
            np.stack([*found.edges[inside[0]].T, found.edge_regions[inside[0], 0]]),
            np.stack([*found.edges[inside[1]].T[::-1], found.edge_regions[inside[1], 1]]),
        ]
    )
    assert np.array_equal(ours[:, np.lexsort(ours)], edges[:, np.lexsort(edges)])


def check_neighbours(found):
    """Regions beside each other differ in the unit whose line parts them; and symmetry."""
    inner = (found.edge_regions >= 0).all(axis=1)
    assert (found.edge_regions.max(axis=1) >= 0).all()
    assert ((found.edge_units >= 0) == inner).all()
    left, right = found.edge_regions[inner].T
    differ = found.codes[left].bits() != found.codes[right].bits()
    assert differ[np.arange(len(left)), found.edge_units[inner]].all()
    here = np.repeat(np.arange(found.n_regions), found.neighbours.lengths)
    pairs = set(zip(here.tolist(), found.neighbours.flat.tolist(), strict=True))
    assert len(pairs) == len(here)
    edges = set(zip(left.tolist(), right.tolist(), strict=True))
    assert pairs == edges | {(b, a) for a, b in edges}


def check_codes(found, network):
    """Compare bits with pre-activations at the corners; return who is off at which centroid.

    A unit that is on is nowhere below 0 at the corners of its region and somewhere above; one
    that is off is nowhere above. This also holds for slivers, whose middle is no safe place.
    """
    z, _ = run(network, found.plane.inputs(found.vertices))
    bits = found.codes.bits().astype(bool)
    corners, starts = found.polygons.flat, found.polygons.starts[:-1]
    tolerance = rounding(z)
    above = np.logical_or.reduceat((z > tolerance)[corners], starts)
    below = np.logical_or.reduceat((z < -tolerance)[corners], starts)
    assert not (bits & below).any()
    assert not (~bits & above).any()


def check_middles(found, network, shape=(2,)):
    """Compare codes, maps and positions at the centroids; return how many codes are compared."""
    inputs = found.plane.inputs(found.centroids).reshape(-1, *shape)
    z, outputs = run(network, inputs)
    safe = (np.abs(z) > rounding(z)).all(axis=1)
    double = copy.deepcopy(network).double()
    codes = nh.encode(double, inputs, progress=False)
    assert codes.layers == found.codes.layers
    assert np.array_equal(codes.bits()[safe], found.codes.bits()[safe])
    scale = np.abs(outputs).max() or 1
    assert found.slopes.shape == (found.n_regions, outputs.shape[1], 2)
    assert found.offsets.shape == outputs.shape
    mapped = np.einsum("roc,rc->ro", found.slopes, found.centroids) + found.offsets
    assert np.allclose(mapped, outputs, rtol=0, atol=1e-10 * scale)
    for region in range(0, found.n_regions, max(1, found.n_regions // 50)):
        weights, biases = found.affine_map(region)
        mapped = weights @ inputs[region].ravel() + biases
        assert np.allclose(mapped, outputs[region], rtol=0, atol=1e-10 * scale)
    assert np.array_equal(found.locate(found.centroids)[safe], np.flatnonzero(safe))
    return safe.sum()


def check(found, network, shape=(2,)):
    check_geometry(found)
    check_neighbours(found)
    return check_middles(found, network, shape)


def check_fractions(network, extent, found=None):
    """Compare with the plain way in exact arithmetic; return the regions that it finds."""
    found = nh.partition(network, extent=extent) if found is None else found
    regions = split(matrices(network), extent)
    codes = [tuple(code) for code in found.codes.bits().tolist()]
    expected = {region.code: region for region in regions}
    assert len(expected) == len(regions)  # no network has two regions of one code
    assert Counter(codes) == Counter(expected.keys())
    whole = (extent[1] - extent[0]) * (extent[3] - extent[2])
    for i, code in enumerate(codes):
        region = expected[code]
        assert found.areas[i] == pytest.approx(float(area(region.polygon)), abs=1e-9 * whole)
        for ours, theirs in (found.slopes[i], region.slopes), (found.offsets[i], region.offsets):
            theirs = theirs.astype(float)
            assert np.allclose(ours, theirs, rtol=0, atol=1e-9 * (1 + np.abs(theirs).max()))
    assert found.n_linear_regions == linear_regions(regions)
    return regions


# -- counts ----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=COUNTS, ids=str)
def counted(request):
    network = network_of(request.param)
    return network, nh.partition(network), COUNTS[request.param]


def test_counts(counted):
    _, found, n_regions = counted
    assert found.n_regions == n_regions
    assert repr(found) == f"Partition({n_regions} activation regions in {SQUARE})"


def test_geometry_of_default_networks(counted):
    check_geometry(counted[1])


def test_neighbours_of_default_networks(counted):
    check_neighbours(counted[1])


def test_codes_at_all_corners_of_default_networks(counted):
    network, found, _ = counted
    check_codes(found, network)


def test_codes_and_maps_in_the_middle_of_default_networks(counted):
    # All but a few slivers are wide enough for float64.
    network, found, n_regions = counted
    assert check_middles(found, network) >= n_regions - 3


@pytest.mark.parametrize("widths", [(16,), (64,), (32, 32), (16, 16, 16)], ids=str)
def test_polygon_by_polygon_finds_the_same(widths):
    network = network_of(widths, n_outputs=3)
    found = nh.partition(network)
    areas = {region.code: area(region.polygon) for region in split(matrices(network), SQUARE, float)}
    assert [areas.pop(tuple(code)) for code in found.codes.bits().tolist()] == pytest.approx(
        found.areas.tolist(), abs=1e-12
    )
    assert not areas


def test_exact_fractions_of_a_default_network():
    regions = check_fractions(network_of((7, 6)), SQUARE)
    assert len(regions) > 30
