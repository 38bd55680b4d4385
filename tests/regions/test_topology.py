"""Pieces and holes of decisions: by hand, and against pictures of many pixels."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import nhlib as nh


def network_of(*layers):
    """Make a network of (weights, biases), with a ReLU between any two."""
    modules = []
    for weights, biases in layers:
        linear = nn.Linear(len(weights[0]), len(weights)).double()
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(np.array(weights)))
            linear.bias.copy_(torch.tensor(np.array(biases)))
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


# |x| + |y|, and from it any function that is linear in between.
DIAMONDS = [([[1.0, 0], [-1, 0], [0, 1], [0, -1]], [0.0] * 4)]
HAT = [[1.0] * 4] * 3, [-0.2, -0.4, -0.6]


def counts(network, **arguments):
    found = nh.partition(network, **arguments).decision_topology()
    assert (found.euler == found.pieces - found.holes).all()
    return found.pieces.tolist(), found.holes.tolist()


def test_rings():
    # Below 0 up to 0.3 from the middle, above 0 up to 0.5, then below again.
    ring = network_of(*DIAMONDS, HAT, ([[1.0, -2.0, 1.0]], [-0.1]))
    assert counts(ring) == ([2, 1], [1, 1])
    # The outer piece is cut by the frame into four corners, which surround nothing any more.
    assert counts(ring, extent=(-0.45, 0.45, -0.45, 0.45)) == ([5, 1], [0, 1])
    two = network_of(*DIAMONDS, HAT, ([[-1.0, 2.0, -1.0], [0.0] * 3], [0.1, 0.0]))
    assert counts(two) == ([2, 1], [1, 1])


@pytest.mark.parametrize("turn", [0, 0.3])
def test_a_class_within_one_region_that_has_no_corner_of_it(turn):
    # Three planes rise from a triangle round the middle, where the fourth class is decided.
    angles = turn + 2 * np.pi * np.arange(3) / 3
    away = np.array([np.cos(angles), np.sin(angles)]).T
    rise = [[*(4 * one), *(-4 * one)] for one in away]
    hidden = [[1.0, 0], [0, 1], [-1, 0], [0, -1]], [9.0, 9, 9, 9]
    network = network_of(hidden, ([*rise, [0.0] * 4], [-1.0, -1, -1, 0]))
    assert nh.partition(network).n_regions == 1
    pieces, holes = counts(network)
    assert pieces == [1, 1, 1, 1]
    assert holes == [0, 0, 0, 0]


def test_a_piece_with_many_holes():
    # |x| folded twice has four equal periods in each direction; their product of minima is a grid.
    fold = [[1.0, 0], [-1, 0], [0, 1], [0, -1]], [0.0] * 4
    again = [[1.0, 1, 0, 0], [-1.0, -1, 0, 0], [0, 0, 1, 1], [0, 0, -1.0, -1]], [-0.5, 0.5] * 2
    sum_ = [[1.0, 1, 1, 1]], [-0.2]
    # Below 0 in a diamond round each of four points, above 0 in one piece around them all.
    assert counts(network_of(fold, again, sum_)) == ([4, 1], [0, 4])


def test_ties_belong_to_no_class():
    hidden = [[1.0, 0], [-1, 0]], [0.0, 0.0]
    # Both outputs are equal on the left.
    assert counts(network_of(hidden, ([[1.0, 0], [0, 0]], [0.0, 0.0]))) == ([1, 0], [0, 0])
    # |x| touches 0 in a line, which cuts what is above it in two.
    assert counts(network_of(hidden, ([[1.0, 1.0]], [0.0]))) == ([0, 2], [0, 0])
    assert counts(network_of(hidden, ([[0.0, 0.0]], [0.0]))) == ([0, 0], [0, 0])


FOUR, EIGHT = ndimage.generate_binary_structure(2, 1), ndimage.generate_binary_structure(2, 2)


def by_pixels(network, n_pixels, neighbours):
    """Count pieces and holes in a picture, where pixels have four neighbours or eight."""
    middles = (np.arange(n_pixels) + 0.5) / n_pixels * 2 - 1
    x, y = np.meshgrid(middles, middles)
    with torch.no_grad():
        outputs = network(torch.tensor(np.stack([x.ravel(), y.ravel()], axis=1))).numpy()
    outputs = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
    decisions = outputs.argmax(axis=1).reshape(n_pixels, n_pixels)
    pieces, holes = [], []
    for c in range(outputs.shape[1]):
        here = decisions == c
        pieces.append(ndimage.label(here, neighbours)[1])
        others, n = ndimage.label(~here, neighbours)
        frame = np.concatenate([others[0], others[-1], others[:, 0], others[:, -1]])
        holes.append(n - len(np.unique(frame[frame > 0])))
    return pieces, holes


@pytest.mark.parametrize("n_outputs", [1, 2, 4])
@pytest.mark.parametrize("widths", [(10,), (8, 8), (6, 6, 6)], ids=str)
def test_random_networks_against_pictures(widths, n_outputs):
    compared = several = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        sizes = [2, *widths, n_outputs]
        layers = [
            (rng.normal(size=(n, m)) * np.sqrt(2 / m), rng.uniform(-0.7, 0.7, n))
            for m, n in pairwise(sizes)
        ]
        network = network_of(*layers)
        with torch.no_grad():  # all outputs have their turn
            network[-1].bias -= network(torch.tensor(rng.uniform(-1, 1, (400, 2)))).mean(dim=0)
            corners = torch.tensor(nh.partition(network).vertices)
            outputs = np.sort(np.pad(network(corners).numpy(), ((0, 0), (0, n_outputs == 1))))
        if (outputs[:, -1] - outputs[:, -2]).min() < 5e-4 * np.abs(outputs).max():
            continue  # nearly a tie at a corner: perhaps a sliver or a strait that no pixel shows
        pictures = [by_pixels(network, n, by) for n in (300, 501) for by in (FOUR, EIGHT)]
        if all(picture == pictures[0] for picture in pictures):
            assert counts(network) == pictures[0], seed
            compared += 1
            several += sum(pictures[0][0]) + sum(pictures[0][1]) > max(2, n_outputs)
        if compared >= 4 and several:
            return
    pytest.fail("too few networks without slivers")


def test_the_plane_through_three_digits():
    data = nh.load("digits")
    network = nh.mlp(64, [20], 10, seed=0)
    plane = data.train.inputs[:3]
    found = nh.partition(network, plane).decision_topology()
    assert found.pieces.shape == (10,)
    assert found.pieces.sum() >= 1
