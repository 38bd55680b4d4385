"""Codes from `encode` against forward passes written out by hand."""

import copy
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from nhlib import Split, encode, mlp
from nhlib.codes.packing import pack_on_cpu, pack_on_device

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Apply(nn.Module):
    """A network that is one function, without a module of its own for the activation."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Residual(nn.Module):
    """One ReLU module, used twice, and a functional one."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.second(self.relu(self.first(x)))
        return F.relu(self.relu(x + y) - 0.1)


# -- the right bits --------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    widths=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    n=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    batch_norm=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_bits_of_an_mlp_are_those_of_a_forward_pass_by_hand(
    widths, n, batch_size, batch_norm, seed
):
    network = mlp(6, widths, 3, batch_norm=batch_norm, seed=seed).double()
    inputs = normal(n, 6, seed=seed, dtype=torch.float64)
    x, columns = inputs.numpy(), []
    for i in range(1, len(widths) + 1):
        linear = network.get_submodule(f"linear{i}")
        x = x @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
        if batch_norm:
            x = x / np.sqrt(1 + 1e-3)  # running mean 0 and variance 1 before any training
        columns.append(x > 0)
        x = np.maximum(x, 0)
    codes = encode(network, inputs, batch_size=batch_size)
    assert np.array_equal(codes.bits(), np.hstack(columns))
    assert codes.layers == {f"relu{i + 1}": (width,) for i, width in enumerate(widths)}


ONE_KINK = {
    "relu": F.relu,
    "torch.relu": torch.relu,
    "relu_": lambda x: x.clone().relu_(),
    "inplace": lambda x: F.relu(x.clone(), inplace=True),
    "clamp": lambda x: x.clamp(min=0),
    "clamp infinite": lambda x: x.clamp(0, float("inf")),
    "clamp max": lambda x: x.clamp(max=0),
    "clamp tensor": lambda x: x.clamp(min=torch.tensor(0.0)),
    "clamp out": lambda x: torch.clamp(x, min=0, out=torch.empty(0)),
    "clip": lambda x: x.clip(0),
    "clamp_min": lambda x: x.clamp_min(0.0),
    "clamp_min_": lambda x: x.clone().clamp_min_(0),
    "clamp_max": lambda x: x.clamp_max(0.0),
    "threshold": lambda x: F.threshold(x, 0, 0),
    "leaky_relu": F.leaky_relu,
    "LeakyReLU": nn.LeakyReLU(0.2, inplace=True),
    "PReLU": nn.PReLU(),
    "RReLU": nn.RReLU(),
}


@pytest.mark.parametrize("function", ONE_KINK.values(), ids=ONE_KINK.keys())
def test_every_way_to_write_a_relu(function):
    inputs = normal(7, 5)
    codes = encode(nn.Sequential(nn.Identity(), Apply(function)), inputs.clone())
    assert np.array_equal(codes.bits(), (inputs > 0).numpy())


TWO_KINKS = {
    "relu6": (F.relu6, 0, 6),
    "ReLU6": (nn.ReLU6(inplace=True), 0, 6),
    "hardtanh": (F.hardtanh, -1, 1),
    "Hardtanh": (nn.Hardtanh(-0.5, 2.0), -0.5, 2),
    "clamp": (lambda x: x.clamp(-0.3, 0.4), -0.3, 0.4),
    "softshrink": (F.softshrink, -0.5, 0.5),
    "hardshrink": (nn.Hardshrink(0.2), -0.2, 0.2),
}


@pytest.mark.parametrize(("function", "low", "high"), TWO_KINKS.values(), ids=TWO_KINKS.keys())
def test_two_kinks_give_two_bits(function, low, high):
    inputs = 4 * normal(9, 3, 2)
    codes = encode(Apply(function), inputs.clone())
    x = inputs.reshape(9, 6)
    assert np.array_equal(codes.bits(), torch.hstack([x > low, x > high]).numpy())
    assert list(codes.layers.values()) == [(2, 3, 2)]


def test_a_unit_at_exactly_zero_is_off():
    assert encode(Apply(F.relu), torch.tensor([[0.0, -0.0, 1e-45]])).bits().tolist() == [[0, 0, 1]]


def test_guards_gates_and_whole_numbers_are_no_activations():
    def forward(x):
        x = x / x.norm(dim=1, keepdim=True).clamp(min=1e-6)
        x = x * torch.sigmoid(x) + F.hardsigmoid(x) * F.softmax(x, dim=1)
        return torch.relu(x) + torch.arange(5).clamp(min=0)

    assert encode(Apply(forward), normal(4, 5)).layers == {"relu": (5,)}


def test_bits_come_in_logical_order_whatever_the_memory_format():
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 2)).double()
    inputs = normal(6, 3, 8, 8, dtype=torch.float64)
    expected = F.conv2d(inputs, network[0].weight, network[0].bias) > 0
    for memory_format in (torch.contiguous_format, torch.channels_last):
        network = network.to(memory_format=memory_format)
        codes = encode(network, inputs.to(memory_format=memory_format))
        assert np.array_equal(codes.bits(), expected.reshape(6, -1).numpy())
        assert codes.layers == {"1": (5, 6, 6)}


# -- real networks ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "mobilenet_v2"])
def test_torchvision_networks(name):
    from torchvision import models
    from torchvision.models.feature_extraction import get_graph_node_names

    torch.manual_seed(0)
    network = getattr(models, name)(num_classes=10).eval()
    inputs = normal(3, 3, 32, 32)
    seen, paths = [], []

    def watch(path):
        return lambda module, args: (seen.append(args[0].clone()), paths.append(path), None)[-1]

    for path, module in network.named_modules():
        if isinstance(module, (nn.ReLU, nn.ReLU6)):
            module.register_forward_pre_hook(watch(path))
    with torch.no_grad():
        network(inputs)
    kinks = (0, 6) if name == "mobilenet_v2" else (0,)
    expected = [(x > kink).reshape(3, -1) for x in seen for kink in kinks]
    expected_paths = paths.copy()
    codes = encode(network, inputs)
    assert np.array_equal(codes.bits(), torch.hstack(expected).numpy())
    assert [re.sub(r"_\d$", "", layer) for layer in codes.layers] == expected_paths
    if name == "resnet18":
        _, nodes = get_graph_node_names(network)
        assert list(codes.layers) == [node for node in nodes if "relu" in node]


def test_a_module_called_twice_is_two_layers():
    network, inputs = Residual().double(), normal(8, 4, dtype=torch.float64)
    with torch.no_grad():
        one = network.first(inputs)
        two = inputs + network.second(one.clamp(min=0))
        three = two.clamp(min=0) - 0.1
    codes = encode(nn.Sequential(network), inputs)
    assert list(codes.layers) == ["0.relu", "0.relu_1", "0.relu_2"]
    assert np.array_equal(codes.bits(), (torch.hstack([one, two, three]) > 0).numpy())


def test_transformer_layers_show_the_relu_that_their_fast_path_hides():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).double().eval()
    inputs = normal(5, 3, 8, dtype=torch.float64)
    with torch.no_grad():
        x = layer.norm1(inputs + layer.self_attn(inputs, inputs, inputs, need_weights=False)[0])
        expected = layer.linear1(x) > 0
    fast_path = torch.backends.mha.get_fastpath_enabled()
    codes = encode(layer, inputs)
    assert np.array_equal(codes.bits(), expected.reshape(5, -1).numpy())
    assert codes.layers == {"relu": (3, 16)}
    assert torch.backends.mha.get_fastpath_enabled() == fast_path


def test_recurrent_networks_give_one_layer_a_step():
    network = nn.RNN(3, 4, nonlinearity="relu", batch_first=True).double()
    inputs = normal(6, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        states, _ = network(inputs)
    codes = encode(network, inputs)
    assert np.array_equal(codes.bits(), (states > 0).reshape(6, -1).numpy())


def test_wrapped_compiled_and_low_precision_networks():
    network, inputs = mlp(6, [20, 10], 3), normal(50, 6)
    codes = encode(network, inputs)
    assert encode(nn.DataParallel(network), inputs) == codes
    assert encode(torch.compile(network, backend="eager"), inputs) == codes
    compiled = copy.deepcopy(network)
    compiled.compile(backend="eager")
    assert encode(compiled, inputs) == codes
    for dtype in (torch.float16, torch.bfloat16):
        low = copy.deepcopy(network).to(dtype)
        x = inputs.to(dtype)
        with torch.no_grad():
            expected = low.linear1(x) > 0
        assert np.array_equal(encode(low, inputs)["relu1"].bits(), expected.numpy())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected = network.linear1(inputs) > 0
        assert np.array_equal(encode(network, inputs)["relu1"].bits(), expected.numpy())


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_scripted_networks_are_refused():
    with pytest.raises(ValueError, match="network: it is scripted, and may fuse activations"):
        encode(torch.jit.trace(mlp(6, [4], 3), normal(2, 6)), normal(2, 6))


# -- ways in ---------------------------------------------------------------------------------


def test_every_kind_of_input_gives_the_same_codes():
    network = mlp(6, [20], 3).double()
    inputs, labels = normal(50, 6, dtype=torch.float64), torch.arange(50) % 3
    codes = encode(network, inputs)
    read_only = inputs.numpy().copy()
    read_only.flags.writeable = False
    assert encode(network, read_only) == codes
    assert encode(network, Split(inputs.float(), labels)) == encode(network, inputs.float())
    for dataset in (TensorDataset(inputs, labels), inputs):
        assert encode(network, DataLoader(dataset, batch_size=7)) == codes


def test_arrays_of_any_layout():
    network, inputs = mlp(6, [20], 3), normal(50, 6)
    codes = encode(network, inputs)
    array = inputs.numpy()
    for same in (array[::-1].copy()[::-1], array.astype(">f4"), np.asfortranarray(array)):
        assert encode(network, same) == codes


def test_a_single_input_is_no_batch():
    with pytest.raises(
        ValueError, match=r"one vector of 6 numbers is no batch; pass inputs\[None\]"
    ):
        encode(mlp(6, [4], 3), torch.zeros(6))
    network = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU())
    with pytest.raises(ValueError, match=r"got one image of shape \(3, 8, 8\), not a batch"):
        encode(network, torch.zeros(3, 8, 8))


def test_recurrent_networks_that_hide_their_activations_are_refused():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.relu = nn.LSTM(3, 4, batch_first=True), nn.ReLU()

        def forward(self, x):
            return self.relu(self.lstm(x)[0][:, -1])

    with pytest.raises(ValueError, match="applies tanh|out of sight"):
        encode(Last(), normal(5, 2, 3))


def test_layers_by_name(unchecked):
    network, inputs = mlp(6, [9, 7, 5], 3), normal(30, 6)
    codes = encode(network, inputs)
    assert encode(network, inputs, layers="relu2") == codes["relu2"]
    assert encode(network, inputs, layers=["relu1", "relu3"]) == codes[["relu1", "relu3"]]
    with pytest.raises(
        ValueError, match="no layer 'rely2', did you mean 'relu2'. there are relu1, relu2, relu3"
    ):
        encode(network, inputs, layers="rely2")
    assert unchecked(encode)(network, inputs, layers=iter(["relu1"])) == codes["relu1"]
    for nothing in ([], ["relu1", 3]):
        with pytest.raises(ValueError, match="layers: names of layers are needed"):
            unchecked(encode)(network, inputs, layers=nothing)


def test_out_of_memory_halves_the_batch():
    sizes = []

    class Small(nn.Module):
        def forward(self, x):
            sizes.append(len(x))
            if len(x) > 3:
                raise torch.OutOfMemoryError("out of memory")
            return F.relu(x)

    inputs = normal(20, 4)
    assert np.array_equal(encode(Small(), inputs).bits(), (inputs > 0).numpy())
    assert sizes == [20, 10, 5] + [2] * 10
    with pytest.raises(RuntimeError, match="DefaultCPUAllocator"):
        encode(Apply(lambda x: torch.empty(1 << 46)), inputs)


def test_train_mode_uses_the_statistics_of_the_batch():
    network = mlp(6, [20], 3, batch_norm=True).double()
    inputs = 3 + normal(50, 6, dtype=torch.float64)
    before = copy.deepcopy(network.state_dict())
    x = network.linear1(inputs).detach()
    expected = x - x.mean(dim=0) > 0
    codes = encode(network, inputs, train_mode=True)
    assert np.array_equal(codes.bits(), expected.numpy())
    assert codes != encode(network, inputs)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_smooth_activations_only_when_asked_for():
    for function in (F.gelu, F.silu, F.mish, F.elu, F.selu, F.celu, F.softplus, F.hardswish,
                     torch.tanh, F.logsigmoid):  # fmt: skip
        network, inputs = Apply(function), normal(5, 4)
        with pytest.raises(ValueError, match="which is smooth.*Pass smooth=True"):
            encode(network, inputs)
        assert np.array_equal(encode(network, inputs, smooth=True).bits(), (inputs > 0).numpy())


# -- the network, left as found --------------------------------------------------------------


def test_everything_is_left_as_it_was():
    network = nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3)
    )
    network.train()
    network[1].eval()  # frozen batch norm in a network that trains
    calls = []
    network[2].register_forward_hook(lambda *args: calls.append(1))
    network(normal(4, 6)).sum().backward()
    before = copy.deepcopy(network.state_dict())
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    torch.manual_seed(3)
    state = torch.get_rng_state()
    for train_mode in (False, True):
        encode(network, normal(10, 6), train_mode=train_mode)
    assert [module.training for module in network] == [True, False, True, True, True]
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, gradient)
        assert parameter.requires_grad
    assert len(network[2]._forward_hooks) == 1
    assert len(calls) == 3
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks
    assert torch.is_grad_enabled()


def test_it_is_left_so_even_after_an_error():
    network = mlp(6, [4], 3).train()
    with pytest.raises(ValueError, match="inputs"):
        encode(network, normal(10, 5))
    assert network.training
    assert not nn.modules.module._global_forward_hooks


def test_tensors_that_the_network_caches_can_still_be_differentiated():
    class Caching(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.scale = nn.Linear(3, 3), None

        def forward(self, x):
            if self.scale is None:
                self.scale = torch.ones(3) * 2
            return F.relu(self.linear(x) * self.scale)

    network = Caching()
    encode(network, normal(4, 3))
    network(normal(4, 3)).sum().backward()
    assert network.linear.weight.grad is not None


# -- clear errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "inputs", "message"),
    [
        (
            mlp(6, [4], 3),
            normal(5, 7),
            r"of shape \(5, 7\); its first layer, linear1, wants vectors of 6",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()),
            normal(5, 1, 8, 8),
            r"first layer, 0, wants images of 3 channels",
        ),
        (
            mlp(6, [4], 3),
            torch.ones(5, 6, dtype=torch.uint8),
            "for images of whole numbers pass inputs / 255",
        ),
        (nn.Linear(6, 3), normal(5, 6), "network: it ran without any ReLU-like activation"),
        (
            Apply(lambda x: F.relu(x.T)),
            normal(5, 6),
            r"shape \(6, 5\), whose first dimension is not the batch of 5",
        ),
        (
            Apply(lambda x: torch._addmm_activation(x[0, :3], x, x.T[:, :3])),
            normal(5, 6),
            "runs _addmm_activation",
        ),
        (
            nn.Sequential(nn.LazyLinear(3), nn.ReLU()),
            normal(5, 6),
            "0.weight has no shape yet; run the network once",
        ),
        (mlp(6, [4], 3), torch.empty(0, 6), "inputs: at least one example is needed"),
        (mlp(6, [4], 3), torch.tensor(1.0), "inputs: the first dimension counts the inputs"),
    ],
)
def test_inputs_and_networks_that_do_not_fit(network, inputs, message):
    with pytest.raises(ValueError, match=message):
        encode(network, inputs)


def test_a_network_on_several_devices():
    network = mlp(6, [4], 3)
    network.output.to("meta")
    with pytest.raises(ValueError, match="its parameters are on cpu, meta; move it to one device"):
        encode(network, normal(5, 6))


def test_layers_that_change_from_batch_to_batch():
    network = Apply(lambda x: F.relu(F.relu(x)) if x[0, 0] > 0 else F.relu(x))
    inputs = torch.tensor([[1.0], [-1.0]])
    with pytest.raises(
        ValueError, match="its activations change from batch to batch: .* example 1"
    ):
        encode(network, inputs, batch_size=1)


def test_things_of_a_wrong_kind(unchecked):
    network, inputs = mlp(6, [4], 3), normal(5, 6)
    with pytest.raises(TypeError, match="network: a torch.nn.Module is needed, not function"):
        unchecked(encode)(F.relu, inputs)
    with pytest.raises(TypeError, match="inputs: .* is needed, not list"):
        encode(network, [[1.0] * 6])
    with pytest.raises(TypeError, match="DataLoader has to yield tensors"):
        encode(network, DataLoader([{"x": 1.0}]))
    for size in (0, -1):
        with pytest.raises(ValueError, match="batch_size: a whole number"):
            encode(network, inputs, batch_size=size)
    with pytest.raises(ValueError, match="a DataLoader brings its own"):
        encode(network, DataLoader(inputs), batch_size=3)


def test_values_that_are_not_finite_are_located():
    network = mlp(6, [4, 4], 3)
    inputs = normal(20, 6)
    inputs[13, 2] = float("nan")
    with pytest.raises(ValueError, match="inputs: example 13 holds nan or infinity"):
        encode(network, inputs, batch_size=8)
    network.linear2.bias.data[1] = float("inf")
    with pytest.raises(ValueError, match=r"network: linear2.bias holds nan .*did training diverge"):
        encode(network, inputs[:5])
    network.linear2.bias.data.zero_()
    network.linear1.weight.data.fill_(1e30)
    network.linear2.weight.data.fill_(1e30)
    network.linear2.weight.data[0] = -1e30
    with pytest.raises(
        ValueError, match="values overflow on the way to layer relu2, first for example 1"
    ):
        encode(network, torch.stack([torch.zeros(6), torch.ones(6)]))


def test_outputs_may_be_infinite_on_purpose():
    inputs = normal(5, 4)
    codes = encode(Apply(lambda x: F.relu(x).masked_fill(x > 0, -torch.inf)), inputs)
    assert np.array_equal(codes.bits(), (inputs > 0).numpy())


def test_outputs_of_any_structure():
    network = Apply(lambda x: {"a": (F.relu(x), x.sum()), "b": None})
    inputs = normal(5, 4)
    assert np.array_equal(encode(network, inputs).bits(), (inputs > 0).numpy())


# -- CUDA ------------------------------------------------------------------------------------


@cuda
def test_cuda_and_cpu_give_the_same_bits():
    network = mlp(30, [67, 13], 3, batch_norm=True).double()
    inputs = normal(5000, 30, dtype=torch.float64)
    codes = encode(network, inputs)
    assert encode(network, inputs, device="cuda") == codes
    assert next(network.parameters()).device.type == "cpu"
    assert encode(copy.deepcopy(network).cuda(), inputs.cuda(), batch_size=300) == codes


@pytest.mark.parametrize("kinks", [(0.0,), (-0.5, 0.5)])
@pytest.mark.parametrize("shape", [(20, 1), (20, 7), (20, 8), (20, 9), (3, 4, 5, 6)])
def test_packing_is_that_of_packbits_on_every_device(shape, kinks):
    x = normal(*shape)
    if len(shape) == 4:
        x = x.to(memory_format=torch.channels_last)
    bits = np.hstack([(x > kink).numpy().reshape(len(x), -1) for kink in kinks])
    for pack in (pack_on_cpu, pack_on_device):
        assert np.array_equal(pack(x, kinks).numpy(), np.packbits(bits, axis=1))
