"""Networks as chains of matrices, against PyTorch; lists of arrays and the radix order."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

import nhlib as nh
from nhlib.regions import folding
from nhlib.regions.folding import fold
from nhlib.regions.ragged_arrays import Ragged
from nhlib.regions.subdivision import radix_order

MLP_TAIL = (nn.Flatten(), nn.LazyLinear(4))
KINDS = {
    "linear": ((3,), [nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)]),
    "linear without bias": ((3,), [nn.Linear(3, 5, bias=False), nn.ReLU()]),
    "linear on rows": ((2, 3), [nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4, bias=False)]),
    "linear twice": (
        (3,),
        [nn.Linear(3, 5), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 6), nn.Linear(6, 2)],
    ),
    "ReLU first": ((3,), [nn.ReLU(), nn.Linear(3, 2)]),
    "ReLU alone": ((2, 3), [nn.ReLU()]),
    "ReLU twice": ((3,), [nn.Linear(3, 4), nn.ReLU(inplace=True), nn.ReLU()]),
    "leaky": ((3,), [nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8), nn.LeakyReLU(-0.5)]),
    "PReLU, one slope": ((3,), [nn.Linear(3, 8), nn.PReLU(), nn.Linear(8, 3)]),
    "PReLU, a slope a unit": ((3,), [nn.Linear(3, 8), nn.PReLU(8)]),
    "PReLU, a slope a channel": ((2, 5, 5), [nn.Conv2d(2, 3, 2), nn.PReLU(3), nn.PReLU()]),
    "batch norm": ((3,), [nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.BatchNorm1d(8)]),
    "batch norm first": ((3,), [nn.BatchNorm1d(3, affine=False), nn.ReLU()]),
    "batch norm 1d of channels": ((3, 4), [nn.BatchNorm1d(3), nn.LeakyReLU()]),
    "batch norm 2d": ((2, 4, 3), [nn.Conv2d(2, 5, 2), nn.BatchNorm2d(5, eps=0.1), nn.ReLU()]),
    "batch norm 3d": ((2, 2, 2, 2), [nn.BatchNorm3d(2), nn.ReLU()]),
    "convolution 1d": ((2, 9), [nn.Conv1d(2, 3, 3, stride=2, padding=1), nn.ReLU(), *MLP_TAIL]),
    "convolution 2d": (
        (2, 6, 5),
        [nn.Conv2d(2, 4, 3, padding="same", padding_mode="circular"), nn.ReLU(), *MLP_TAIL],
    ),
    "convolution 2d, grouped": (
        (4, 6, 5),
        [nn.Conv2d(4, 4, 3, dilation=2, groups=2, bias=False), nn.ReLU()],
    ),
    "convolution 3d": ((1, 3, 3, 3), [nn.Conv3d(1, 2, 2), nn.ReLU(), *MLP_TAIL]),
    "average pools": (
        (2, 7, 7),
        [
            *(nn.Conv2d(2, 3, 2), nn.ReLU(), nn.AvgPool2d(3, stride=1, padding=1)),
            *(nn.LeakyReLU(), nn.AdaptiveAvgPool2d((2, 3)), *MLP_TAIL),
        ],
    ),
    "average pool 1d": ((2, 7), [nn.AvgPool1d(2, ceil_mode=True), nn.ReLU()]),
    "adaptive average pool 1d": ((2, 7), [nn.AdaptiveAvgPool1d(3), nn.ReLU(), *MLP_TAIL]),
    "dropouts": (
        (2, 4, 4),
        [
            *(nn.Dropout2d(0.5), nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Dropout(0.9), nn.Flatten()),
            *(nn.AlphaDropout(), nn.Linear(12, 3), nn.Identity()),
        ],
    ),
    "flatten some": (
        (2, 3, 4),
        [nn.Flatten(2), nn.Linear(12, 2), nn.ReLU(), nn.Flatten(), nn.ReLU()],
    ),
    "nested": (
        (3,),
        [
            nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU())),
            nn.Sequential(),
            nn.Linear(4, 2),
        ],
    ),
}


def build(name):
    """Build a network, with statistics and slopes as if it had been trained."""
    torch.manual_seed(0)
    shape, modules = KINDS[name]
    network = nn.Sequential(*copy.deepcopy(modules)).eval()
    network(torch.zeros(2, *shape))  # lazy layers get their sizes
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_()
                module.running_var.uniform_(0.3, 3)
                if module.affine:
                    module.weight.normal_()
                    module.bias.normal_()
            if isinstance(module, nn.PReLU):
                module.weight.uniform_(-0.5, 1.5)
    return network, shape


def inputs_of(shape, n=20):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


# -- the same as the network -----------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_matrices_give_the_outputs(name):
    network, shape = build(name)
    folded = fold(network.train(), shape)  # taken as in eval mode
    assert all(module.training for module in network.modules())
    inputs = inputs_of(shape)
    with torch.no_grad():
        expected = network.double().eval()(inputs).flatten(1).numpy()
    given = inputs.flatten(1).numpy().copy()
    assert np.allclose(folded.outputs(given), expected, rtol=0, atol=1e-13 * np.abs(expected).max())
    assert np.array_equal(given, inputs.flatten(1).numpy())
    assert folded.n_outputs == expected.shape[1]
    assert folded.input_shape == shape


@pytest.mark.parametrize("name", KINDS)
def test_layers_have_the_names_shapes_and_signs_of_encode(name):
    network, shape = build(name)
    folded = fold(network, shape)
    inputs = inputs_of(shape)
    codes = nh.encode(network.double(), inputs, progress=False)
    assert {layer.name: layer.shape for layer in folded.hidden} == codes.layers
    h = inputs.flatten(1).numpy()
    for layer in folded.hidden:
        z = layer.preactivations(h)
        assert np.array_equal(z > 0, codes[layer.name].bits())
        assert layer.weights.shape == (z.shape[1], h.shape[1])
        assert layer.weights.dtype == layer.biases.dtype == layer.slopes.dtype == np.float64
        h = layer.activations(z)
    assert folded.hidden == folded.layers[: len(folded.hidden)]
    assert all(
        layer.slopes is None and not layer.name for layer in folded.layers[len(folded.hidden) :]
    )


@pytest.mark.parametrize("name", KINDS)
def test_maps_of_codes_are_derivatives(name):
    network, shape = build(name)
    folded = fold(network, shape)
    network.double()
    inputs = inputs_of(shape, 4)
    codes = nh.encode(network, inputs, progress=False)
    n = inputs[0].numel()
    directions, values = folded.push(np.eye(n), np.zeros(n), codes)
    for k in range(4):
        jacobian = torch.autograd.functional.jacobian(network, inputs[k : k + 1])
        assert np.allclose(directions[k].T, jacobian.reshape(-1, n).numpy(), rtol=0, atol=1e-13)
        with torch.no_grad():
            output = network(inputs[k : k + 1]).numpy().ravel()
        flat = inputs[k].numpy().ravel()
        assert np.allclose(directions[k].T @ flat + values[k], output, rtol=0, atol=1e-12)


def test_a_linear_layer_is_its_own_matrix():
    network, shape = build("linear")
    layers = fold(network, shape).layers
    for layer, linear in zip(layers, network[::2], strict=True):
        assert np.array_equal(layer.weights, linear.weight.detach().double())
        assert np.array_equal(layer.biases, linear.bias.detach().double())


def test_slopes():
    network, shape = build("PReLU, a slope a channel")
    first, second = fold(network, shape).layers
    assert np.array_equal(first.slopes, network[1].weight.detach().repeat_interleave(16).double())
    assert np.array_equal(second.slopes, np.repeat(network[2].weight.item(), 48))
    assert [set(layer.slopes) for layer in fold(*build("leaky")).layers] == [{0.2}, {-0.5}]
    assert not fold(*build("ReLU alone")).layers[0].slopes.any()


def test_names_of_a_module_that_runs_again():
    torch.manual_seed(0)
    relu, linear = nn.ReLU(), nn.Linear(4, 4)
    block = nn.Sequential(linear, relu)
    network = nn.Sequential(block, relu, block, nn.Sequential(linear, nn.LeakyReLU()), block)
    folded = fold(network, (4,))
    codes = nh.encode(network, torch.randn(3, 4))
    assert {layer.name: layer.shape for layer in folded.layers} == codes.layers
    assert [layer.name for layer in folded.layers] == ["0.1", "0.1_1", "0.1_2", "3.1", "0.1_3"]


def test_half_precision_is_taken_as_it_is():
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU()).to(torch.float16)
    (layer,) = fold(network, (3,)).layers
    assert np.array_equal(layer.weights, network[0].weight.detach().numpy())


# -- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modules", "shape", "message"),
    [
        ([nn.Linear(3, 2)], (3,), "network: it has no ReLU, LeakyReLU or PReLU"),
        ([nn.Linear(4, 2), nn.ReLU()], (3,), r"layer 0 takes 4 numbers, .* shape \(3,\)"),
        ([nn.Flatten(), nn.Linear(4, 2), nn.ReLU()], (3, 2), r"layer 1 takes 4 .* shape \(6,\)"),
        (
            [nn.Conv2d(1, 1, 2), nn.ReLU()],
            (4,),
            r"layer 0 takes inputs of 3 dim.* shape \(4,\)",
        ),
        ([nn.Conv2d(1, 1, 5), nn.ReLU()], (1, 3, 3), r"layer 0 .* PyTorch says: .*[Kk]ernel size"),
        ([nn.BatchNorm1d(4), nn.ReLU()], (3,), r"layer 0 takes 4 features, .* shape \(3,\)"),
        ([nn.ReLU(), nn.PReLU(2)], (3,), r"layer 1 has 2 slopes, .* shape \(3,\)"),
        ([nn.ReLU(), nn.Sequential(nn.Softmax())], (3,), "layer 1.0 is of type Softmax"),
        (
            [nn.ReLU(), nn.MaxPool2d(2)],
            (1, 4, 4),
            "layer 1 is of type MaxPool2d, and exact regions",
        ),
        ([nn.ReLU6()], (3,), "layer 0 is of type ReLU6"),
        ([nn.LayerNorm(3), nn.ReLU()], (3,), "layer 0 is of type LayerNorm"),
        ([nn.ReLU(), nn.ModuleList()], (3,), "layer 1 is of type ModuleList"),
    ],
)
def test_networks_that_cannot_be_folded(modules, shape, message):
    with pytest.raises(ValueError, match=f"network: .*{message.removeprefix('network: ')}"):
        fold(nn.Sequential(*modules), shape)


class Skip(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def test_a_forward_of_ones_own_may_do_anything():
    with pytest.raises(ValueError, match="network: layer 0 is of type Skip, and exact regions"):
        fold(nn.Sequential(Skip(nn.Linear(3, 3), nn.ReLU())), (3,))
    with pytest.raises(ValueError, match="network: it is of type Skip, and exact regions"):
        fold(Skip(nn.Linear(3, 3), nn.ReLU()), (3,))


@pytest.mark.parametrize("start", [0, 3])
def test_what_cannot_be_flattened(start):
    network = nn.Sequential(nn.Flatten(start), nn.Linear(12, 2), nn.ReLU())
    text = rf"layer 0 cannot flatten an input of shape \(3, 4\) from dimension {start} on"
    with pytest.raises(ValueError, match=text):
        fold(network, (3, 4))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", ["0.bias", "1.running_var", "2.weight"])
def test_numbers_that_are_not_finite(name, value):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.PReLU(4))
    tensors = network.state_dict()
    tensors[name][-1] = value
    with pytest.raises(ValueError, match=f"network: {name} holds nan or infinity"):
        fold(network, (3,))


def test_a_large_convolution_is_not_written_out(monkeypatch):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    n = 36 * 32
    monkeypatch.setattr(folding, "_LARGEST_MATRIX", n)
    assert fold(network, (1, 6, 6)).layers[0].weights.size == n
    monkeypatch.setattr(folding, "_LARGEST_MATRIX", n - 1)
    with pytest.raises(ValueError, match="network: layer 0 as a matrix would have 32 × 36 numbers"):
        fold(network, (1, 6, 6))
    monkeypatch.undo()
    with pytest.raises(ValueError, match="would have 1,254,400 × 150,528 numbers"):
        fold(nn.Sequential(nn.Conv2d(3, 25, 1), nn.ReLU()), (3, 224, 224))


# -- lists of arrays, and the order ----------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6))
def test_ragged_arrays_are_a_list(lists):
    ragged = Ragged(
        np.array([number for one in lists for number in one], np.int64),
        np.cumsum([0, *map(len, lists)]),
    )
    assert len(ragged) == len(lists)
    assert [array.tolist() for array in ragged] == lists
    assert [array.tolist() for array in ragged[::-1]] == lists[::-1]
    assert [array.tolist() for array in ragged[1:3]] == lists[1:3]
    assert [array.tolist() for array in reversed(ragged)] == lists[::-1]
    assert ragged.lengths.tolist() == [len(one) for one in lists]
    assert repr(ragged) == f"Ragged({len(lists)} arrays, {sum(map(len, lists))} rows)"
    n = len(lists)
    for i in range(-n, n):
        assert ragged[i].tolist() == ragged[np.int64(i)].tolist() == lists[i]
    for i in (n, -n - 1, n + 7):
        with pytest.raises(IndexError, match=f"there are {n} arrays, so none at {i}"):
            ragged[i]


def test_ragged_arrays_cannot_be_written_to():
    ragged = Ragged(np.arange(6.0).reshape(3, 2), np.array([0, 1, 3]))
    assert ragged[1].tolist() == [[2, 3], [4, 5]]
    for part in (ragged[1], ragged.flat, ragged.starts):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 7


KEYS = st.sampled_from(
    [(1, np.int64), (300, np.int64), (2**16 - 1, np.int64), (2**16, np.int64)]
) | (st.sampled_from([(2**40, np.int64), (2**63 - 1, np.int64), (2**64 - 1, np.uint64)]))


@given(st.data(), st.integers(0, 40), st.lists(KEYS, min_size=1, max_size=3))
def test_radix_order_is_that_of_lexsort(data, n, kinds):
    keys = [
        data.draw(arrays(dtype, n, elements=st.integers(0, largest))) for largest, dtype in kinds
    ]
    order = radix_order(*keys)
    assert np.array_equal(order, np.lexsort(keys[::-1]))  # which is stable, so ties agree
    if len(keys) == 1:
        assert np.array_equal(order, np.argsort(keys[0], kind="stable"))


def test_radix_order_looks_at_every_bit():
    for dtype, n_bits in [(np.int64, 63), (np.uint64, 64)]:
        powers = np.left_shift(1, np.arange(n_bits, dtype=dtype), dtype=dtype)
        key = np.concatenate([powers, powers | powers[40], powers[1:] - dtype(1)])
        key = np.random.default_rng(0).permutation(key)
        assert np.array_equal(radix_order(key), np.argsort(key, kind="stable"))
