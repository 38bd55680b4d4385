"""What users do to partitions and segments: train on, pass views, reuse planes, mistake things."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import nhlib as nh
from nhlib.regions import partitions


def small(n_inputs=2, dtype=torch.float64):
    torch.manual_seed(0)
    layers = [nn.Linear(n_inputs, 9), nn.ReLU(), nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 3)]
    return nn.Sequential(*layers).to(dtype)


def change(network):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)


# -- nothing changes behind the user's back ----------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_that_learns_on_leaves_its_partition_alone(dtype):
    network, untouched = small(dtype=dtype), small(dtype=dtype)
    found, expected = nh.partition(network), nh.partition(untouched)
    line = nh.segment(network, [0.0, 0.1], [1.0, 1.0])
    change(network)
    for got, wanted in zip(found.affine_map(3), expected.affine_map(3), strict=True):
        assert np.array_equal(got, wanted)
    assert np.array_equal(found.slopes, expected.slopes)
    assert np.array_equal(found.decision_boundary(), expected.decision_boundary())
    ends = torch.tensor([[0.0, 0.1], [1.0, 1.0]], dtype=dtype)
    assert np.allclose(line.outputs([0, 1]), untouched(ends).detach(), atol=1e-6)


def test_inputs_that_change_leave_planes_and_segments_alone():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 1]])
    found, line = nh.partition(small(3), plane=points), nh.segment(small(3), points[0], points[1])
    points += 5
    assert found.plane.origin.tolist() == line.start.tolist() == [0, 0, 0]
    assert line.end.tolist() == [1, 0, 0]


def test_results_are_read_only():
    found, line = nh.partition(small()), nh.segment(small(), [0.0, 0.1], [1.0, 1.0])
    for array in (
        *(found.vertices, found.edges, found.edge_regions, found.edge_units, found.areas),
        *(found.centroids, found.slopes, found.offsets, found.linear_regions),
        *(line.start, line.end, line.breakpoints, line.slopes, line.offsets),
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_hooks_are_refused():
    pruned = small()
    prune.l1_unstructured(pruned[2], "weight", amount=0.5)
    hooked = small()
    hooked[1].register_forward_hook(lambda module, inputs, output: 2 * output)
    for network, name in ((pruned, "2"), (hooked, "1")):
        with pytest.raises(ValueError, match=f"network: layer {name} has a hook"):
            nh.partition(network)
    prune.remove(pruned[2], "weight")
    assert nh.partition(pruned).n_regions > 1


QUESTIONS = {
    "partition": lambda network: nh.partition(network),
    "segment": lambda network: nh.segment(network, [0.0, 0.1], [1.0, 1.0]),
    "border_distances": lambda network: nh.border_distances(network, [[0.5, 0.2]]),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_a_network_that_was_changed_from_outside_is_refused(ask, monkeypatch):
    def other(x):
        return -x

    layer, block = small(), nn.Sequential(small())
    layer[0].forward, block[0].forward = other, other
    for network, name in ((layer, "layer 0"), (block, "layer 0")):
        with pytest.raises(ValueError, match=f"network: the forward method of {name} was replaced"):
            ask(network)
    whole = small()
    whole.forward = other
    with pytest.raises(ValueError, match="network: the forward method of it was replaced"):
        ask(whole)
    wrapped = nn.DataParallel(small())
    wrapped.register_forward_hook(lambda module, inputs, output: 2 * output)
    with pytest.raises(ValueError, match="network: it has a hook"):
        ask(wrapped)
    for register in (
        nn.modules.module.register_module_forward_hook,
        nn.modules.module.register_module_forward_pre_hook,
    ):
        hook = register(lambda module, inputs, *output: None)
        try:
            with pytest.raises(ValueError, match="network: a global hook is registered"):
                ask(small())
        finally:
            hook.remove()
    ask(small())
    monkeypatch.setattr(nn.Linear, "forward", other)
    with pytest.raises(ValueError, match="network: the forward method of layer 0 was replaced"):
        ask(small())


# -- numbers of all kinds ----------------------------------------------------------------------


def test_views_lists_and_tensors_of_all_kinds_are_the_same_points():
    found = nh.partition(small())
    points = np.random.default_rng(0).uniform(-1, 1, (50, 2)).astype(np.float32)
    expected = found.locate(points)
    frozen = points.copy()
    frozen.flags.writeable = False
    for given in (
        *(points.tolist(), torch.tensor(points, requires_grad=True), points.astype(">f8")),
        *(
            frozen,
            np.asfortranarray(points),
            torch.tensor(points.T).T,
            points.astype(np.longdouble),
        ),
    ):
        assert np.array_equal(found.locate(given), expected)
    assert np.array_equal(found.locate(points[::-1]), expected[::-1])
    # Lists keep the precision of Python's numbers.
    assert nh.partition(small(), extent=(0.0, 0.1, 0.0, 0.1)).locate([[0.1, 0.1]])[0] >= 0


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("a", "points: an array or tensor of real numbers"),
        (None, "points: an array or tensor of real numbers is needed, not NoneType"),
        ([[1j, 0]], "points: an array or tensor of real numbers"),
        ([[np.nan, 0]], "points: finite numbers"),
        (np.zeros((3, 64)), r"points: shape \(k, 2\) .* partition.plane.coordinates"),
    ],
)
def test_points_that_are_none(points, message):
    found = nh.partition(small())
    with pytest.raises(ValueError, match=message):
        found.locate(points)
    if points is not None:
        _, ax = plt.subplots()
        with pytest.raises(ValueError, match=message):
            nh.plot_partition(found, points=points, ax=ax)
        assert not ax.collections
        plt.close("all")


def test_regions_that_do_not_exist():
    found, line = nh.partition(small()), nh.segment(small(), [0.0, 0.1], [1.0, 1.0])
    with pytest.raises(ValueError, match="region: a whole number from 0 to .* is needed, not -1"):
        found.affine_map(-1)
    with pytest.raises(TypeError, match="region: a whole number"):
        found.affine_map(np.array([1, 2]))
    with pytest.raises(ValueError, match="piece: a whole number from 0"):
        line.affine_map(line.n_regions)
    assert found.affine_map(torch.tensor(3))[0].shape == (3, 2)


def test_numbers_that_overflow():
    with pytest.raises(ValueError, match="network: pre-activations of layer 1 overflow float64"):
        nh.partition(small(), extent=(-1e308, 1e308, -1e308, 1e308))
    with pytest.raises(ValueError, match="network: pre-activations of layer 1 overflow float64"):
        nh.segment(small(), [-1e308, 1e308], [1e308, 1e308])


# -- planes ------------------------------------------------------------------------------------


def test_two_networks_in_one_plane():
    images = torch.rand(3, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU()).double()
    first = nh.partition(network, plane=list(images))
    again = nh.partition(network, plane=first.plane, extent=first.extent)
    assert np.array_equal(again.vertices, first.vertices)
    assert again.plane is first.plane
    assert first.plane.shape == (1, 6, 6)
    with pytest.raises(ValueError, match=r"extent: a Plane has no size"):
        nh.partition(network, plane=first.plane)


@pytest.mark.parametrize(
    ("plane", "message"),
    [
        (5, "plane: three inputs are needed, not int 5"),
        (torch.rand(1437, 64), "plane: three inputs are needed, not 1437"),
        ([0.0, 1.0, 2.0], r"plane: three inputs of one shape are needed, not of shapes \(\)"),
        ([np.zeros((1, 8, 8)), np.ones(64), np.arange(64.0)], r"one shape .* \(1, 8, 8\), \(64,\)"),
        ("abc", "plane: an array or tensor of real numbers"),
        (torch.rand(3, 1, 8, 8), r"layer linear1 takes 64 numbers, .* \(1, 8, 8\); put nn.Flatten"),
    ],
)
def test_planes_that_are_none(plane, message):
    network = nh.mlp(64, [5], 3)[1:] if "Flatten" in message else nh.mlp(64, [5], 3)
    with pytest.raises(ValueError, match=message):
        nh.partition(network, plane=plane)


def test_coordinates_of_inputs_in_all_shapes():
    images = torch.rand(3, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    plane = nh.Plane.through(images)
    assert np.array_equal(plane.coordinates(images), plane.coordinates(images.flatten(1)))
    assert plane.coordinates(images[:0]).shape == (0, 2)
    assert np.allclose(plane.inputs(plane.coordinates(images)), images.flatten(1))
    for wrong in (images[0], images[:, :, :5], np.zeros(3)):
        with pytest.raises(ValueError, match=r"inputs: shape \(k, 1, 6, 6\) is needed"):
            plane.coordinates(wrong)
    with pytest.raises(ValueError, match=r"coordinates: shape \(k, 2\)"):
        plane.inputs([0, 0])


def test_advice_on_planes_is_given_where_it_helps():
    with pytest.raises(ValueError, match="shape \\(2,\\); for a network of other than two inputs"):
        nh.partition(nh.mlp(3, [4], 2))
    mismatched = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(5, 1))
    with pytest.raises(ValueError, match=r"layer 2 takes 5 numbers, .* shape \(4,\)$"):
        nh.partition(mismatched)
    with pytest.raises(ValueError, match="leave a last Softmax or Sigmoid out"):
        nh.partition(nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Softmax(dim=1)))


@pytest.mark.parametrize("shape", [(6, 6), (1, 1, 6, 6)])
def test_images_without_channel_or_with_a_batch(shape):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    start, end = np.zeros(shape), np.ones(shape)
    with pytest.raises(ValueError, match=r"layer 0 takes inputs of 3 dimensions .*no batch"):
        nh.segment(network, start, end)


# -- large and special -------------------------------------------------------------------------


def test_units_that_see_nothing_are_off_and_in_nobodys_way():
    torch.manual_seed(0)
    images = torch.zeros(3, 1, 8, 8)
    images[:, :, 3:6, 3:6] = torch.rand(3, 1, 3, 3)  # with a margin as MNIST's
    network = nn.Sequential(
        *(nn.Conv2d(1, 3, 3, bias=False), nn.BatchNorm2d(3), nn.LeakyReLU(0.1)),
        *(nn.Flatten(), nn.Linear(108, 6), nn.ReLU(), nn.Linear(6, 2)),
    )
    network.eval().double()
    found = nh.partition(network, plane=images.double())
    inputs = torch.tensor(found.plane.inputs(found.centroids)).reshape(-1, 1, 8, 8)
    codes = nh.encode(network, inputs)
    seen = (codes.bits() != found.codes.bits()).any(axis=0)
    # On the margin the network's own zeros may be rounding of either sign.
    silent = np.abs(network[:2](inputs).detach().numpy().reshape(len(inputs), -1)).max(axis=0)
    assert not seen[:108][silent > 1e-12].any()
    assert not seen[108:].any()
    assert (silent < 1e-12).sum() > 10
    assert not found.codes["2"].bits()[:, silent < 1e-12].any()


def test_linear_regions_where_two_units_switch_at_once():
    torch.manual_seed(0)
    network = small()
    with torch.no_grad():  # the second unit repeats the first, the third undoes the fourth
        network[0].weight[1] = 2 * network[0].weight[0]
        network[0].bias[1] = 2 * network[0].bias[0]
        network[0].weight[2], network[0].bias[2] = -network[0].weight[3], -network[0].bias[3]
        network[2].weight[:, 2] = -network[2].weight[:, 3]
    found = nh.partition(network, extent=(-4.0, 4.0, -4.0, 4.0))
    inner = found.edge_regions[(found.edge_regions >= 0).all(axis=1)]
    flips = found.codes.bits()[inner[:, 0]] != found.codes.bits()[inner[:, 1]]
    assert (flips.sum(axis=1) == 2).any()
    left, right = found.linear_regions[inner].T
    same = np.abs(found.slopes[inner[:, 0]] - found.slopes[inner[:, 1]]).max(axis=(1, 2)) < 1e-12
    assert np.array_equal(left == right, same)
    # Units 2 and 3 together are linear: their common border is felt by nobody.
    assert same[flips[:, 2] & flips[:, 3]].all()


def test_many_points_are_located_in_blocks(monkeypatch):
    found = nh.partition(small())
    points = np.random.default_rng(0).uniform(-1.1, 1.1, (500, 2))
    expected = found.locate(points)
    monkeypatch.setattr(partitions, "_BLOCK", 7)
    assert np.array_equal(found.locate(points), expected)


def test_outputs_that_never_win_do_not_count():
    network = small()
    many = nn.Sequential(*network[:4], nn.Linear(9, 40)).double()
    with torch.no_grad():
        many[4].weight[:3], many[4].bias[:3] = network[4].weight, network[4].bias
        many[4].weight[3:] = 0
        many[4].bias[3:] = -1e3
    few, all_of_them = (nh.partition(each).decision_boundary() for each in (network, many))
    assert np.allclose(few, all_of_them, atol=1e-9)


# -- figures -----------------------------------------------------------------------------------


def test_figures_of_something_else_and_in_axes_that_were_used(unchecked):
    found, line = nh.partition(small()), nh.segment(small(), [0.0, 0.1], [1.0, 1.0])
    with pytest.raises(TypeError, match="partition: what nhlib.partition returns .* not Segment"):
        unchecked(nh.plot_partition)(line)
    with pytest.raises(TypeError, match="segment: what nhlib.segment returns .* not Partition"):
        unchecked(nh.plot_segment)(found)
    _, ax = plt.subplots()
    nh.plot_segment(line, ax=ax)
    nh.plot_partition(found, ax=ax)
    ax.figure.canvas.draw()
    plt.close("all")
