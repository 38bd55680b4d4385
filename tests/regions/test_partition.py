"""Partitions against exact fractions, against the networks themselves, and against Euler."""

import copy
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from polygon_splitter import area, linear_regions, split
from torch import nn

import nhlib as nh
from nhlib.regions import layer_cut
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
        for before, after in pairwise(sizes)
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
    network, found = copy.deepcopy(network).double().eval(), []

    def keep(module, inputs):
        found.append(inputs[0].flatten(1).numpy().copy())  # a ReLU may work in place

    for module in network.modules():
        if isinstance(module, ACTIVATIONS):
            module.register_forward_pre_hook(keep)
    with torch.no_grad():
        outputs = network(torch.as_tensor(inputs, dtype=torch.float64))
    return np.hstack(found), outputs.flatten(1).numpy()


def rounding(z):
    return 1e-11 * np.abs(z).max(axis=0) + 1e-13


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
    assert np.array_equal(differ.argmax(axis=1), found.edge_units[inner])  # the first of several
    here = np.repeat(np.arange(found.n_regions), found.neighbours.lengths)
    pairs = set(zip(here.tolist(), found.neighbours.flat.tolist(), strict=True))
    assert len(pairs) == len(here)
    edges = set(zip(left.tolist(), right.tolist(), strict=True))
    assert pairs == edges | {(b, a) for a, b in edges}


def check_codes(found, network):
    """Compare bits with pre-activations at the corners of all regions, and of slivers too.

    A unit that is on is nowhere below 0 at the corners of its region; one that is off is nowhere
    above.
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
    safe = ((np.abs(z) > rounding(z)) | (z == 0)).all(axis=1)
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
    # All centroids are farther from every line than rounding; other processors may round so
    # that one is not.
    network, found, n_regions = counted
    assert check_middles(found, network) >= n_regions - 3


@pytest.mark.parametrize("widths", [(16,), (64,), (32, 32), (16, 16, 16)], ids=str)
def test_polygon_by_polygon_finds_the_same(widths):
    network = network_of(widths, n_outputs=3)
    found = nh.partition(network)
    areas = {
        region.code: area(region.polygon) for region in split(matrices(network), SQUARE, float)
    }
    assert [areas.pop(tuple(code)) for code in found.codes.bits().tolist()] == pytest.approx(
        found.areas.tolist(), abs=1e-12
    )
    assert not areas


def test_exact_fractions_of_a_default_network():
    regions = check_fractions(network_of((7, 6)), SQUARE)
    assert len(regions) > 30


# -- against fractions -----------------------------------------------------------------------

EIGHTHS = st.integers(-12, 12).map(lambda k: k / 8)
SLOPES = st.sampled_from([0.0, 0.25, 1.0, -0.5, 2.0])


@st.composite
def tables(draw, shape):
    """Small dyadic numbers, with which nothing is in general position, or normal ones."""
    if draw(st.booleans()):
        return draw(arrays(np.float64, shape, elements=EIGHTHS))
    return np.random.default_rng(draw(st.integers(0, 1000))).normal(size=shape)


@st.composite
def networks(draw):
    n_units, layers = 2, []
    for width in draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)):
        kind = draw(st.sampled_from(["ReLU", "LeakyReLU", "PReLU"]))
        slopes = 0.0
        if kind != "ReLU":
            slopes = draw(
                SLOPES if kind == "LeakyReLU" else st.lists(SLOPES, min_size=width, max_size=width)
            )
        weights, biases = draw(tables((width, n_units))), draw(tables((width,)))
        layers.append((weights, biases, slopes))
        n_units = width
    if draw(st.booleans()):  # otherwise it ends in an activation
        n_outputs = draw(st.integers(1, 3))
        layers.append((draw(tables((n_outputs, n_units))), draw(tables((n_outputs,))), None))
    return network_from(*layers)


@st.composite
def rectangles(draw):
    left, bottom = draw(EIGHTHS), draw(EIGHTHS)
    width, height = (draw(st.integers(1, 40)) / 8 for _ in range(2))
    return left, left + width, bottom, bottom + height


@settings(max_examples=300)
@given(networks(), rectangles())
def test_small_networks_against_fractions(network, extent):
    found = nh.partition(network, extent=extent)
    check_fractions(network, extent, found)
    check_geometry(found)
    check_neighbours(found)


def lines(rows, biases, slopes=0.0):
    return np.asarray(rows, float), np.asarray(biases, float), slopes


QUARTERS = np.arange(-3, 4) / 4
LATTICE = lines(
    [row for row in ([1, 0], [0, 1], [1, 1], [1, -1]) for _ in QUARTERS], np.tile(-QUARTERS, 4)
)
FOLD_BOTH = lines([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 0, 0])  # |x| and |y| are its sums
HARD = {
    "duplicates, scaled": [lines([[1, 2], [3, 6], [0.25, 0.5], [2, 1]], [0.5, 1.5, 0.125, 0])],
    "opposites": [lines([[1, 2], [-1, -2], [-4, -8]], [0.5, -0.5, -2])],
    "opposites, leaky": [lines([[1, 2], [-1, -2], [2, -1]], [0.5, -0.5, 0], [0.5, 0.5, 1])],
    "dead, zero and constant": [lines([[0, 0], [1, 1], [0, 0], [0, 0]], [-1, 0, 0, 1])],
    "all dead": [lines(np.zeros((3, 2)), [-1, 0, 1]), lines([[1, 1, 1], [0, 0, 1]], [-1, 0.5])],
    "on the frame": [lines([[1, 0], [-1, 0], [0, 1], [0, 2]], [-1, -1, 1, -2])],
    "through the corners": [lines([[1, 1], [1, -1], [1, 1], [3, 1], [1, 2]], [0, 0, 2, 2, -1])],
    "lattice": [LATTICE],
    "parallel": [lines([[1, 2]] * 7, QUARTERS)],
    "meet in one point": [
        lines([[k, 3 - k] for k in range(7)], [0.25 * k - 0.75 for k in range(7)])
    ],
    "meet on the frame": [lines([[1, k] for k in range(-3, 4)], [1] * 7)],
    "meet in a corner": [lines([[1, -k] for k in range(5)], [1 - k for k in range(5)])],
    "second layer through vertices of the first": [
        FOLD_BOTH,
        lines([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [0, 0, 1, 1]], [-0.5, 0, 0, -0.5]),
    ],
    "second layer along lines of the first": [
        lines([[1, 0], [0, 1], [1, 1]], [0, 0, 0]),
        lines([[1, 0, 0], [0, 1, 0], [-1, 1, 0], [1, 1, -1], [-1, -1, 1]], [0, 0, 0, 0, 0]),
    ],
    "folded and folded again": [
        FOLD_BOTH,
        lines([[1, 1, 0, 0], [-1, -1, 0, 0], [0, 0, 1, 1], [0, 0, -1, -1]], [-0.5, 0.5, -0.5, 0.5]),
        lines([[1, 1, 1, 1], [1, 1, -1, -1], [1, 0, -1, 0]], [-0.25, 0, 0]),
        lines([[1, 1, 1]], [-0.125]),
    ],
}


@pytest.mark.parametrize("layers", HARD.values(), ids=HARD)
@pytest.mark.parametrize("n_outputs", [0, 1, 2])
def test_lines_in_special_position_against_fractions(layers, n_outputs):
    width = len(layers[-1][1])
    rng = np.random.default_rng(0)
    out = rng.integers(-2, 3, (n_outputs, width)), np.zeros(n_outputs), None
    network = network_from(*layers, out) if n_outputs else network_from(*layers)
    found = nh.partition(network, extent=SQUARE)
    check_fractions(network, SQUARE, found)
    check_geometry(found)
    check_neighbours(found)
    check_codes(found, network)


@pytest.mark.parametrize(
    ("name", "n_regions"),
    [
        ("duplicates, scaled", 4),
        ("opposites", 2),
        ("dead, zero and constant", 2),
        ("all dead", 1),
        ("on the frame", 1),
        ("lattice", 176),
        ("parallel", 8),
        ("meet in one point", 14),
        ("meet on the frame", 7),
        ("meet in a corner", 5),
    ],
)
def test_lines_in_special_position_counted_by_hand(name, n_regions):
    assert nh.partition(network_from(*HARD[name])).n_regions == n_regions


# -- where rounding would make slivers -------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 17, 60, 200])
@pytest.mark.parametrize(
    ("middle", "n_regions"),
    [
        ((0, 0), lambda angles: 2 * len(angles)),
        ((1 / 3, 0.1), lambda angles: 2 * len(angles)),
        ((1, 0.7), lambda angles: 1 + len(angles)),
        ((-1, 1), lambda angles: 1 + (angles < np.pi / 2).sum()),  # those that fall from there
    ],
    ids=["origin", "inside", "side", "corner"],
)
def test_lines_through_one_point_make_sectors(n, middle, n_regions):
    angles = np.pi * (np.arange(n) + np.random.default_rng(n).uniform(0.1, 0.9, n)) / n
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    scale = np.random.default_rng(1).uniform(0.1, 10, (n, 1))
    network = network_from((scale * normals, -(scale * normals) @ middle, 0.0))
    found = nh.partition(network)
    check(found, network)
    assert found.n_regions == n_regions(angles)


@pytest.mark.parametrize("seed", range(5))
def test_networks_without_biases_have_sectors(seed):
    network = network_of((12, 12, 12), seed=seed)
    for layer in network[::2]:
        nn.init.zeros_(layer.bias)
    found = nh.partition(network)
    check(found, network)
    middle = np.flatnonzero((found.vertices == 0).all(axis=1))
    assert len(middle) == 1
    assert all(middle[0] in polygon for polygon in found.polygons)
    check_fractions(network, SQUARE, found)


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_up_to_rounding_make_no_regions(seed):
    network = network_of((20, 10), seed=seed).double()
    first, _, second, *_ = network
    factors = torch.tensor([1 / 3, -0.7, 10 / 7], dtype=torch.float64).repeat_interleave(20)
    again = nn.Linear(2, 80).double()
    with torch.no_grad():
        for name in ("weight", "bias"):
            once = getattr(first, name)
            thrice = (factors.view(-1, *[1] * (once.ndim - 1))) * torch.cat([once] * 3)
            getattr(again, name).copy_(torch.cat([once, thrice]))
        wider = nn.Linear(80, 10).double()
        wider.weight.zero_()
        wider.weight[:, :20] = second.weight
        wider.bias.copy_(second.bias)
    copied = nn.Sequential(again, nn.ReLU(), wider, *network[3:])
    found, expected = nh.partition(copied), nh.partition(network)
    assert found.n_regions == expected.n_regions
    assert sorted(found.areas) == pytest.approx(sorted(expected.areas), abs=1e-12)
    assert found.n_linear_regions == expected.n_linear_regions
    check_geometry(found)
    check_neighbours(found)


@pytest.mark.parametrize("seed", range(5))
def test_a_unit_that_is_zero_up_to_rounding_is_off(seed):
    # Each of the second layer's units is three times a third minus the whole.
    rng = np.random.default_rng(seed)
    rows, biases = rng.normal(size=(5, 2)), rng.normal(size=5) / 3
    first = lines(np.vstack([rows, rows / 3]), np.append(biases, biases / 3))
    network = network_from(first, lines(np.hstack([-np.eye(5), 3 * np.eye(5)]), np.zeros(5)))
    found = nh.partition(network)
    assert found.n_regions == nh.partition(network[:2]).n_regions
    assert not found.codes["3"].bits().any()


# Regions into which the diagonals of a regular polygon cut it: https://oeis.org/A007678.
@pytest.mark.parametrize(
    ("n", "inside"), [(3, 1), (4, 4), (5, 11), (6, 24), (8, 80), (9, 154), (12, 444), (18, 2466)]
)
def test_diagonals_of_a_regular_polygon(n, inside):
    # Many meet in one point, none of whose coordinates is exact.
    angles = 2 * np.pi * (np.arange(n) + 0.1) / n
    corners = 0.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rows, biases = [], []
    for a, b in combinations(corners, 2):
        normal = np.array([a[1] - b[1], b[0] - a[0]])
        rows.append(normal)
        biases.append(-normal @ a)
    found = nh.partition(network_from((np.array(rows), np.array(biases), 0.0)))
    check_geometry(found)
    check_neighbours(found)
    sides = np.roll(corners, -1, axis=0) - corners
    offset = found.centroids[:, None] - corners
    left_of = sides[:, 0] * offset[:, :, 1] - sides[:, 1] * offset[:, :, 0] > 0
    assert left_of.all(axis=1).sum() == inside


def test_far_from_the_origin_and_in_the_small():
    network = network_of((30, 20)).double()
    expected = nh.partition(network)
    for scale, shift in [(1e-6, 0), (1e6, 0), (1, 1000.0), (1e-3, 1)]:
        moved = copy.deepcopy(network)
        with torch.no_grad():
            moved[0].weight /= scale
            moved[0].bias -= moved[0].weight.sum(dim=1) * shift
        extent = (shift - scale, shift + scale) * 2
        found = nh.partition(moved, extent=extent)
        assert found.n_regions == expected.n_regions
        assert sorted(found.areas / scale**2) == pytest.approx(sorted(expected.areas), abs=1e-8)
        check_geometry(found)
        check_neighbours(found)


# -- linear regions --------------------------------------------------------------------------


def test_activation_regions_with_one_map_are_one_linear_region():
    same = network_from(lines([[1, 0], [-1, 0]], [0, 0]), ([[1, -1]], [0], None))
    bent = network_from(lines([[1, 0], [-1, 0]], [0, 0]), ([[1, 1]], [0], None))
    assert [nh.partition(net).n_regions for net in (same, bent)] == [2, 2]
    assert [nh.partition(net).n_linear_regions for net in (same, bent)] == [1, 2]


@pytest.mark.parametrize("slope", [1.0, 0.5])
def test_a_slope_of_one_bends_nothing(slope):
    network = network_from(lines([[1, 0.3], [-0.2, 1]], [0, 0.1], slope), ([[1, 1]], [0], None))
    found = nh.partition(network)
    assert (found.n_regions, found.n_linear_regions) == (4, 1 if slope == 1 else 4)
    check_fractions(network, SQUARE, found)


@pytest.mark.parametrize(
    ("passed_on", "out", "n_linear"),
    [
        ([1.0, 3.0], [3.0, -1.0], 1),
        ([0.5, 0.25, 1.0], [0.5, 1.0, -0.5], 1),
        ([0.1, 0.3], [3.0, -1.0], 2),  # in float64, 3 * 0.1 is not quite 0.3
        ([1.0, 2.0**-60, -1.0, -(2.0**-60)], [1.0] * 4, 1),  # a float64 sum would lose 2**-60
        ([1.0, 2.0**-60, -1.0], [1.0] * 3, 2),
    ],
)
def test_paths_that_cancel(passed_on, out, n_linear):
    # One unit switches; those of the second layer are on at both sides.
    first = lines([[1, 0.25]], [0])
    second = lines(np.transpose([passed_on]), np.full(len(out), 9))
    network = network_from(first, second, ([out], [0], None))
    found = nh.partition(network)
    assert (found.n_regions, found.n_linear_regions) == (2, n_linear)
    check_fractions(network, SQUARE, found)


def blocked_network(seed):
    torch.manual_seed(seed)
    network = nn.Sequential(
        *(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2), nn.ReLU()),
        *(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)),
    )
    for layer in network[::2]:
        nn.init.kaiming_normal_(layer.weight)
        nn.init.uniform_(layer.bias, -0.5, 0.5)
    return network


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_units_behind_dead_ones_make_no_linear_regions(seed):
    network = blocked_network(seed)
    found = nh.partition(network)
    regions = check_fractions(network, SQUARE, found)
    assert found.n_linear_regions < found.n_regions == len(regions)
    inner = (found.edge_regions >= 0).all(axis=1)
    left, right = found.edge_regions[inner].T
    joined = found.linear_regions[left] == found.linear_regions[right]
    same = (found.slopes[left] == found.slopes[right]).all(axis=(1, 2))
    assert (same[joined]).all()
    assert np.array_equal(np.unique(found.linear_regions), np.arange(found.n_linear_regions))


# -- kinds of networks -----------------------------------------------------------------------


def disturbed(network, seed=0):
    """Give batch normalization statistics, and PReLU slopes, as if it had been trained."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.normal_()
                module.running_var.uniform_(0.3, 3)
                module.weight.normal_()
                module.bias.normal_()
            if isinstance(module, nn.PReLU):
                module.weight.uniform_(-0.5, 1.5)
    return network


def shared():
    torch.manual_seed(5)
    relu = nn.ReLU()
    block = nn.Sequential(nn.Linear(8, 8), relu)
    return nn.Sequential(nn.Linear(2, 8), relu, block, nn.LeakyReLU(), block, nn.Linear(8, 2))


def kinds():
    torch.manual_seed(3)
    return {
        "batch norm": nn.Sequential(
            *(nn.Linear(2, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Dropout(0.3)),
            *(nn.Linear(10, 8), nn.BatchNorm1d(8), nn.PReLU(8), nn.Linear(8, 3)),
        ),
        "norm first": nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 12), nn.LeakyReLU(0.1)),
        "nested": nn.Sequential(
            nn.Sequential(nn.Sequential(nn.Linear(2, 9)), nn.ReLU(inplace=True)),
            nn.Sequential(),
            nn.Sequential(nn.Identity(), nn.Linear(9, 7, bias=False), nn.PReLU(), nn.Linear(7, 2)),
        ),
        "ends in ReLU": nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU()),
        "starts with ReLU": nn.Sequential(nn.ReLU(), nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 2)),
        "ReLU alone": nn.ReLU(),
        "linear twice": nn.Sequential(
            *(nn.Linear(2, 3), nn.Linear(3, 11), nn.ReLU(), nn.ReLU()),
            *(nn.Linear(11, 4), nn.Dropout(), nn.Linear(4, 2)),
        ),
        "more than 64 units": nn.Sequential(
            nn.Linear(2, 70), nn.LeakyReLU(-0.3), nn.Linear(70, 9), nn.ReLU(), nn.Linear(9, 1)
        ),
        "used again": shared(),
        "mlp": nh.mlp(2, [12, 12], 3, batch_norm=True),
    }


@pytest.mark.parametrize("name", kinds())
def test_kinds_of_networks(name):
    network = disturbed(kinds()[name])
    found = nh.partition(network)
    n_compared = check(found, network)
    check_codes(found, network)
    assert n_compared == found.n_regions > 3


def test_names_of_a_module_that_runs_again_are_those_of_encode():
    network = shared()
    codes = nh.partition(network).codes
    assert codes.layers == nh.encode(network, torch.zeros(1, 2)).layers
    assert list(codes.layers) == ["1", "1_1", "3", "1_2"]


def convolutional():
    torch.manual_seed(4)
    return disturbed(
        nn.Sequential(
            *(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.AvgPool2d(2)),
            *(nn.Conv2d(3, 4, 2, bias=False), nn.PReLU(4), nn.Dropout2d(), nn.Flatten()),
            *(nn.Linear(16, 5), nn.LeakyReLU(), nn.Linear(5, 3)),
        )
    )


@pytest.fixture(scope="module")
def images():
    return torch.randn(3, 1, 6, 6, generator=torch.Generator().manual_seed(0))


def test_convolutions_on_a_plane_through_three_images(images):
    network = convolutional()
    found = nh.partition(network, plane=images)
    assert found.codes.layers == {"2": (3, 6, 6), "5": (4, 2, 2), "9": (5,)}
    assert check(found, network, shape=(1, 6, 6)) == found.n_regions > 100
    check_codes_of_images(found, network, images)


def check_codes_of_images(found, network, images):
    """The three inputs themselves lie in regions with their codes."""
    regions = found.locate(found.plane.coordinates(images))
    assert (regions >= 0).all()
    codes = nh.encode(copy.deepcopy(network).double(), images.double(), progress=False)
    assert np.array_equal(found.codes[regions].bits(), codes.bits())


def test_the_network_is_left_as_it_is():
    network = disturbed(kinds()["batch norm"]).train()
    network[3].eval()
    modes = [module.training for module in network.modules()]
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = nh.partition(network)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    network.eval()
    again = nh.partition(network)
    assert np.array_equal(found.vertices, again.vertices)
    assert np.array_equal(found.codes.bits(), again.codes.bits())


def test_wrapped_networks_are_unwrapped():
    network = network_of((8,))
    expected = nh.partition(network).codes.bits()
    for wrapped in (nn.DataParallel(network), torch.compile(network, backend="eager")):
        assert np.array_equal(nh.partition(wrapped).codes.bits(), expected)


def test_precision_of_the_network_does_not_matter():
    network = network_of((10, 10))
    found, double = nh.partition(network), nh.partition(copy.deepcopy(network).double())
    assert found.vertices.dtype == found.areas.dtype == found.slopes.dtype == np.float64
    assert np.array_equal(found.vertices, double.vertices)
    half = nh.partition(copy.deepcopy(network).bfloat16())
    assert half.areas.sum() == pytest.approx(4, rel=1e-12)


# -- planes ----------------------------------------------------------------------------------


def test_plane_through_three_inputs(images):
    plane = nh.Plane.through(images)
    flat = images.double().flatten(1).numpy()
    coordinates = plane.coordinates(images)
    assert coordinates.shape == (3, 2)
    assert np.allclose(plane.inputs(coordinates), flat, atol=1e-12)
    assert np.allclose(coordinates[0], 0, atol=1e-12)
    assert coordinates[1, 0] == pytest.approx(np.linalg.norm(flat[1] - flat[0]))
    assert coordinates[1, 1] == pytest.approx(0, abs=1e-12)
    assert coordinates[2, 1] > 0
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-14)
    for i, j in combinations(range(3), 2):
        distance = np.linalg.norm(coordinates[i] - coordinates[j])
        assert distance == pytest.approx(np.linalg.norm(flat[i] - flat[j]), rel=1e-12)
    # The foot of a perpendicular is nearer to an input beside the plane than other points.
    other = torch.ones(1, 1, 6, 6)
    foot = plane.inputs(plane.coordinates(other))[0]
    assert np.allclose(plane.axes @ (np.ones(36) - foot), 0, atol=1e-12)


def test_coordinates_round_trip():
    plane = nh.Plane.through([[1.0, 2, 3, 4], [2, 2, 2, 2], [0, 1, 0, 1]])
    points = np.random.default_rng(0).normal(size=(20, 2))
    assert np.allclose(plane.coordinates(plane.inputs(points)), points, atol=1e-13)


def test_inputs_in_almost_one_line_still_make_right_angles():
    plane = nh.Plane.through([[0.0, 0, 0], [1, 1, 1], [2, 2, 2 + 1e-6]])
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-14)


def test_default_extent_leaves_a_quarter_around_the_three(images):
    found = nh.partition(convolutional(), plane=images)
    around = found.plane.coordinates(images)
    low, high = around.min(axis=0), around.max(axis=0)
    left, right, bottom, top = found.extent
    margin = (high - low) / 4
    assert (left, bottom) == pytest.approx(low - margin)
    assert (right, top) == pytest.approx(high + margin)
    assert found.areas.sum() == pytest.approx(np.prod(1.5 * (high - low)), rel=1e-12)
    narrow = nh.partition(convolutional(), plane=images, extent=(0, 1, 0, 0.5))
    assert narrow.extent == (0, 1, 0, 0.5)
    assert narrow.areas.sum() == pytest.approx(0.5, rel=1e-12)


def test_a_plane_for_two_inputs_turns_the_picture():
    network = network_of((9, 9))
    straight = nh.partition(network, plane=[[0, 0], [1, 0], [0, 1]], extent=SQUARE)
    turned = nh.partition(network, plane=[[0, 0], [0, 1], [1, 0]], extent=SQUARE)
    assert np.array_equal(straight.vertices, nh.partition(network).vertices)
    areas = [
        dict(zip(map(bytes, found.codes.packed), found.areas, strict=True))
        for found in (straight, turned)
    ]
    assert areas[0] == pytest.approx(areas[1], abs=1e-12)
    check(turned, network)


def test_affine_maps_on_a_plane_are_those_of_whole_inputs(images):
    network = convolutional()
    found = nh.partition(network, plane=images)
    for region in (0, found.n_regions - 1):
        weights, biases = found.affine_map(region)
        assert weights.shape == (3, 36)
        assert np.allclose(weights @ found.plane.axes.T, found.slopes[region], atol=1e-12)
        assert np.allclose(weights @ found.plane.origin + biases, found.offsets[region], atol=1e-12)


# -- points and boundaries -------------------------------------------------------------------


@pytest.fixture(scope="module")
def located():
    network = network_of((20, 20), n_outputs=3)
    return network, nh.partition(network)


def test_locate_points_by_their_codes(located):
    network, found = located
    points = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    regions = found.locate(points)
    assert regions.shape == (2000,)
    codes = nh.encode(copy.deepcopy(network).double(), points, progress=False)
    assert np.array_equal(found.codes[regions].bits(), codes.bits())
    assert np.array_equal(found.locate(torch.as_tensor(points)), regions)
    single = torch.as_tensor(points, dtype=torch.float32)
    assert np.array_equal(found.locate(single), found.locate(single.double()))
    assert np.array_equal(found.locate(points[:3].tolist()), regions[:3])


def test_points_outside_have_no_region(located):
    _, found = located
    assert found.locate([[1.001, 0], [0, -1.001], [-5, 5]]).tolist() == [-1] * 3
    assert found.locate([[2, 0], [0.5, 0.5]])[1] == found.locate([[0.5, 0.5]])[0] >= 0
    assert found.locate(np.empty((0, 2))).tolist() == []


@pytest.mark.parametrize("name", [None, *HARD])
def test_points_on_borders_get_a_region_beside_them(located, name):
    found = nh.partition(network_from(*HARD[name]), extent=SQUARE) if name else located[1]
    middles = found.vertices[found.edges].mean(axis=1)
    beside = found.edge_regions == found.locate(middles)[:, None]
    assert beside.any(axis=1).all()
    for vertex, region in enumerate(found.locate(found.vertices)):
        assert vertex in found.polygons[region] or lies_on(found, region, found.vertices[vertex])


def lies_on(found, region, point):
    """Tell whether a point is in a closed polygon, within rounding."""
    corners = found.vertices[found.polygons[region]]
    side, offset = np.roll(corners, -1, axis=0) - corners, point - corners
    return (side[:, 0] * offset[:, 1] - side[:, 1] * offset[:, 0] > -1e-12).all()


def boundary(network, found):
    """Find the decision boundary region by region, with the outputs' maps."""
    segments = []
    for region, polygon in enumerate(found.polygons):
        slopes, offsets = found.slopes[region], found.offsets[region]
        if len(offsets) == 1:
            slopes, offsets = np.vstack([slopes, [[0, 0]]]), np.append(offsets, 0)
        for c, d in combinations(range(len(offsets)), 2):
            along, at = slopes[c] - slopes[d], offsets[c] - offsets[d]
            if not along.any():
                continue
            # The whole line, clipped to the polygon and to where the others are smaller.
            foot, step = -at * along / (along @ along), np.array([-along[1], along[0]])
            corners = found.vertices[polygon]
            side = np.roll(corners, -1, axis=0) - corners
            normals = np.stack([-side[:, 1], side[:, 0]], axis=1)
            limits = (normals * corners).sum(axis=1)
            others = [e for e in range(len(offsets)) if e not in (c, d)]
            normals = np.vstack([normals, slopes[c] - slopes[others]])
            limits = np.append(limits, offsets[others] - offsets[c])
            rate, room = normals @ step, limits - normals @ foot
            low = (room[rate > 0] / rate[rate > 0]).max(initial=-np.inf)
            high = (room[rate < 0] / rate[rate < 0]).min(initial=np.inf)
            if low < high:
                segments.append([foot + low * step, foot + high * step])
    return np.array(segments)


def length(segments):
    return np.hypot(*(segments[:, 1] - segments[:, 0]).T).sum()


@pytest.mark.parametrize("n_outputs", [1, 2, 3, 6])
@pytest.mark.parametrize("widths", [(6,), (16, 16), (40, 40)], ids=str)
def test_decision_boundary(widths, n_outputs):
    network = network_of(widths, n_outputs, seed=8)
    nn.init.zeros_(network[-1].bias)
    points = torch.rand(500, 2) * 2 - 1
    with torch.no_grad():  # all outputs have their turn
        network[-1].bias -= network(points).mean(dim=0)
    found = nh.partition(network)
    segments = found.decision_boundary()
    assert segments.shape == (len(segments), 2, 2)
    assert len(segments) > 0
    assert length(segments) == pytest.approx(length(boundary(network, found)), rel=1e-9)

    middle, step = segments.mean(axis=1), segments[:, 1] - segments[:, 0]
    points = segments[:, 0] + np.linspace(0, 1, 7)[:, None, None] * step
    ahead, next_ = np.sort(decisions(network, points.reshape(-1, 2)))[:, :-3:-1].T
    assert np.allclose(ahead, next_, rtol=0, atol=1e-9)

    long = np.hypot(*step.T) > 1e-3
    normal = step[long][:, ::-1] * (-1, 1) / np.hypot(*step[long].T)[:, None] * 1e-7
    sides = [decisions(network, middle[long] + sign * normal).argmax(axis=1) for sign in (1, -1)]
    assert (sides[0] != sides[1]).all()
    assert (found.locate(middle[long] + normal) == found.locate(middle[long] - normal)).all()


def decisions(network, points):
    outputs = run(network, points)[1]
    return np.hstack([outputs, np.zeros_like(outputs)]) if outputs.shape[1] == 1 else outputs


def test_decision_boundary_of_a_diamond():
    network = network_from(FOLD_BOTH, ([[1, 1, 1, 1]], [-0.5], None))
    segments = nh.partition(network).decision_boundary()
    assert len(segments) == 4
    assert length(segments) == pytest.approx(4 * np.sqrt(0.5))
    assert np.allclose(np.abs(segments).sum(axis=2), 0.5)


def test_decision_boundary_of_three_rays():
    # x, y and -x - y, with the two opposites of each that ReLU needs.
    network = network_from(
        FOLD_BOTH, ([[1, -1, 0, 0], [0, 0, 1, -1], [-1, 1, -1, 1]], [0, 0, 0], None)
    )
    segments = nh.partition(network).decision_boundary()
    assert length(segments) == pytest.approx(np.sqrt(2) + 2 * np.hypot(1, 0.5))


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ([[[1, 0]], [1]], 0),  # above 0 everywhere
        ([[[1, 1]], [0]], 0),  # |x| touches 0, and is above on both sides
        ([[[1, -1]], [0]], 2),  # x
        ([[[1, 0]], [0]], 2),  # 0 on the left, above 0 on the right
        ([[[-1, 0]], [0]], 2),
        ([[[0, 0]], [0]], 0),  # 0 everywhere
        ([[[1, 0], [0, 0]], [0, 0]], 2),
        ([[[1, 0], [1, 0]], [0, 1]], 0),
        ([[[1, 0], [0, 1]], [0, 0]], 2),
        ([[[1, 0], [0, 0], [0, 0]], [0, 0, 0]], 2),  # three outputs are equal on the left
        ([[[1, -1], [-1, 1], [0, 0]], [0, 0, 0]], 2),  # and here only on the line
        ([[[1, -1], [-1, 1], [0, 0]], [0, 0, 1]], 0),
        ([[[1, -1], [-1, 1], [0, 0]], [0, 0, 0.5]], 4),
    ],
)
def test_decision_boundary_along_a_border(out, expected):
    network = network_from(lines([[1, 0], [-1, 0]], [0, 0]), (*out, None))
    segments = nh.partition(network).decision_boundary()
    assert segments.shape[1:] == (2, 2)
    assert length(segments) == expected


@pytest.mark.parametrize("n_outputs", [1, 2, 4])
@pytest.mark.parametrize("name", HARD)
def test_decision_boundary_in_special_position(name, n_outputs):
    width = len(HARD[name][-1][1])
    out = np.random.default_rng(n_outputs).integers(-2, 3, (n_outputs, width))
    network = network_from(*HARD[name], (out, np.zeros(n_outputs), None))
    segments = nh.partition(network).decision_boundary()
    ahead, next_ = np.sort(decisions(network, segments.reshape(-1, 2)))[:, :-3:-1].T
    assert np.allclose(ahead, next_, rtol=0, atol=1e-12)
    assert (np.hypot(*(segments[:, 1] - segments[:, 0]).T) > 0).all()


# -- limits and bad input --------------------------------------------------------------------


def test_max_regions():
    network = network_of((16,))
    assert nh.partition(network, max_regions=27).n_regions == 27
    with pytest.raises(ValueError, match="max_regions: .* at least 27 regions .* 26 are the limit"):
        nh.partition(network, max_regions=26)
    sectors = network_from(lines([[k, 1] for k in range(9)], [0] * 9))
    assert nh.partition(sectors, max_regions=18).n_regions == 18
    with pytest.raises(ValueError, match="max_regions: .* 17 are the limit"):
        nh.partition(sectors, max_regions=17)
    with pytest.raises(ValueError, match="max_regions: a whole number of at least 1"):
        nh.partition(network, max_regions=0)


@pytest.mark.parametrize("special", [False, True])
def test_an_early_stop_counts_what_there_would_be(monkeypatch, special):
    """Before so many crossings are computed, chords say how many faces they would make."""
    rng = np.random.default_rng(0)
    normals, offsets = rng.integers(-9, 10, (30, 2)), rng.integers(-4, 5, 30) / 8
    if special:  # ten of them through one point
        offsets[:10] = -normals[:10] @ [0.25, -0.5]
    network = network_from(lines(normals.tolist(), offsets.tolist()))
    n = nh.partition(network).n_regions
    monkeypatch.setattr(layer_cut, "_MOST_PAIRS", 0)
    with pytest.raises(ValueError, match=f"at least {n} regions here, and 20 are the limit"):
        nh.partition(network, max_regions=20, threads=1)


def vectors(*rows):
    return torch.tensor(rows, dtype=torch.float32)


def on_two(*modules):
    return nn.Sequential(nn.Linear(2, 4), *modules)


class Custom(nn.Module):
    def forward(self, x):
        return x.relu()


def with_nan():
    network = on_two(nn.ReLU())
    nn.init.constant_(network[0].weight, torch.nan)
    return network


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (nh.mlp(3, [4], 2), {}, "network: .* plane"),
        (nh.mlp(1, [4], 2), {}, "network: .* plane"),
        (convolutional(), {}, "network: .* plane"),
        (on_two(nn.ReLU()), {"extent": (1, 1, -1, 1)}, "extent: .*left < right"),
        (on_two(nn.ReLU()), {"extent": (-1, 1, 2, 1)}, "extent: .*bottom < top"),
        (on_two(nn.ReLU()), {"extent": (-1, 1, 2)}, "extent: four numbers"),
        (on_two(nn.ReLU()), {"extent": 5}, "extent: four numbers"),
        (on_two(nn.ReLU()), {"extent": (-1, 1, -1, np.nan)}, "extent: finite numbers"),
        (on_two(nn.ReLU()), {"extent": (-1, np.inf, -1, 1)}, "extent: finite numbers"),
        (
            nh.mlp(3, [4], 2),
            {"plane": vectors([0, 0, 0], [1, 2, 3], [2, 4, 6])},
            "plane: its three inputs lie on one line",
        ),
        (
            nh.mlp(3, [4], 2),
            {"plane": vectors([1, 2, 3], [1, 2, 3], [2, 4, 7])},
            "plane: its three inputs lie on one line",
        ),
        (nh.mlp(3, [4], 2), {"plane": vectors([0, 0, 0], [1, 2, 3])}, "plane: three inputs"),
        (
            nh.mlp(3, [4], 2),
            {"plane": [torch.zeros(3), torch.ones(3), torch.ones(4)]},
            r"plane: three inputs of one shape .* \(3,\), \(3,\), \(4,\)",
        ),
        (
            nh.mlp(3, [4], 2),
            {"plane": vectors([0, 0, 0], [1, 2, 3], [2, 4, torch.inf])},
            "plane: finite numbers are needed, but there is",
        ),
        (nh.mlp(3, [4], 2), {"plane": torch.eye(5)[:3]}, "network: layer linear1 .* shape"),
        (on_two(nn.Tanh()), {}, "network: layer 1 is of type Tanh"),
        (on_two(nn.ReLU(), nn.Sequential(nn.GELU())), {}, "network: layer 2.0 is of type GELU"),
        (on_two(nn.ReLU(), nn.MaxPool1d(2)), {}, "network: layer 2 is of type MaxPool1d"),
        (on_two(Custom()), {}, "network: layer 1 is of type Custom"),
        (Custom(), {}, "network: it is of type Custom"),
        (with_nan(), {}, "network: 0.weight holds nan or infinity"),
        (on_two(), {}, "network: it has no ReLU"),
        (
            on_two(nn.BatchNorm1d(4, track_running_stats=False), nn.ReLU()),
            {},
            "network: layer 1 normalizes by each batch's own mean",
        ),
        (on_two(nn.BatchNorm1d(5), nn.ReLU()), {}, "network: layer 1 takes 5 features"),
        (on_two(nn.ReLU(), nn.Linear(5, 2)), {}, "network: layer 2 takes 5 numbers"),
        (on_two(nn.PReLU(3)), {}, "network: layer 1 has 3 slopes"),
        (nn.Sequential(nn.LazyLinear(3), nn.ReLU()), {}, "network: 0.weight has no numbers yet"),
    ],
)
def test_bad_input(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        nh.partition(network, **arguments)


def test_bad_types(unchecked, located):
    with pytest.raises(TypeError, match="network: a torch.nn.Module is needed, not str"):
        unchecked(nh.partition)("network")
    with pytest.raises(TypeError, match="max_regions: a whole number"):
        unchecked(nh.partition)(network_of((3,)), max_regions=2.5)
    for points in ([0.5, 0.5], [[1, 2, 3]]):
        with pytest.raises(ValueError, match=r"points: shape \(k, 2\) is needed"):
            located[1].locate(points)
