"""The walk through all regions of a network."""

import numpy as np
import pytest
import torch
from torch import nn

import nhlib as nh


def network_of(n_inputs, *widths, seed=0):
    torch.manual_seed(seed)
    layers, before = [], n_inputs
    for width in widths:
        layers += [nn.Linear(before, width), nn.ReLU()]
        before = width
    return nn.Sequential(*layers, nn.Linear(before, 1))


@pytest.mark.parametrize("seed", range(3))
def test_in_a_plane_as_the_partition(seed):
    network = network_of(2, 10, 10, seed=seed)
    expected = nh.partition(network)
    graph = nh.walk(network, [0.1, 0.2], box=(-1, 1))
    assert graph.n_regions == expected.n_regions
    number = {bytes(code): i for i, code in enumerate(expected.codes.packed)}
    ours = np.array([number[bytes(code)] for code in graph.codes.packed])
    inner = (expected.edge_regions >= 0).all(axis=1)
    pairs = {tuple(sorted(pair)) for pair in expected.edge_regions[inner].tolist()}
    assert {tuple(sorted(pair)) for pair in ours[graph.edges].tolist()} == pairs
    units = dict(
        zip(map(tuple, np.sort(expected.edge_regions).tolist()), expected.edge_units, strict=True)
    )
    for pair, unit in zip(np.sort(ours[graph.edges]).tolist(), graph.edge_units, strict=True):
        assert units[tuple(pair)] == unit
    assert (expected.locate(graph.points) == ours).all()


def test_one_layer_has_as_many_as_its_formula_says():
    for n, d in ((7, 2), (7, 3), (6, 4)):
        graph = nh.walk(network_of(d, n), np.zeros(d))
        assert graph.n_regions == nh.zaslavsky_bound(n, d)


def test_what_a_graph_tells():
    network = network_of(3, 8, 8).double()
    graph = nh.walk(network, [0.5, 0.2, -0.1])
    assert graph.codes[0] == nh.encode(network, torch.tensor([[0.5, 0.2, -0.1]]))
    assert nh.encode(network, torch.tensor(graph.points)) == graph.codes
    assert graph.codes.n_distinct == graph.n_regions
    assert (graph.edges[:, 0] < graph.edges[:, 1]).all()
    assert graph.edges.tolist() == sorted(graph.edges.tolist())
    one, other = graph.edges.T
    bits = graph.codes.bits()
    assert (bits[one] != bits[other])[np.arange(len(one)), graph.edge_units].all()
    assert (np.abs(graph.steps[one] - graph.steps[other]) <= 1).all()
    assert (np.diff(graph.steps) >= 0).all()
    assert graph.steps[0] == 0
    for i, neighbours in enumerate(graph.neighbours):
        assert len(neighbours) == graph.degrees[i]
        assert set(neighbours) == set(one[other == i]) | set(other[one == i])
    assert repr(graph) == f"RegionGraph({graph.n_regions} regions, {len(one)} common facets)"


def test_the_whole_is_found_from_anywhere():
    network = network_of(3, 6, 6, seed=1)
    one = nh.walk(network, [0.9, 0.9, 0.9], box=(-1, 1))
    other = nh.walk(network, [-1, -1, -1], box=(-1, 1))
    assert set(map(bytes, one.codes.packed)) == set(map(bytes, other.codes.packed))
    assert len(one.edges) == len(other.edges)


def test_a_limit_stops_with_an_error_that_names_it():
    network = network_of(3, 8, 8)
    n = nh.walk(network, [0, 0, 0]).n_regions
    assert nh.walk(network, [0, 0, 0], limit=n).n_regions == n
    with pytest.raises(ValueError, match=f"limit: there are more than {n - 1} regions here"):
        nh.walk(network, [0, 0, 0], limit=n - 1)
    with pytest.raises(ValueError, match="limit: a whole number of at least 1"):
        nh.walk(network, [0, 0, 0], limit=0)


def test_one_region():
    network = network_of(3, 4)
    with torch.no_grad():
        network[0].weight.zero_()
    graph = nh.walk(network, [0, 0, 0])
    assert (graph.n_regions, len(graph.edges), graph.degrees.tolist()) == (1, 0, [0])
