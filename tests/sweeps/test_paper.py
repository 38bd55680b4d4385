"""The experiments are those of the paper, and forecasts of how long they take cost nothing else."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import nhlib as nh
from nhlib.sweeps import forecast, grid, running
from nhlib.sweeps.forecast import expected_seconds
from nhlib.sweeps.grid import Grid
from nhlib.sweeps.paper import EXPERIMENTS, experiment
from nhlib.sweeps.results import Results
from nhlib.training import loop
from nhlib.training.stacked_mlps import Program

# As the paper and its code have them.
WIDTHS = "3 7 10 15 20 23 27 30 33 37 40 43 47 50 53 57 60 65 70 75 80 90 100"
DEEP_WIDTHS = "10 20 30 40 50 60 70 80 90 100 110 120 130 140 150 160 170 180 190 200"
EPOCHS = "0 1 3 6 10 20 30 40 60 80 100 120 140 160 180 200"
SIZES = "10 30 60 100 300 600 1000 2000 3000 6000 10000 20000 30000 40000"
DEEP_SIZES = "10 20 50 100 200 500 1000 2000 5000 10000 20000 40000"
EVERYTHING = {"redundancy", "kmeans", "knn", "logreg"}


def numbers(text):
    return set(map(int, text.split()))


@pytest.fixture
def stand_ins(monkeypatch):
    """Put data sets of the right sizes, with one number an input, in the place of the large ones.

    Return what was loaded.
    """
    loaded = []

    def whole_data(name):
        loaded.append(name)
        n = {"mnist": 60_000, "cifar10": 50_000}.get(name, 50_000)
        split = nh.Split(torch.zeros(n, 1), torch.arange(n) % 10)
        return nh.Dataset(name, split, split[:100], 10)

    monkeypatch.setattr(grid, "load", whole_data)
    return loaded


def settings(steps, protocol, measure, *names):
    """Return the different values that some settings take, wherever a measure is taken."""
    return {
        tuple(getattr(c, name) if name != "epoch" else moment.epoch for name in names)
        for wanted in steps
        if measure in wanted.measures
        for c in wanted.configurations
        for moment in wanted.moments
        if c.protocol == protocol
    }


def product(*values):
    found = {()}
    for each in values:
        found = {(*before, value) for before in found for value in each}
    return found


def measured(steps):
    """Return all that is measured, each with the network and the epoch."""
    return {
        (tuple(c.row(moment).items()), measure)
        for wanted in steps
        for c in wanted.configurations
        for moment in wanted.moments
        for measure in wanted.measures
    }


# -- experiments -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_all_can_be_built_and_full_ones_hold_the_small_ones(name, stand_ins):
    small, full = experiment(name), experiment(name, full=True)
    assert set(stand_ins) == {name.split("-")[0]}
    assert measured(small) < measured(full)
    taken = {"redundancy", "knn"} if name == "mnist-first-epoch" else EVERYTHING
    assert {measure for _, measure in measured(small)} - {"kmeans_train"} == taken
    for wanted in full:
        for c in wanted.configurations:
            deep = c.data == "cifar10"
            assert len(c.widths) == (5 if deep else 1)
            assert len(set(c.widths)) == 1
            if "regularization" not in name:
                assert (c.batch_norm, c.l2) == ((True, 1e-6) if c.protocol == "B" else (False, 0))
            if deep:
                assert c.protocol == "B"
            whole = wanted.data[c.data]
            budget = max(c.train_size, {"mnist": 48_000, "cifar10": 40_000}[c.data])
            assert c.examples_an_epoch(whole) == budget // c.train_size * c.train_size


@pytest.mark.parametrize("protocol", ["A", "B"])
@pytest.mark.parametrize("full", [False, True])
def test_layer_widths_of_mnist(protocol, full, stand_ins):
    steps = experiment("mnist-layer-width", full)
    widths = {(width,) for width in numbers(WIDTHS)}
    epochs = {epoch for epoch in numbers(EPOCHS) if full or epoch <= 60}
    assert settings(steps, protocol, "redundancy", "widths", "seed", "epoch") == product(
        widths, range(10), epochs
    )
    for measure in ("kmeans", "knn", "logreg"):
        found = settings(steps, protocol, measure, "widths", "seed")
        assert found == product(widths, range(10 if full else 3))
        assert {60} < {epoch for (epoch,) in settings(steps, protocol, measure, "epoch")} <= epochs
    assert settings(steps, protocol, "knn", "train_size") == {(48_000,)}


def test_training_times(stand_ins):
    steps = experiment("mnist-training-time", full=True)
    widths, epochs = product([(40,), (50,), (60,)]), numbers(EPOCHS)
    widths = {width for (width,) in widths}
    far = {300, 500, 700, 1000, 1500, 2000}
    names = ("widths", "seed", "epoch")
    assert settings(steps, "A", "redundancy", *names) == product(widths, range(10), epochs | far)
    assert settings(steps, "B", "redundancy", *names) == product(widths, range(10), epochs)
    # A laptop goes as far with one seed.
    small = settings(experiment("mnist-training-time"), "A", "redundancy", *names)
    assert small == product(widths, range(3), epochs) | product(widths, [0], far)
    for full in (False, True):
        deep = experiment("cifar10-training-time", full)
        widths = {(width,) * 5 for width in (10, 20, 40, 80)}
        assert settings(deep, "B", "redundancy", "widths", "epoch") == product(widths, epochs)
        assert settings(deep, "B", "logreg", "widths", "train_size") == product(widths, [40_000])


def test_sample_sizes(stand_ins):
    names = ("widths", "train_size", "seed")
    for protocol in "AB":
        assert settings(
            experiment("mnist-sample-size", full=True), protocol, "knn", *names
        ) == product([(40,), (50,), (60,)], numbers(SIZES), range(10))
    small = settings(experiment("mnist-sample-size"), "A", "redundancy", *names)
    assert small == product([(40,), (50,), (60,)], numbers(SIZES), range(3))
    for full in (False, True):
        found = settings(experiment("cifar10-sample-size", full), "B", "knn", *names[:2])
        widths = [(width,) * 5 for width in (10, 20, 40, 80)]
        assert found == product(widths, numbers(DEEP_SIZES))


def test_an_epoch_has_about_the_same_number_of_steps_for_all_sizes(stand_ins):
    (grid,) = experiment("mnist-sample-size")
    whole = grid.data["mnist"]
    shown = {c.train_size: len(c.examples(whole)[1].train) for c in grid.configurations}
    assert shown == {n: 48_000 // n * n for n in numbers(SIZES)}
    assert shown[30_000] == 30_000
    assert all(n > 39_000 for size, n in shown.items() if size != 30_000)


def test_layer_widths_of_cifar10(stand_ins):
    widths = {(width,) * 5 for width in numbers(DEEP_WIDTHS)}
    full = settings(experiment("cifar10-layer-width", full=True), "B", "kmeans", "widths", "epoch")
    assert {width for width, _ in full} == widths
    assert {(width, 200) for width in widths} <= full
    small = settings(experiment("cifar10-layer-width"), "B", "kmeans", "widths")
    assert small < {(width,) for width in widths}


def test_noise_penalties_and_the_phase_chart(stand_ins):
    noise = experiment("mnist-label-noise", full=True)
    assert settings(noise, "A", "knn", "label_noise") == product([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert settings(noise, "A", "knn", "seed") == product(range(10))
    for full in (False, True):
        kinds = settings(
            experiment("mnist-regularization", full), "A", "knn", "l2", "dropout", "batch_norm"
        )
        assert kinds == {
            *((l2, 0, False) for l2 in (0, 1e-6, 1e-5, 1e-4, 1e-3)),
            *((0, dropout, False) for dropout in (0.2, 0.5)),
            (0, 0, True),
        }
    (chart,) = experiment("mnist-phase-chart")
    axes = settings([chart], "A", "knn", "widths", "train_size", "epoch")
    # Every cell is there, or it would be no chart.
    assert axes == product(*({values[i] for values in axes} for i in range(3)))
    assert all(len({values[i] for values in axes}) >= 6 for i in range(3))


@pytest.mark.parametrize("name", ["mnist-layer-widths", "", "MNIST-layer-width"])
def test_there_is_no_such_experiment(name):
    with pytest.raises(ValueError, match="experiment: there are mnist-layer-width, mnist-train"):
        experiment(name)


def test_with_other_data():
    for wanted in experiment("mnist-layer-width", data="digits"):
        assert list(wanted.data) == ["digits"]
        assert {(c.data, c.train_size) for c in wanted.configurations} == {("digits", 1437)}
    with pytest.raises(ValueError, match="train_sizes: a whole number from 1 to 1437 is needed"):
        experiment("cifar10-sample-size", data="digits")


def test_a_copy_in_a_folder(stand_ins):
    for wanted in experiment("cifar10-layer-width", data="folder:/somewhere/cifar10"):
        assert list(wanted.data) == ["folder:/somewhere/cifar10"]
        assert {c.train_size for c in wanted.configurations} == {40_000}


# -- forecasts ---------------------------------------------------------------------------------


def seconds(**settings):
    grid = Grid(**settings)
    with Results(":memory:") as results:
        found = expected_seconds(grid, grid.missing(results))
        assert len(results) == 0
    assert isinstance(found, float)
    return found


def test_a_forecast_is_a_time_that_grows_with_what_there_is_to_do():
    few = seconds(widths=[20, 30], epochs=[0, 1], measures="redundancy")
    many = seconds(widths=[20, 30], epochs=[0, 1000], measures="redundancy")
    assert 0 < few < many
    assert many < seconds(widths=[20, 30], epochs=[0, 1000], seeds=range(100))


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"epochs": 2, "dropout": 0.5},
        {"epochs": 2, "dropout": [0, 0.5], "protocols": ["A", "B"], "widths": [5, (9, 7), 30]},
        {"epochs": 1, "data": ["digits", "moons"], "train_sizes": [100, 1000]},
        {"epochs": 1, "label_noise": [0, 0.5], "l2": [0, 1e-3], "batch_norm": [True, False]},
    ],
)
def test_all_kinds_of_sweeps_have_a_forecast(settings):
    assert seconds(**settings, measures="redundancy") > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"widths": 5, "epochs": [0, 20], "seeds": range(10)},
        {"widths": 5, "epochs": 20, "seeds": range(40)},
        {"widths": [5, 6, 7], "epochs": [0, 20], "seeds": range(3)},
        {"widths": [5, (4, 3)], "epochs": 9, "protocols": ["A", "B"], "seeds": range(5)},
        {"widths": [5, 6], "epochs": 5, "train_sizes": [500, 330], "dropout": [0, 0.5]},
    ],
)
@pytest.mark.parametrize(("launch", "each"), [(1.0, 0.0), (0.0, 0.1), (1.0, 0.1)])
def test_a_forecast_is_the_time_that_a_sweep_takes(settings, launch, each, monkeypatch):
    # By a clock that goes on with every step of a training, however many networks there are.
    now = [0.0]
    real, real_epoch = Program.epoch, loop._epoch

    def epoch(program, *args):
        now[0] += -(-len(program._train[0][0]) // 64) * (launch + each * len(program.members))
        return real(program, *args)

    def epoch_alone(network, optimizer, train, *args):
        now[0] += -(-len(train[0]) // 64) * (launch + each)
        return real_epoch(network, optimizer, train, *args)

    monkeypatch.setattr(Program, "epoch", epoch)
    monkeypatch.setattr(loop, "_epoch", epoch_alone)
    monkeypatch.setattr(forecast, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    grid = Grid(data="moons", measures="redundancy", **settings)
    with Results(":memory:") as results:
        expected = expected_seconds(grid, grid.missing(results))
        start = now[0]
        assert list(running.run(grid, results, running.measure))
    assert expected == pytest.approx(now[0] - start, rel=0.3)


def test_a_forecast_changes_nothing():
    grid = Grid(widths=[20], epochs=[0, 5], dropout=[0, 0.5])
    labels = grid.data["digits"].train.labels.clone()
    configurations = list(grid.configurations)
    state = torch.get_rng_state()
    with Results(":memory:") as results:
        missing = grid.missing(results)
        before = {c: list(late) for c, late in missing.items()}
        expected_seconds(grid, missing)
    assert missing == before
    assert grid.configurations == configurations
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(grid.data["digits"].train.labels, labels)


def test_nothing_takes_no_time():
    assert expected_seconds(Grid(), {}) == 0


def test_a_forecast_does_not_leave_one_example_by_itself(monkeypatch):
    # 65 examples are a minibatch of 64 and one of 1; of the 60 that are trained on there is none.
    digits = nh.load("digits")
    monkeypatch.setattr(grid, "load", lambda _: replace(digits, train=digits.train[:65]))
    assert seconds(widths=[20], epochs=3, train_sizes=60, batch_norm=True) > 0
