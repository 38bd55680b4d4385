"""`mlp`: what it computes, what its weights are drawn from, and what it refuses."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import nhlib as nh
from nhlib.networks.fully_connected import mlp


def test_layers_are_named_and_ordered():
    assert list(dict(mlp(4, [3, 2], 2).named_children())) == [
        *("flatten", "linear1", "relu1", "linear2", "relu2", "output")
    ]
    assert list(dict(mlp(4, [3], 2, batch_norm=True).named_children())) == [
        *("flatten", "linear1", "norm1", "relu1", "output")
    ]
    assert list(dict(mlp(4, [3, 2], 2, batch_norm=True, dropout=0.5).named_children())) == [
        *("flatten", "linear1", "norm1", "relu1", "drop1"),
        *("linear2", "norm2", "relu2", "drop2", "output"),
    ]


def test_computes_what_a_hand_written_forward_pass_does():
    network = mlp(12, [7, 5], 3, seed=1)
    p = dict(network.named_parameters())
    x = torch.rand(4, 3, 2, 2)
    h = x.reshape(4, 12)
    for layer in ("linear1", "linear2"):
        h = (h @ p[f"{layer}.weight"].T + p[f"{layer}.bias"]).clamp(min=0)
    expected = h @ p["output.weight"].T + p["output.bias"]
    torch.testing.assert_close(network(x), expected)
    torch.testing.assert_close(network(x.flatten(1)), expected)


def test_batch_norm_has_keras_settings():
    norm = mlp(4, [3], 2, batch_norm=True).norm1
    assert (norm.eps, norm.momentum) == (1e-3, 0.01)
    x = torch.rand(50, 3)
    norm(x)
    torch.testing.assert_close(norm.running_mean, 0.01 * x.mean(0))


def test_dropout_leaves_out_its_share_of_units_while_training():
    network = mlp(6, [400, 300], 2, dropout=0.3, seed=2)
    seen = {}
    for name, layer in network.named_children():
        layer.register_forward_hook(
            lambda _, inputs, output, name=name: seen.update({name: output})
        )
    network(torch.rand(50, 6))
    for before, after, n in (("relu1", "drop1", 400), ("relu2", "drop2", 300)):
        on = seen[before] > 0
        out = (seen[after] == 0) & on
        share = (out.sum() / on.sum()).item()
        assert share == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / on.sum().item()))
        # At random in every example, and what is left stands for the rest.
        assert len(out.unique(dim=0)) == 50
        left = on & ~out
        torch.testing.assert_close(seen[after][left], seen[before][left] / 0.7)
        assert on.shape == (50, n)


def test_dropout_changes_neither_the_weights_nor_what_is_computed_afterwards():
    before = torch.get_rng_state()
    plain, dropping = (
        mlp(6, [5, 4], 2, batch_norm=True, init="he", seed=3, dropout=share) for share in (0, 0.5)
    )
    assert torch.equal(torch.get_rng_state(), before)
    weights, same = plain.state_dict(), dropping.state_dict()
    assert list(weights) == list(same)
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    x = torch.rand(20, 6)
    assert torch.equal(plain.eval()(x), dropping.eval()(x))
    codes, likewise = nh.encode(plain, x), nh.encode(dropping, x)
    assert list(codes.layers) == list(likewise.layers) == ["relu1", "relu2"]
    assert (codes.bits() == likewise.bits()).all()
    # Codes are read in eval mode, whatever mode the network is in.
    assert (nh.encode(dropping.train(), x).bits() == codes.bits()).all()


def test_no_dropout_is_no_layer():
    names = list(dict(mlp(4, [3], 2).named_children()))
    for none in (0, 0.0, np.float64(0)):
        assert list(dict(mlp(4, [3], 2, dropout=none).named_children())) == names
    assert mlp(4, [3], 2, dropout=np.float32(0.25)).drop1.p == 0.25


@pytest.mark.parametrize("share", [1, 1.0, -0.1, math.nan, math.inf, True, "0.5", None, [0.5]])
def test_shares_of_dropout_that_are_none(share):
    error = ValueError if type(share) in (int, float) else TypeError
    with pytest.raises(error, match="dropout: a number from 0 to below 1 is needed, not"):
        mlp(4, [3], 2, dropout=share)


@pytest.mark.parametrize("layer", ["linear1", "linear2", "output"])
def test_glorot_is_uniform_up_to_its_bound(layer):
    module = mlp(100, [200, 150], 50, seed=5).get_submodule(layer)
    bound = math.sqrt(6 / sum(module.weight.shape))
    weights = module.weight.detach()
    assert weights.abs().max() <= bound
    # A tenth of the weights in each tenth of the range, within five standard errors.
    shares = torch.histc(weights, 10, -bound, bound) / weights.numel()
    assert (shares - 0.1).abs().max() < 5 * math.sqrt(0.09 / weights.numel())
    assert not module.bias.any()


@pytest.mark.parametrize("layer", ["linear1", "linear2", "output"])
def test_he_is_normal_with_its_variance(layer):
    module = mlp(100, [200, 150], 50, init="he", seed=5).get_submodule(layer)
    weights = module.weight.detach() * math.sqrt(module.in_features / 2)
    assert abs(weights.mean()) < 5 / math.sqrt(weights.numel())
    assert weights.var().item() == pytest.approx(1, abs=5 * math.sqrt(2 / weights.numel()))
    beyond_two = (weights.abs() > 2).float().mean().item()
    assert beyond_two == pytest.approx(0.0455, abs=5 * math.sqrt(0.0455 / weights.numel()))
    assert not module.bias.any()


def test_seed_alone_decides_the_weights():
    before = torch.get_rng_state()
    one = mlp(6, [5], 2, batch_norm=True, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(10)
    same, other = mlp(6, [5], 2, seed=3), mlp(6, [5], 2, seed=4)
    assert torch.equal(one.linear1.weight, same.linear1.weight)
    assert torch.equal(one.output.weight, same.output.weight)
    assert not torch.equal(one.linear1.weight, other.linear1.weight)


def test_default_dtype_and_device_do_not_change_it():
    expected = mlp(6, [5], 2).linear1.weight
    torch.set_default_dtype(torch.float64)
    try:
        weight = mlp(6, [5], 2).linear1.weight
        with torch.device("meta"):
            on_meta = mlp(6, [5], 2).linear1.weight
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(weight, expected)
    assert torch.equal(on_meta, expected)


def test_it_is_a_plain_trainable_network():
    network = mlp(6, [5], 2)
    assert type(network) is nn.Sequential
    assert network.training
    assert all(p.requires_grad and p.is_leaf for p in network.parameters())
    network(torch.rand(2, 6)).sum().backward()
    assert network.linear1.weight.grad is not None


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((4, 50, 2), TypeError, r"widths: a list .* such as \[50\] .* not 50"),
        ((4, "50", 2), TypeError, "widths: a list"),
        ((4, [], 2), ValueError, "widths is empty: without a hidden layer there is no ReLU"),
        ((4, [3, 0], 2), ValueError, r"widths\[1\]: a whole number of at least 1 .* not 0"),
        ((4, [3.5], 2), TypeError, r"widths\[0\]: a whole number .* not 3.5"),
        ((4, [True], 2), TypeError, r"widths\[0\]: .* not True"),
        ((0, [3], 2), ValueError, "n_inputs: a whole number of at least 1"),
        (((1, 28, 28), [3], 2), TypeError, r"n_inputs: one number .* pass data.n_inputs"),
        ((torch.Size([1, 8, 8]), [3], 2), TypeError, "n_inputs: one number"),
        ((4, [3], 1), ValueError, "n_classes: a whole number of at least 2 .* not 1"),
    ],
)
def test_wrong_arguments_are_explained(unchecked, arguments, error, text):
    with pytest.raises(error, match=text):
        unchecked(mlp)(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"init": "xavier"}, ValueError, "init: there are 'glorot' and 'he', not 'xavier'"),
        ({"seed": -1}, ValueError, "seed: a whole number of at least 0"),
        ({"seed": 2**64}, ValueError, r"seed: a whole number below 2\*\*64 is needed"),
        ({"batch_norm": "no"}, TypeError, "batch_norm: True or False is needed, not 'no'"),
        ({"batch_norm": 1}, TypeError, "batch_norm: True or False is needed, not 1"),
        ({"batch_norm": None}, TypeError, "batch_norm: True or False is needed, not None"),
    ],
)
def test_wrong_options_are_explained(unchecked, options, error, text):
    with pytest.raises(error, match=text):
        unchecked(mlp)(4, [3], 2, **options)


@pytest.mark.parametrize("fourth", [True, "he", 3])
def test_options_have_names(unchecked, fourth):
    with pytest.raises(TypeError, match="takes 3 positional arguments but 4 were given"):
        unchecked(mlp)(4, [3], 2, fourth)


@pytest.mark.parametrize("flag", [True, np.True_])
def test_a_flag_may_be_one_of_numpy(unchecked, flag):
    assert "norm1" in dict(unchecked(mlp)(4, [3], 2, batch_norm=flag).named_children())
