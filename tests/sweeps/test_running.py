"""Sweeps give what single networks give, go on where they were, and fail before they train."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

import nhlib as nh
from nhlib.sweeps import batches, configuration, running
from nhlib.sweeps.configuration import KEYS
from nhlib.sweeps.grid import Grid
from nhlib.sweeps.results import Results


@pytest.fixture(scope="module")
def digits():
    return nh.load("digits")


def test_rows_within_an_epoch():
    grid = {"widths": [12, 15], "epochs": [0, 1], "steps": [0, 2, 5], "batch_sizes": [32, 128]}
    grid |= {"train_sizes": 700, "measures": "redundancy", "progress": False}
    table = nh.sweep("digits", **grid)
    assert (
        table.groupby(["batch_size", "widths"])[["epoch", "step"]]
        .apply(
            lambda rows: (
                rows.to_numpy().tolist() == [[0, 0], [0, 2], [0, 5], [1, 0], [1, 2], [1, 5]]
            )
        )
        .all()
    )
    whole = (table["epoch"] == 1) & (table["step"] == 0)
    assert table["train_loss"].notna().equals(whole)
    digits = nh.load("digits")
    data = replace(digits, train=digits.train[:700])
    twice = replace(data, train=nh.Split(*(torch.cat([x, x]) for x in vars(data.train).values())))
    for row in table[table["widths"] == "15"].itertuples():
        network, recipe = nh.mlp(64, [15], 10), nh.Recipe(epochs=2, batch_size=row.batch_size)
        moment = (row.epoch, row.step)
        history = nh.fit(network, twice, recipe, snapshots=[moment], progress=False)
        codes = nh.encode(history.network(*moment), data.test)
        assert row.redundancy_test == pytest.approx(nh.redundancy_ratio(codes), abs=0.01)
    with pytest.raises(ValueError, match="steps: .* 1400 examples .* of 128 has 11 of them, so"):
        nh.sweep("digits", **{**grid, "steps": [0, 11]})


def test_every_row_is_what_the_network_alone_gives(digits, monkeypatch):
    # In float64, where trained together and trained alone are the same to the last bits.
    monkeypatch.setattr(configuration, "mlp", lambda *args, **more: nh.mlp(*args, **more).double())
    table = nh.sweep(
        "digits",
        widths=[12, (9, 7)],
        epochs=[0, 2],
        train_sizes=[100, 1437],
        protocols=["A", "B"],
        label_noise=[0, 0.5],
        seeds=[0, 3],
        progress=False,
    )
    assert len(table) == 2 * 2 * 2 * 2 * 2 * 2
    assert not table.duplicated(list(KEYS)).any()
    chosen = table.sample(8, random_state=0)
    for row in chosen.itertuples():
        data = replace(digits, train=digits.train[: row.train_size])
        if row.label_noise:
            data = nh.with_label_noise(data, row.label_noise, row.seed)
        times = 1437 // row.train_size
        inputs, labels = data.train.inputs, data.train.labels
        shown = replace(data, train=nh.Split(inputs.repeat(times, 1, 1, 1), labels.repeat(times)))
        widths = [int(width) for width in row.widths.split("-")]
        network = nh.mlp(64, widths, 10, batch_norm=row.protocol == "B", seed=row.seed)
        network.double()
        assert row.batch_norm == (row.protocol == "B")
        recipe = nh.Recipe.code(patience=None) if row.protocol == "B" else nh.Recipe()
        assert row.l2 == recipe.l2
        recipe = replace(recipe, epochs=row.epoch)
        history = nh.fit(network, shown, recipe, seed=row.seed, progress=False)
        if row.epoch:
            assert row.test_accuracy == pytest.approx(history.test_accuracy[-1], abs=1e-9)
            assert row.train_loss == pytest.approx(history.train_loss[-1], rel=1e-9)
        train, test = nh.encode(network, data.train), nh.encode(network, data.test)
        n = min(row.train_size, 360)
        assert row.n == n
        assert row.redundancy_train == pytest.approx(nh.redundancy_ratio(train), abs=1e-9)
        assert row.redundancy_train_n == pytest.approx(nh.redundancy_ratio(train, n), abs=1e-9)
        assert row.redundancy_test_n == pytest.approx(nh.redundancy_ratio(test, n), abs=1e-9)
        assert row.redundancy_test == pytest.approx(nh.redundancy_ratio(test), abs=1e-9)
        random = nh.encode(network, nh.random_inputs(data, n))
        assert row.redundancy_random_n == pytest.approx(nh.redundancy_ratio(random), abs=1e-9)
        alone = nh.categorize(train, data.train.labels, test, data.test.labels, progress=False)
        for name, accuracy in alone.items():
            assert getattr(row, name) == pytest.approx(accuracy, abs=1e-9)


def test_classes_without_examples_count_as_wrong(digits):
    table = nh.sweep("digits", widths=30, epochs=0, train_sizes=10, progress=False)
    data = replace(digits, train=digits.train[:10])
    known = set(data.train.labels.tolist())
    assert len(known) < 10
    network = nh.mlp(64, [30], 10)
    train, test = nh.encode(network, data.train), nh.encode(network, data.test)
    neighbours = nh.nearest_codes(test, train, k=9)[1]
    votes = torch.nn.functional.one_hot(data.train.labels[torch.as_tensor(neighbours)], 10).sum(1)
    right = (votes.argmax(dim=1) == data.test.labels).double().mean().item()
    assert table["knn"].item() == pytest.approx(right)
    assert table["logreg"].item() <= np.isin(data.test.labels, list(known)).mean()


def test_a_sweep_goes_on_where_it_was(tmp_path, monkeypatch):
    store = tmp_path / "runs.sqlite"
    grid = {"widths": [8, 12], "measures": "redundancy", "store": store, "progress": False}
    first = nh.sweep("digits", epochs=[0, 2], seeds=[0, 1], **grid)
    assert len(first) == 8

    trained = []

    class Counting(nh.Population):
        def __init__(self, networks, *args, **kwargs):
            trained.append(len(networks))
            super().__init__(networks, *args, **kwargs)

    monkeypatch.setattr(batches, "Population", Counting)
    again = nh.sweep("digits", epochs=[0, 2], seeds=[0, 1], **grid)
    assert again.equals(first)
    assert trained == []
    more = nh.sweep("digits", epochs=[0, 2], seeds=[1, 2], **grid)
    assert trained == [2]
    shared = more[more["seed"] == 1].reset_index(drop=True)
    assert shared.equals(first[first["seed"] == 1].reset_index(drop=True))
    # What was measured before is completed, not replaced.
    both = nh.sweep("digits", epochs=[2], seeds=0, **{**grid, "measures": ["redundancy", "knn"]})
    assert both["knn"].notna().all()
    before = first[(first["seed"] == 0) & (first["epoch"] == 2)]
    assert np.allclose(both["redundancy_train"], before["redundancy_train"], atol=0.005)
    with Results(store) as results:
        assert len(results) == 12


def test_a_diverged_network_is_a_row_that_says_so(monkeypatch):
    hot = replace(nh.Recipe(), learning_rate=1e30)
    monkeypatch.setitem(configuration.PROTOCOLS, "B", configuration.Protocol(hot, False))
    table = nh.sweep(
        "digits", 8, [0, 2], protocols=["A", "B"], measures="redundancy", progress=False
    )
    failed = table[table["failed"].notna()]
    assert failed[["protocol", "epoch"]].to_numpy().tolist() == [["B", 2]]
    assert "not finite in epoch 1" in failed["failed"].item()
    assert failed["redundancy_train"].isna().all()
    assert table[table["failed"].isna()]["redundancy_train"].notna().all()


def test_a_network_with_dropout_is_trained_as_it_is_alone(digits):
    table = nh.sweep(
        "digits",
        [(9, 7)],
        [0, 1, 3],
        1000,
        seeds=[0, 4],
        dropout=[0, 0.4],
        protocols=["A", "B"],
        measures="redundancy",
        progress=False,
    )
    assert len(table) == 3 * 2 * 2 * 2
    data = replace(digits, train=digits.train[:1000])
    for row in table[table["dropout"] > 0].itertuples():
        batch_norm = row.protocol == "B"
        network = nh.mlp(64, [9, 7], 10, batch_norm=batch_norm, seed=row.seed, dropout=0.4)
        recipe = replace(nh.Recipe.code(patience=None) if batch_norm else nh.Recipe(), epochs=3)
        history = nh.fit(
            network, data, recipe, seed=row.seed, snapshots=[row.epoch], progress=False
        )
        if row.epoch:
            assert row.train_loss == history.train_loss[row.epoch - 1]
            assert row.train_accuracy == history.train_accuracy[row.epoch - 1]
            assert row.test_accuracy == history.test_accuracy[row.epoch - 1]
        codes = nh.encode(history.network(row.epoch), data.train)
        assert row.redundancy_train == pytest.approx(nh.redundancy_ratio(codes), abs=0.002)
    # It starts as the network without dropout, and goes elsewhere.
    start, end = (table[table["epoch"] == epoch].groupby("dropout") for epoch in (0, 3))
    one, other = (group["redundancy_train"].tolist() for _, group in start)
    assert one == other
    one, other = (group["train_loss"].to_numpy() for _, group in end)
    assert (other > one).all()


def test_a_diverged_network_with_dropout_is_a_row_that_says_so(monkeypatch):
    hot = replace(nh.Recipe(), learning_rate=1e30)
    monkeypatch.setitem(configuration.PROTOCOLS, "A", configuration.Protocol(hot, False))
    table = nh.sweep(
        "digits", 8, [0, 1, 2], dropout=[0, 0.5], measures="redundancy", progress=False
    )
    failed = table[table["failed"].notna()]
    assert failed[["dropout", "epoch"]].to_numpy().tolist() == [[0, 1], [0, 2], [0.5, 1], [0.5, 2]]
    assert failed["failed"].str.contains("not finite in epoch 1").all()
    assert failed["redundancy_train"].isna().all()
    assert table[table["epoch"] == 0]["redundancy_train"].notna().all()


def test_a_network_with_dropout_that_diverges_late_keeps_what_was_before(monkeypatch):
    # The rate is multiplied by 1e30 after the second epoch.
    hot = replace(nh.Recipe(), decay=1e30, decay_every=2)
    monkeypatch.setitem(configuration.PROTOCOLS, "A", configuration.Protocol(hot, False))
    course = {"epochs": [0, 1, 2, 4], "measures": "redundancy", "progress": False}
    table = nh.sweep("digits", 8, dropout=[0, 0.5], **course)
    assert table["failed"].notna().tolist() == [False, False, False, True] * 2
    assert table["redundancy_train"].notna().tolist() == [True, True, True, False] * 2
    monkeypatch.undo()
    tame = nh.sweep("digits", 8, dropout=[0, 0.5], **course)
    for column in ("train_loss", "redundancy_train"):
        here, there = (t[t["epoch"] < 4][column].to_numpy() for t in (table, tame))
        assert np.array_equal(here, there, equal_nan=True)


def test_several_data_sets_in_one_sweep(digits):
    grid = {"widths": [8, 12], "epochs": [0, 2], "seeds": [0, 1], "measures": ["redundancy", "knn"]}
    both = nh.sweep(["moons", "digits"], **grid, progress=False)
    for name, size in (("moons", 1000), ("digits", 1437)):
        mine = both[both["data"] == name].reset_index(drop=True)
        assert mine.equals(nh.sweep(name, **grid, progress=False))
        assert set(mine["train_size"]) == {size}
    assert len(both) == 16
    # The sizes of one have to fit all.
    with pytest.raises(ValueError, match="train_sizes: a whole number from 1 to 1000 is needed"):
        nh.sweep(["digits", "moons"], train_sizes=1200)


def test_what_is_there_twice_is_trained_once(monkeypatch):
    trained = []

    class Counting(nh.Population):
        def __init__(self, networks, *args, **kwargs):
            trained.append(len(networks))
            super().__init__(networks, *args, **kwargs)

    monkeypatch.setattr(batches, "Population", Counting)
    table = nh.sweep(
        ["moons", "moons"],
        [8, (8,), [np.int64(8)], np.array([8, 8]), (8, 8)],
        [0, 2, 2],
        [200, 200],
        ["A", "A"],
        [0, 0, np.int64(0)],
        batch_norm=[False, np.False_, 0],
        l2=[0, 0.0],
        dropout=[0, 0.0],
        label_noise=[0, np.float32(0)],
        measures=["redundancy", "redundancy"],
        progress=False,
    )
    assert trained == [1, 1]  # two depths are two programs
    assert table[["widths", "epoch"]].to_numpy().tolist() == [
        ["8", 0],
        ["8", 2],
        ["8-8", 0],
        ["8-8", 2],
    ]
    # A protocol's own settings, given by hand, are its own settings.
    twice = nh.sweep(
        "moons",
        8,
        1,
        protocols="B",
        l2=[1e-6, nh.Recipe.code().l2],
        batch_norm=[True],
        measures="redundancy",
        progress=False,
    )
    assert twice.equals(
        nh.sweep("moons", 8, 1, protocols="B", measures="redundancy", progress=False)
    )


def test_settings_may_be_iterators():
    grid = {"epochs": [0, 1], "protocols": ["A", "B"], "measures": "redundancy", "progress": False}
    lists = {"widths": [5, 6], "seeds": [0, 1], "train_sizes": [100, 200], "l2": [0, 1e-3]}
    lists |= {"batch_norm": [True, False], "dropout": [0], "label_noise": [0, 0.5]}
    table = nh.sweep("moons", **grid, **{name: iter(values) for name, values in lists.items()})
    assert len(table) == 2 * 2 * 2**6
    assert table.equals(nh.sweep("moons", **grid, **lists))


SWEEP = """
import sys
import nhlib as nh
nh.sweep(
    "digits", widths=[8, 10, 12], epochs=[0, 1, 2, 3], seeds=range(12), protocols=["A", "B"],
    measures="redundancy", store=sys.argv[1], progress=False,
)
"""


def test_a_killed_sweep_has_the_rows_of_one_that_was_not(tmp_path, monkeypatch):
    grid = {"widths": [8, 10, 12], "epochs": [0, 1, 2, 3], "seeds": range(12)}
    grid |= {"protocols": ["A", "B"], "measures": "redundancy", "progress": False}
    store = tmp_path / "killed.sqlite"
    kills = 0
    deadline = time.monotonic() + 120
    for pause in (0.0, 0.3, 0.7):
        process = subprocess.Popen([sys.executable, "-c", SWEEP, str(store)])
        while process.poll() is None and time.monotonic() < deadline:
            if store.exists() and _rows(store) > kills * 20:
                time.sleep(pause)
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.02)
        process.wait()
    assert kills >= 1
    n_before = _rows(store)
    assert n_before
    table = nh.sweep("digits", store=store, **grid)
    assert len(table) == 3 * 4 * 12 * 2
    assert not table.duplicated(list(KEYS)).any()
    expected = nh.sweep("digits", **grid)
    measured = [name for name in table if name not in ("version", "device", "date")]
    assert table[list(KEYS)].equals(expected[list(KEYS)])
    numbers = table[measured].select_dtypes("number").to_numpy()
    assert np.allclose(
        numbers, expected[measured].select_dtypes("number").to_numpy(), atol=0.02, equal_nan=True
    )


def _rows(store):
    try:
        with Results(store) as results:
            return len(results)
    except ValueError:  # it is being made
        return 0


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"data": "digts"}, ValueError, "digits"),
        ({"widths": "50"}, TypeError, "widths: a whole number of at least 1"),
        ({"widths": [0]}, ValueError, "widths: a whole number of at least 1"),
        ({"widths": [[]]}, ValueError, "widths: one of the lists is empty"),
        ({"widths": []}, ValueError, "widths: at least one is needed"),
        ({"epochs": [-1]}, ValueError, "epochs: a whole number of at least 0"),
        ({"epochs": [1.5]}, TypeError, "epochs: a whole number"),
        ({"train_sizes": [2000]}, ValueError, "train_sizes: a whole number from 1 to 1437"),
        ({"train_sizes": [5]}, ValueError, "train_sizes: 5 examples are too few"),
        ({"protocols": "C"}, ValueError, "protocols: there are A and B, not 'C'"),
        ({"l2": -1.0}, ValueError, "l2: a finite number of at least 0"),
        ({"l2": "0.1"}, TypeError, "l2: numbers are needed, not '0.1'"),
        ({"l2": [None]}, TypeError, "l2: numbers are needed, not None"),
        ({"l2": True}, TypeError, "l2: numbers are needed, not True"),
        ({"l2": [0, float("nan")]}, ValueError, "l2: a finite number of at least 0"),
        ({"batch_norm": "no"}, TypeError, "batch_norm: True, False or both are needed, not 'no'"),
        ({"batch_norm": [True, 2]}, TypeError, "batch_norm: True, False or both are needed"),
        ({"dropout": 1.0}, ValueError, "dropout: fractions from 0 to 0.99 are needed, not 1.0"),
        ({"dropout": [0, -0.1]}, ValueError, "dropout: fractions from 0 to 0.99"),
        ({"dropout": [None]}, ValueError, "dropout: fractions from 0 to 0.99 are needed, not None"),
        ({"dropout": "0.5"}, ValueError, "dropout: fractions from 0 to 0.99 are needed"),
        ({"label_noise": 2}, ValueError, "label_noise: fractions from 0 to 1"),
        ({"label_noise": True}, ValueError, "label_noise: fractions from 0 to 1"),
        ({"train_sizes": [1000, 1409], "protocols": "B"}, ValueError, "of 1409 examples minibatch"),
        ({"data": ["digits", "digts"]}, ValueError, "digits"),
        ({"data": []}, ValueError, "data: at least one is needed"),
        ({"data": None}, TypeError, "data: one value or several are needed, not None"),
        ({"data": [3]}, TypeError, "data: names such as 'digits' are needed, not 3"),
        ({"seeds": [-1]}, ValueError, "seeds: a whole number of at least 0"),
        ({"seeds": [0, 2**63]}, ValueError, f"seeds: whole numbers of at most {2**63 - 1} can be"),
        ({"epochs": 10**20}, ValueError, f"epochs: whole numbers of at most {2**63 - 1} can be"),
        ({"widths": [20, 20]}, ValueError, r"widths: 20 is there twice.*of two layers is \(20, 20"),
        ({"widths": np.array([3, 5, 3])}, ValueError, "widths: 3 is there twice"),
        ({"device": "gpu"}, ValueError, "device: a device such as 'cpu' or 'cuda' is needed"),
        ({"store": ""}, ValueError, "store: a file is needed"),
        (
            {"measures": "speed"},
            ValueError,
            "measures: there are redundancy, .*, logreg, not 'speed'",
        ),
        ({"client": "tcp://localhost:8786"}, TypeError, "client: a dask.distributed.Client"),
        ({"store": "/nowhere/runs.sqlite"}, FileNotFoundError, "store: there is no folder"),
    ],
)
def test_bad_settings_fail_before_anything_is_trained(settings, error, message, monkeypatch):
    monkeypatch.setattr(batches, "Population", None)
    with pytest.raises(error, match=message):
        nh.sweep(**{"progress": False, **settings})


def test_randomness_is_left_alone():
    state = torch.get_rng_state()
    nh.sweep("digits", [4, 5], [0, 1], dropout=[0, 0.5], measures="redundancy")
    assert torch.equal(torch.get_rng_state(), state)


def test_an_interrupted_sweep_keeps_the_batches_before(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "_ON_CPU", 1.0)  # as if six networks took very long
    real, trained = nh.Population.fit, []

    def fit(population, *args):
        trained.append(len(population))
        if len(trained) == 3:
            raise KeyboardInterrupt
        real(population, *args)

    monkeypatch.setattr(nh.Population, "fit", fit)
    store = tmp_path / "runs.sqlite"
    grid = {"widths": [4, 5, 6], "epochs": [0, 1], "seeds": range(6), "measures": "redundancy"}
    with pytest.raises(KeyboardInterrupt):
        nh.sweep("digits", **grid, store=store)
    with Results(store) as results:
        assert len(results) == 2 * 6 * 2
    assert len(nh.sweep("digits", **grid, store=store)) == 3 * 6 * 2
    assert trained == [6, 6, 6, 6]


@pytest.mark.parametrize("dropout", [0, 0.5])
@pytest.mark.parametrize("steps", [1, 30, 70])
def test_a_sweep_stops_between_two_steps_and_keeps_what_is_whole(dropout, steps):
    # An epoch has 23 steps; a batch is one network.
    asked = []

    def stop():
        asked.append(None)
        return len(asked) >= steps

    grid = Grid(widths=[4, 5, 6], epochs=[1], dropout=dropout, measures=["redundancy", "knn"])
    with Results(":memory:") as results:
        way = partial(running.measure, stop=stop, most=1.0, least=1)
        rows = list(running.run(grid, results, way))
        assert len(rows) == len(results) == steps // 25  # 23 steps and two measures
        assert all({"redundancy_train", "knn"} <= set(row) for row in rows)
        assert len(asked) <= steps + 1
        # The rest comes when it is asked for.
        assert len(list(running.run(grid, results, running.measure))) == 3 - len(rows)
        assert not grid.missing(results)


def test_a_rehearsal_trains_nothing(monkeypatch):
    monkeypatch.setattr(batches, "Population", None)
    grid = Grid(widths=[4, 5], epochs=[0, 1], seeds=[0, 1])
    with Results(":memory:") as results:
        rows = list(running.run(grid, results, running.rehearse))
        assert len(rows) == len(results) == 8
        assert not grid.missing(results)
