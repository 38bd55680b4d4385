"""Formulas for numbers of regions against enumeration, and exact counts of one layer's regions."""

import math
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from torch import nn

import nhlib as nh

SQUARE = (-1.0, 1.0, -1.0, 1.0)

small_widths = st.lists(st.integers(1, 5), min_size=1, max_size=4)

# Quarters and small whole numbers: parallel, equal and concurrent lines, zero rows, lines on the
# border and through corners all turn up often.
coefficients = st.integers(-8, 8).map(lambda k: k / 4)
special_lines = st.lists(st.tuples(coefficients, coefficients, coefficients), max_size=9)
rectangles = st.sampled_from([SQUARE, (-2.0, 0.5, -0.25, 1.0), (0.0, 3.0, 0.0, 3.0)])


@cache
def arrangement_by_recursion(n, d):
    """Hyperplanes one after another: the last is cut into as many pieces as it adds regions."""
    if n == 0 or d == 0:
        return 1
    return arrangement_by_recursion(n - 1, d) + arrangement_by_recursion(n - 1, d - 1)


def serra_by_enumeration(n_inputs, widths):
    total = 0
    for j in product(*(range(width + 1) for width in widths)):
        limits = [n_inputs]
        for one, width in zip(j, widths, strict=True):
            if one > min(*limits, width):
                break
            limits.append(width - one)
        else:
            total += math.prod(map(math.comb, widths, j))
    return total


def cells_by_cutting(lines, extent):
    """Cut polygons in two with every line, in fractions."""
    left, right, bottom, top = map(Fraction, extent)
    polygons = [[(left, bottom), (right, bottom), (right, top), (left, top)]]
    for a, b, c in (map(Fraction, line) for line in lines):
        parts = []
        for polygon in polygons:
            values = [a * x + b * y + c for x, y in polygon]
            if not min(values) < 0 < max(values):
                parts.append(polygon)
                continue
            for side in (-1, 1):
                part = []
                for k, (x, y) in enumerate(polygon):
                    here, before = values[k], values[k - 1]
                    if here * before < 0:
                        share = before / (before - here)
                        x0, y0 = polygon[k - 1]
                        part.append((x0 + share * (x - x0), y0 + share * (y - y0)))
                    if side * here >= 0:
                        part.append((x, y))
                parts.append(part)
        polygons = parts
    return len(polygons)


def count(lines, extent=SQUARE):
    array = np.array(lines, float).reshape(-1, 3)
    return nh.arrangement_count(array[:, :2], array[:, 2], extent)


def network_of(lines):
    """Build one layer, in double precision, that switches on the lines."""
    layer = nn.Linear(2, len(lines), dtype=torch.double)
    array = torch.tensor(lines, dtype=torch.double)
    layer.weight.data, layer.bias.data = array[:, :2], array[:, 2]
    return nn.Sequential(layer, nn.ReLU())


# -- Zaslavsky -------------------------------------------------------------------------------


@pytest.mark.parametrize("n_units", range(12))
@pytest.mark.parametrize("n_inputs", range(1, 14))
def test_zaslavsky_counts_hyperplanes_one_after_another(n_units, n_inputs):
    assert nh.zaslavsky_bound(n_units, n_inputs) == arrangement_by_recursion(n_units, n_inputs)


def test_zaslavsky_known_values():
    assert nh.zaslavsky_bound(16, 2) == 137
    assert nh.zaslavsky_bound(4, 2) == 11
    assert nh.zaslavsky_bound(100, 1) == 101
    assert nh.zaslavsky_bound(1000, 784) < 2**1000 == nh.zaslavsky_bound(1000, 1000)


# -- Serra, Tjandraatmadja and Ramalingam ----------------------------------------------------


@given(st.integers(1, 6), small_widths)
@example(6, [5, 1, 5])
@example(2, [1, 5, 5, 2])
def test_serra_is_the_sum_over_all_of_j(n_inputs, widths):
    assert nh.serra_bound(n_inputs, widths) == serra_by_enumeration(n_inputs, widths)


@given(st.integers(1, 20), st.integers(1, 20))
def test_serra_of_one_layer_is_zaslavsky(n_inputs, n_units):
    assert nh.serra_bound(n_inputs, [n_units]) == nh.zaslavsky_bound(n_units, n_inputs)


def test_serra_along_a_line_is_a_product():
    assert nh.serra_bound(1, [5, 4, 3]) == 6 * 5 * 4


def test_serra_of_a_large_network_is_exact():
    bound = nh.serra_bound(784, [500, 500, 500])
    assert isinstance(bound, int)
    assert 2**500 < bound < 2**1500


def test_serra_takes_what_counts_as_whole_numbers(unchecked):
    wanted = nh.serra_bound(2, [8, 8])
    assert unchecked(nh.serra_bound)(np.int64(2), np.array([8, 8])) == wanted
    assert nh.serra_bound(2, (width for width in (8, 8))) == wanted


@pytest.mark.parametrize("widths", [[12], [6, 6], [4, 4, 4], [8, 1, 8], [1, 8], [2, 2, 2, 2]])
@pytest.mark.parametrize("seed", range(3))
def test_networks_stay_below_serra(widths, seed):
    torch.manual_seed(seed)
    network, n = nn.Sequential(), 2
    for width in widths:
        network.extend([nn.Linear(n, width), nn.ReLU()])
        n = width
    for extent in (SQUARE, (-100.0, 100.0, -100.0, 100.0)):
        assert nh.partition(network.double(), extent=extent).n_regions <= nh.serra_bound(2, widths)


# -- Montúfar, Pascanu, Cho and Bengio -------------------------------------------------------


def test_montufar_by_hand():
    assert nh.montufar_bound(1, [2, 2]) == 2 * 3
    assert nh.montufar_bound(2, [4, 4]) == 2**2 * 11
    assert nh.montufar_bound(2, [5, 3]) == 2**2 * 7
    assert nh.montufar_bound(2, [16, 16, 16]) == 9**2 * 9**2 * 137
    assert nh.montufar_bound(3, [9, 6, 4]) == 4**3 * 2**3 * (1 + 4 + 6 + 4)
    assert nh.montufar_bound(3, [8, 6, 4]) == 2**3 * 2**3 * (1 + 4 + 6 + 4)


@given(st.integers(1, 4), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_montufar_is_below_serra(n_inputs, more):
    widths = [n_inputs + one for one in more]
    assert nh.montufar_bound(n_inputs, widths) <= nh.serra_bound(n_inputs, widths)


@given(st.integers(1, 9), st.integers(0, 9))
def test_montufar_of_one_layer_is_zaslavsky(n_inputs, more):
    widths = [n_inputs + more]
    assert nh.montufar_bound(n_inputs, widths) == nh.zaslavsky_bound(widths[0], n_inputs)


def test_a_fold_reaches_montufar():
    """A tent of two units, 2 max(0, x) - 4 max(0, x - 1/2), meets two more units on both sides."""
    first, second = nn.Linear(1, 2), nn.Linear(2, 2)
    first.weight.data, first.bias.data = torch.tensor([[1.0], [1.0]]), torch.tensor([0.0, -0.5])
    second.weight.data = torch.tensor([[2.0, -4.0], [2.0, -4.0]])
    second.bias.data = torch.tensor([-0.25, -0.75])
    network = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    found = nh.segment(network, torch.tensor([-1.0]), torch.tensor([2.0]))
    assert found.n_regions == 7
    assert nh.montufar_bound(1, [2, 2]) <= found.n_regions <= nh.serra_bound(1, [2, 2])


# Three units that fold [0, 1] four times, with kinks at 1/6, 1/3 and 2/3 (the last points left).
ZIGZAG = ([1.0, 1.0, -1.0], [-1 / 6, -1 / 3, 2 / 3], [12.0, -9.0, 6.0], -3.0)


def test_zigzags_reach_serras_folds():
    weights, biases, outward, offset = ZIGZAG
    modules, before = [], nn.Linear(1, 3)
    before.weight.data = torch.tensor([[w] for w in weights])
    before.bias.data = torch.tensor(biases)
    for n_layers in (1, 2, 3):
        modules += [before, nn.ReLU()]
        found = nh.segment(nn.Sequential(*modules).double(), [-1.0], [2.0])
        widths = [3] * n_layers
        # One input: what no network exceeds is reached.
        assert nh.montufar_bound(1, widths) == nh.serra_bound(1, widths) == 4**n_layers
        assert found.n_regions == 4**n_layers
        before = nn.Linear(3, 3)
        before.weight.data = torch.tensor([[w * one for one in outward] for w in weights])
        before.bias.data = torch.tensor(
            [w * offset + b for w, b in zip(weights, biases, strict=True)]
        )


def test_zigzags_in_the_plane_reach_serras_folds():
    weights, biases, outward, offset = map(np.array, ZIGZAG)
    first, second = nn.Linear(2, 6, dtype=torch.float64), nn.Linear(6, 6, dtype=torch.float64)
    zeros = np.zeros(3)
    first.weight.data = torch.tensor(np.r_[np.c_[weights, zeros], np.c_[zeros, weights]])
    first.bias.data = torch.tensor(np.r_[biases, biases])
    # Six lines near the middle of the square, in general position: all 15 crossings are in it.
    angles = np.pi * (np.arange(6) + 0.3) / 6
    normals = np.c_[np.cos(angles), np.sin(angles)]
    shifts = normals @ [0.5, 0.5] + 0.02 * np.array([1, -1, 2, -3, 2, 1])
    out = np.r_[np.c_[outward, zeros], np.c_[zeros, outward]]
    second.weight.data = torch.tensor(normals @ out.T)
    second.bias.data = torch.tensor(normals @ [offset, offset] - shifts)
    network = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    found = nh.partition(network, extent=(0, 1, 0, 1))
    assert found.n_regions == nh.montufar_bound(2, [6, 6]) == 4**2 * 22


# -- Hanin and Rolnick -----------------------------------------------------------------------


def test_scale_of_random_networks():
    assert nh.hanin_rolnick_scale(48, 2) == 48**2 / 2
    assert nh.hanin_rolnick_scale(10, 3) == pytest.approx(1000 / 6)
    assert nh.hanin_rolnick_scale(7, 1) == 7.0


def test_scale_of_many_inputs():
    log = 784 * math.log(500) - math.lgamma(785)
    assert math.log(nh.hanin_rolnick_scale(500, 784)) == pytest.approx(log)
    assert nh.hanin_rolnick_scale(1000, 784) == math.inf


# -- arrangements ----------------------------------------------------------------------------

X, Y, DIAGONAL = (1, 0, 0), (0, 1, 0), (1, -1, 0)


@pytest.mark.parametrize(
    ("lines", "regions"),
    [
        ([], 1),
        ([X], 2),
        ([X, (2, 0, 0), (-0.5, 0, 0)], 2),  # the same line three times
        ([(0, 0, 1), (0, 0, 0), (0, 0, -1)], 1),  # no lines
        ([X, Y], 4),
        ([X, Y, DIAGONAL], 6),  # in one point
        ([X, Y, DIAGONAL, (1, 1, 0)], 8),
        ([X, (1, 0, -0.5), (1, 0, 0.5)], 4),  # parallel
        ([(1, 0, -1), (1, 0, 1), (0, 1, -1), (0, 1, 1)], 1),  # the border
        ([(1, 1, 2), (1, 1, -2), (1, -1, 2), (1, -1, -2)], 1),  # through one corner each
        ([(1, 1, 0), (1, -1, 0)], 4),  # through two corners each
        ([X, (1, 1, -1)], 3),  # cross in (0, 1), on the border
        ([X, (1, 1, -0.75)], 4),  # cross in (0, 0.75)
        ([X, (1, 4, -8)], 2),  # cross outside, and one stays there
        ([(1, 0, -2), (0, 1, 3)], 1),  # all outside
        ([X, Y, (1, 1, -0.5)], 7),
    ],
)
def test_arrangements_by_hand(lines, regions):
    assert count(lines) == regions
    assert cells_by_cutting(lines, SQUARE) == regions


@given(special_lines, rectangles)
def test_special_arrangements(lines, extent):
    found = count(lines, extent)
    assert found == cells_by_cutting(lines, extent)
    assert found <= nh.zaslavsky_bound(len(lines), 2)
    if lines:
        assert found == nh.partition(network_of(lines), extent=extent).n_regions


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 3), max_size=6), st.data())
def test_any_floats(lines, data):
    ends = [sorted(data.draw(st.lists(st.floats(-9, 9), min_size=2, max_size=2))) for _ in "xy"]
    assume(all(low < high for low, high in ends))
    extent = (*ends[0], *ends[1])
    assert count(lines, extent) == cells_by_cutting(lines, extent)


@given(special_lines, st.data())
def test_order_signs_scale_and_units_of_length_change_nothing(lines, data):
    found = count(lines)
    scales = data.draw(st.lists(st.sampled_from([-4.0, -1.0, 0.5, 3.0]), min_size=9, max_size=9))
    scaled = [tuple(s * x for x in line) for s, line in zip(scales, lines, strict=False)]
    assert count(data.draw(st.permutations(scaled))) == found
    # 2^-500 in all directions: no float is too small for a whole number of its own.
    tiny = 2.0**-500
    assert count([(a, b, c * tiny) for a, b, c in lines], tuple(tiny * x for x in SQUARE)) == found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [0.1, 1.0, 1000.0])
def test_random_layers(seed, size):
    torch.manual_seed(seed)
    layer = nn.Linear(2, 60, dtype=torch.double)
    extent = (-size, size, -size, 2 * size)
    found = nh.arrangement_count(layer.weight, layer.bias, extent)
    assert found == nh.partition(nn.Sequential(layer, nn.ReLU()), extent=extent).n_regions


def test_whole_plane_reaches_zaslavsky():
    lines = [(2 * k, -1, -(k**2)) for k in range(40)]  # tangents of a parabola
    assert count(lines, (-100, 100, -1e4, 1e4)) == nh.zaslavsky_bound(40, 2)


def test_a_last_bit_opens_a_triangle():
    third = np.nextafter(1.0, 2.0)
    assert count([X, Y, (1, 1, 0)]) == 6
    assert count([X, Y, (1, 1, third - 1)]) == 7
    assert count([(1, 1, 0), (1, third, 0)]) == 4  # all but parallel
    assert count([(1, 1, -0.5), (1, third, -0.5)]) == 4
    assert count([(1, 0, -np.nextafter(1.0, 0.0))]) == 2  # just inside the border


def test_many_lines():
    torch.manual_seed(0)
    layer = nn.Linear(2, 512)
    assert nh.arrangement_count(layer.weight, layer.bias) == 41_593


def test_what_lines_may_come_as():
    lines = [X, Y, (1, 1, -0.5)]
    weights, biases = [line[:2] for line in lines], [line[2] for line in lines]
    read_only = np.array(weights, np.float32)
    read_only.flags.writeable = False
    halves = torch.tensor(weights, dtype=torch.bfloat16, requires_grad=True)
    for given_weights in (weights, read_only, np.array(weights), halves):
        for given_biases in (biases, np.array(biases), torch.tensor(biases)):
            assert nh.arrangement_count(given_weights, given_biases) == 7
    assert nh.arrangement_count(np.empty((0, 2)), np.empty(0)) == 1
    assert nh.arrangement_count(weights, biases, extent=np.array(SQUARE)) == 7


# -- what is not a count, a layer or a rectangle ---------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("zaslavsky_bound", (2.0, 2), r"n_units: a whole number of at least 0 is needed, not 2\.0"),
        ("zaslavsky_bound", (2, "2"), "n_inputs: a whole number of at least 1 is needed, not '2'"),
        ("serra_bound", (True, [2]), "n_inputs: a whole number of at least 1 is needed, not True"),
        ("serra_bound", (2, [2, 2.5]), r"widths: a whole number of at least 1 .* not 2\.5"),
        ("serra_bound", (2, 16), r"widths: the units of each .* such as \[16, 16\], not 16"),
        ("montufar_bound", (2, None), r"widths: the units of each .*, not None"),
        ("hanin_rolnick_scale", (48, 2.5), r"n_inputs: a whole number .*, not 2\.5"),
    ],
)
def test_no_whole_numbers(name, arguments, message, unchecked):
    with pytest.raises(TypeError, match=message):
        unchecked(getattr(nh, name))(*arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("zaslavsky_bound", (-1, 2), "n_units: .* at least 0 is needed, not -1"),
        ("zaslavsky_bound", (3, 0), "n_inputs: .* at least 1 is needed, not 0"),
        ("serra_bound", (0, [2]), "n_inputs: .* at least 1 is needed, not 0"),
        ("serra_bound", (2, []), r"widths: at least one hidden layer .* such as \[16\], not none"),
        ("serra_bound", (2, [4, 0]), "widths: .* at least 1 is needed, not 0"),
        ("montufar_bound", (3, [4, 2]), r"widths: .* of 3 inputs and \[4, 2\] .* serra_bound"),
        ("hanin_rolnick_scale", (0, 2), "n_units: .* at least 1 is needed, not 0"),
        ("hanin_rolnick_scale", (4, -2), "n_inputs: .* at least 1 is needed, not -2"),
    ],
)
def test_numbers_too_small(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(nh, name)(*arguments)


@pytest.mark.parametrize(
    ("weights", "biases", "message"),
    [
        (np.ones((3, 5)), np.ones(3), r"weights: shape \(n, 2\) is needed.* not \(3, 5\)"),
        (np.ones(2), np.ones(1), r"weights: shape \(n, 2\) is needed.* not \(2,\)"),
        (np.ones((3, 2)), np.ones(2), r"biases: shape \(3,\) is needed.* not \(2,\)"),
        (np.ones((3, 2)), np.ones((3, 1)), r"biases: shape \(3,\) is needed.* not \(3, 1\)"),
        (np.ones((3, 2)), 1.0, r"biases: shape \(3,\) is needed.* not \(\)"),
        ([[1.0, math.nan]], [0.0], "weights: finite numbers are needed, but there is nan"),
        ([[1.0, 1.0]], [-math.inf], "biases: finite numbers are needed, but there is -inf"),
        ([["a", "b"]], [0.0], "weights: an array or tensor of real numbers is needed, not list"),
        ([[1.0], [1.0, 2.0]], [0.0, 0.0], "weights: an array or tensor of real numbers"),
        ([[1j, 1.0]], [0.0], "weights: an array or tensor of real numbers"),
        ([[10**400, 1]], [0.0], "weights: an array or tensor of real numbers"),
        (torch.ones(1, 2, dtype=torch.cfloat), [0.0], "weights: .* real numbers .* not Tensor"),
        (np.ones((3, 2)), None, "biases: .* not NoneType .* zeros where it has no bias"),
        (nn.Linear(2, 3), np.ones(3), "weights: .* not Linear .* take layer.weight"),
    ],
)
def test_no_lines(weights, biases, message):
    with pytest.raises(ValueError, match=message):
        nh.arrangement_count(weights, biases)


@pytest.mark.parametrize(
    "extent",
    [
        (1, -1, -1, 1),
        (-1, 1, 0, 0),
        (-1, 1, -1),
        (-1, 1, -1, math.inf),
        (math.nan, 1, -1, 1),
        5,
    ],
)
def test_no_rectangle(extent):
    with pytest.raises(ValueError, match=r"extent: .*\(left, right, bottom, top\)"):
        nh.arrangement_count([[1.0, 0.0]], [0.0], extent)
