"""`mlp`: what it computes, what its weights are drawn from, and what it refuses."""

import math

import pytest
import torch
from torch import nn

from nhlib.networks import mlp


def test_layers_are_named_and_ordered():
    assert list(dict(mlp(4, [3, 2], 2).named_children())) == [
        *("flatten", "linear1", "relu1", "linear2", "relu2", "output")
    ]
    assert list(dict(mlp(4, [3], 2, batch_norm=True).named_children())) == [
        *("flatten", "linear1", "norm1", "relu1", "output")
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
        ((4, [3], 2, False, "xavier"), ValueError, "init: there are 'glorot' and 'he', not 'xav"),
        ((4, [3], 2, False, "he", -1), ValueError, "seed: a whole number of at least 0"),
    ],
)
def test_wrong_arguments_are_explained(unchecked, arguments, error, text):
    with pytest.raises(error, match=text):
        unchecked(mlp)(*arguments)
