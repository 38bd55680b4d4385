"""Regions in the whole space, against exact fractions and against one program an inequality."""

import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polytope_splitter import neighbours, split
from scipy.optimize import linprog
from torch import nn

import nhlib as nh
from nhlib.regions import dual_hulls, polyhedra, shots
from nhlib.regions.folding import fold


def network_of(n_inputs, *widths, seed=0, slope=0.0):
    torch.manual_seed(seed)
    layers, before = [], n_inputs
    for width in widths:
        layers += [nn.Linear(before, width).double(), nn.LeakyReLU(slope)]
        before = width
    return nn.Sequential(*layers, nn.Linear(before, 2).double())


def network_from(layers):
    """A network with given (weights, biases), in float64."""
    modules = []
    for weights, biases in layers:
        weights = torch.as_tensor(np.array(weights, float))
        modules += [nn.Linear(*reversed(weights.shape)).double(), nn.ReLU()]
        modules[-2].weight.data = weights
        modules[-2].bias.data = torch.as_tensor(np.array(biases, float))
    return nn.Sequential(*modules)


def matrices(network, n_inputs):
    folded = fold(network, (n_inputs,)).layers
    return [(layer.weights, layer.biases, layer.slopes) for layer in folded]


def middle(part):
    """The mean of a polytope's corners, exactly."""
    points = [point for point, _ in part.corners]
    return [sum(x, Fraction(0)) / len(points) for x in zip(*points, strict=True)]


def plain_facets(normals, offsets):
    """Facets by one linear program each: which inequality, lifted, would let something out?"""
    found = []
    for i in range(len(normals)):
        others = np.arange(len(normals)) != i
        solved = linprog(
            *(normals[i], -normals[others], offsets[others]),
            bounds=[(-1e3, 1e3)] * normals.shape[1],
        )
        if solved.fun + offsets[i] < -1e-7:
            found.append(i)
    return found


def compare_with_fractions(network, n, low=-1, high=1):
    """Compare every region of a box, and the walk through all of them."""
    exact = split(matrices(network, n), [low] * n, [high] * n)
    codes = {part.code: i for i, part in enumerate(exact)}
    pairs = neighbours(exact)
    graph = nh.walk(network, np.array(middle(exact[0]), float), box=(low, high), limit=len(exact))
    ours = [codes[tuple(bits)] for bits in graph.codes.bits().tolist()]
    assert sorted(ours) == list(range(len(exact)))
    assert {tuple(sorted((ours[i], ours[j]))) for i, j in graph.edges} == pairs
    for part in exact[:: max(1, len(exact) // 25)]:
        found = nh.region(network, np.array(middle(part), float), box=(low, high))
        assert tuple(found.code.bits()[0]) == part.code
        behind = {codes[tuple(bits)] for bits in found.neighbours.bits().tolist()}
        i = codes[part.code]
        assert behind == {b if a == i else a for a, b in pairs if i in (a, b)}
        # Distances to its sides are those of its corners at most, and at least 0.
        corners = np.array([[float(x) for x in point] for point, _ in part.corners])
        distances = corners @ found.normals.T + found.offsets
        assert distances.min() > -1e-12
        assert (np.abs(distances) < 1e-12).any(axis=0)[found.facets].all()
        # Each facet has corners that span it, and there are as many as there should be.
        assert len(found.facets) == len(part.facets())
        assert found.is_bounded


@pytest.mark.parametrize(
    ("n", "widths", "slope"),
    [(1, (5, 5), 0.0), (2, (6, 6), 0.0), (3, (5, 5), 0.0), (3, (4, 4, 3), 0.25), (4, (5, 3), 0.0)],
)
@pytest.mark.parametrize("seed", range(3))
def test_all_regions_in_a_box_against_fractions(n, widths, slope, seed):
    compare_with_fractions(network_of(n, *widths, seed=seed, slope=slope), n)


@pytest.mark.parametrize(
    ("n", "widths"),
    [(2, (6, 6)), (2, (4, 4, 4)), (3, (4, 4)), (3, (3, 3, 3)), (4, (4, 2)), (5, (4, 3))],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_whole_space_against_fractions(n, widths, seed):
    """Where one unit of a layer is on, all borders of the next are parallel: few corners."""
    network = network_of(n, *widths, seed=seed)
    exact = split(matrices(network, n), [-(10**7)] * n, [10**7] * n)  # all that there are
    codes = {part.code: i for i, part in enumerate(exact)}
    graph = nh.walk(network, np.zeros(n), progress=False)
    ours = [codes[tuple(bits)] for bits in graph.codes.bits().tolist()]
    assert sorted(ours) == list(range(len(exact)))
    pairs = {tuple(sorted((ours[i], ours[j]))) for i, j in graph.edges}
    assert pairs == neighbours(exact)
    for i in range(0, len(exact), 5):
        found = nh.region(network, graph.points[i])
        assert len(found.facets) == graph.degrees[i]


def test_five_inputs_against_fractions():
    compare_with_fractions(network_of(5, 4, 3, seed=1), 5)


# -- special position --------------------------------------------------------------------------

EIGHTHS = st.integers(-4, 4).map(lambda k: k / 4)


@st.composite
def special_networks(draw):
    """Hyperplanes that coincide, are parallel, meet in points and run through corners."""
    n = draw(st.integers(2, 3))
    widths = (draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    layers, before = [], n
    for width in widths:
        row = st.lists(EIGHTHS, min_size=before, max_size=before)
        weights = draw(st.lists(row, min_size=width, max_size=width))
        biases = draw(st.lists(EIGHTHS, min_size=width, max_size=width))
        layers.append((weights, biases))
        before = width
    return n, layers


@pytest.fixture(params=["hulls", "shots", "programs"])
def way(request, monkeypatch):
    """What finds facets: that comes first which finds all of them."""
    if request.param != "hulls":
        monkeypatch.setattr(polyhedra, "_HULL", 0)
    if request.param == "programs":
        monkeypatch.setattr(shots, "_STEPS", 0)
        monkeypatch.setattr(shots, "_APPROACHES", 0)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(special=special_networks())
def test_special_position_against_fractions(way, special):
    n, layers = special
    compare_with_fractions(network_from(layers), n)


@pytest.mark.parametrize("box", [None, (0, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_one_program_an_inequality_finds_the_same(way, box, seed):
    network = network_of(12, 20, 10, seed=seed)
    x = np.random.default_rng(seed).uniform(0, 1, 12)
    x[:3] = 0  # on sides of the box
    found = nh.region(network, x, box=box)
    assert found.facets.tolist() == plain_facets(found.normals, found.offsets)


def test_units_without_a_hyperplane_switch_with_others():
    # Two units on one hyperplane; one behind them that is 0 where both are off.
    network = network_from([([[1, 0, 0], [2, 0, 0]], [0, 0]), ([[1, 1]], [0])])
    found = nh.region(network, [-0.5, 0, 0])
    assert found.units.tolist() == [0]
    assert found.neighbours.bits().tolist() == [[1, 1, 1]]
    back = nh.region(network, [0.5, 0, 0])
    assert back.units.tolist() == [0]
    assert back.neighbours == found.code
    assert not back.is_bounded
    assert back.radius == np.inf
    assert back.centre is None


def test_parallel_hyperplanes_hide_each_other():
    network = network_from([([[1, 0, 0]] * 3, [0, -1, -2]), (np.eye(3).tolist(), [1, 1, 1])])
    found = nh.region(network, [0.5, 7, 0])
    assert found.code.bits().tolist() == [[1, 0, 0, 1, 1, 1]]
    assert found.units[found.facets].tolist() == [0, 1]
    assert found.radius == pytest.approx(0.5)
    assert not found.is_bounded


def test_an_input_on_borders():
    network = network_from([(np.eye(3).tolist(), [0, 0, 0])])
    # On a border the unit is off, and that region has an inside.
    assert nh.region(network, [0, 1, 1]).code.bits().tolist() == [[0, 1, 1]]
    doubled = network_from([([[1, 0, 0], [-1, 0, 0]], [0, 0])])
    with pytest.raises(ValueError, match="x: it lies on borders, and no inputs around it"):
        nh.region(doubled, [0, 1, 1])


# -- many dimensions ---------------------------------------------------------------------------


def test_ways_to_facets_agree():
    for seed in range(10):
        network = network_of(3, 12, 12, seed=seed)
        x = np.random.default_rng(seed).uniform(-1, 1, 3)
        for box in (None, (-1, 1)):
            found = nh.region(network, x, box=box)
            arguments = (
                *(found.normals, found._found.offsets, found._found.tilts, found._found.shifts),
            )
            by_hull = dual_hulls.facets_by_hull(*arguments)
            by_programs = polyhedra.facets_by_programs(*arguments)
            assert by_hull is not None
            for one in (by_hull, by_programs):
                assert one.which.tolist() == found.facets.tolist()
                slack = one.points @ found.normals.T + found._found.offsets
                own = slack[np.arange(len(one.which)), one.which]
                assert np.abs(own).max() < 1e-9
                slack[np.arange(len(one.which)), one.which] = np.inf
                assert slack.min() > 0


@pytest.mark.parametrize("box", [None, (-1, 1)])
def test_neighbours_are_what_encode_finds_behind_facets(box):
    network = network_of(6, 10, 8, seed=3)
    x = np.random.default_rng(1).uniform(-1, 1, 6)
    found = nh.region(network, x, box=box)
    points = polyhedra.facets_of(found._found).points + found._found.point
    inner = found.units[found.facets] >= 0
    out = points - 1e-6 * found.normals[found.facets]
    seen = nh.encode(network, torch.tensor(out[inner]))
    assert seen == found.neighbours
    assert (
        nh.encode(network, torch.tensor(points + 1e-6 * (found._found.point - points)))
        .groups()
        .max()
        == 0
    )


def test_inputs_that_nothing_depends_on():
    network = network_of(3, 8, 8, seed=2)
    wide = network_of(9, 8, 8, seed=2)
    with torch.no_grad():
        wide[0].weight.zero_()
        wide[0].weight[:, ::3] = network[0].weight
        wide[0].bias.copy_(network[0].bias)
        for one, other in ((wide[2], network[2]), (wide[4], network[4])):
            one.weight.copy_(other.weight)
            one.bias.copy_(other.bias)
    x = np.array([0.1, 0.2, -0.3])
    spread = np.zeros(9)
    spread[::3] = x
    narrow, found = nh.region(network, x), nh.region(wide, spread)
    assert found.facets.tolist() == narrow.facets.tolist()
    assert found.neighbours == narrow.neighbours
    assert not found.is_bounded


# -- what a region tells -----------------------------------------------------------------------


def test_affine_map_and_ball():
    network = network_of(4, 10, 10, seed=1)
    x = torch.linspace(-1, 1, 4, dtype=torch.float64)
    found = nh.region(network, x, box=(-2, 2))
    weights, biases = found.affine_map()
    assert weights @ x.numpy() + biases == pytest.approx(network(x[None])[0].detach().numpy())
    distances = found.normals @ found.centre + found.offsets
    assert distances.min() == pytest.approx(found.radius)
    assert (distances < found.radius + 1e-9).sum() > 4
    assert found.code == nh.encode(network, x[None])
    inner = found.units >= 0
    expected = np.sort(nh.border_distances(network, x[None])[0])
    assert np.sort((found.normals @ x.numpy() + found.offsets)[inner]) == pytest.approx(expected)


def test_images():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4), nn.ReLU())
    image = torch.rand(1, 4, 4)
    found = nh.region(network, image, box=(0, torch.ones(1, 4, 4)))
    assert found.normals.shape[1] == 16
    assert found.code == nh.encode(network, image[None])
    assert found.is_bounded


@pytest.mark.parametrize(
    ("x", "box", "message"),
    [
        ([0, 0], None, "x is one input, without a batch dimension"),
        ([0, 0, np.nan], None, "x: finite numbers are needed"),
        ([0, 0, 2], (-1, 1), "x: it lies outside the box"),
        ([0, 0, 0], 1, r"box: .*two numbers \(low, high\)"),
        ([0, 0, 0], (1, -1), "box: low has to be below high"),
        ([0, 0, 0], (-1, [1, 1]), "box: not of shape"),
        ([0, 0, 0], (-1, np.inf), "box: finite numbers are needed"),
    ],
)
def test_bad_arguments(x, box, message):
    with pytest.raises(ValueError, match=message):
        nh.region(network_of(3, 4), x, box=box)


def test_nothing_is_printed(capfd):
    nh.region(network_of(6, 9, 9), [0] * 6)
    assert capfd.readouterr() == ("", "")


def test_highspy_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", None)
    nh.region(network_of(4, 9, 9), [0, 0, 0, 0])
    with pytest.raises(ImportError, match="pip install highspy"):
        nh.region(network_of(6, 9, 9), [0] * 6)
