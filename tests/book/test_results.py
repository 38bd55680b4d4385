"""The stored tables: complete, consistent, and what their script would measure again."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
import torch

import nhlib as nh
from nhlib.sweeps import grid, with_all_keys
from nhlib.sweeps.paper import EXPERIMENTS, experiment
from nhlib.sweeps.results import KEYS

RESULTS = Path(__file__).parents[2] / "book" / "results"
CODES = pd.read_csv(RESULTS / "mnist_codes.csv")
PROVENANCE = json.loads((RESULTS / "mnist_codes.json").read_text())


def test_every_network_was_measured_once_at_every_epoch():
    keys = ["protocol", "width", "seed", "epoch"]
    assert not CODES.duplicated(keys).any()
    epochs = CODES.groupby(keys[:3])["epoch"].agg(tuple)
    assert len(set(epochs)) == 1
    assert max(epochs.iloc[0]) == 60
    assert set(CODES["protocol"]) == set(PROVENANCE["recipes"])
    for protocol in ("A", "B"):
        widths = CODES[CODES["protocol"] == protocol].groupby("width")["seed"].agg(set)
        assert {20, 40, 60} <= set(widths.index)
        assert all(seeds == set(PROVENANCE["seeds"]) for seeds in widths)


def test_spread_over_seeds_is_what_regime_says_of_it():
    names = "layer_width training_time sample_size regularization label_noise phase_chart"
    tables = {name: pd.read_csv(RESULTS / f"mnist_{name}.csv") for name in names.split()}
    alike = [key for key in KEYS if key != "seed"]

    def spread(measure, *chosen):
        known = [tables[name].dropna(subset=[measure]).groupby(alike)[measure] for name in chosen]
        return pd.concat([of.std() for of in known]).median()

    assert round(spread("redundancy_test", "layer_width"), 3) == 0.005
    assert round(spread("knn", "layer_width"), 3) == 0.005
    assert round(spread("knn", *tables), 3) == 0.009
    assert "0.005 for test images" in " ".join((nh.regime.__doc__ or "").split())
    assert "0.005 in the same runs, and of 0.009" in " ".join((nh.regime.__doc__ or "").split())


def test_provenance_says_how_to_repeat_them():
    script = PROVENANCE["command"].split()[-1]
    assert (RESULTS.parents[1] / script).is_file()
    assert {"data", "device", "machine", "python", "torch", "scikit-learn", "date"} <= set(
        PROVENANCE
    )
    for protocol in ("A", "B"):
        recipe = nh.Recipe(**PROVENANCE["recipes"][protocol])
        standard = nh.Recipe() if protocol == "A" else nh.Recipe.code()
        assert (recipe.learning_rate, recipe.l2) == (standard.learning_rate, standard.l2)


def test_measures_keep_to_what_must_hold():
    shares = CODES.filter(regex="redundancy|kmeans|knn|logreg|network")
    assert ((shares >= 0) & (shares <= 1) | shares.isna()).all(axis=None)
    assert (CODES["redundancy_train_10000"] <= CODES["redundancy_train"]).all()
    measured = CODES.dropna(subset="kmeans_test")
    assert (measured["kmeans_test_one_to_one"] <= measured["kmeans_test"]).all()
    curves = pd.read_csv(RESULTS / "mnist_rarefaction.csv")
    assert (curves["redundancy"] <= curves["bound"] + 1e-5).all()
    # The two tables were measured apart.
    whole = curves.query("n == 48_000").merge(CODES, on=["protocol", "width", "seed", "epoch"])
    assert len(whole) == 54
    assert (whole["redundancy"] - whole["redundancy_train"]).abs().max() < 2e-5


@pytest.mark.skipif("NHLIB_DATA" not in os.environ, reason="needs MNIST in NHLIB_DATA")
def test_an_untrained_network_measures_the_same_again():
    test = nh.load("mnist").test
    network = nh.mlp(28 * 28, [40], 10, seed=0)
    codes = nh.encode(network, test)
    (row,) = CODES.query("protocol == 'A' and width == 40 and seed == 0 and epoch == 0").to_dict(
        "records"
    )
    assert nh.redundancy_ratio(codes) == pytest.approx(row["redundancy_test"], abs=3e-4)
    assert nh.kmeans_accuracy(codes, test.labels) == pytest.approx(row["kmeans_test"], abs=0.01)


TABLES = {
    name: RESULTS / f"{name.replace('-', '_')}.csv"
    for name in EXPERIMENTS
    if (RESULTS / f"{name.replace('-', '_')}.csv").exists()
}


def stored(name):
    table = pd.read_csv(TABLES[name], dtype={"widths": str})
    return with_all_keys(table, name, "")


@pytest.fixture
def no_data(monkeypatch):
    """Grids of the right sizes, without the images."""

    def whole(name):
        n = 48_000 if name == "mnist" else 40_000
        labels = torch.arange(n) % 10
        split = nh.Split(torch.zeros(n, 1), labels)
        return nh.Dataset(name, split, split[:10_000], 10)

    monkeypatch.setattr(grid, "load", whole)


@pytest.mark.parametrize("name", TABLES)
def test_tables_hold_what_their_command_measures(name, no_data):
    table = stored(name)
    assert not table.duplicated([*KEYS]).any()
    data = "cifar10-jpeg" if name.startswith("cifar10") else None
    with nh.Results(":memory:") as results:
        results.add_table(table)
        for grid in experiment(name, data=data):
            assert not grid.missing(results)


@pytest.mark.parametrize("name", TABLES)
def test_rows_say_where_they_come_from(name):
    table = stored(name)
    assert table[["version", "device", "date"]].notna().all(axis=None)
    assert "/" not in "".join(table["data"])
    assert "failed" not in table


@pytest.mark.parametrize("name", TABLES)
def test_stored_measures_keep_to_what_must_hold(name):
    table = stored(name)
    shares = table.filter(regex="redundancy|kmeans|knn|logreg|accuracy")
    assert ((shares >= 0) & (shares <= 1) | shares.isna()).all(axis=None)
    assert (table["redundancy_train_n"] <= table["redundancy_train"] + 1e-6).all()
    assert (table["n"] == table["train_size"].clip(upper=10_000)).all()


def test_tables_agree_where_they_overlap():
    tables = pd.concat([stored(name) for name in TABLES])
    of_network = tables.groupby([*KEYS])["redundancy_train"]
    assert (of_network.size() > 1).any()
    assert (of_network.max() == of_network.min()).all()


@pytest.mark.skipif("NHLIB_DATA" not in os.environ, reason="needs MNIST in NHLIB_DATA")
def test_untrained_networks_measure_the_same_again():
    table = stored("mnist-layer-width")
    keys = {"epoch": 0, "protocol": "A", "seed": 1, "widths": "30"}
    row = table[(table[list(keys)] == pd.Series(keys)).all(axis=1)].iloc[0]
    again = nh.sweep("mnist", 30, 0, seeds=1, measures="redundancy", progress=False).iloc[0]
    assert again["redundancy_train"] == pytest.approx(row["redundancy_train"], abs=3e-4)
    assert again["redundancy_random_n"] == pytest.approx(row["redundancy_random_n"], abs=3e-3)
