"""Figures of regions show every region, border and switch where it is."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.collections import PolyCollection
from matplotlib.patches import PathPatch
from torch import nn

import nhlib as nh

mpl.use("agg")


@pytest.fixture(autouse=True)
def _own_figure():
    plt.close("all")
    with plt.style.context("nhlib.book"):
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def deep():
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 2)),
    )
    return nh.partition(network, extent=(-2, 3, -1, 2))


def polygons(ax):
    (found,) = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
    return found


def brightness(colors):
    return colors[:, :3] @ [0.2126, 0.7152, 0.0722]


def test_every_region_is_a_polygon_and_every_layer_a_path_of_borders(deep):
    _, ax = plt.subplots()
    assert nh.plot_partition(deep, ax=ax) is ax
    paths = polygons(ax).get_paths()
    assert len(paths) == deep.n_regions
    for path, corners in zip(paths, deep.polygons, strict=True):
        assert np.array_equal(path.vertices[:-1], deep.vertices[corners])
    first, second = [patch for patch in ax.patches if isinstance(patch, PathPatch)]
    assert first.get_linewidth() > second.get_linewidth()
    for patch, units in ((first, range(8)), (second, range(8, 14))):
        drawn = patch.get_path().vertices.reshape(-1, 2, 2)
        expected = deep.vertices[deep.edges[np.isin(deep.edge_units, units)]]
        assert np.array_equal(drawn, expected)
        assert patch.get_path().codes.tolist() == [1, 2] * len(expected)
    assert (*ax.get_xlim(), *ax.get_ylim()) == deep.extent
    assert ax.get_aspect() == 1


def test_across_a_border_one_side_is_lighter(deep):
    faces = polygons(nh.plot_partition(deep)).get_facecolor()
    assert len(np.unique(faces.round(3), axis=0)) > deep.n_regions / 2
    parity = deep.codes.bits().sum(axis=1) % 2
    inner = deep.edge_regions[(deep.edge_regions >= 0).all(axis=1)]
    assert (parity[inner[:, 0]] != parity[inner[:, 1]]).all()
    light = brightness(faces)
    even, odd = np.where(parity[inner[:, :1]] == 0, inner, inner[:, ::-1]).T
    assert (light[even] > light[odd]).all()


def test_slopes_have_a_scale_and_are_the_norms_of_the_derivatives(deep):
    ax = nh.plot_partition(deep, color="slope")
    shown = polygons(ax).get_facecolor()
    steepness = [np.linalg.norm(deep.affine_map(i)[0]) for i in range(deep.n_regions)]
    order = np.argsort(steepness)
    # The scale goes from pale to dark.
    assert (np.diff(brightness(shown[order])) <= 1e-9).all()
    scale = ax.figure.axes[-1]
    assert scale.get_ylabel() == "slope"
    assert scale.get_ylim() == pytest.approx((0, max(steepness)))


def test_borders_alone_with_data_and_the_boundary(deep):
    points = torch.tensor([[0.0, 0.5], [1.0, 1.0], [-1.0, 0.0]])
    ax = nh.plot_partition(
        deep, color=None, points=points, labels=torch.tensor([3, 7, 3]), boundary=True
    )
    assert not any(isinstance(artist, PolyCollection) for artist in ax.collections)
    lines, three, seven = ax.collections
    assert np.array_equal(lines.get_segments(), deep.decision_boundary())
    assert np.array_equal(three.get_offsets(), points[[0, 2]])
    assert np.array_equal(seven.get_offsets(), points[[1]])
    assert len(three.get_paths()[0].vertices) != len(seven.get_paths()[0].vertices)
    assert [a.get_label() for a in (three, seven)] == ["class 3", "class 7"]


def test_points_need_no_labels_and_arrays_do(deep):
    ax = nh.plot_partition(deep, points=np.zeros((4, 2)))
    assert len(ax.collections[-1].get_offsets()) == 4
    ax.figure.canvas.draw()
    assert ax.get_legend_handles_labels() == ([], [])


def test_a_network_of_one_unit_and_one_of_none_that_switches():
    one = nn.Sequential(nn.Linear(2, 1), nn.ReLU())
    for bias, n in ((0.0, 2), (9.0, 1)):
        one[0].bias.data[:] = bias
        for color in ("code", "slope", None):
            p = nh.partition(one)
            ax = nh.plot_partition(p, color=color, boundary=True, ax=plt.figure().gca())
            ax.figure.canvas.draw()
            assert p.n_regions == n


def test_partition_arguments(deep):
    with pytest.raises(ValueError, match='color: "code", "slope" or None is needed, not .red'):
        nh.plot_partition(deep, color="red")
    with pytest.raises(ValueError, match="labels: there are no points"):
        nh.plot_partition(deep, labels=[0, 1])
    with pytest.raises(ValueError, match="labels: 3 whole numbers .* each of points"):
        nh.plot_partition(deep, points=np.zeros((3, 2)), labels=[0, 1])
    with pytest.raises(ValueError, match=r"points: shape \(k, 2\) is needed, not \(3,\)"):
        nh.plot_partition(deep, points=np.zeros(3))


# -- along a line ------------------------------------------------------------------------------


def test_a_segment_has_a_row_for_every_unit_that_switches_at_true_widths():
    test = nh.load("digits").test
    s = nh.segment(nh.mlp(64, [30, 20], 10, seed=3), test.inputs[0], test.inputs[1])
    _, ax = plt.subplots()
    assert nh.plot_segment(s, ax=ax) is ax
    meshes = [mesh for mesh in ax.collections if isinstance(mesh, mpl.collections.QuadMesh)]
    top = 0
    for mesh, name in zip(meshes, s.codes.layers, strict=True):
        bits = s.codes[name].bits()
        changes = bits[1:] != bits[:-1]
        first = [np.flatnonzero(column)[0] for column in changes.T if column.any()]
        shown = mesh.get_array().filled(0)
        assert shown.shape == (len(first), s.n_regions)
        rows = sorted(map(tuple, bits.T[changes.any(axis=0)]))
        assert sorted(map(tuple, shown)) == rows
        switch = (shown[:, 1:] != shown[:, :-1]).argmax(axis=1)
        assert switch.tolist() == sorted(first)
        corners = mesh.get_coordinates()
        assert np.array_equal(corners[0, :, 0], [0, *s.breakpoints, 1])
        assert (corners[0, 0, 1], corners[-1, 0, 1]) == (top, top + len(first))
        top += len(first)
    ticks = ax.lines[-1]
    assert np.array_equal(ticks.get_xdata(), s.breakpoints)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["layer 1", "layer 2"]
    assert ax.get_ylim() == (top, 0)


def test_a_segment_on_which_nothing_switches():
    one = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    one[0].bias.data[:] = 9
    s = nh.segment(one, [0.0, 0.0, 0.0], [0.1, 0.1, 0.1])
    assert s.n_regions == 1
    ax = nh.plot_segment(s)
    ax.figure.canvas.draw()
    assert ax.get_xlim() == (0, 1)
