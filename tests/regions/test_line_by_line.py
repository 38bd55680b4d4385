"""Faces in which many lines almost meet: they are cut line by line, and their borders stay."""

import numpy as np
import pytest
import torch
from polygon_splitter import area, split
from torch import nn

import nhlib as nh
from nhlib.regions import layer_cut, unclear_faces
from nhlib.regions.folding import fold
from nhlib.regions.line_by_line import cut_one_by_one
from nhlib.regions.subdivision import Contradiction, Subdivision

NEAR = 1e-13
SQUARE = (-1.0, 1.0, -1.0, 1.0)


def ring(*points):
    """One face, with corners on its sides."""
    n = len(points)
    corners, none = np.arange(n), np.full(n, -1)
    return Subdivision(
        *(np.array(points, float), corners, (corners + 1) % n, np.zeros(n, np.int64)),
        *(none, none, none, 1, SQUARE),
    )


def test_lines_that_cross_on_the_border_meet_inside():
    # Two diagonals and a line from the middle of a side to the middle of the other.
    points = [(-1, -1), (0, -1), (1, -1), (1, 1), (0, 1), (-1, 1)]
    z = np.array([[x - y, x + y, x] for x, y in points], float)
    found = cut_one_by_one(ring(*points), z, np.full(3, NEAR), 10)
    assert found.subdivision.n_faces == 6
    assert len(found.subdivision.points) == 7
    assert found.subdivision.points[6].tolist() == [0, 0]
    assert found.z[6].tolist() == [0, 0, 0]
    assert found.subdivision.start[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert set(found.subdivision.units[6:]) == {10, 11, 12}
    assert len({tuple(bits) for bits in found.bits.tolist()}) == 6


@pytest.mark.parametrize("z", [[1, -1, 1, -1], [0, 1, 0, 1, -1]])
def test_signs_that_no_line_has_are_an_error_and_no_wrong_subdivision(z):
    angles = 2 * np.pi * np.arange(len(z)) / len(z)
    corners = ring(*zip(np.cos(angles), np.sin(angles), strict=True))
    with pytest.raises(Contradiction):
        cut_one_by_one(corners, np.array(z, float)[:, None], np.array([NEAR]), 0)


@pytest.fixture
def cut_by_line(monkeypatch):
    """Count the faces that are cut line by line."""
    counts, original = [], unclear_faces.cut_unclear

    def cut_unclear(*arguments):
        found = original(*arguments)
        counts.append(len(np.unique(found.parents)))
        return found

    monkeypatch.setattr(layer_cut, "cut_unclear", cut_unclear)
    return counts


def network_of_lines(rows, biases, *more):
    layers = [nn.Linear(len(rows[0]), len(rows)).double(), nn.ReLU()]
    layers[0].weight.data = torch.tensor(rows, dtype=torch.float64)
    layers[0].bias.data = torch.tensor(biases, dtype=torch.float64)
    return nn.Sequential(*layers, *more)


def almost_one_direction(angle, seed):
    """Two lines through the origin within rounding of each other for a part of their length.

    Others cross both of them there, each in another place.
    """
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(turn), np.sin(turn)])
    across = np.array([-along[1], along[0]])
    rows, biases = [across, across + angle * along], [0, 0]
    for place in rng.uniform(-0.3, 0.3, 6) * 1e-13 / angle:
        normal = along + rng.uniform(-0.5, 0.5) * across
        rows.append(normal)
        biases.append(-normal @ (place * along))
    return network_of_lines(np.array(rows), biases, nn.Linear(8, 4).double(), nn.ReLU())


def assert_units_switch_at_their_edges(partition):
    inner = (partition.edge_regions >= 0).all(axis=1)
    left, right = partition.codes.bits()[partition.edge_regions[inner].T]
    switches = left != right
    assert switches[np.arange(len(switches)), partition.edge_units[inner]].all()


def test_lines_of_almost_one_direction_among_others(cut_by_line):
    for angle in (1e-9, 1e-10, 1e-11):
        for seed in range(4):
            torch.manual_seed(seed)
            network = almost_one_direction(angle, seed)
            found = nh.partition(network)
            assert len(found.vertices) - len(found.edges) + found.n_regions == 1
            assert found.areas.sum() == pytest.approx(4, rel=1e-12)
            assert found.codes.n_distinct == found.n_regions
            assert_units_switch_at_their_edges(found)
            # What is wider than rounding is there, with its area.
            folded = fold(network, (2,)).layers
            layers = [(layer.weights, layer.biases, layer.slopes) for layer in folded]
            exact = {r.code: float(area(r.polygon)) for r in split(layers, SQUARE, float)}
            codes = map(tuple, found.codes.bits().tolist())
            ours = dict(zip(codes, found.areas, strict=True))
            for code, size in exact.items():
                if size > 1e-9:
                    assert ours[code] == pytest.approx(size, abs=1e-9)
            assert sum(size for code, size in ours.items() if code not in exact) < 1e-9
    assert sum(cut_by_line) > 0


def test_many_lines_through_few_points_are_counted_before_they_are_stored(cut_by_line, monkeypatch):
    network = nh.mlp(2, [40], 3, seed=0)
    expected = nh.partition(network)
    assert not cut_by_line
    monkeypatch.setattr(layer_cut, "_MOST_PAIRS", 100)
    found = nh.partition(network, max_regions=expected.n_regions)
    assert cut_by_line == [1]
    assert found.n_regions == expected.n_regions == 80
    assert sorted(map(bytes, found.codes.packed)) == sorted(map(bytes, expected.codes.packed))
    assert sorted(found.areas) == pytest.approx(sorted(expected.areas), abs=1e-12)
    with pytest.raises(ValueError, match="max_regions: there are at least 80 regions here, and 79"):
        nh.partition(network, max_regions=79)


def test_many_lines_through_one_point_in_a_second_layer(cut_by_line, monkeypatch):
    """The first layer has four units, two of which move the square and switch nowhere in it."""
    rows = np.array([[k, 1.0] for k in range(-10, 10)])
    sectors = network_of_lines(
        np.hstack([rows, np.zeros((20, 2))]), -rows.sum(axis=1) * 2, nn.Linear(20, 2).double()
    )
    moved = nn.Linear(2, 4).double()
    moved.weight.data = torch.tensor([[1.0, 0], [0, 1], [1, 3], [3, -1]]).double()
    moved.bias.data = torch.tensor([2.0, 2, 0.25, 0.5]).double()
    network = nn.Sequential(moved, nn.ReLU(), sectors)
    expected = nh.partition(network)
    assert not cut_by_line
    monkeypatch.setattr(layer_cut, "_MOST_PAIRS", 20)
    found = nh.partition(network, max_regions=expected.n_regions)
    assert sum(cut_by_line) > 0
    assert_units_switch_at_their_edges(found)
    assert sorted(map(bytes, found.codes.packed)) == sorted(map(bytes, expected.codes.packed))
    assert sorted(found.areas) == pytest.approx(sorted(expected.areas), abs=1e-12)
