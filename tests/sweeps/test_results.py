"""Rows of results survive kills, rivals and restarts, and foreign files are left alone."""

import random
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import nhlib as nh
from nhlib.sweeps.configuration import KEYS
from nhlib.sweeps.results import columns


def row(seed, epoch=0, **more):
    return {"data": "digits", "widths": "50", "protocol": "A", "seed": seed, "epoch": epoch, **more}


def test_rows_are_there_when_the_file_is_opened_again(tmp_path):
    path = tmp_path / "runs.sqlite"
    with nh.Results(path) as results:
        results.add(row(0, knn=0.5, batch_norm=True))
        results.add(row(1, epoch=3, knn=np.float32(0.25), n=np.int64(7), failed=None))
        assert len(results) == 2
    with nh.Results(str(path)) as results:
        table = results.table()
    # Sorted by their keys, of which batch norm comes before the seed.
    assert table["batch_norm"].tolist() == [False, True]
    assert table["seed"].tolist() == [1, 0]
    assert table["knn"].tolist() == [0.25, 0.5]
    assert table["n"].fillna(0).tolist() == [7, 0]
    # Only columns that say something.
    assert set(table.columns) == {*KEYS, "knn", "n"}


def test_a_row_is_written_once_and_completed_later():
    with nh.Results(":memory:") as results:
        results.add(row(0, knn=0.5))
        results.add(row(0, kmeans=0.75))
        results.add(row(0, knn=None))
        results.add(row(0))
        assert len(results) == 1
        assert results.has(row(0), ["knn", "kmeans"])
        assert not results.has(row(0), ["logreg"])
        assert not results.has(row(0, epoch=1), [])
        assert results.table()[["knn", "kmeans"]].to_numpy().tolist() == [[0.5, 0.75]]
        results.add(row(1, failed="diverged"))
        assert results.has({k: v for k, v in row(1).items() if k in KEYS}, ["logreg"])


def test_widths_are_sorted_as_numbers():
    by_size = ["", "3", "9", "9-7", "9-10", "9-10-1", "10", "10-10", "90", "100", "100-9", "1000"]
    rng = random.Random(0)
    with nh.Results(":memory:") as results:
        for widths in rng.sample(by_size, len(by_size)):
            for seed in (1, 0):
                results.add({**row(seed), "widths": widths})
        # The data set and its size come before them, and all else after.
        results.add({**row(5), "widths": "9", "train_size": 100})
        results.add({**row(5), "widths": "9", "data": "a"})
        table = results.table()
    assert table["data"].tolist() == ["a", *["digits"] * 25]
    assert table["train_size"].tolist() == [*[0] * 25, 100]
    assert table["widths"].tolist()[1:-1:2] == table["widths"].tolist()[2:-1:2] == by_size
    assert table["seed"].tolist() == [5, *[0, 1] * 12, 5]


def test_networks_whose_widths_are_no_numbers_can_be_read():
    with nh.Results(":memory:") as results:
        for widths in ("resnet", "50", "x-9"):
            results.add({**row(0), "widths": widths})
        assert sorted(results.table()["widths"]) == ["50", "resnet", "x-9"]


def test_dropout_tells_networks_apart():
    with nh.Results(":memory:") as results:
        results.add(row(0, knn=0.5))
        results.add(row(0, knn=0.25, dropout=0.5))
        assert len(results) == 2
        assert results.has(row(0, dropout=0), ["knn"])
        assert results.has(row(0, dropout=np.float64(0.5)), ["knn"])
        assert not results.has(row(0, dropout=0.25), ["knn"])
        assert results.table()[["dropout", "knn"]].to_numpy().tolist() == [[0, 0.5], [0.5, 0.25]]


def test_a_stored_table_counts_as_measured(tmp_path):
    with nh.Results(":memory:") as results:
        for seed in range(3):
            results.add(row(seed, knn=seed / 10, l2=1e-6))
        table = results.table()
    table.assign(comment="by hand").to_csv(tmp_path / "table.csv", index=False)
    with nh.Results(tmp_path / "runs.sqlite") as results:
        results.add_table(pd.read_csv(tmp_path / "table.csv"))
        results.add_table(table)
        assert results.table().equals(table)


def test_tables_from_before_batch_sizes_were_kept():
    with nh.Results(":memory:") as results:
        results.add(row(0, batch_size=64, knn=0.5))
        table = results.table()
        older = table.drop(columns=["batch_size", "step", "dropout"])
        with nh.Results(":memory:") as others:
            others.add_table(older)
            assert others.table().equals(table)


@pytest.mark.parametrize("column", ["knnn", "Seed", "seed; DROP TABLE results"])
def test_columns_that_are_none(column):
    with nh.Results(":memory:") as results:
        with pytest.raises(ValueError, match="row: no column .* there are data, train_size"):
            results.add(row(0, **{column: 1}))
        assert len(results) == 0


# -- files of others ---------------------------------------------------------------------------


def test_files_that_are_no_results(tmp_path):
    text = tmp_path / "text"
    text.write_text("no database, and long enough to be looked at as one" * 100)
    foreign = tmp_path / "foreign"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    newer = tmp_path / "newer"
    nh.Results(newer).close()
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for path, message in (
        (text, "store: .* is no table of results"),
        (foreign, "store: .* is an SQLite file of another program"),
        (newer, "store: .* has columns of version 99, and this nhlib writes version 3"),
    ):
        before = path.read_bytes()
        with pytest.raises(ValueError, match=message):
            nh.Results(path)
        if path != foreign:
            assert path.read_bytes() == before
    with sqlite3.connect(foreign) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    connection.close()
    with pytest.raises(FileNotFoundError, match="store: there is no folder"):
        nh.Results(tmp_path / "nowhere" / "runs.sqlite")
    with pytest.raises(ValueError, match="store: .* is no file to write to"):
        nh.Results(tmp_path)


def test_the_schema_is_the_one_that_users_have():
    # Whoever changes the keys has to count the version up; new measures come before "failed".
    assert tuple(columns()) == (
        *("data", "train_size", "widths", "protocol", "batch_norm", "batch_size", "l2"),
        *("dropout", "label_noise", "seed", "epoch", "step"),
        *("train_loss", "train_accuracy", "test_accuracy"),
        *("redundancy_train", "redundancy_train_n", "redundancy_test_n"),
        "redundancy_test",
        *("redundancy_random_n", "n", "kmeans", "kmeans_train"),
        *("knn", "logreg"),
        *("failed", "version", "device", "date"),
    )


# -- processes ---------------------------------------------------------------------------------

WRITER = """
import sys
from nhlib.sweeps.results import Results
path, start, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Results(path) as results:
    for seed in range(start, end):
        results.add({"data": "digits", "seed": seed, "knn": seed / 1000})
        print(seed, flush=True)
"""


def writer(path, start, end):
    command = [sys.executable, "-c", WRITER, str(path), str(start), str(end)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_writers_lose_and_repeat_nothing(tmp_path):
    path = tmp_path / "runs.sqlite"
    processes = [writer(path, 0, 300), writer(path, 200, 500)]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    with nh.Results(path) as results:
        table = results.table()
    assert table["seed"].tolist() == list(range(500))
    assert np.allclose(table["knn"], table["seed"] / 1000)


def test_a_killed_writer_has_lost_nothing_that_was_written(tmp_path):
    path = tmp_path / "runs.sqlite"
    rng = random.Random(0)
    reached = 0
    for _ in range(3):
        process = writer(path, reached, 100_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.05, 0.3))
        process.send_signal(signal.SIGKILL)
        printed = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        with nh.Results(path) as results:
            seeds = results.table()["seed"].tolist()
        assert seeds == list(range(len(seeds)))
        assert len(seeds) > reached
        assert all(int(seed) < len(seeds) for seed in printed)
        reached = len(seeds)
