"""Distances to borders against lines walked to them, and against searches in every direction."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import nhlib as nh
from nhlib import border_distances, encode, mlp, segment


def network_of(widths, n_inputs, seed, batch_norm=False):
    network = mlp(n_inputs, widths, 3, batch_norm=batch_norm, seed=seed).double()
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for module in network:
            if isinstance(module, nn.Linear):
                module.bias.copy_(torch.randn(module.bias.shape, generator=generator) / 2)
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.copy_(torch.randn(module.bias.shape, generator=generator))
                module.weight.copy_(torch.randn(module.bias.shape, generator=generator))
    return network.eval()


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@settings(max_examples=25)
@given(
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    n_inputs=st.integers(1, 6),
    seed=st.integers(0, 2**20),
    batch_norm=st.booleans(),
)
def test_distances_are_pre_activation_over_gradient(widths, n_inputs, seed, batch_norm):
    """Autograd differentiates every unit's pre-activation on its own."""
    network = network_of(widths, n_inputs, seed, batch_norm)
    inputs = normal(4, n_inputs, seed=seed)
    found = border_distances(network, inputs)
    assert found.shape == (4, sum(widths))
    for x, distances in zip(inputs, found, strict=True):
        x = x.clone().requires_grad_()
        h, unit = x[None], 0
        for module in network:
            if isinstance(module, nn.ReLU):
                for z in h[0]:
                    (slope,) = torch.autograd.grad(z, x, retain_graph=True)
                    size = slope.norm().item()
                    expected = abs(z.item()) / size if size else np.inf
                    assert distances[unit] == pytest.approx(expected, rel=1e-7, abs=1e-12)
                    unit += 1
            h = module(h)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**20), n_inputs=st.integers(2, 6))
def test_nothing_switches_within_the_margin_and_one_unit_just_behind(seed, n_inputs):
    network = network_of([8, 6], n_inputs, seed)
    x = normal(n_inputs, seed=seed)
    distances = border_distances(network, x[None])[0]
    nearest, margin = int(distances.argmin()), distances.min()
    rng = np.random.default_rng(seed)
    code = encode(network, x[None]).bits()[0]
    for direction in rng.standard_normal((20, n_inputs)):
        end = x.numpy() + 0.999 * margin * direction / np.linalg.norm(direction)
        assert segment(network, x, end).n_regions == 1
    # Straight to the hyperplane: against or along the gradient, whichever leads there.
    at = x.clone().requires_grad_()
    before = nn.Sequential(*list(network)[: 4 if nearest >= 8 else 2])
    z = before(at[None])[0, nearest - 8 if nearest >= 8 else nearest]
    (slope,) = torch.autograd.grad(z, at)
    step = -z.sign() * slope / slope.norm() * margin
    line = segment(network, x, (x + 1.001 * step).detach())
    assert line.breakpoints[0] == pytest.approx(1 / 1.001, rel=1e-9)
    assert np.flatnonzero(line.codes.bits()[1] != code).tolist()[:1] == [nearest]


def test_images_convolutions_and_leaky_units():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(32, 5), nn.ReLU()
    ).double()
    images = normal(3, 1, 4, 4)
    found = border_distances(network, images)
    assert found.shape == (3, 37)
    for i in range(3):
        slopes = torch.autograd.functional.jacobian(
            lambda x: network[:4](x[None])[0], images[i]
        ).reshape(5, -1)
        expected = network[:4](images[i][None])[0].abs() / slopes.norm(dim=1)
        assert found[i, 32:] == pytest.approx(expected.detach().numpy())


def test_blocks_do_not_matter(monkeypatch):
    network, inputs = network_of([7, 5], 4, 3), normal(11, 4)
    whole = border_distances(network, inputs)
    monkeypatch.setattr("nhlib.regions.borders._BLOCK", 1)
    assert np.allclose(border_distances(network, inputs), whole, rtol=1e-12)


def test_units_that_hear_nothing_have_no_border():
    network = network_of([3, 4], 2, 0)
    with torch.no_grad():
        network.linear1.bias.fill_(-100)
    distances = border_distances(network, normal(5, 2))
    assert np.isinf(distances[:, 3:]).all()
    assert np.isfinite(distances[:, :3]).all()


def test_on_a_border_the_distance_is_zero():
    network = mlp(2, [3], 2)  # borders through the origin
    assert (border_distances(network, np.zeros((1, 2))) == 0).all()


def test_a_unit_that_is_off_switches_behind_the_hyperplane_and_not_on_it():
    network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU()).double()
    nn.init.ones_(network[0].weight)
    assert border_distances(network, [[-1.0], [1.0]]).tolist() == [[1.0], [1.0]]
    moved = torch.tensor([[-1.0 + 1.0], [-1.0 + 1.0 + 1e-12], [1.0 - 1.0]], dtype=torch.float64)
    assert encode(network, moved).bits().tolist() == [[0], [1], [0]]


def test_no_inputs_give_no_distances():
    assert border_distances(mlp(2, [3], 2), np.zeros((0, 2))).shape == (0, 3)


def test_bad_input(unchecked):
    network = mlp(2, [3], 2)
    with pytest.raises(ValueError, match=r"inputs: shape \(n, \*shape\) is needed, not \(2,\)"):
        border_distances(network, np.zeros(2))
    with pytest.raises(ValueError, match="layer linear1 takes 2 numbers"):
        border_distances(network, np.zeros((1, 3)))
    with pytest.raises(ValueError, match="inputs"):
        border_distances(network, np.full((1, 2), np.nan))
    with pytest.raises(TypeError, match="network: a torch.nn.Module is needed"):
        unchecked(border_distances)("network", np.zeros((1, 2)))
    with pytest.raises(ValueError, match="it is of type ResNet"):
        border_distances(nh.resnet20(in_channels=1), np.zeros((1, 1, 8, 8)))


def test_scales_do_not_matter():
    """Squares of tiny gradients are 0 in float64, and those of huge ones infinite."""
    network = nh.mlp(3, [6, 5], 2, seed=1).double()
    inputs = np.random.default_rng(0).uniform(-1, 1, (4, 3))
    expected = nh.border_distances(network, inputs)
    for scale in (2.0**-600, 2.0**600):
        with torch.no_grad():
            network[1].weight.mul_(scale)
        assert np.array_equal(nh.border_distances(network, inputs), expected)
        with torch.no_grad():
            network[1].weight.div_(scale)


def test_small_parts_of_a_gradient():
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[3e-200, 4e-200], [1, 0]], dtype=torch.double))
        network[0].bias.copy_(torch.tensor([5e-200, 0], dtype=torch.double))
    assert nh.border_distances(network, [[0.0, 0.0]]) == pytest.approx(np.array([[1.0, 0.0]]))


def test_inputs_at_which_numbers_overflow():
    network = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).double()
    nn.init.ones_(network[0].weight)
    with pytest.raises(ValueError, match="overflow float64 at these inputs; take inputs closer"):
        nh.border_distances(network, np.full((1, 3), 1.7e308))
