"""What computes on a GPU gives there what it gives on the CPU, and mixes no devices.

Where there is no GPU, a device stands in for it: `stand_in.py`. Run in a process of its own:
python -m pytest tests/devices/on_a_device.py
"""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import stand_in
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.data import DataLoader, TensorDataset

import nhlib as nh
from nhlib.codes.neighbours import hamming_neighbours
from nhlib.measures import logistic_regression
from nhlib.measures.kmeans import kmeans, nearest_centre
from nhlib.networks.convolutional import vgg
from nhlib.networks.fully_connected import mlp
from nhlib.training.augmentation import Augmentation

if torch.cuda.is_available():
    DEVICE = torch.device("cuda", 0)
else:
    stand_in.register()
    DEVICE = torch.device(stand_in.NAME, 0)


def dataset(n=60, n_test=20, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(n + n_test, 2, 6, 6, generator=generator)
    scores = inputs.flatten(1) @ torch.randn(72, 3, generator=generator)
    every = nh.Split(inputs, scores.argmax(1))
    return nh.Dataset("small", every[:n], every[n:], 3)


DATA = dataset()


class Work(TorchDispatchMode):
    """Counts the operations whose result is on the device."""

    n = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        values = (value for value in tree_iter(result) if isinstance(value, torch.Tensor))
        self.n += any(value.device == DEVICE for value in values)
        return result


def there(value):
    """Return a copy of a tensor or network on the device."""
    return copy.deepcopy(value).to(DEVICE)


def close(one, other):
    torch.testing.assert_close(one.cpu(), other, rtol=1e-6, atol=1e-6)


def same_network(network, expected):
    ours, theirs = network.state_dict(), expected.state_dict()
    assert {weight.device for weight in ours.values()} == {DEVICE}
    for name, weight in theirs.items():
        close(ours[name], weight)


def same_history(history, expected):
    assert history.epochs == expected.epochs
    assert history.train_loss == pytest.approx(expected.train_loss)
    assert history.train_accuracy == expected.train_accuracy
    assert history.test_accuracy == expected.test_accuracy
    assert history.stopped_early == expected.stopped_early
    assert history.snapshots.keys() == expected.snapshots.keys()
    for epoch in expected.snapshots:
        same_network(history.network(epoch), expected.network(epoch))


# -- the device ------------------------------------------------------------------------------

X = torch.arange(6.0).reshape(2, 3)
MIXTURES = {
    "sum": lambda x: x + X,
    "sum with one row": lambda x: x + X[0],
    "the CPU's, in place": lambda x: X.clone().add_(x),
    "its own, in place": lambda x: x.add_(X),
    "product": lambda x: x @ X.T,
    "side by side": lambda x: torch.cat([x, X]),
    "choice": lambda x: torch.where(X > 1, x, x),
    "mask": lambda x: x.masked_fill(X > 1, 0.0),
    "index into the CPU": lambda x: X[x[0].long() % 2],
    "rows": lambda x: x.index_select(0, torch.tensor([1])),
    "gathered": lambda x: x.gather(1, torch.zeros(2, 1, dtype=torch.int64)),
    "one number in a product": lambda x: torch.stack([x[0, 0], torch.tensor(1.0)]),
    "assigned": lambda x: x.index_put_((torch.tensor([0]),), X[:1]),
    "result": lambda x: torch.mm(x, x.T, out=torch.empty(2, 2)),
    "loss": lambda x: F.cross_entropy(x, torch.tensor([0, 1])),
    "layer": lambda x: nn.Linear(3, 2)(x),
    "convolution": lambda x: nn.Conv1d(2, 2, 1)(x[None]),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_mixed_devices_are_caught(name):
    with pytest.raises(RuntimeError, match="same device|should be either on cpu or on|be the same"):
        MIXTURES[name](there(X))


def test_numpy_is_refused():
    with pytest.raises((TypeError, RuntimeError), match="numpy"):
        np.asarray(there(X))


def test_what_goes_together():
    x = there(X)
    assert x.device == (x + 1).device == (torch.tensor(2.0) * x).device == DEVICE
    close(torch.tensor(2.0) * x, 2 * X)
    close(x[torch.tensor([1, 0])], X[[1, 0]])
    x[torch.tensor([0])] = torch.tensor(7.0)
    x[:, 1] += 1
    x.T[2] = X[0, :2]
    assert x.tolist() == [[7.0, 8.0, 0.0], [3.0, 5.0, 1.0]]
    assert x.sum().item() == 24.0
    assert torch.tensor([1, 2], device=DEVICE).device == torch.zeros(2, device=DEVICE).device


@pytest.mark.parametrize("name", ["mlp", "vgg", "residual"])
def test_gradients_are_those_of_the_cpu(name):
    here = NETWORKS[name]().double()
    away = there(here)
    for network, data in ((here, DATA.train[:8]), (away, DATA.train[:8])):
        weight = next(network.parameters())
        loss = F.cross_entropy(network(data.inputs.to(weight)), data.labels.to(weight.device))
        loss.backward()
    for one, other in zip(away.parameters(), here.parameters(), strict=True):
        assert one.grad.device == DEVICE
        close(one.grad, other.grad)


# -- codes -----------------------------------------------------------------------------------


class Kinks(nn.Module):
    """Activations in several forms, one of them with bounds in a buffer."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(72, 11)
        self.register_buffer("bounds", torch.tensor([-0.2, 0.3], dtype=torch.float64))
        self.prelu = nn.PReLU(11)

    def forward(self, x):
        x = self.linear(x.flatten(1))
        return F.relu6(x) + x.clamp(*self.bounds) + self.prelu(x) + F.hardshrink(x).relu_()


NETWORKS = {
    "mlp": lambda: mlp(72, [13, 9], 3, batch_norm=True, seed=0),
    "vgg": lambda: vgg([[4], [5]], [6], 3, in_channels=2, image_size=6, seed=0),
    "residual": lambda: nh.resnet20(3, in_channels=2, seed=0),
    "kinks": Kinks,
    "transformer": lambda: nn.Sequential(
        nn.Flatten(1, 2), nn.Linear(6, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_encode(name):
    network = NETWORKS[name]().double()
    codes = nh.encode(network, DATA.train)
    away = there(network)
    with Work() as moved:
        assert nh.encode(network, DATA.train, device=DEVICE) == codes
    with Work() as stayed:
        assert nh.encode(away, DATA.train) == codes
    assert moved.n > stayed.n > 5  # the network's way there, and its layers
    assert {weight.device.type for weight in network.state_dict().values()} == {"cpu"}
    assert nh.encode(away, DATA.train.inputs.numpy()) == codes
    assert nh.encode(away, there(DATA.train.inputs), batch_size=7) == codes
    assert nh.encode(away, DataLoader(TensorDataset(DATA.train.inputs), 25)) == codes
    assert nh.encode(away, DATA.train, device="cpu") == codes
    same_network(away, network)


def test_encode_into_a_file(tmp_path):
    network, out = mlp(72, [13], 3).double(), tmp_path / "codes.safetensors"
    codes = nh.encode(network, DATA.train)
    assert nh.encode(there(network), there(DATA.train.inputs), out=out) == codes
    assert nh.encode(network, DATA.train, out=out) == codes  # they are recognised


def test_encode_in_train_mode():
    network = mlp(72, [13], 3, batch_norm=True).double()
    away = there(network)
    codes = nh.encode(network, DATA.train, train_mode=True, batch_size=20)
    assert nh.encode(away, DATA.train, train_mode=True, batch_size=20) == codes
    same_network(away, network)


def test_encode_says_where_values_are_not_finite():
    network = there(mlp(72, [13], 3))
    inputs = DATA.train.inputs.clone()
    inputs[40, 0, 0, 0] = torch.nan
    for given in (inputs, there(inputs)):
        with pytest.raises(ValueError, match="inputs: example 40 holds nan or infinity"):
            nh.encode(network, given, batch_size=16)
    with pytest.raises(ValueError, match=r"overflow on the way to layer relu1, .* example 40"):
        nh.encode(network, DATA.train.inputs.index_fill(0, torch.tensor(40), 3e38))
    with torch.no_grad():
        network[1].weight[0, 0] = torch.inf
    with pytest.raises(ValueError, match="network: linear1.weight holds nan or infinity"):
        nh.encode(network, DATA.train.inputs)


def test_a_network_on_two_devices_is_refused():
    network = mlp(72, [13], 3)
    network[1].to(DEVICE)
    with pytest.raises(ValueError, match=f"its parameters are on cpu, {DEVICE}; move it to one"):
        nh.encode(network, DATA.train)


def test_hidden_activations():
    network = mlp(72, [13, 9], 3).double()
    expected = nh.hidden_activations(network, DATA.train)
    for given in (DATA.train, there(DATA.train.inputs)):
        close(nh.hidden_activations(there(network), given), expected)


@pytest.mark.parametrize("n_bits", [1, 9, 24, 400])
def test_neighbours(n_bits, monkeypatch):
    monkeypatch.setattr("nhlib.codes.neighbours._PRODUCTS", 500)  # in many blocks
    monkeypatch.setattr("nhlib.codes.neighbours._UNPACKED", 5000)
    rng = np.random.default_rng(0)
    queries, points = (nh.NeuralCodes.from_bits(rng.integers(0, 2, (n, n_bits))) for n in (70, 50))
    expected = nh.nearest_codes(queries, points, 6)
    for found in (
        nh.nearest_codes(queries, points, 6, DEVICE),
        hamming_neighbours(queries.packed, points.packed, 6, DEVICE),
    ):
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(one, other)


# -- measures --------------------------------------------------------------------------------


def points(n=90, d=7):
    return torch.rand(n, d, generator=torch.Generator().manual_seed(0)).round(decimals=1)


@pytest.mark.parametrize(("n", "n_clusters"), [(90, 5), (90, 1), (6, 6)])
def test_kmeans(n, n_clusters, monkeypatch):
    monkeypatch.setattr("nhlib.measures.kmeans._PAIRS", 100)  # in many blocks
    x = points(n)
    expected = kmeans(x, n_clusters, n_init=4, seed=0)
    found = kmeans(there(x), n_clusters, n_init=4, seed=0)
    close(found, expected)
    assert torch.equal(nearest_centre(there(x), found).cpu(), nearest_centre(x, expected))


@pytest.mark.parametrize("largest_hessian", [2000, 0])
def test_logistic_regression(largest_hessian, monkeypatch):
    monkeypatch.setattr(logistic_regression, "_HESSIAN", largest_hessian)
    x = points()
    labels = (x.sum(1) > 3.4).long() + (x[:, 0] > 0.5)
    expected = logistic_regression.one_versus_one(x, labels, 3)
    found = logistic_regression.one_versus_one(there(x), there(labels), 3)
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-4)
    predicted = logistic_regression.vote(found, there(x), 3)
    assert torch.equal(predicted.cpu(), logistic_regression.vote(expected, x, 3))


def test_categorization():
    network = mlp(72, [13], 3)
    examples = [
        part
        for split in (DATA.train, DATA.test)
        for part in (nh.encode(network, split), split.labels)
    ]
    here = nh.categorize(*examples)
    away, work = {}, {}
    for name in here:
        with Work() as done:
            away[name] = getattr(nh, f"{name}_accuracy")(*examples, device=DEVICE)
        work[name] = done.n
    with Work() as done:
        assert nh.categorize(*examples, device=DEVICE) == away
    assert done.n == sum(work.values())
    assert min(work.values()) > 5
    assert away["knn"] == here["knn"]
    # On the CPU the other two are scikit-learn's, with other starts and another stop.
    assert away["logreg"] == pytest.approx(here["logreg"], abs=0.051)
    assert away["kmeans"] > 1 / 3


def test_comparison_with_baselines():
    network, untrained = (mlp(72, [13], 3, seed=seed) for seed in (0, 1))
    here = nh.compare_with_baselines(network, untrained, DATA)
    for networks in ((network, untrained), (there(network), there(untrained))):
        away = nh.compare_with_baselines(*networks, DATA, device=DEVICE)
        # The other methods are scikit-learn's on the CPU, with other starts and another stop.
        same = here["method"].isin(["knn", "network"]) & (here["representation"] != "raw inputs")
        pd.testing.assert_frame_equal(away[same], here[same])


# -- training --------------------------------------------------------------------------------

SMALL = {"epochs": 3, "batch_size": 16}
TRAININGS = {
    "adam": (lambda: mlp(72, [6, 5], 3), nh.Recipe(**SMALL, l2=1e-3)),
    "batch norm": (lambda: mlp(72, [6, 5], 3, batch_norm=True), nh.Recipe.code(**SMALL)),
    "sgd": (lambda: mlp(72, [6], 3), nh.Recipe(**SMALL, optimizer="sgd", learning_rate=0.1)),
    "early": (
        lambda: mlp(72, [6], 3),
        nh.Recipe(epochs=30, batch_size=16, learning_rate=0.3, patience=2),
    ),
    "augmentation": (
        lambda: vgg([[4], [5]], [6], 3, in_channels=2, image_size=6),
        nh.Recipe.modern(**SMALL, augmentation=Augmentation(2, rotation=20.0)),
    ),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_fit(name):
    build, recipe = TRAININGS[name]
    here, away, moved = (build().double() for _ in range(3))
    expected = nh.fit(here, DATA, recipe, snapshots=(0, 2), seed=1)
    same_history(nh.fit(away, DATA, recipe, snapshots=(0, 2), seed=1, device=DEVICE), expected)
    same_network(away, here)
    moved.to(DEVICE)
    there_too = nh.Dataset(
        "small", *(nh.Split(there(s.inputs), there(s.labels)) for s in (DATA.train, DATA.test)), 3
    )
    same_history(nh.fit(moved, there_too, recipe, snapshots=(0, 2), seed=1), expected)


def test_fit_that_diverges():
    recipe = nh.Recipe(**SMALL, optimizer="sgd", learning_rate=1e30)
    network = mlp(72, [6], 3)
    before = there(network)
    with pytest.raises(FloatingPointError, match="the loss or the weights are not finite in epoch"):
        nh.fit(network, DATA, recipe, device=DEVICE)
    same_network(network, before.cpu())


@pytest.mark.parametrize("name", ["batch norm", "augmentation"])
def test_fit_goes_on_from_a_checkpoint(name, tmp_path):
    build, recipe = TRAININGS[name]
    here, away = (build().double() for _ in range(2))
    expected = nh.fit(here, DATA, recipe, snapshots=(0, 2))
    options = {"snapshots": (0, 2), "checkpoint": tmp_path / "run.pt", "device": DEVICE}
    seen = []

    def interrupt(module, inputs, output):
        seen.append(None)
        if len(seen) == 8:
            raise KeyboardInterrupt

    hook = away.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        nh.fit(away, DATA, recipe, **options)
    hook.remove()
    again = build().double()
    same_history(nh.fit(again, DATA, recipe, **options), expected)
    same_network(again, here)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_population(batch_norm):
    jumpy = nh.Recipe(epochs=25, batch_size=16, learning_rate=0.3, patience=2)
    recipes = [nh.Recipe(**SMALL, l2=1e-3)] * 4 + [jumpy] * 3
    other = nh.with_label_noise(DATA, 0.5)
    data, seeds = [DATA, DATA, other, DATA, DATA, other, other], [0, 0, 0, 1, 0, 0, 1]
    here = [mlp(72, [3 + i, 4], 3, batch_norm=batch_norm, seed=i).double() for i in range(7)]
    away = copy.deepcopy(here)
    expected, found = (
        nh.Population(networks, data, recipes, seeds, snapshots=(0, 2), device=device)
        for networks, device in ((here, None), (away, DEVICE))
    )
    for population in (expected, found):
        population.fit()
    assert len({history.epochs for history in expected.histories[4:]}) > 1  # they leave one by one
    for i, network in enumerate(away):
        same_network(network, here[i])
        same_history(found.histories[i], expected.histories[i])


def test_population_whose_members_fail():
    huge = nh.Split(DATA.train.inputs * 1e38, DATA.train.labels)
    broken = replace(DATA, train=huge, box=(0.0, 1e38))
    networks = [mlp(72, [width], 3, seed=width) for width in (3, 4)]
    population = nh.Population(networks, [DATA, broken], nh.Recipe(**SMALL), device=DEVICE)
    population.fit()
    assert list(population.failed) == [1]
    assert population.histories[0].epochs == 3


# -- what takes a network from wherever it is ------------------------------------------------


def test_regions():
    network = mlp(2, [7, 6], 2, batch_norm=True, seed=0).double().eval()
    away = there(network)
    assert nh.partition(away).n_regions == nh.partition(network).n_regions
    corners = torch.tensor([[-1.0, 0.5], [1.0, 0.2], [0.3, -0.9]])
    ends = corners[:2]
    expected = nh.segment(network, *ends).breakpoints
    for given in (ends, there(ends)):
        assert np.array_equal(nh.segment(away, *given).breakpoints, expected)
    distances = nh.border_distances(network, corners)
    for given in (corners, there(corners)):
        assert np.allclose(nh.border_distances(away, given), distances)


def test_regions_in_a_plane_through_inputs():
    network = mlp(72, [7], 3, seed=0)
    plane = DATA.train.inputs[:3]
    expected = nh.partition(network, plane=plane).n_regions
    for given in (plane, there(plane)):
        assert nh.partition(there(network), plane=given).n_regions == expected


def test_sweep():
    options = {"widths": (3, 5), "epochs": 1, "train_sizes": 100}
    here, away = (nh.sweep("digits", **options, device=where) for where in (None, DEVICE))
    both = [name for name in here.columns if name not in {"kmeans", "logreg", "device", "date"}]
    pd.testing.assert_frame_equal(away[both], here[both])
