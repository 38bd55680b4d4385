"""Cuts by one line at a time, where rounding makes signs that no line can have."""

import numpy as np
import pytest

from nhlib.regions.line_by_line import cut_one_by_one
from nhlib.regions.subdivision import Subdivision

SQUARE = Subdivision.rectangle(-1.0, 1.0, -1.0, 1.0)
NEAR = 1e-13


def cut(before, *preactivations):
    z = np.array(preactivations, float).reshape(-1, 1)
    return cut_one_by_one(before, z, np.array([NEAR]), 0, 100)


def test_signs_that_contradict_each_other_within_rounding_are_zeros():
    # A rectangle with three more corners on its upper side, along which a line runs. Rounding
    # has made two of five zeros too large to be seen as such.
    points = [[-1, -1], [1, -1], [1, 0], [0.5, 0], [0, 0], [-0.5, 0], [-1, 0]]
    n = len(points)
    edges = np.stack([np.arange(n), (np.arange(n) + 1) % n], axis=1)
    sides = np.array([[0, -1]] * n)
    rectangle = Subdivision(np.array(points, float), edges, sides, np.full(n, -1), 1)
    found = cut(rectangle, -1, -1, 0.5 * NEAR, 3 * NEAR, 0.5 * NEAR, 3 * NEAR, 0.5 * NEAR)
    assert found.subdivision.n_faces == 1
    assert not found.bits.any()
    assert found.preactivations is not None
    assert found.preactivations[2:].tolist() == [[0]] * 5


def test_signs_that_no_line_has_are_an_error_and_no_wrong_subdivision():
    with pytest.raises(ArithmeticError, match="unit 0: its line cannot be told"):
        cut(SQUARE, 1, -1, 1, -1)
