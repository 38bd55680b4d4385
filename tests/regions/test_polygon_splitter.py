"""The plain reference itself, on layouts that can be counted by hand."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from polygon_splitter import area, grid_count, linear_regions, share_a_side, split

SQUARE = (-1, 1, -1, 1)


def relu(weights, biases):
    return weights, biases, [0] * len(biases)


def test_three_lines_have_seven_regions():
    layers = [relu([[1, 0], [0, 1], [1, 1]], [0, 0, Fraction(-1, 2)])]
    regions = split(layers, SQUARE)
    assert len({region.code for region in regions}) == len(regions) == 7
    triangle = next(region for region in regions if region.code == (1, 1, 0))
    assert sorted(triangle.polygon) == [(0, 0), (0, Fraction(1, 2)), (Fraction(1, 2), 0)]
    assert area(triangle.polygon) == Fraction(1, 8)
    assert (0, 0, 1) not in {region.code for region in regions}


@pytest.mark.parametrize("number", [Fraction, float])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_lines_in_general_position(n, number):
    # Tangents of the unit circle, close to each other: all meet within the square.
    angles = np.linspace(0.5, 1, n)
    weights = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    regions = split([relu(weights, np.full(n, -0.5))], SQUARE, number)
    assert len(regions) == 1 + n + comb(n, 2)
    assert sum(area(region.polygon) for region in regions) == pytest.approx(4, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_lines_through_one_point_make_sectors(n):
    regions = split([relu([[k, 1] for k in range(n)], [0] * n)], SQUARE)
    assert len(regions) == 2 * n
    assert sum(area(region.polygon) for region in regions) == 4


def test_corners_on_a_line_belong_to_both_sides():
    on, off = split([relu([[1, 1]], [0])], SQUARE)
    assert (on.code, off.code) == ((1,), (0,))
    assert on.polygon == [(1, -1), (1, 1), (-1, 1)]
    assert area(on.polygon) == area(off.polygon) == 2


@pytest.mark.parametrize("bias", [-1, 1])
def test_lines_that_only_touch_the_square_do_not_cut_it(bias):
    for weights in ([1, 0], [0, 1], [Fraction(1, 2), Fraction(1, 2)]):
        (region,) = split([relu([weights], [bias])], SQUARE)
        assert region.code == ((1 + bias) // 2,)


def test_units_that_are_zero_everywhere_are_off():
    (region,) = split([relu([[0, 0], [0, 0], [0, 0]], [-1, 0, 1])], SQUARE)
    assert region.code == (0, 0, 1)


def test_affine_maps_and_slopes():
    layers = [([[1, 0]], [0], [Fraction(1, 4)]), ([[2], [0]], [3, 5], None)]
    on, off = split(layers, SQUARE)
    assert on.slopes.tolist() == [[2, 0], [0, 0]]
    assert off.slopes.tolist() == [[Fraction(1, 2), 0], [0, 0]]
    assert on.offsets.tolist() == off.offsets.tolist() == [3, 5]


def tents(k):
    """Compose k tents: each maps [0, 1] onto itself twice, and the second input not at all."""
    first = relu([[1, 0], [1, 0], [0, 1]], [0, Fraction(-1, 2), 0])
    again = relu([[2, -4, 0], [2, -4, 0], [0, 0, 1]], [0, Fraction(-1, 2), 0])
    return [first, *[again] * (k - 1), ([[2, -4, 0]], [0], None)]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_tents_double_their_pieces(k):
    regions = split(tents(k), (0, 1, 0, 1))
    assert len(regions) == linear_regions(regions) == 2**k
    assert {area(region.polygon) for region in regions} == {Fraction(1, 2**k)}
    assert {abs(region.slopes[0, 0]) for region in regions} == {2**k}


def test_activation_regions_with_one_map_are_one_linear_region():
    halves = relu([[1, 0], [-1, 0]], [0, 0])
    regions = split([halves, ([[1, -1]], [0], None)], SQUARE)  # max(0, x) - max(0, -x) = x
    assert (len(regions), linear_regions(regions)) == (2, 1)
    regions = split([halves, ([[1, 1]], [0], None)], SQUARE)  # |x|
    assert (len(regions), linear_regions(regions)) == (2, 2)


def test_equal_maps_far_apart_are_two_linear_regions():
    # A bump: 0 on both sides, and on the middle something else.
    layers = [relu([[1, 0], [1, 0], [1, 0]], [Fraction(1, 2), 0, Fraction(-1, 2)])]
    regions = split([*layers, ([[1, -2, 1]], [0], None)], SQUARE)
    assert (len(regions), linear_regions(regions)) == (4, 4)


def test_sides_that_touch_in_a_point_are_not_shared():
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]

    def moved(x, y):
        return [(a + x, b + y) for a, b in square]

    half = Fraction(1, 2)
    for x, y in [(1, 0), (0, -1), (1, half), (-half, 1)]:
        assert share_a_side(square, moved(x, y))
        assert share_a_side(moved(x, y), square)
    for x, y in [(1, 1), (-1, 1), (2, 0), (1, 2), (1 + half, half)]:
        assert not share_a_side(square, moved(x, y))


def test_a_grid_finds_codes_that_are_there():
    rng = np.random.default_rng(0)
    layers = [relu(rng.normal(size=(9, 2)), rng.normal(size=9) / 3)]
    layers.append(([rng.normal(size=9)], [0.1], [-0.5]))
    n_regions = len(split(layers, SQUARE))
    assert 1 < grid_count(layers, SQUARE, 5) < grid_count(layers, SQUARE, 50) <= n_regions
    assert grid_count(layers, SQUARE, 600) == n_regions
