"""The stored tables: complete, consistent, and what their script would measure again."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

import nhlib as nh
from nhlib.results import KEYS

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


def test_the_layer_widths_of_the_paper_were_measured_with_three_seeds():
    table = pd.read_csv(RESULTS / "mnist_layer_width.csv")
    assert not table.duplicated([*KEYS]).any()
    paper = pd.read_csv(RESULTS / "paper_mnist_layer_width.csv")
    for protocol in ("A", "B"):
        rows = table[table["protocol"] == protocol]
        for _, each in rows.groupby(["epoch", "seed"]):
            assert sorted(each["widths"]) == paper["width"].tolist()
        assert set(rows["seed"]) == {0, 1, 2}
        assert set(rows["epoch"]) == {0, 1, 3, 6, 10, 20, 30, 40, 60}
    assert table["redundancy_train"].between(0, 1).all()
    with nh.Results(":memory:") as results:
        results.add_table(table.astype({"widths": str}))
        assert len(results) == len(table)
