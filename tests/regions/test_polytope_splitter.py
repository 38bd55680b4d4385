"""The plain program that `region` and `walk` are compared with, itself compared with formulas."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from polygon_splitter import split as split_plane
from polytope_splitter import neighbours, rank, split


@pytest.mark.parametrize(("n", "d"), [(3, 2), (5, 3), (6, 3), (5, 4)])
def test_hyperplanes_in_general_position(n, d):
    rng = np.random.default_rng(n)
    layer = (rng.integers(-50, 51, (n, d)), rng.integers(-20, 21, n), np.zeros(n))
    far = 10**6  # a box that holds every corner
    parts = split([layer], [-far] * d, [far] * d)
    assert len(parts) == sum(comb(n, k) for k in range(d + 1))
    # Each hyperplane is cut by the others as a space of one dimension less.
    assert len(neighbours(parts)) == n * sum(comb(n - 1, k) for k in range(d))


def test_as_in_a_plane():
    rng = np.random.default_rng(0)
    layers = [
        (rng.integers(-3, 4, (5, 2)), rng.integers(-2, 3, 5), np.full(5, 0.25)),
        (rng.integers(-3, 4, (4, 5)), rng.integers(-2, 3, 4), np.zeros(4)),
    ]
    expected = {region.code for region in split_plane(layers, (-1, 1, -1, 1))}
    assert {part.code for part in split(layers, [-1, -1], [1, 1])} == expected


def test_rank():
    third = Fraction(1, 3)
    assert rank([]) == -1
    assert rank([(third, 1)]) == 0
    assert rank([(0, 0, third), (0, 1, third), (0, 2, third)]) == 1
    assert rank([(0, 0, 0), (0, 1, 0), (third, 0, 0), (third, 1, 0)]) == 2
