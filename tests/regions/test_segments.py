"""Segments against exact fractions on the line, against dense samples, and against `encode`."""

import copy
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

import nhlib as nh
from nhlib.regions.folding import fold

EXACT = np.vectorize(Fraction, otypes=[object])


def network_from(*layers):
    """Make a network of (weights, biases, slope below 0, or None where there is no activation)."""
    modules = []
    for weights, biases, slope in layers:
        weights, biases = (torch.as_tensor(np.asarray(part, float)) for part in (weights, biases))
        linear = nn.Linear(*weights.T.shape).double()
        with torch.no_grad():
            linear.weight.copy_(weights)
            linear.bias.copy_(biases)
        modules.append(linear)
        if slope is not None:
            modules.append(nn.LeakyReLU(float(slope)) if slope else nn.ReLU())
    return nn.Sequential(*modules)


def random_network(widths, n_inputs=2, n_outputs=2, seed=0):
    torch.manual_seed(seed)
    sizes = [n_inputs, *widths]
    hidden = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], n_outputs))


def pieces(network, start, end):
    """Cut the line by one unit after the other: (from, to, code, slopes, offsets) as fractions."""
    start, end = EXACT(np.asarray(start, object)), EXACT(np.asarray(end, object))
    parts = [(Fraction(0), Fraction(1), (), end - start, start)]
    for layer in fold(network, (len(start),)).layers:
        weights, biases = EXACT(layer.weights.astype(object)), EXACT(layer.biases.astype(object))
        parts = [
            (low, high, code, weights @ slopes, weights @ offsets + biases)
            for low, high, code, slopes, offsets in parts
        ]
        for unit, slope in enumerate([] if layer.slopes is None else layer.slopes.tolist()):
            cut = []
            for low, high, code, slopes, offsets in parts:
                bounds = [low, high]
                if slopes[unit] and low < -offsets[unit] / slopes[unit] < high:
                    bounds.insert(1, -offsets[unit] / slopes[unit])
                for a, b in pairwise(bounds):
                    on = slopes[unit] * (a + b) / 2 + offsets[unit] > 0
                    gain = np.ones(len(slopes), object)
                    gain[unit] = 1 if on else Fraction(slope)
                    cut.append((a, b, (*code, int(on)), slopes * gain, offsets * gain))
            parts = cut
    return parts


def check(found, network, shape):
    """What is true of every segment; codes and outputs in the middle of each piece."""
    assert len(found.codes) == found.n_regions == len(found.breakpoints) + 1
    assert (np.diff(found.breakpoints, prepend=0, append=1) > 0).all()
    assert np.array_equal(found.lengths, np.diff([0, *found.breakpoints, 1]))
    assert (
        (found.midpoints[1:] > found.breakpoints) & (found.midpoints[:-1] < found.breakpoints)
    ).all()
    bits = found.codes.bits()
    assert (bits[1:] != bits[:-1]).any(axis=1).all()

    network = copy.deepcopy(network).double().eval()
    inputs = torch.as_tensor(found.inputs(found.midpoints)).reshape(-1, *shape)
    codes = nh.encode(network, inputs, progress=False)
    assert codes.layers == found.codes.layers
    wide = found.lengths > 1e-9
    assert np.array_equal(codes.bits()[wide], bits[wide])
    with torch.no_grad():
        outputs = network(inputs).flatten(1).numpy()
    atol = 1e-10 * max(1, np.abs(outputs).max())
    assert np.allclose(found.outputs(found.midpoints), outputs, rtol=0, atol=atol)
    mapped = found.slopes * found.midpoints[:, None] + found.offsets
    assert np.allclose(mapped, outputs, rtol=0, atol=atol)
    for piece in range(0, found.n_regions, max(1, found.n_regions // 20)):
        weights, biases = found.affine_map(piece)
        mapped = weights @ inputs[piece].numpy().ravel() + biases
        assert np.allclose(mapped, outputs[piece], rtol=0, atol=atol)
    # Networks are continuous: the maps of two pieces agree where they meet.
    t = found.breakpoints[:, None]
    left, right = (found.slopes[k] * t + found.offsets[k] for k in (slice(-1), slice(1, None)))
    assert np.allclose(left, right, rtol=0, atol=atol)


def check_fractions(network, start, end):
    found = nh.segment(network, np.array(start), np.array(end))
    expected = pieces(network, start, end)
    assert [tuple(code) for code in found.codes.bits().tolist()] == [part[2] for part in expected]
    breakpoints = [float(part[0]) for part in expected[1:]]
    assert found.breakpoints.tolist() == pytest.approx(breakpoints, abs=1e-9)
    for k in (3, 4):
        ours = (found.slopes, found.offsets)[k - 3]
        theirs = np.stack([part[k] for part in expected]).astype(float)
        assert np.allclose(ours, theirs, rtol=0, atol=1e-9 * (1 + np.abs(theirs).max()))
    return found


# -- against fractions -----------------------------------------------------------------------

EIGHTHS = st.integers(-12, 12).map(lambda k: k / 8)


@st.composite
def tables(draw, shape):
    if draw(st.booleans()):
        return draw(arrays(np.float64, shape, elements=EIGHTHS))
    return np.random.default_rng(draw(st.integers(0, 1000))).normal(size=shape)


@st.composite
def networks(draw, n_inputs):
    sizes = [n_inputs, *draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))]
    layers = [
        (draw(tables((b, a))), draw(tables((b,))), draw(st.sampled_from([0, 0, 0.25, 1, -0.5])))
        for a, b in pairwise(sizes)
    ]
    if draw(st.booleans()):
        layers.append((draw(tables((2, sizes[-1]))), draw(tables((2,))), None))
    return network_from(*layers)


@settings(max_examples=300)
@given(st.data(), st.integers(1, 3))
def test_small_networks_against_fractions(data, n_inputs):
    network = data.draw(networks(n_inputs))
    points = st.lists(EIGHTHS, min_size=n_inputs, max_size=n_inputs)
    start = data.draw(points)
    end = data.draw(points.filter(lambda other: other != start))
    check(check_fractions(network, start, end), network, (n_inputs,))


@pytest.mark.parametrize("n_pieces", [1, 2, 5])
def test_several_units_that_switch_at_one_place(n_pieces):
    places = np.arange(1, n_pieces)[:, None] / 8
    scales = np.array([[1, -2, 0.125, 1, 3]])
    weights = np.tile(scales, (n_pieces - 1, 1)).reshape(-1, 1)
    network = network_from(
        (np.vstack([weights, [[1]]]), np.append(-(scales * places).ravel(), 5), 0)
    )
    found = check_fractions(network, [0.0], [1.0])
    assert found.n_regions == n_pieces
    flips = found.codes.bits()[1:] != found.codes.bits()[:-1]
    assert flips.sum(axis=1).tolist() == [5] * (n_pieces - 1)


def test_several_units_that_switch_within_rounding():
    scales = np.random.default_rng(0).normal(size=(40, 1))
    network = network_from((scales, -scales[:, 0] / 3, 0), (np.ones((3, 40)), [-1, -1.5, 0], 0))
    found = nh.segment(network, [-1.0], [2.0])
    check(found, network, (1,))
    assert np.isclose(found.breakpoints, 4 / 9, atol=1e-12).sum() == 1


def test_units_that_are_zero_along_the_line():
    # The third is 0 along the line, though not beside it; the others are constant.
    network = network_from(
        ([[0, 0], [0, 0], [1, -1], [0, 0]], [-1, 1, 0, 0], 0), ([[1] * 4], [0], 0)
    )
    found = check_fractions(network, [0.25, 0.25], [2.0, 2.0])
    assert found.n_regions == 1
    assert found.codes.bits().tolist() == [[0, 1, 0, 0, 1]]
    assert found.breakpoints.shape == (0,)
    assert found.lengths.tolist() == [1]
    assert found.midpoints.tolist() == [0.5]


def test_a_unit_that_is_zero_on_a_piece():
    network = network_from(([[1], [-1]], [0, 0], 0), ([[1, 0], [1, 1], [1, -1]], [0, 0, 0], 0))
    found = check_fractions(network, [-1.0], [1.0])
    assert found.codes.bits().tolist() == [[0, 1, 0, 1, 0], [1, 0, 1, 1, 1]]


@pytest.mark.parametrize(("start", "end"), [(-1.0, 0.0), (0.0, 1.0), (0.0, -3.0), (7.0, 0.0)])
def test_a_unit_that_switches_exactly_at_an_end(start, end):
    network = network_from(([[1], [-2]], [0, 0], 0), ([[1, 1], [-1, 0]], [0, 0], 0.5))
    assert check_fractions(network, [start], [end]).n_regions == 1


def test_a_unit_that_touches_zero_does_not_switch():
    network = network_from(([[1], [-1]], [0, 0], 0), ([[1, 1], [-1, -1]], [0, 0], 0))
    found = check_fractions(network, [-1.0], [1.0])
    assert found.codes.bits()[:, 2:].tolist() == [[1, 0]] * 2


@pytest.mark.parametrize("k", [1, 2, 3, 6, 10])
def test_tents_double_their_pieces(k):
    tent = ([[2], [2]], [0, -1], 0)
    network = network_from(
        tent, *[([[2, -4], [2, -4]], [0, -1], 0)] * (k - 1), ([[1, -2]], [0], None)
    )
    found = check_fractions(network, [0.0], [1.0])
    assert found.n_regions == 2**k
    assert np.array_equal(found.breakpoints, np.arange(1, 2**k) / 2**k)
    assert np.array_equal(found.outputs(found.breakpoints)[:, 0], np.arange(1, 2**k) % 2)
    assert np.array_equal(np.abs(found.slopes), np.full((2**k, 1), 2**k))


# -- larger networks -------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[(40,), (64, 64, 64), (30,) * 6], ids=str)
def crossed(request):
    network = random_network(request.param)
    start, end = torch.tensor([-3.0, -2.2]), torch.tensor([2.5, 3.0])
    return network, start, end, nh.segment(network, start, end)


def test_larger_networks(crossed):
    network, start, end, found = crossed
    check(found, network, (2,))
    assert np.array_equal(found.start, start.double())
    assert np.array_equal(found.end, end.double())
    assert repr(found) == f"Segment({found.n_regions} regions, {found.n_regions - 1} breakpoints)"


def test_a_dense_sample_finds_the_same_pieces(crossed):
    network, _, _, found = crossed
    t = np.linspace(0, 1, 100_001)
    codes = nh.encode(copy.deepcopy(network).double(), found.inputs(t), progress=False)
    bits = codes.bits()
    switches = np.flatnonzero((bits[1:] != bits[:-1]).any(axis=1))
    # Every switch between two samples is a breakpoint there, and where breakpoints are not too
    # close to each other, all are seen.
    bins = np.unique(np.searchsorted(t, found.breakpoints) - 1)
    assert np.array_equal(bins, switches)
    assert len(bins) > 0.9 * len(found.breakpoints) > 10
    piece = np.searchsorted(found.breakpoints, t)
    assert np.array_equal(bits, found.codes.bits()[piece])


def test_the_way_back_mirrors_the_way(crossed):
    network, start, end, found = crossed
    back = nh.segment(network, end, start)
    assert np.allclose(back.breakpoints, 1 - found.breakpoints[::-1], rtol=0, atol=1e-12)
    assert np.array_equal(back.codes.bits(), found.codes.bits()[::-1])
    assert np.allclose(back.slopes, -found.slopes[::-1], atol=1e-10)


def test_a_segment_meets_the_regions_of_a_partition(crossed):
    network, _, _, found = crossed
    plane = nh.partition(network, extent=(-3, 3, -3, 3))
    regions = plane.locate(found.inputs(found.midpoints))
    assert np.array_equal(plane.codes[regions].bits(), found.codes.bits())
    for k, other in enumerate(regions[1:]):
        assert other in plane.neighbours[regions[k]]


def test_images():
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2), nn.Dropout2d()),
        *(nn.Conv2d(4, 3, 1), nn.PReLU(3), nn.Flatten(), nn.Linear(12, 5)),
    )
    nn.init.normal_(network[1].running_mean)
    nn.init.uniform_(network[1].running_var, 0.5, 2)
    start, end = torch.randn(2, 2, 6, 6)
    network.train()
    found = nh.segment(network, start, end)
    assert all(module.training for module in network.modules())
    assert found.codes.layers == {"2": (4, 4, 4), "6": (3, 2, 2)}
    check(found, network, (2, 6, 6))
    assert found.n_regions > 20
    assert found.affine_map(0)[0].shape == (5, 72)
    same = nh.segment(network, start.numpy(), end.double())
    assert np.array_equal(same.breakpoints, found.breakpoints)


def test_a_module_that_runs_again():
    torch.manual_seed(0)
    relu, linear = nn.ReLU(), nn.Linear(9, 9)
    network = nn.Sequential(nn.Linear(3, 9), relu, linear, relu, linear, relu)
    found = nh.segment(network, np.full(3, -4.0), np.full(3, 4.0))
    check(found, network, (3,))
    assert list(found.codes.layers) == ["1", "1_1", "1_2"]


def test_inputs_and_outputs_at_positions(crossed):
    network, start, end, found = crossed
    assert np.allclose(found.inputs([0, 1]), np.stack([start, end]))
    assert np.allclose(found.inputs(0.5), (start + end) / 2)
    with torch.no_grad():
        expected = copy.deepcopy(network).double()(torch.stack([start, end]).double())
    assert np.allclose(found.outputs([0, 1]), expected)
    assert found.outputs(0.5).shape == (1, 2)


# -- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ([0.0, 0], [0.0, 0], "start and end: two different inputs"),
        ([0.0, 0], [0.0, 0, 1], r"start and end: .* one shape .* \(2,\) and \(3,\)"),
        (0.0, 1.0, "start and end: two inputs of one shape"),
        ([0.0, np.nan], [0.0, 1], "start: finite numbers are needed, but there is"),
        ([0.0, 0], [np.inf, 1], "end: finite numbers are needed, but there is"),
        ([0.0, 0, 0], [0.0, 0, 1], r"network: layer 0 takes 2 numbers, .* shape \(3,\)"),
        ([[0.0, 0, 0]], [[0.0, 0, 1]], r"network: layer 0 takes 2 numbers, .* shape \(1, 3\)"),
    ],
)
def test_bad_inputs(start, end, message):
    with pytest.raises(ValueError, match=message):
        nh.segment(random_network((4,)), start, end)


def test_bad_networks(unchecked):
    with pytest.raises(TypeError, match="network: a torch.nn.Module is needed, not str"):
        unchecked(nh.segment)("relu", [0.0], [1.0])
    for network, message in [
        (nn.Sequential(nn.Linear(1, 2), nn.Sigmoid()), "network: layer 1 is of type Sigmoid"),
        (nn.Linear(1, 2), "network: it has no ReLU"),
    ]:
        with pytest.raises(ValueError, match=message):
            nh.segment(network, [0.0], [1.0])
