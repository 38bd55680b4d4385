"""Baselines against hyperplanes, forward passes and accuracies computed in other ways."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import resnet18

import nhlib as nh
from nhlib import (
    compare_with_baselines,
    encode,
    hidden_activations,
    mlp,
    random_hyperplanes,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# -- random hyperplanes ----------------------------------------------------------------------


@settings(max_examples=30)
@given(
    n=st.integers(1, 20),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    n_bits=st.integers(1, 40),
    seed=st.integers(0, 2**32),
)
def test_bits_are_the_sides_of_hyperplanes_through_the_mean(n, shape, n_bits, seed):
    inputs = normal(n, *shape, seed=seed) + 3
    network = random_hyperplanes(inputs, n_bits, seed)
    others = normal(30, *shape, seed=seed + 1) + 3
    mean = inputs.double().numpy().reshape(n, -1).mean(axis=0)
    directions = network.linear1.weight.detach().double().numpy()
    sides = (others.double().numpy().reshape(30, -1) - mean) @ directions.T
    codes = encode(network, others)
    # What is within rounding of a hyperplane may be on either side.
    clear = np.abs(sides) > 1e-4
    assert np.array_equal(codes.bits()[clear], (sides > 0)[clear])
    assert clear.mean() > 0.9
    assert codes.layers == {"relu1": (n_bits,)}


def test_the_mean_lies_on_every_hyperplane():
    inputs = nh.load("digits").train
    network = random_hyperplanes(inputs, 200)
    mean = inputs.inputs.double().mean(dim=0, keepdim=True)
    assert network.double()[:2](mean).abs().max() < 1e-5
    # Hyperplanes through the origin would have most images on one side.
    assert 0.4 < encode(network.float(), inputs).bits().mean() < 0.6


def test_directions_are_normal():
    weights = random_hyperplanes(normal(3, 100), 2000).linear1.weight.detach().numpy().ravel()
    error = 1 / np.sqrt(len(weights))
    assert weights.mean() == pytest.approx(0, abs=4 * error)
    assert weights.std() == pytest.approx(1, abs=4 * error)
    assert (weights**4).mean() == pytest.approx(3, abs=4 * np.sqrt(96) * error)


@pytest.mark.parametrize("angle", [0.05, np.pi / 3, np.pi / 2, 3.0])
def test_a_bit_differs_with_the_probability_of_the_angle(angle):
    n_bits = 20_000
    # Seen from the mean, under the angle; how far away does not matter.
    mean = normal(1, 12, seed=1)
    across = np.linalg.qr(normal(12, 2, seed=2).double().numpy())[0].T
    rays = [5 * across[0], 0.7 * (np.cos(angle) * across[0] + np.sin(angle) * across[1])]
    pair = mean + torch.tensor(np.array(rays), dtype=torch.float32)
    codes = encode(random_hyperplanes(mean, n_bits, seed=3), pair)
    share = angle / np.pi
    error = np.sqrt(share * (1 - share) / n_bits)
    assert codes[0].hamming(codes[1])[0, 0] / n_bits == pytest.approx(share, abs=4 * error)


def test_hyperplanes_are_reproducible_and_leave_the_global_random_state_alone():
    inputs = normal(9, 5)
    before, before_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    networks = [random_hyperplanes(inputs, 7, seed) for seed in (0, 0, 1)]
    torch.manual_seed(5)
    networks.append(random_hyperplanes(inputs, 7))
    torch.set_rng_state(before)
    assert np.array_equal(np.random.get_state()[1], before_numpy)  # noqa: NPY002
    one, same, other, again = (network.linear1 for network in networks)
    for layer in (same, again):
        assert torch.equal(one.weight, layer.weight)
        assert torch.equal(one.bias, layer.bias)
    assert not torch.equal(one.weight, other.weight)
    random_hyperplanes(inputs, 7)
    assert torch.equal(torch.get_rng_state(), before)


def test_inputs_of_every_kind_give_the_same_hyperplanes():
    split = nh.load("digits").test[:20]
    expected = random_hyperplanes(split, 6).state_dict()
    kinds = [split.inputs, split.inputs.numpy(), split.inputs.numpy().tolist()]
    for inputs in (*kinds, split.inputs.flatten(1), split.inputs.clone().requires_grad_()):
        found = random_hyperplanes(inputs, 6).state_dict()
        assert list(found) == ["linear1.weight", "linear1.bias"]
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    pixels = random_hyperplanes((255 * split.inputs).to(torch.uint8), 6)
    assert pixels.linear1.weight.dtype == torch.float32
    assert torch.equal(pixels.linear1.weight, expected["linear1.weight"])


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("kind", [read_only, lambda x: x[::-1]], ids=["read-only", "reversed"])
def test_arrays_that_no_tensor_can_share(kind):
    inputs = normal(8, 3).numpy()
    torch.set_warn_always(True)
    try:
        network = random_hyperplanes(kind(inputs), 4)
    finally:
        torch.set_warn_always(False)
    assert torch.allclose(network.linear1.bias, random_hyperplanes(inputs, 4).linear1.bias)


def test_hyperplanes_need_inputs_and_numbers(unchecked):
    for shape in [(0, 3), (5,)]:
        with pytest.raises(ValueError, match=r"inputs: shape \(n, \*shape\) is needed, not"):
            random_hyperplanes(torch.zeros(shape), 4)
    with pytest.raises(ValueError, match="n_bits: a whole number of at least 1 is needed, not 0"):
        random_hyperplanes(normal(2, 3), 0)
    with pytest.raises(TypeError, match=r"n_bits: a whole number of at least 1 is needed, not 2\."):
        unchecked(random_hyperplanes)(normal(2, 3), 2.5)
    with pytest.raises(ValueError, match="seed: a whole number of at least 0 is needed, not -1"):
        random_hyperplanes(normal(2, 3), 4, seed=-1)


@pytest.mark.parametrize(
    "kind", [lambda data: None, str, lambda data: data], ids=["None", "str", "Dataset"]
)
def test_hyperplanes_through_the_mean_of_something_else(kind, unchecked):
    with pytest.raises(TypeError, match="inputs: "):
        unchecked(random_hyperplanes)(kind(nh.load("digits")), 4)


# -- activations -----------------------------------------------------------------------------


class Functional(nn.Module):
    """Activations as functions, in place, twice, and of several dimensions."""

    def __init__(self):
        super().__init__()
        self.conv, self.linear = nn.Conv2d(1, 3, 3), nn.Linear(27, 8)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = F.relu(self.conv(x)).flatten(1)
        x = self.relu(self.linear(x))
        # Overwritten right after the activation: its output must have been copied.
        return x.sub_(0.3).relu_().mul_(-1)


def snapshot(network):
    modes = [module.training for module in network.modules()]
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in network.modules()]
    return modes, hooks, {name: value.clone() for name, value in network.state_dict().items()}


NETWORKS = {
    "mlp": lambda: (mlp(6, [5, 9], 3, batch_norm=True), normal(30, 6)),
    "functional": lambda: (Functional(), normal(30, 1, 5, 5)),
    "in place": lambda: (
        nn.Sequential(nn.Linear(6, 4), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4, 2)),
        normal(30, 6),
    ),
    "resnet18": lambda: (resnet18(), normal(2, 3, 32, 32)),
    "no parameters": lambda: (nn.ReLU(), normal(30, 6)),
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS.keys())
def test_outputs_are_positive_where_bits_are_one_and_the_network_is_left_as_found(make):
    torch.manual_seed(0)
    network, inputs = make()
    network.train()
    modes, hooks, state = snapshot(network)
    random_state = torch.get_rng_state()
    outputs = hidden_activations(network, inputs)
    bits = encode(network, inputs).bits()
    assert outputs.dtype == torch.float32
    assert outputs.shape == bits.shape
    assert np.array_equal(outputs.numpy() > 0, bits)
    assert 0.05 < bits.mean() < 0.95
    found_modes, found_hooks, found_state = snapshot(network)
    assert (found_modes, found_hooks) == (modes, hooks)
    assert all(torch.equal(found_state[name], value) for name, value in state.items())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not outputs.requires_grad
    assert all(parameter.grad is None for parameter in network.parameters())


def test_outputs_are_those_of_a_forward_pass_by_hand():
    network, inputs = mlp(6, [5, 9], 3, batch_norm=True).eval(), normal(30, 6)
    with torch.no_grad():
        first = network[:4](inputs)
        expected = torch.cat([first, network[4:7](first)], dim=1)
    for batch_size in (None, 1, 7, 30):
        found = hidden_activations(network, inputs, batch_size=batch_size)
        assert torch.allclose(found, expected, atol=1e-6)
    functional, images = Functional(), normal(4, 1, 5, 5)
    with torch.no_grad():
        x = functional.conv(images).clamp(min=0).flatten(1)
        y = functional.linear(x).clamp(min=0)
        by_hand = torch.cat([x, y, (y - 0.3).clamp(min=0)], dim=1)
    assert torch.allclose(hidden_activations(functional, images), by_hand, atol=1e-6)


def test_layers_are_those_of_the_codes():
    network, images = nh.resnet20(in_channels=1, seed=1), normal(5, 1, 8, 8)
    codes = encode(network, images)
    whole = hidden_activations(network, images)
    ends = np.cumsum([math.prod(shape) for shape in codes.layers.values()])
    for name, part in zip(codes.layers, np.split(whole.numpy(), ends[:-1], axis=1), strict=True):
        found = hidden_activations(network, images, name)
        assert np.array_equal(found.numpy(), part)
        assert np.array_equal(found.numpy() > 0, codes[name].bits())
    two = ["relu", "layer3.2.relu_1"]
    assert hidden_activations(network, images, two).shape == (5, 1024 + 256)


def test_sums_over_space_are_those_of_hooks():
    """The paper's variant: the first layer, and each block's branch before the sum."""
    network, images = nh.resnet20(seed=2).eval(), normal(6, 3, 12, 16)
    seen = []
    blocks = [block for stage in network.stages for block in network.get_submodule(stage)]
    branches = [lambda block, args, _: seen.append(args[0])] * len(blocks)
    hooks = [
        block.conv2.register_forward_hook(hook)
        for block, hook in zip(blocks, branches, strict=True)
    ]
    hooks.append(network.layer1[0].conv1.register_forward_hook(branches[0]))
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
    expected = torch.cat([x.double().sum(dim=(2, 3)) for x in seen], dim=1)
    layers = [name for name in encode(network, images).layers if not name.endswith("_1")]
    sums = hidden_activations(network, images, layers, batch_size=4, sum_space=True)
    assert sums.shape == (6, 16 + 3 * 16 + 3 * 32 + 3 * 64)
    assert torch.allclose(sums.double(), expected, rtol=1e-5)
    # A channel's bit: is it on anywhere?
    bits = [encode(network, images, name).bits() for name in layers]
    on = [flat.reshape(x.shape) for flat, x in zip(bits, seen, strict=True)]
    anywhere = np.hstack([bits.any(axis=(2, 3)) for bits in on])
    assert np.array_equal(nh.NeuralCodes.from_bits(sums > 0).bits(), anywhere)


def test_vectors_have_no_space_to_sum_over():
    network, inputs = mlp(6, [5, 4], 3), normal(9, 6)
    sums = hidden_activations(network, inputs, sum_space=True)
    assert torch.equal(sums, hidden_activations(network, inputs))


def test_activations_in_eval_mode_do_not_depend_on_the_batch():
    network, inputs = mlp(6, [20], 3, batch_norm=True), normal(40, 6)
    network(5 * inputs + 2)
    together = hidden_activations(network, inputs)
    assert torch.allclose(hidden_activations(network, inputs[:7]), together[:7], atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_networks_of_every_precision(dtype):
    network, inputs = mlp(6, [30], 3).to(dtype), normal(50, 6)
    outputs = hidden_activations(network, inputs)
    assert outputs.dtype == torch.float32
    assert np.array_equal(outputs.numpy() > 0, encode(network, inputs).bits())
    assert torch.equal(outputs, network[:3](inputs.to(dtype)).detach().float())


def test_inputs_of_every_kind_give_the_same_activations():
    network, inputs = mlp(6, [5], 3), normal(30, 6)
    expected = hidden_activations(network, inputs)
    labels = torch.zeros(30, dtype=torch.int64)
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=8)
    for same in (inputs.numpy(), inputs.double(), nh.Split(inputs, labels), loader):
        assert torch.allclose(hidden_activations(network, same), expected, atol=1e-6)


def test_hooks_and_modes_come_back_after_a_failure():
    network = mlp(6, [5], 3)
    network.relu1.eval()
    modes, hooks, _ = snapshot(network)
    with pytest.raises(ValueError, match="its first layer, linear1, wants vectors of 6 numbers"):
        hidden_activations(network, normal(4, 5))
    assert snapshot(network)[:2] == (modes, hooks)


def test_what_encode_does_not_take_has_no_activations(unchecked):
    network, inputs = mlp(6, [5], 3), normal(4, 6)
    with pytest.raises(ValueError, match="network: it ran without any ReLU-like activation"):
        hidden_activations(nn.Linear(6, 2), inputs)
    with pytest.raises(ValueError, match="gelu, which is smooth"):
        hidden_activations(nn.Sequential(nn.Linear(6, 2), nn.GELU()), inputs)
    with pytest.raises(ValueError, match="inputs: at least one example is needed"):
        hidden_activations(network, inputs[:0])
    with pytest.raises(ValueError, match="batch_size: a whole number of at least 1 is needed"):
        hidden_activations(network, inputs, batch_size=0)
    with pytest.raises(TypeError, match="a Dataset has two splits"):
        hidden_activations(network, nh.load("digits"))
    with pytest.raises(ValueError, match="layers: no layer 'relu2', did you mean 'relu1'"):
        hidden_activations(network, inputs, "relu2")
    with pytest.raises(ValueError, match="layers: names of layers are needed"):
        hidden_activations(network, inputs, [])
    with pytest.raises(TypeError, match="inputs: a tensor, an array, a Split or a DataLoader"):
        hidden_activations(network, [1.0])
    with pytest.raises(TypeError, match="network: a torch.nn.Module is needed, not int"):
        unchecked(hidden_activations)(3, inputs)


def test_inputs_that_are_not_finite_have_no_activations():
    inputs = normal(4, 6)
    inputs[2, 1] = torch.nan
    with pytest.raises(ValueError, match="inputs: example 2 holds nan or infinity"):
        encode(mlp(6, [5], 3), inputs)
    with pytest.raises(ValueError, match="nan or infinity"):
        hidden_activations(mlp(6, [5], 3), inputs)


# -- the comparison --------------------------------------------------------------------------

ORDER = ["codes", "untrained codes", "random hyperplanes", "activations", "raw inputs"]


@pytest.fixture(scope="module")
def digits():
    data = nh.load("digits")
    return nh.Dataset("some digits", data.train[:400], data.test[:150], 10)


@pytest.fixture(scope="module")
def trained(digits):
    network = mlp(digits.n_inputs, [20], digits.n_classes, batch_norm=True)
    history = nh.fit(network, digits, nh.Recipe.code(epochs=3), snapshots=[0], progress=False)
    return network, history


def test_rows_are_what_categorize_says_about_every_representation(digits, trained):
    network, history = trained
    untrained = history.network(0)
    table = compare_with_baselines(network, untrained, digits, seed=4)
    assert list(table.columns) == ["representation", "size", "method", "accuracy"]
    assert table["representation"].tolist() == [*np.repeat(ORDER, 3), "network"]
    assert table["method"].tolist() == ["kmeans", "knn", "logreg"] * 5 + ["network"]
    assert table["size"].tolist() == [20] * 12 + [64] * 4

    hyperplanes = random_hyperplanes(digits.train, 20, seed=4)
    splits = digits.train, digits.test
    representations = [
        [encode(network, split) for split in splits],
        [encode(untrained, split) for split in splits],
        [encode(hyperplanes, split) for split in splits],
        [network.eval()[:4](split.inputs).detach() for split in splits],
        [split.inputs.flatten(1).numpy() for split in splits],
    ]
    for name, (train, test) in zip(ORDER, representations, strict=True):
        expected = nh.categorize(train, digits.train.labels, test, digits.test.labels)
        found = table[table["representation"] == name].set_index("method")["accuracy"]
        assert found.to_dict() == pytest.approx(expected, abs=1e-12), name


def test_the_last_row_is_the_networks_own_accuracy(digits, trained):
    network, history = trained
    table = compare_with_baselines(network, history.network(0), digits)
    assert table["accuracy"].iloc[-1] == pytest.approx(history.test_accuracy[-1], abs=1e-12)
    hits = network.eval()(digits.test.inputs).argmax(dim=1) == digits.test.labels
    assert table["accuracy"].iloc[-1] == pytest.approx(hits.double().mean().item(), abs=1e-12)
    again = compare_with_baselines(network.train(), history.network(0), digits)
    assert again["accuracy"].iloc[-1] == table["accuracy"].iloc[-1]  # not with a batch's own mean


def test_comparing_is_reproducible_and_leaves_networks_as_found(digits, trained):
    network, history = trained
    untrained = history.network(0)
    network.train()
    before = [snapshot(each) for each in (network, untrained)]
    tables = [
        compare_with_baselines(network, untrained, digits),  # 0 is the default
        *(compare_with_baselines(network, untrained, digits, seed) for seed in (0, 1)),
    ]
    assert tables[0].equals(tables[1])
    changed = tables[0]["accuracy"] != tables[2]["accuracy"]
    assert set(tables[0]["representation"][changed]) == {"random hyperplanes"}
    for each, (modes, hooks, state) in zip((network, untrained), before, strict=True):
        found_modes, found_hooks, found_state = snapshot(each)
        assert (found_modes, found_hooks) == (modes, hooks)
        assert all(torch.equal(found_state[name], value) for name, value in state.items())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_networks_of_other_precisions_are_compared_too(digits, dtype):
    network = mlp(digits.n_inputs, [20], digits.n_classes).to(dtype)
    table = compare_with_baselines(network, network, digits)
    hits = network(digits.test.inputs.to(dtype)).argmax(dim=1) == digits.test.labels
    assert table["accuracy"].iloc[-1] == pytest.approx(hits.double().mean().item(), abs=1e-12)


def test_a_network_that_does_not_fit_the_data(digits):
    with pytest.raises(ValueError, match="wants vectors of 5 numbers"):
        compare_with_baselines(mlp(5, [4], 10), mlp(5, [4], 10), digits)


def test_classes_that_only_the_test_has(digits):
    train = digits.train[digits.train.labels != 3]
    data = nh.Dataset("no threes", train, digits.test, 10)
    network = mlp(64, [4], 10)
    with pytest.raises(ValueError, match="test_labels: class 3 is unknown"):
        compare_with_baselines(network, network, data)
