"""`Population` against `fit`: every member as it would be if it had been trained alone."""

import copy
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import nhlib as nh
from nhlib import _progress
from nhlib.data.dataset import Dataset, Split
from nhlib.networks.fully_connected import mlp
from nhlib.training import stacked_mlps
from nhlib.training.history import moment_order
from nhlib.training.loop import fit
from nhlib.training.recipe import Recipe

N_INPUTS, N_CLASSES = 6, 4


def small(n: int = 50, n_test: int = 20, seed: int = 0, n_inputs: int = N_INPUTS) -> Dataset:
    """Points whose class is the largest of four random linear functions."""
    rng = np.random.default_rng(seed)
    inputs = rng.random((n + n_test, n_inputs))
    labels = (inputs @ rng.standard_normal((n_inputs, N_CLASSES))).argmax(1)
    both = Split(torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels))
    return Dataset("small", both[:n], both[n:], N_CLASSES)


DATA = small()
NOISY = nh.with_label_noise(DATA, 0.5)
SMALLER = replace(DATA, train=DATA.train[:35])
FEWER_TESTS = replace(DATA, test=DATA.test[:7])
A = Recipe(epochs=4, batch_size=16)
B = Recipe.code(epochs=4, batch_size=16)
JUMPY = Recipe(epochs=25, batch_size=16, learning_rate=0.3, patience=2)


def net(*widths, batch_norm=False, seed=0, dtype=torch.float64) -> nn.Sequential:
    return mlp(N_INPUTS, widths, N_CLASSES, batch_norm=batch_norm, seed=seed).to(dtype)


def each(given, n):
    return given if isinstance(given, list) else [given] * n


def same(network, other, tolerance):
    ours, theirs = network.state_dict(), other.state_dict()
    assert ours.keys() == theirs.keys()
    norms = any(name.startswith("norm") for name in theirs)
    for name, expected in theirs.items():
        # Batch norm subtracts these again: only rounding moves them, and Adam, which divides by
        # the gradient's own size, magnifies it up to a hundred million times.
        free = norms and (name.endswith("running_mean") or re.fullmatch(r"linear\d.bias", name))
        bound = 10_000 * tolerance if free else tolerance
        torch.testing.assert_close(ours[name], expected, rtol=bound, atol=bound)


def as_alone(networks, data=DATA, recipes=A, seeds=0, tolerance=1e-9, snapshots=None):
    """Train together and alone, compare everything, and return the population."""
    n = len(networks)
    alone = copy.deepcopy(networks)
    if snapshots is None:
        snapshots = range(min(recipe.epochs for recipe in each(recipes, n)) + 1)
    population = nh.Population(networks, data, recipes, seeds, snapshots=snapshots)
    population.fit(progress=False)
    assert len(population) == len(population.histories) == n
    failed = {}
    for i, (network, of, recipe, seed) in enumerate(
        zip(alone, each(data, n), each(recipes, n), each(seeds, n), strict=True)
    ):
        ours = population.histories[i]
        try:
            theirs = fit(network, of, recipe, seed=seed, snapshots=snapshots, progress=False)
        except FloatingPointError as error:
            theirs = error.history
            failed[i] = f"not finite in epoch {theirs.epochs + 1}"
        same(networks[i], network, tolerance)
        assert ours.recipe == theirs.recipe
        assert ours.stopped_early == theirs.stopped_early
        assert ours.epochs == theirs.epochs
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=tolerance, abs=tolerance)
        assert ours.snapshots.keys() == theirs.snapshots.keys()
        for moment in theirs.snapshots:
            same(
                ours.network(*moment_order(moment)),
                theirs.network(*moment_order(moment)),
                tolerance,
            )
        if tolerance < 1e-6:  # else an example may lie between two classes
            assert ours.train_accuracy == pytest.approx(theirs.train_accuracy, abs=tolerance)
            assert ours.test_accuracy == pytest.approx(theirs.test_accuracy, abs=tolerance)
    assert failed == {i: text.split(", at")[0] for i, text in population.failed.items()}
    return population


# -- as `fit` would have it, in float64 ----------------------------------------------------

SHAPES = {
    "one layer": [(5,), (1,), (9,)],
    "equal widths": [(5,), (5,), (5,)],
    "two layers": [(5, 3), (2, 8), (7, 7)],
    "three layers": [(5, 3, 4), (1, 6, 2), (4, 4, 9)],
    "depths mixed": [(5,), (3, 8), (7,), (2, 3, 4), (6, 2)],
    "one network": [(4, 3)],
}


def test_snapshots_within_epochs():
    networks = [net(5), net(3, 4), net(7, seed=1), net(2)]
    recipes = [A, A, A, DIVERGING]
    seeds = [0, 0, 1, 0]
    within = [0, (0, 1), (0, 3), 1, (1, 2)]
    as_alone(networks, recipes=recipes, seeds=seeds, snapshots=within)
    normed = [net(5, batch_norm=True), net(4, batch_norm=True)]
    as_alone(normed, [DATA, SMALLER], B, snapshots=[(3, 2), (0, 1)])


@pytest.mark.parametrize("recipe", [A, B], ids="AB")
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_shapes(shapes, batch_norm, recipe):
    networks = [net(*widths, batch_norm=batch_norm, seed=i) for i, widths in enumerate(shapes)]
    as_alone(networks, recipes=recipe)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_with_and_without_norm_together(batch_norm):
    networks = [net(width, batch_norm=width % 2 == batch_norm) for width in (3, 4, 5, 6)]
    as_alone(networks)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
def test_seeds_and_widths(depth, batch_norm):
    grid = [(width, seed) for width in (3, 8, 5) for seed in (0, 7, 2)]
    networks = [net(*[width] * depth, batch_norm=batch_norm, seed=seed) for width, seed in grid]
    as_alone(networks, recipes=B, seeds=[seed for _, seed in grid])


@pytest.mark.parametrize("batch_norm", [False, True])
def test_data_of_one_size_and_of_several(batch_norm):
    data = [DATA, NOISY, SMALLER, DATA, FEWER_TESTS, small(seed=5), NOISY]
    networks = [net(3 + i, 4, batch_norm=batch_norm) for i in range(len(data))]
    as_alone(networks, data)
    as_alone(networks, data, seeds=list(range(len(data))))


def test_inputs_of_several_shapes():
    wide = mlp(2 * N_INPUTS, [5], N_CLASSES).double()
    train, test = (Split(s.inputs.view(-1, 1, 2, 3), s.labels) for s in (DATA.train, DATA.test))
    images = replace(DATA, train=train, test=test)
    as_alone([net(5), wide, net(4)], [DATA, small(n_inputs=2 * N_INPUTS), images])


RECIPES = [
    A,
    B,
    Recipe(epochs=4, batch_size=16, learning_rate=0.05),
    Recipe(epochs=4, batch_size=16, l2=0.03),
    Recipe(epochs=6, batch_size=16, decay=0.5, decay_every=2),
    Recipe(epochs=3, batch_size=7),
    Recipe(epochs=4, batch_size=64),
    Recipe(epochs=2, batch_size=1),
    Recipe(epochs=4, batch_size=16, epsilon=0.1),
    A,
]


def test_recipes():
    networks = [net(3 + i % 3, seed=i) for i in range(len(RECIPES))]
    as_alone(networks, recipes=RECIPES)
    networks = [net(3 + i % 3, 4, batch_norm=True) for i in range(len(RECIPES))]
    kept = [replace(r, batch_size=r.batch_size + 1) for r in RECIPES]  # no minibatch of one
    as_alone(networks, recipes=kept)


def test_norms_of_other_settings():
    networks = [net(3, 4, batch_norm=True) for _ in range(3)]
    networks[1].norm2.momentum, networks[2].norm1.eps = 0.5, 0.1
    as_alone(networks)


def test_training_goes_on_where_it_was():
    networks = [net(width, batch_norm=True) for width in (3, 5)]
    nh.Population(networks, DATA, A).fit()
    as_alone(networks, recipes=B, seeds=1)
    assert networks[0].norm1.num_batches_tracked == 2 * 4 * 4
    fit(networks[0], DATA, A)
    as_alone(networks)


def test_networks_without_flatten():
    as_alone([nn.Sequential(*net(4)[1:]), net(6)])


def test_no_epochs():
    networks = [net(3, batch_norm=True), net(4, 2)]
    before = copy.deepcopy(networks)
    population = as_alone(networks, recipes=replace(A, epochs=0))
    for network, untrained in zip(networks, before, strict=True):
        same(network, untrained, 0)
    assert repr(population) == "Population(2 networks, 0 epochs trained)"


def test_dead_units_decide_as_argmax_does():
    networks = [net(3, batch_norm=norm, seed=seed) for norm in (False, True) for seed in range(2)]
    with torch.no_grad():
        for network in networks:
            for parameter in network.parameters():
                parameter.zero_()
            network.linear1.bias.fill_(-1)
            network.output.bias.fill_(1)  # so that such a small learning rate changes nothing
    slow = Recipe(epochs=2, batch_size=50, learning_rate=1e-30)
    population = as_alone(networks, recipes=slow)
    first = (DATA.test.labels == 0).double().mean().item()
    assert all(history.test_accuracy == [first] * 2 for history in population.histories)


MEMBERS = st.tuples(
    st.lists(st.integers(1, 7), min_size=1, max_size=3),  # widths
    st.booleans(),  # batch norm
    st.sampled_from([DATA, NOISY, SMALLER]),
    st.sampled_from([9, 25]),  # batch size
    st.sampled_from([1e-3, 0.3]),  # learning rate
    st.sampled_from([0.0, 0.01]),  # penalty
    st.sampled_from([None, 1]),  # patience
    st.integers(0, 1),  # seed
)


@given(st.lists(MEMBERS, min_size=1, max_size=6))
@settings(max_examples=20)
def test_mixtures(members):
    widths, norms, data, *settings, seeds = (list(part) for part in zip(*members, strict=True))
    networks = [
        net(*sizes, batch_norm=norm, seed=i)
        for i, (sizes, norm) in enumerate(zip(widths, norms, strict=True))
    ]
    recipes = [
        Recipe(epochs=3, batch_size=size, learning_rate=rate, l2=l2, patience=patience)
        for size, rate, l2, patience in zip(*settings, strict=True)
    ]
    as_alone(networks, data, recipes, seeds)


# -- members that end earlier --------------------------------------------------------------


@pytest.mark.parametrize("batch_norm", [False, True])
def test_early_stopping_of_some(batch_norm):
    networks = [net(3 + i, 5, batch_norm=batch_norm, seed=i) for i in range(8)]
    seeds = [0, 1] * 4
    patient = replace(JUMPY, patience=None)
    recipes = [JUMPY] * 6 + [patient] * 2
    population = as_alone(networks, recipes=recipes, seeds=seeds, tolerance=1e-7)
    epochs = {history.epochs for history in population.histories}
    assert len(epochs) >= 3  # they leave one after another
    assert 25 in epochs
    assert population.histories[0].stopped_early
    assert not population.histories[6].stopped_early


def test_no_early_stop_at_the_last_epoch():
    first = nh.Population([net(4)], DATA, JUMPY)
    first.fit()
    epochs = first.histories[0].epochs
    assert epochs < 25
    population = as_alone([net(4), net(5)], recipes=replace(JUMPY, epochs=epochs))
    assert not population.histories[0].stopped_early


DIVERGING = Recipe(epochs=4, batch_size=16, decay=1e200, decay_every=2)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_failures_are_kept_apart(batch_norm):
    networks = [net(3 + i, 4, batch_norm=batch_norm) for i in range(4)]
    with torch.no_grad():
        networks[1].output.bias.fill_(1e308).neg_()[0].neg_()  # the loss is not finite
    untrained = copy.deepcopy(networks[1])
    population = as_alone(networks)
    assert population.failed == {1: "not finite in epoch 1, at a learning rate of 0.001"}
    assert population.histories[1].epochs == 0
    same(networks[1], untrained, 0)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_inputs_of_one_data_set_do_not_reach_the_members_of_another(batch_norm, value):
    broken = copy.deepcopy(DATA)
    broken.train.inputs[3, 2] = value
    networks = [net(*widths, batch_norm=batch_norm) for widths in [(3, 4), (6, 2), (5, 5), (2, 3)]]
    population = as_alone(networks, [DATA, NOISY, broken, broken])
    assert population.failed.keys() == {2, 3}


@pytest.mark.parametrize("batch_norm", [False, True])
def test_failures_keep_the_last_complete_epoch(batch_norm):
    networks = [net(5 + i, 4, batch_norm=batch_norm) for i in range(4)]
    population = as_alone(networks, recipes=[A, DIVERGING, DIVERGING, A], snapshots=(0, 1, 2))
    assert population.failed.keys() == {1, 2}
    assert [history.epochs for history in population.histories] == [4, 2, 2, 4]
    assert "in epoch 3, at a learning rate of 1e+197" in population.failed[1]


def test_everyone_fails():
    population = as_alone([net(3), net(4)], recipes=replace(A, learning_rate=1e300))
    assert population.failed.keys() == {0, 1}


@pytest.mark.parametrize("when", ["order", "step", "test"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_interruption_keeps_the_last_complete_epoch(monkeypatch, batch_norm, when):
    """In epoch 3 of 4, of the second of three groups."""
    networks = [net(*w, batch_norm=batch_norm) for w in [(3,), (4,), (5, 5), (3, 6), (2, 2, 2)]]
    alone = copy.deepcopy(networks)
    calls = []

    def interrupt(function, at):
        def counting(*args):
            calls.append(args)
            if len(calls) == at:
                raise KeyboardInterrupt
            return function(*args)

        return counting

    name, at = {"order": ("epoch_order", 4 + 3), "step": ("_step", 16 + 11)}.get(
        when, ("test_accuracies", 4 + 3)
    )
    owner = stacked_mlps if when == "order" else stacked_mlps.Program
    monkeypatch.setattr(owner, name, interrupt(getattr(owner, name), at))
    population = nh.Population(networks, DATA, A, snapshots=range(5))
    with pytest.raises(KeyboardInterrupt):
        population.fit()
    assert [history.epochs for history in population.histories] == [4, 4, 2, 2, 0]
    for network, history, other in zip(networks, population.histories, alone, strict=True):
        expected = fit(other, DATA, replace(A, epochs=history.epochs))
        same(network, other, 1e-9)
        assert history.train_loss == pytest.approx(expected.train_loss, rel=1e-9)
        assert len(history.test_accuracy) == history.epochs
        assert not any(module.training for module in network.modules())
    with pytest.raises(RuntimeError, match="trained already"):
        population.fit()


# -- float32 -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch_norm", "bound", "near", "most"), [(False, 1e-5, 1e-4, 1e-3), (True, 1e-5, 0.1, 5e-3)]
)
def test_single_precision_differs_by_rounding(batch_norm, bound, near, most):
    """With batch norm it moves what is subtracted again; its running average lags behind."""
    data = nh.load("digits", train_size=600)
    shapes = [(10,), (30,), (17,), (10, 20), (20, 7)]
    networks = [mlp(64, widths, 10, batch_norm=batch_norm) for widths in shapes]
    alone = copy.deepcopy(networks)
    as_alone(networks, data, Recipe(epochs=3), tolerance=bound)
    for together, network in zip(networks, alone, strict=True):
        fit(network, data, Recipe(epochs=3))
        ours, theirs = nh.encode(together, data.test).bits(), nh.encode(network, data.test).bits()
        before = []
        with torch.no_grad():
            x = data.test.inputs
            for module in network:
                before += [x] if isinstance(module, nn.ReLU) else []
                x = module(x)
        differing = torch.cat(before, dim=1)[torch.from_numpy(ours != theirs)]
        assert (differing.abs() < near).all()
        assert len(differing) <= most * ours.size


# -- what is left behind -------------------------------------------------------------------


def test_members_are_the_same_plain_networks():
    networks = [net(3, batch_norm=True), net(4, 5)]
    kinds = [[type(module) for module in network.modules()] for network in networks]
    weights = [list(network.parameters()) for network in networks]
    population = nh.Population(networks, DATA, A, snapshots=[4])
    population.fit()
    for i, network in enumerate(networks):
        kept = population.histories[i].network(4)
        same(kept, network, 0)
        for one in (network, kept):
            assert [type(module) for module in one.modules()] == kinds[i]
            assert not any(module.training for module in one.modules())
            assert all(p.requires_grad and p.grad is None for p in one.parameters())
        assert all(a is b for a, b in zip(network.parameters(), weights[i], strict=True))
        assert {p.dtype for p in network.parameters()} == {torch.float64}
        # They go on to live lives of their own.
        network(DATA.train.inputs.double()).sum().backward()
    with torch.no_grad():
        networks[0].linear1.weight.zero_()
    assert population.histories[0].network(4).linear1.weight.any()


def test_floating_point_types_can_be_mixed():
    networks = [net(3), net(4, dtype=torch.float32), net(5)]
    as_alone(networks, tolerance=1e-4)
    dtypes = [network.linear1.weight.dtype for network in networks]
    assert dtypes == [torch.float64, torch.float32, torch.float64]


def test_random_state_and_data_are_left_alone():
    inputs, labels = DATA.train.inputs.clone(), DATA.train.labels.clone()
    before = torch.get_rng_state()
    nh.Population([net(3, batch_norm=True), net(4)], DATA, B, snapshots=[0]).fit()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(DATA.train.inputs, inputs)
    assert torch.equal(DATA.train.labels, labels)


def test_gradients_that_were_there_do_not_matter():
    networks = [net(3), net(4)]
    networks[0](DATA.train.inputs.double()).sum().backward()
    as_alone(networks)


def test_trained_once_only():
    population = nh.Population([net(3)], DATA, A)
    assert repr(population) == "Population(1 networks, 0 epochs trained)"
    population.fit()
    assert repr(population) == "Population(1 networks, 4 epochs trained)"
    with pytest.raises(RuntimeError, match="this population was trained already; make another"):
        population.fit()


def test_progress_is_shown_when_it_takes_long(capsys, monkeypatch):
    nh.Population([net(3)], DATA, A).fit()
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(_progress, "_PATIENCE", 0)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    nh.Population([net(3)], DATA, A).fit()
    assert "population: " in capsys.readouterr().err
    nh.Population([net(3)], DATA, A).fit(progress=False)
    assert capsys.readouterr() == ("", "")


# -- what goes wrong -----------------------------------------------------------------------


def refuse(unchecked, error, text, networks, data=DATA, *args, **options):
    before = copy.deepcopy(networks)
    with pytest.raises(error, match=text) as caught:
        unchecked(nh.Population.__init__)(
            object.__new__(nh.Population), networks, data, *args, **options
        )
    for network, other in zip(networks, before, strict=True):
        if isinstance(network, nn.Sequential):
            same(network, other, 0)
    return getattr(caught.value, "__notes__", [])


def test_wrong_arguments_are_explained(unchecked):
    two = [net(3), net(4)]
    refuse(unchecked, ValueError, "networks: at least one is needed", [])
    refuse(unchecked, TypeError, "networks: a list of them is needed, even if", net(3))
    refuse(unchecked, TypeError, "network: a Module is needed; not 3", [3])
    one_for_each = "one for each of the 2 networks is needed, not"
    refuse(unchecked, ValueError, f"data: {one_for_each} 1", two, [DATA])
    refuse(unchecked, ValueError, f"recipes: {one_for_each} 3", two, DATA, [A] * 3)
    refuse(unchecked, ValueError, f"seeds: {one_for_each} 0", two, DATA, A, [])
    refuse(unchecked, TypeError, "data: one Dataset, or one for each network, not 'di", two, "di")
    refuse(unchecked, TypeError, "data: one Dataset, or .*, not Split", two, DATA.train)
    refuse(unchecked, TypeError, "recipes: one Recipe, or .*, not 20", two, DATA, 20)
    refuse(unchecked, TypeError, "seeds: one int, or .*, not None", two, DATA, A, None)
    refuse(unchecked, TypeError, "seed: a whole number .*, not 0.5", two, DATA, A, 0.5)
    refuse(unchecked, ValueError, "seed: .* of at least 0 .* not -1", two, DATA, A, [0, -1])
    refuse(unchecked, TypeError, "snapshots: .* not 0.5", two, DATA, A, snapshots=[0.5])
    notes = refuse(unchecked, TypeError, "data: a Dataset is needed", two, [DATA, DATA.train])
    assert notes == ["That is networks[1]."]


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), torch.tensor(3), np.array(3)])
def test_seeds_may_be_numbers_of_numpy_and_tensors(unchecked, seed):
    networks = [[net(3), net(4)] for _ in range(3)]
    for members, seeds in zip(networks, (3, seed, [seed, seed]), strict=True):
        population = object.__new__(nh.Population)
        unchecked(nh.Population.__init__)(population, members, DATA, A, seeds)
        population.fit()
    for members in networks[1:]:
        for network, expected in zip(members, networks[0], strict=True):
            same(network, expected, 0)


def test_snapshots_that_a_recipe_does_not_reach_are_explained(unchecked):
    recipes = [replace(A, epochs=6), A]
    text = "snapshots: the recipe ends after epoch 4, not 6"
    notes = refuse(unchecked, ValueError, text, [net(3), net(4)], DATA, recipes, snapshots=(0, 6))
    assert notes == ["That is networks[1]."]
    as_alone([net(3), net(4)], recipes=recipes, snapshots=(4, 0))


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd"},
        {"schedule": "one cycle"},
        {"augmentation": nh.Augmentation(shift=0, flip=False)},
    ],
)
def test_what_a_population_does_not_do_is_explained(unchecked, changes):
    other = replace(A, **changes)
    text = "recipes: a population trains with Adam, .* not with .*; use nhlib.fit"
    refuse(unchecked, ValueError, text, [net(3)], DATA, other)
    refuse(unchecked, ValueError, re.escape(repr(other)), [net(3), net(4)], DATA, [A, other])


def test_data_that_do_not_fit_are_explained(unchecked):
    data = [DATA, small(n_inputs=7)]
    refuse(unchecked, ValueError, r"inputs of shape \(7,\)", [net(3), net(4)], data)
    odd = replace(DATA, train=DATA.train[:33])
    norm = [net(3), net(3, batch_norm=True)]
    refuse(unchecked, ValueError, "leaves one of the 33 training examples", norm, odd, A)
    empty = replace(DATA, test=DATA.test[:0])
    refuse(unchecked, ValueError, "both splits need examples", [net(3)], empty)


def test_networks_with_common_weights_are_explained(unchecked):
    text = "one of them is there twice, or two share weights; every member needs its own"
    network, other = net(3), net(4)
    refuse(unchecked, ValueError, text, [network, other, network])
    other[3] = nn.Linear(4, N_CLASSES).double()
    other[3].bias = network.output.bias
    refuse(unchecked, ValueError, text, [network, other])


def without_bias(network, layer):
    network[layer].bias = None
    return network


def a_layer_twice(network):
    network[5] = network[3]
    return network


NO_MLPS = {
    "convolution": lambda: nn.Sequential(
        *(nn.Unflatten(1, (1, N_INPUTS)), nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Flatten()),
        nn.Linear(8, N_CLASSES),
    ),
    "no hidden layer": lambda: nn.Linear(N_INPUTS, N_CLASSES),
    "another activation": lambda: nn.Sequential(nn.Linear(N_INPUTS, 3), nn.Tanh(), net(3)[-1]),
    "no activation": lambda: nn.Sequential(*net(5)[1:2], *net(5)[3:]),
    "ReLU at the end": lambda: nn.Sequential(*net(3), nn.ReLU()),
    "norm at the end": lambda: nn.Sequential(*net(3), nn.BatchNorm1d(N_CLASSES)),
    "dropout": lambda: nn.Sequential(*net(3)[:3], nn.Dropout(), net(3)[-1]),
    "norm after ReLU": lambda: nn.Sequential(*net(3)[:3], nn.BatchNorm1d(3), net(3)[-1]),
    "norm in one layer": lambda: nn.Sequential(*net(3, 3, batch_norm=True)[:4], *net(3, 3)[3:]),
    "no hidden bias": lambda: without_bias(net(3), 1),
    "no last bias": lambda: without_bias(net(3), -1),
    "frozen": lambda: nn.Sequential(*net(3)[:3].requires_grad_(False), net(3)[-1]),
    "norm without weights": lambda: nn.Sequential(
        *net(3)[:2], nn.BatchNorm1d(3, affine=False), *net(3)[2:]
    ),
    "norm without averages": lambda: nn.Sequential(
        *net(3)[:2], nn.BatchNorm1d(3, track_running_stats=False), *net(3)[2:]
    ),
    "norm of all batches": lambda: nn.Sequential(
        *net(3)[:2], nn.BatchNorm1d(3, momentum=None), *net(3)[2:]
    ),
    "a layer twice": lambda: a_layer_twice(net(3, 3, 3)),
}


@pytest.mark.parametrize("name", NO_MLPS)
def test_networks_that_are_no_mlps_are_explained(unchecked, name):
    network = NO_MLPS[name]().double()
    text = r"networks\[1\]: an MLP as nhlib.mlp builds it is needed: Flatten, then Linear, Batch"
    refuse(unchecked, ValueError, text, [net(3), network])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("batch_norm", [False, True])
def test_cuda_trains_like_the_cpu(batch_norm):
    here = [net(3 + i, 4, batch_norm=batch_norm) for i in range(6)]
    there = copy.deepcopy(here)
    seeds, recipes = [0, 0, 1, 1, 0, 1], [B] * 4 + [replace(JUMPY, epochs=4)] * 2
    before = torch.cuda.get_rng_state()
    one = as_alone(here, recipes=recipes, seeds=seeds)
    two = nh.Population(there, DATA, recipes, seeds, snapshots=[0], device="cuda")
    two.fit()
    assert torch.equal(torch.cuda.get_rng_state(), before)
    for i, network in enumerate(there):
        assert next(network.parameters()).is_cuda
        assert next(two.histories[i].network(0).parameters()).is_cuda
        assert two.histories[i].train_loss == pytest.approx(one.histories[i].train_loss)
        same(network.cpu(), here[i], 1e-6)


def test_networks_move_only_when_all_fits(unchecked):
    networks = [net(3), mlp(N_INPUTS + 1, [3], N_CLASSES)]
    refuse(unchecked, ValueError, "does not take inputs", networks, device="meta")
    assert not networks[0].linear1.weight.is_meta
