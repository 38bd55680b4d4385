"""Files that users have: written by nhlib 0.1.0, before its modules became rooms."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import nhlib as nh
from nhlib.__main__ import main

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def data() -> nh.Dataset:
    return nh.load("digits", train_size=100)


def network() -> torch.nn.Module:
    return nh.mlp(64, [7, 5], 10, seed=3)


def test_codes(data: nh.Dataset) -> None:
    kept = nh.NeuralCodes.load(FIXTURES / "codes.safetensors")
    assert kept == nh.encode(network(), data.test.inputs[:20])


def test_a_training_goes_on(data: nh.Dataset, tmp_path: Path) -> None:
    recipe, snapshots = nh.Recipe(epochs=4), (0, 1)
    path = shutil.copy(FIXTURES / "training.checkpoint", tmp_path)
    resumed, anew = network(), network()
    history = nh.fit(resumed, data, recipe, snapshots=snapshots, checkpoint=path)
    expected = nh.fit(anew, data, recipe, snapshots=snapshots)
    assert history.epochs == 4
    assert history.train_loss == pytest.approx(expected.train_loss, rel=1e-5)
    for one, other in zip(resumed.parameters(), anew.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), atol=1e-5)


GRID = {"widths": [5, (4, 3)], "epochs": [0, 2], "train_sizes": 100, "seeds": [0, 1]}
GRID |= {"batch_sizes": 64}  # which was the only one
MEASURES = ["redundancy", "knn"]


def test_a_store_lacks_nothing(tmp_path: Path) -> None:
    path = shutil.copy(FIXTURES / "runs.sqlite", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        rows = pd.read_sql("SELECT * FROM results", connection)
    with nh.Results(path) as results:  # which gives it the keys that are new
        before = results.table()
    assert set(zip(before["batch_size"], before["step"], strict=True)) == {(64, 0)}
    keys = ["widths", "seed", "epoch"]
    known = [name for name in before if name in rows]
    both = [part.sort_values(keys, ignore_index=True)[known] for part in (before, rows)]
    pd.testing.assert_frame_equal(*both, check_exact=True, check_dtype=False)
    table = nh.sweep(**GRID, measures=MEASURES, store=path)
    assert len(table) == 8
    pd.testing.assert_frame_equal(table, before, check_exact=True)  # dates too: nothing ran again


def test_a_table_lacks_nothing(tmp_path: Path) -> None:
    path = Path(shutil.copy(FIXTURES / "runs.csv", tmp_path))
    before = pd.read_csv(path)
    given = "--widths 5 4-3 --epochs 0 2 --train-sizes 100 --seeds 0 1 --measures redundancy knn"
    given += " --batch-sizes 64"
    assert main(["sweep", *given.split(), "--table", str(path)]) == 0
    after = pd.read_csv(path)
    assert after[list(before)].equals(before)
    assert after.columns.difference(before.columns).tolist() == ["batch_size", "step"]
