"""Codes are those of the network run plainly, in whatever context; or they are refused."""

import contextlib
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call, grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

import nhlib as nh

# -- every activation, in every way of writing it, in every context ----------------------------


class Written(nn.Module):
    """An activation that is written as a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def leaky(slope):
    return lambda x: np.where(x > 0, x, slope * x)


# Where the slope changes, the function in NumPy, and the ways to write it for a given width.
ACTIVATIONS = {
    "relu": (
        (0,),
        leaky(0),
        [
            lambda width: nn.ReLU(),
            lambda width: nn.ReLU(inplace=True),
            lambda width: nn.Threshold(0, 0),
            lambda width: nn.Hardtanh(0, float("inf")),
            lambda width: Written(F.relu),
            lambda width: Written(torch.relu),
            lambda width: Written(torch.ops.aten.relu),
            lambda width: Written(lambda x: x.relu()),
            lambda width: Written(lambda x: x.clone().relu_()),
            lambda width: Written(lambda x: x.clamp(min=0)),
            lambda width: Written(lambda x: x.clip(0)),
            lambda width: Written(lambda x: x.clone().clip_(min=0)),
            lambda width: Written(lambda x: torch.clamp(x, 0, float("inf"))),
            lambda width: Written(lambda x: x.clamp_min(0)),
        ],
    ),
    "leaky_relu": (
        (0,),
        leaky(0.2),
        [
            lambda width: nn.LeakyReLU(0.2),
            lambda width: nn.LeakyReLU(0.2, inplace=True),
            lambda width: Written(lambda x: F.leaky_relu(x, 0.2)),
        ],
    ),
    "prelu": (
        (0,),
        leaky(0.25),
        [
            lambda width: nn.PReLU(),
            lambda width: nn.PReLU(width),
            lambda width: Written(lambda x: F.prelu(x, x.new_tensor([0.25]))),
        ],
    ),
    "rrelu": (
        (0,),
        leaky((1 / 8 + 1 / 3) / 2),
        [lambda width: nn.RReLU(), lambda width: Written(F.rrelu)],
    ),
    "relu6": (
        (0, 6),
        lambda x: x.clip(0, 6),
        [
            lambda width: nn.ReLU6(),
            lambda width: Written(F.relu6),
            lambda width: Written(lambda x: x.clamp(0, 6)),
        ],
    ),
    "hardtanh": (
        (-1, 1),
        lambda x: x.clip(-1, 1),
        [
            lambda width: nn.Hardtanh(inplace=True),
            lambda width: Written(F.hardtanh),
            lambda width: Written(lambda x: x.clip(-1, 1)),
            lambda width: Written(lambda x: torch.clamp(x, x.new_tensor(-1.0), x.new_tensor(1.0))),
        ],
    ),
    "softshrink": (
        (-0.5, 0.5),
        lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0),
        [lambda width: nn.Softshrink(), lambda width: Written(F.softshrink)],
    ),
    "hardshrink": (
        (-0.5, 0.5),
        lambda x: np.where(abs(x) > 0.5, x, 0),
        [lambda width: nn.Hardshrink(), lambda width: Written(F.hardshrink)],
    ),
}


class Inside(nn.Module):
    """A network whose forward runs another one in a way of its own."""

    def __init__(self, network, run):
        super().__init__()
        self.network, self.run = network, run

    def forward(self, x):
        return self.run(self.network, x)


@contextlib.contextmanager
def default(setter, value, before):
    setter(value)
    try:
        yield
    finally:
        setter(before)


def in_mode(mode):
    def run(network, x):
        with mode():
            return network(x)

    return run


AROUND = {
    "plain": contextlib.nullcontext,
    "no_grad": torch.no_grad,
    "enable_grad": torch.enable_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),  # which leaves float64 alone
    "another dispatch mode": lambda: FlopCounterMode(display=False),
    "default dtype": lambda: default(torch.set_default_dtype, torch.float64, torch.float32),
    "default device": lambda: default(torch.set_default_device, "meta", None),
}
INSIDE = {
    "plain": lambda network, x: network(x),
    "inference_mode": torch.inference_mode()(lambda network, x: network(x)),
    "inference_mode off and on": lambda network, x: torch.inference_mode(False)(
        torch.inference_mode()(network)
    )(x),
    "enable_grad": torch.enable_grad()(lambda network, x: network(x)),
    "another dispatch mode": in_mode(lambda: FlopCounterMode(display=False)),
    "functional_call": lambda network, x: functional_call(network, dict(network.state_dict()), x),
    "vmap over inputs": lambda network, x: vmap(network, randomness="same")(x),
    "checkpoint": lambda network, x: checkpoint(network, x, use_reentrant=False),
    "in parts": lambda network, x: network[1:](network[:1](x)),
}

LAYER = st.sampled_from(
    [(name, way) for name, (_, _, ways) in ACTIVATIONS.items() for way in range(len(ways))]
)


# PyTorch's vmap is slow where an operation has no rule of its own, and says so, once a process.
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
@settings(max_examples=100)
@given(
    layers=st.lists(st.tuples(LAYER, st.integers(1, 6)), min_size=1, max_size=3),
    n=st.integers(1, 7),
    batch_size=st.integers(1, 8),
    around=st.sampled_from(sorted(AROUND)),
    inside=st.sampled_from(sorted(INSIDE)),
    seed=st.integers(0, 1000),
)
def test_codes_are_those_of_a_forward_pass_by_hand(layers, n, batch_size, around, inside, seed):
    if inside == "vmap over inputs":  # PyTorch has no vmap of rrelu
        layers = [layer for layer in layers if layer[0][0] != "rrelu"]
        assume(layers)
    torch.manual_seed(seed)
    modules, width = [], 3
    for (name, way), new_width in layers:
        activation = ACTIVATIONS[name][2][way](new_width)
        modules += [nn.Linear(width, new_width), activation]
        width = new_width
    network = nn.Sequential(*modules).double()
    inputs = 4 * torch.randn(n, 3, dtype=torch.float64)

    x, bits, values = inputs.numpy(), [], []
    for i, ((name, _), _) in enumerate(layers):
        kinks, function, _ = ACTIVATIONS[name]
        linear = network[2 * i]
        x = x @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
        bits += [x > kink for kink in kinks]
        x = function(x)
        values.append(x)

    watched = Inside(network, INSIDE[inside])
    with AROUND[around]():
        codes = nh.encode(watched, inputs, batch_size=batch_size)
        outputs = nh.hidden_activations(watched, inputs, batch_size=batch_size)
    assert np.array_equal(codes.bits(), np.hstack(bits))
    assert [len(shape) for shape in codes.layers.values()] == [
        len(ACTIVATIONS[name][0]) for (name, _), _ in layers
    ]
    np.testing.assert_allclose(outputs.numpy(), np.hstack(values), rtol=1e-5, atol=1e-6)
    assert not outputs.is_inference()


@pytest.mark.parametrize("around", [contextlib.nullcontext, torch.inference_mode])
def test_all_tensors_made_in_inference_mode(around):
    with torch.inference_mode():
        network = nn.Sequential(nn.Linear(4, 5), nn.PReLU(), nn.Flatten(), nn.Linear(5, 3))
        inputs = torch.randn(6, 4)
        expected = network[0](inputs) > 0
    with around():
        codes = nh.encode(network, inputs)
    assert dict(codes.layers) == {"1": (5,)}
    assert np.array_equal(codes.bits(), expected.numpy())


def test_recurrent_networks_in_inference_mode():
    network = nn.RNN(4, 5, nonlinearity="relu", batch_first=True)
    inputs = torch.randn(6, 3, 4)
    codes = nh.encode(network, inputs)
    assert len(codes.layers) == 3
    with torch.inference_mode():
        assert nh.encode(network, inputs) == codes


def test_smooth_activations_are_refused_in_inference_mode_too():
    with torch.inference_mode(), pytest.raises(ValueError, match="which is smooth"):
        nh.encode(nn.Sequential(nn.Linear(4, 5), nn.LogSigmoid()), torch.randn(6, 4))


def test_what_a_network_keeps_in_inference_mode_can_be_differentiated_later():
    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.scale = nn.Linear(3, 3), None

        def forward(self, x):
            if self.scale is None:
                self.scale = torch.ones(3) * 2
            return F.relu(self.linear(x) * self.scale)

    network = Keeping()
    with torch.inference_mode():
        nh.encode(network, torch.ones(4, 3))
    network(torch.ones(4, 3)).sum().backward()
    assert network.linear.weight.grad is not None


def test_autocast_gives_the_codes_of_the_network_as_it_runs_there():
    network, inputs = nh.mlp(30, [200], 3), torch.randn(50, 30)
    with torch.autocast("cpu", torch.bfloat16):
        expected = network.linear1(inputs) > 0
        codes = nh.encode(network, inputs)
        network(inputs).sum().backward()
    assert np.array_equal(codes.bits(), expected.numpy())
    assert network.linear1.weight.grad is not None  # no weights cast without gradients are kept


# -- where nothing is computed ------------------------------------------------------------------

PLAIN = nn.Sequential(nn.Linear(4, 5), nn.ReLU())


def bits_of(x):
    return torch.tensor(nh.encode(PLAIN, x).bits())


def fake():
    with FakeTensorMode(allow_non_fake_inputs=True):
        bits_of(torch.ones(6, 4))


def traced():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(bits_of, torch.ones(6, 4))


@pytest.mark.parametrize(
    ("around", "name"),
    [
        (lambda: vmap(lambda x: bits_of(x[None]))(torch.ones(6, 4)), "a transform of torch.func"),
        (lambda: grad(lambda x: bits_of(x).sum() * x.sum())(torch.ones(6, 4)), "a transform of"),
        (lambda: make_fx(bits_of)(torch.ones(6, 4)), "ProxyTorchDispatchMode|traces"),
        (fake, "FakeTensorMode"),
        (traced, "a function that PyTorch traces or compiles"),
    ],
    ids=["vmap", "grad", "make_fx", "fake tensors", "jit.trace"],
)
def test_it_does_not_run_where_nothing_is_computed(around, name):
    with pytest.raises(ValueError, match=f"network: it is to run inside ({name}).*encode outside"):
        around()


# -- rows that are no inputs --------------------------------------------------------------------


class Ensemble(nn.Module):
    """Members that differ in their weights, all run on all inputs."""

    def __init__(self, n_members, in_dims=(0, None), out_dims=0):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(n_members, 5, 4))
        self.dims = {"in_dims": in_dims, "out_dims": out_dims}

    def forward(self, x):
        return vmap(lambda weight, x: F.relu(x @ weight.T), **self.dims)(self.weights, x)


class StepsFirst(nn.Module):
    """A network of sequences that puts the steps before the inputs, as PyTorch's do by default."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 6)

    def forward(self, x):
        return self.layer(x.transpose(0, 1))


class PositiveWeights(nn.Module):
    """A network whose weights pass a ReLU."""

    def __init__(self, n_units, transpose=False):
        super().__init__()
        self.weight, self.transpose = nn.Parameter(torch.randn(n_units, 4)), transpose

    def forward(self, x):
        weight = F.relu(self.weight.T).T if self.transpose else F.relu(self.weight)
        return F.relu(x @ weight.T)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
@pytest.mark.parametrize(
    ("network", "inputs"),
    [
        (lambda n: Ensemble(n), lambda n: torch.randn(n, 4)),
        (lambda n: StepsFirst(), lambda n: torch.randn(n, n, 4)),
        (lambda n: PositiveWeights(n), lambda n: torch.randn(n, 4)),
        (lambda n: Written(lambda x: F.relu(x.T)), lambda n: torch.randn(n, n)),
    ],
    ids=["ensemble", "steps first", "weights", "transposed"],
)
def test_as_many_rows_as_inputs_are_not_taken_for_inputs(network, inputs, n):
    torch.manual_seed(0)
    if n == 1:  # one input alone is on the only row
        nh.encode(network(n), inputs(n))
        return
    for compute in (nh.encode, nh.hidden_activations):
        with pytest.raises(ValueError, match="whose first dimension is not the batch of"):
            compute(network(n), inputs(n))


def test_transposed_weights_are_not_taken_for_inputs():
    with pytest.raises(ValueError, match="whose first dimension is not the batch"):
        nh.encode(PositiveWeights(6, transpose=True), torch.randn(4, 4))


@pytest.mark.parametrize("n", [2, 4, 5, 6])
def test_units_as_many_as_inputs_are_no_reason_to_refuse(n):
    network = nh.mlp(6, [n, n], n).double()
    inputs = torch.randn(n, 6, dtype=torch.float64)
    expected = nh.encode(network, torch.cat([inputs, inputs]))[:n]
    torch.manual_seed(3)
    state = torch.get_rng_state()
    assert nh.encode(network, inputs) == expected
    assert torch.equal(torch.get_rng_state(), state)


# -- out of sight -------------------------------------------------------------------------------


@torch.library.custom_op("nhlib_tests::relu", mutates_args=())
def relu_of_another_library(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x)


class OwnReLU(nn.ReLU):
    def forward(self, x):
        return x * (x > 0)


def in_a_thread(x):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(IN_A_THREAD, x).result()


IN_A_THREAD = nn.ReLU()


class Threaded(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = IN_A_THREAD

    def forward(self, x):
        return F.relu(in_a_thread(x))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Written(lambda x: F.relu(relu_of_another_library(x))), "runs nhlib_tests::relu, which"),
        (Written(lambda x: F.relu(torch.ops.aten._add_relu(x, x))), "runs _add_relu, which"),
        (Written(lambda x: F.relu(torch._foreach_clamp_min([x], 0)[0])), "runs _foreach_clamp_min"),
        (
            Written(lambda x: torch.cond(x.sum() > 0, lambda x: F.relu(x), lambda x: -x, (x,))),
            "runs cond, which may apply|no rule registered",
        ),
        (nn.Sequential(OwnReLU(), nn.ReLU()), "0 is a OwnReLU, but it ran without an operation"),
        (Threaded(), "hidden ran in another thread, out of sight"),
        (Written(lambda x: F.relu(x.to_sparse())), "works on a tensor that is sparse_coo"),
    ],
    ids=["library", "fused", "foreach", "cond", "subclass", "thread", "sparse"],
)
def test_what_could_hide_an_activation_is_refused(network, message):
    with pytest.raises(ValueError, match=message):
        nh.encode(network, torch.randn(6, 4))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fused", [False, True])
def test_quantized_networks_are_refused(fused):
    from torch.ao import quantization

    network = nn.Sequential(
        quantization.QuantStub(), nn.Linear(4, 8), nn.ReLU(), quantization.DeQuantStub(), nn.ReLU()
    ).eval()
    inputs = torch.randn(50, 4)
    network.qconfig = quantization.get_default_qconfig("fbgemm")
    if fused:
        quantization.fuse_modules(network, [["1", "2"]], inplace=True)
    quantization.prepare(network, inplace=True)(inputs)
    quantization.convert(network, inplace=True)
    with pytest.raises(ValueError, match="runs quantized::linear.*from which the quantized one"):
        nh.encode(network, inputs)


@pytest.mark.filterwarnings("ignore")
def test_dynamically_quantized_networks_are_encoded():
    from torch.ao.quantization import quantize_dynamic

    network = quantize_dynamic(nn.Sequential(nn.Linear(4, 8), nn.ReLU()), {nn.Linear})
    inputs = torch.randn(9, 4)
    assert np.array_equal(nh.encode(network, inputs).bits(), (network[0](inputs) > 0).numpy())


def test_operations_without_an_activation_are_none_of_its_business():
    from torchvision.ops import nms

    def forward(x):
        boxes = torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1]])
        with torch.profiler.record_function("here"):
            return F.relu(x) * len(nms(boxes, torch.ones(2), 0.5))

    assert dict(nh.encode(Written(forward), torch.randn(6, 4)).layers) == {"relu": (4,)}


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_scripted_function_stays_in_sight():
    @torch.jit.script
    def scripted(x):
        return torch.relu(x) * 2

    network, inputs = Written(lambda x: F.relu(scripted(x) - 1)), torch.randn(6, 4)
    expected = torch.hstack([inputs > 0, inputs.clamp(min=0) * 2 > 1])
    for _ in range(4):  # from the third time on it would run optimized
        assert np.array_equal(nh.encode(network, inputs).bits(), expected.numpy())


COMPILES = """
import torch, nhlib as nh
assert "torch._dynamo" not in __import__("sys").modules
class Network(torch.nn.Module):
    def forward(self, x):
        import torch._dynamo  # as the first torch.compile does
        print(torch._dynamo.eval_frame._stance.stance)
        return torch.relu(x)
print(nh.encode(Network(), torch.ones(3, 4)))
"""


def test_a_network_that_begins_to_compile_while_it_runs():
    command = [sys.executable, "-W", "ignore", "-c", COMPILES]
    child = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert child.stdout.splitlines() == [
        "default",
        "force_eager",  # run again, without what it may have compiled
        "NeuralCodes(3 examples × 4 bits, relu: 4)",
    ], child.stderr


def test_another_network_in_another_thread_does_not_matter():
    import threading

    stop, networks = threading.Event(), [nh.mlp(6, [9, 8], 3, seed=seed) for seed in range(2)]
    inputs = torch.randn(40, 6)
    expected = [nh.encode(network, inputs) for network in networks]
    found = []

    def work():
        while not stop.is_set():
            found.append(nh.encode(networks[1], inputs, batch_size=7) == expected[1])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        here = [nh.encode(networks[0], inputs, batch_size=7) == expected[0] for _ in range(20)]
    finally:
        stop.set()
        thread.join()
    assert all(here)
    assert found
    assert all(found)
