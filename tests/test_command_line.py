"""`python -m nhlib`: what it keeps, what it goes on from, and what it says when it cannot."""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial

import numpy as np
import pandas as pd
import platformdirs
import pytest
from PIL import Image

import nhlib as nh
from nhlib import __main__, _progress
from nhlib.__main__ import main
from nhlib.sweeps import batches, paper
from nhlib.sweeps.configuration import KEYS
from nhlib.sweeps.results import Results

GRID = "sweep --widths 8 12 --epochs 0 2 --seeds 0 1 --measures redundancy".split()


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Show no bars, however slow this machine is."""
    monkeypatch.setattr(_progress, "_PATIENCE", 3600)
    monkeypatch.setenv("TQDM_DISABLE", "1")  # of other processes


@pytest.fixture
def trained(monkeypatch):
    """Count the networks that are trained, population by population."""
    sizes = []

    class Counting(nh.Population):
        def __init__(self, networks, *args, **kwargs):
            sizes.append(len(networks))
            super().__init__(networks, *args, **kwargs)

    monkeypatch.setattr(batches, "Population", Counting)
    return sizes


@pytest.fixture
def files(tmp_path):
    return tmp_path / "runs.sqlite", tmp_path / "table.csv"


@pytest.fixture
def tiny(monkeypatch):
    """Put two overlapping steps in the place of an experiment."""
    of = {"data": "digits", "widths": [6, 9], "measures": "redundancy"}
    steps = {
        False: [{**of, "epochs": [0, 1]}, {**of, "epochs": [0, 1, 2], "seeds": [0, 1]}],
        True: [{**of, "epochs": 3, "seeds": range(5)}],
    }
    monkeypatch.setitem(paper._EXPERIMENTS, "mnist-phase-chart", steps.__getitem__)
    return ["reproduce", "mnist-phase-chart"]


def kept(store):
    with Results(store) as results:
        return results.table()


def read(table):
    return pd.read_csv(table, dtype={"widths": str})


# -- what it keeps -----------------------------------------------------------------------------


def test_a_sweep_is_in_its_store_and_in_its_table(files, capsys):
    store, table = files
    assert main([*GRID, "--store", str(store), "--table", str(table)]) == 0
    said = capsys.readouterr()
    assert said.out == f"8 rows are in {store} and {table}\n"
    assert said.err == ""
    expected = nh.sweep(
        "digits", [8, 12], [0, 2], seeds=[0, 1], measures="redundancy", progress=False
    )
    assert kept(store).equals(expected)
    pd.testing.assert_frame_equal(read(table), expected, atol=5.1e-7, rtol=0, check_dtype=False)
    assert [file.name for file in sorted(table.parent.iterdir())] == ["runs.sqlite", "table.csv"]


def test_it_is_a_program(files):
    store, table = files
    command = [sys.executable, "-m", "nhlib", *GRID, "--store", store.name, "--table", table.name]
    done = subprocess.run(command, cwd=store.parent, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "8 rows are in runs.sqlite and table.csv\n"
    assert len(kept(store)) == len(read(table)) == 8


def test_a_table_alone_is_enough_to_go_on(files, trained, capsys):
    store, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    assert trained == [4]
    first, before = table.read_bytes(), read(table)
    assert main([*GRID, "--table", str(table)]) == 0
    assert table.read_bytes() == first
    # What the table has, the store gets.
    assert main([*GRID, "--store", str(store), "--table", str(table)]) == 0
    assert trained == [4]
    assert len(kept(store)) == 8
    assert main([*GRID, "--epochs", "2", "--seeds", "1", "2", "--table", str(table)]) == 0
    assert trained == [4, 2]
    assert capsys.readouterr().out.splitlines()[-1] == f"4 rows are in {table}"
    # The rows that were there are there, and two more.
    after = read(table)
    assert after[["widths", "seed", "epoch"]].to_numpy().tolist() == [
        [width, seed, epoch]
        for width in ("8", "12")
        for seed, epoch in ((0, 0), (0, 2), (1, 0), (1, 2), (2, 2))
    ]
    assert after[after["seed"] < 2].reset_index(drop=True).equals(before)


def test_it_says_when_there_was_nothing_to_do(files, trained, capsys):
    store, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    capsys.readouterr()
    assert main([*GRID, "--store", str(store), "--table", str(table)]) == 0
    assert capsys.readouterr().out == (
        f"8 rows are in {store} and {table}; all were there before, and nothing was trained\n"
    )
    assert trained == [4]


def test_folders_are_made(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    files = ["--store", "build/new/runs.sqlite", "--table", "tables/runs.csv"]
    assert main([*tiny, *files, "--dry-run"]) == 0
    assert main([*tiny, "--data", "digts", *files]) == 2
    assert not list(tmp_path.iterdir())
    assert main([*tiny, *files]) == 0
    said = capsys.readouterr().out
    assert said.endswith("12 rows are in build/new/runs.sqlite and tables/runs.csv\n")
    assert len(kept("build/new/runs.sqlite")) == len(read("tables/runs.csv")) == 12


def test_a_table_keeps_its_further_rows(files, trained):
    store, table = files
    others = "sweep --data moons digits --widths 100 --epochs 1 --train-sizes 300 --l2 1e-7"
    assert main([*others.split(), "--table", str(table)]) == 0
    before = read(table)
    assert before["l2"].tolist() == [1e-7, 1e-7]  # keys are not rounded
    assert before["knn"].notna().all()
    # The store has rows of its own, which are not asked for.
    mine = "sweep --widths 5 --epochs 0 --measures redundancy --store".split()
    assert main([*mine, str(store)]) == 0
    assert main([*GRID, "--store", str(store), "--table", str(table)]) == 0
    after = read(table)
    assert len(after) == 8 + 2
    assert len(kept(store)) == 8 + 2 + 1
    merged = after.merge(before, on=list(KEYS), suffixes=("", "_before"))
    assert len(merged) == 2
    for column in ("knn", "kmeans", "logreg", "redundancy_train", "train_loss"):
        assert merged[column].equals(merged[f"{column}_before"])
    digits = after[after["data"] == "digits"]
    assert digits["widths"].tolist() == ["100", *["8"] * 4, *["12"] * 4]  # by size, then width
    # And nothing of it is trained again.
    del trained[:]
    assert main([*others.split(), "--table", str(table)]) == 0
    assert trained == []


def test_measures_are_added_to_a_table(files, trained):
    _, table = files
    grid = "sweep --widths 9 --epochs 1 --table".split()
    assert main([*grid, str(table), "--measures", "redundancy"]) == 0
    assert main([*grid, str(table), "--measures", "kmeans", "knn"]) == 0
    assert trained == [1, 1]
    (row,) = read(table).itertuples()
    assert 0 < row.redundancy_train < 1
    assert 0 < row.kmeans < row.knn < 1


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_table_is_written_whole_or_not_at_all(files, monkeypatch, capsys, error):
    _, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    before = table.read_bytes()

    def fails(self, path, **_):
        path.write_text("data,train_")
        raise error

    monkeypatch.setattr(pd.DataFrame, "to_csv", fails)
    status = main([*GRID, "--seeds", "7", "--table", str(table)])
    assert status == (2 if isinstance(error, OSError) else 130)
    assert table.read_bytes() == before
    monkeypatch.undo()
    assert main([*GRID, "--seeds", "7", "--table", str(table)]) == 0
    assert len(read(table)) == 12
    assert list(table.parent.iterdir()) == [table]


KILLED = """
import os, signal, sys
import pandas as pd
from nhlib.__main__ import main

def dies(self, path, **_):
    path.write_text("data,train_")
    os.kill(os.getpid(), signal.SIGKILL)

pd.DataFrame.to_csv = dies
main(sys.argv[1:])
"""


def test_a_kill_while_the_table_is_written_leaves_the_old_one(files):
    store, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    before = table.read_bytes()
    more = [*GRID, "--seeds", "7", "--store", str(store), "--table", str(table)]
    done = subprocess.run([sys.executable, "-c", KILLED, *more], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert table.read_bytes() == before
    assert main(more) == 0
    assert len(read(table)) == len(kept(store)) == 12


def test_progress_and_results_are_told_apart(files, monkeypatch, capsys):
    monkeypatch.setattr(_progress, "_PATIENCE", 0)
    assert main([*GRID, "--store", str(files[0])]) == 0
    said = capsys.readouterr()
    assert said.out == f"8 rows are in {files[0]}\n"
    assert re.search(r"sweep: .*rows", said.err)


# -- settings ----------------------------------------------------------------------------------


def test_settings_are_those_of_sweep(files):
    store, _ = files
    arguments = (
        "sweep --data moons --widths 9-7 5 --epochs 3 --train-sizes 200 --protocols A B --seeds 4 "
        "--batch-norm yes no --l2 1e-4 --dropout 0 0.5 --label-noise 0.25 --measures redundancy "
        "--device cpu --store"
    )
    assert main([*arguments.split(), str(store)]) == 0
    expected = nh.sweep(
        "moons",
        [(9, 7), 5],
        3,
        200,
        ["A", "B"],
        4,
        batch_norm=[True, False],
        l2=1e-4,
        dropout=[0, 0.5],
        label_noise=0.25,
        measures="redundancy",
        progress=False,
    )
    assert kept(store).equals(expected)
    assert len(expected) == 16
    assert expected["widths"].unique().tolist() == ["5", "9-7"]
    assert set(expected["batch_norm"]) == {True, False}


def test_what_is_not_given_is_as_in_sweep(monkeypatch, files):
    grids = []

    def nothing(grid, *_, **__):
        grids.append(grid)
        yield from ()

    monkeypatch.setattr(__main__, "run", nothing)
    assert main(["sweep", "--store", str(files[0])]) == 0
    (grid,) = grids
    default = __main__.Grid()
    assert grid.configurations == default.configurations
    assert (grid.moments, grid.measures) == (default.moments, default.measures)


def test_batch_norm_is_yes_or_no(files):
    store, _ = files
    grid = "sweep --widths 6 --epochs 1 --measures redundancy --batch-norm yes --store".split()
    assert main([*grid, str(store)]) == 0
    (row,) = kept(store).itertuples()
    data = nh.load("digits")
    network = nh.mlp(64, [6], 10, batch_norm=True)
    nh.fit(network, data, nh.Recipe(epochs=1), progress=False)
    alone = nh.redundancy_ratio(nh.encode(network, data.train))
    assert row.batch_norm
    assert row.redundancy_train == pytest.approx(alone, abs=0.01)


def test_help_is_there(capsys):
    for arguments, words in (
        (["--help"], "sweep reproduce stopped"),
        (["sweep", "--help"], "--widths --batch-norm yes|no --store --table --dask --dry-run"),
        (["reproduce", "--help"], "mnist-layer-width cifar10-sample-size --full folder:PATH"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        said = capsys.readouterr()
        assert said.out.startswith("usage: python -m nhlib")
        assert all(word in said.out for word in words.split())
        assert said.err == ""


# -- what it refuses ---------------------------------------------------------------------------


def test_it_has_to_be_told_where_results_go(trained, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(GRID) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "nhlib: --store, --table: name a file, or all that is measured would be lost\n"
    )
    assert trained == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--data digts", "no data set 'digts', did you mean 'digits'"),
        ("--data folder:nowhere", "there is no folder .*nowhere/train"),
        ("--widths 0", "widths: a whole number of at least 1 is needed, not 0"),
        ("--widths 5-0", "widths: a whole number of at least 1 is needed, not 0"),
        ("--epochs -1", "epochs: a whole number of at least 0"),
        ("--train-sizes 2000", "train_sizes: a whole number from 1 to 1437"),
        ("--train-sizes 5 --measures knn", "train_sizes: 5 examples are too few"),
        ("--train-sizes 1409 --protocols A B", "train_sizes: of 1409 examples minibatches of 64"),
        ("--seeds -1", "seeds: a whole number of at least 0"),
        ("--l2 -1", "l2: a finite number of at least 0 is needed"),
        ("--l2 nan", "l2: a finite number of at least 0 is needed"),
        ("--dropout 1", "dropout: fractions from 0 to 0.99 are needed, not 1"),
        ("--label-noise nan", "label_noise: fractions from 0 to 1 are needed, not nan"),
        ("--dask 0", "--dask: a whole number of at least 1 is needed, not 0"),
        ("--store :memory:", "--store: a file is needed; what is in memory ends with the program"),
        ("--widths 20 20", "widths: 20 is there twice.*on the command line 20-20"),
        ("--seeds 99999999999999999999", "seeds: whole numbers of at most 9223372036854775807"),
        ("--epochs 99999999999999999999", "epochs: whole numbers of at most 922337203685477580"),
        ("--device cuda:99", "--device: there is no device 'cuda:99' here"),
        ("--store .", "store: . is no file to write to"),
        ("--table .", "Is a directory: '.'"),
    ],
)
def test_bad_settings_are_one_line(arguments, message, trained, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*GRID, "--store", "runs.sqlite", *arguments.split()]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(f"nhlib: .*{message}.*\n", said.err)
    assert trained == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "required: command"),
        ("train", "invalid choice: 'train'"),
        ("reproduce mnist-layer-widths", "argument experiment: invalid choice: 'mnist-layer-wid"),
        ("reproduce", "required: experiment"),
        ("sweep --widths 5x", "argument --widths: 50, or 50-50 for two layers, not '5x'"),
        ("sweep --widths", "argument --widths: expected at least one"),
        ("sweep --batch-norm maybe", "argument --batch-norm: yes or no, not 'maybe'"),
        ("sweep --measures speed", "argument --measures: invalid choice: 'speed'"),
        ("sweep --protocols C", "argument --protocols: invalid choice: 'C'"),
        ("sweep --epochs 1.5", "argument --epochs: invalid int value: '1.5'"),
        ("sweep --device gpu", "argument --device: a device such as cpu or cuda, not 'gpu'"),
        ("sweep --full", "unrecognized arguments: --full"),
    ],
)
def test_bad_arguments_are_explained(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no table of results (No columns"),
        ("a,b\n1,2\n", "no column 'data'; there are a, b; name another file"),
        ("\x89PNG\x00\xff", "--table: "),
        ("protocol,width,seed,epoch\nA,10,0,0\n", "no column 'data'"),
    ],
)
def test_files_that_are_no_tables_are_left_alone(text, message, files, trained, capsys):
    _, table = files
    table.write_text(text, encoding="latin-1")
    assert main([*GRID, "--table", str(table)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("nhlib: --table: ")
    assert message in said
    assert said.count("\n") == 1
    assert table.read_text(encoding="latin-1") == text
    assert trained == []


def test_columns_that_it_would_lose(files, trained, capsys):
    _, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    read(table).assign(comment="by hand").to_csv(table, index=False)
    before = table.read_bytes()
    assert main([*GRID, "--seeds", "5", "--table", str(table)]) == 2
    assert "--table: the column 'comment' of " in capsys.readouterr().err
    assert table.read_bytes() == before
    assert trained == [4]


# -- dry runs ----------------------------------------------------------------------------------


def test_a_dry_run_says_what_there_is_to_do_and_does_nothing(files, capsys):
    store, table = files
    both = ["--store", str(store), "--table", str(table)]
    plan = r"{} networks to train, {} rows to measure: about \d+ (seconds|minutes) on this machine"
    assert main([*GRID, "--dry-run", *both]) == 0
    assert re.match(plan.format(4, 8), capsys.readouterr().out)
    assert main([*GRID, "--dry-run"]) == 0
    assert re.match(plan.format(4, 8), capsys.readouterr().out)
    assert not store.exists()
    assert not table.exists()
    assert main([*GRID, *both]) == 0
    first = table.read_bytes()
    for where in (both[:2], both[2:]):
        capsys.readouterr()
        assert main([*GRID, *where, "--dry-run", "--seeds", "1", "2", "--widths", "5", "8"]) == 0
        assert re.match(plan.format(3, 6), capsys.readouterr().out)
        assert main([*GRID, *where, "--dry-run"]) == 0
        assert capsys.readouterr().out == "nothing to do: all rows are there\n"
    assert len(kept(store)) == 8
    assert table.read_bytes() == first


def test_what_the_table_has_does_not_go_to_the_store_in_a_dry_run(files, capsys):
    store, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    Results(store).close()
    assert main([*GRID, "--table", str(table), "--store", str(store), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing to do: all rows are there"
    assert len(kept(store)) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 seconds"),
        (119, "about 119 seconds"),
        (121, "about 2 minutes"),
        (7190, "about 120 minutes"),
        (7300, "about 2 hours"),
        (1e6, "about 278 hours"),
    ],
)
def test_times_are_in_units_that_can_be_read(seconds, words, monkeypatch, capsys):
    monkeypatch.setattr(__main__, "expected_seconds", lambda *_: seconds)
    assert main([*GRID, "--dry-run"]) == 0
    assert f": {words} on this machine" in capsys.readouterr().out


# -- experiments -------------------------------------------------------------------------------


def test_an_experiment_is_run_step_by_step(tiny, files, trained, capsys):
    _, table = files
    assert main([*tiny, "--dry-run"]) == 0
    # First both widths of seed 0; then those again, further, and both of seed 1.
    assert "6 networks to train, 12 rows to measure:" in capsys.readouterr().out
    del trained[:]
    assert main([*tiny, "--table", str(table)]) == 0
    assert sum(trained) == 6
    assert capsys.readouterr().out == f"12 rows are in {table}\n"
    assert read(table)[["widths", "seed", "epoch"]].to_numpy().tolist() == [
        [width, seed, epoch] for width in ("6", "9") for seed in (0, 1) for epoch in (0, 1, 2)
    ]
    assert main([*tiny, "--full", "--data", "moons", "--table", str(table)]) == 0
    assert capsys.readouterr().out == f"10 rows are in {table}\n"
    assert read(table)["data"].value_counts().to_dict() == {"digits": 12, "moons": 10}


def test_a_step_that_is_done_is_in_the_table(tiny, files, monkeypatch, capsys):
    _, table = files
    real = __main__.run

    def stops(grid, *args, **more):
        if len(grid.moments) == 3:
            raise KeyboardInterrupt
        yield from real(grid, *args, **more)

    monkeypatch.setattr(__main__, "run", stops)
    assert main([*tiny, "--table", str(table)]) == 130
    assert capsys.readouterr().err == f"\nnhlib: stopped; what was measured is in {table}\n"
    assert len(read(table)) == 4


# -- interruptions -----------------------------------------------------------------------------


def interrupted_after(n, monkeypatch):
    real, rows = Results.add, []

    def add(self, row):
        if len(rows) == n:
            raise KeyboardInterrupt
        rows.append(row)
        real(self, row)

    monkeypatch.setattr(Results, "add", add)


def test_an_interruption_says_where_things_are(files, monkeypatch, capsys):
    store, table = files
    with monkeypatch.context() as patch:
        interrupted_after(3, patch)
        assert main([*GRID, "--store", str(store)]) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"\nnhlib: stopped; what was measured is in {store}\n"
    assert len(kept(store)) == 3
    with monkeypatch.context() as patch:
        interrupted_after(3, patch)
        assert main([*GRID, "--table", str(table)]) == 130
    assert capsys.readouterr().err == f"\nnhlib: stopped; what was measured is in {table}\n"
    assert len(read(table)) == 3
    with monkeypatch.context() as patch:
        interrupted_after(0, patch)
        other = table.with_name("other.csv")
        assert main([*GRID, "--table", str(other)]) == 130
    assert capsys.readouterr().err == "\nnhlib: stopped\n"
    assert not other.exists()
    # All go on.
    for where in (["--store", str(store)], ["--table", str(table)], ["--table", str(other)]):
        assert main([*GRID, *where]) == 0
    assert len(kept(store)) == len(read(table)) == len(read(other)) == 8


def test_a_table_without_rows_can_be_resumed(files):
    _, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    table.write_text(table.read_text().splitlines()[0] + "\n")
    assert main([*GRID, "--table", str(table)]) == 0
    assert len(read(table)) == 8


def test_an_interrupted_program_goes_on(files):
    store, table = files
    grid = "sweep --widths 8 10 12 --epochs 0 1 2 30 --protocols A B --measures redundancy".split()
    grid += ["--seeds", *map(str, range(20)), "--store", str(store), "--table", str(table)]
    command = [sys.executable, "-m", "nhlib", *grid]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Whoever is started in the background ignores the signal, and so would this process.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if store.exists() and n_rows(store):
            process.send_signal(signal.SIGINT)
            break
        time.sleep(0.02)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.endswith(f"\nnhlib: stopped; what was measured is in {store} and {table}\n")
    assert "Traceback" not in err
    before = n_rows(store)
    assert 0 < before < 480
    assert len(read(table)) == before
    assert main(grid) == 0
    after = read(table)
    assert len(after) == n_rows(store) == 480
    assert not after.duplicated(list(KEYS)).any()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_table_alone_survives_a_kill(how, files):
    _, table = files
    grid = "sweep --widths 8 10 12 --epochs 0 1 2 3 --protocols A B --measures redundancy".split()
    grid += ["--seeds", *map(str, range(20)), "--table", str(table)]
    process = subprocess.Popen(
        [sys.executable, "-m", "nhlib", *grid], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not table.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how == signal.SIGTERM:
        assert process.returncode == 130
        assert err.endswith(f"\nnhlib: stopped; what was measured is in {table}\n")
    before = read(table)
    assert 0 < len(before) < 480
    assert main(grid) == 0
    after = read(table)
    assert len(after) == 480
    both = after.merge(before, on=list(KEYS), suffixes=("", "_before"))
    assert len(both) == len(before)
    assert both["redundancy_train"].equals(both["redundancy_train_before"])


def n_rows(store):
    with closing(sqlite3.connect(store, timeout=0)) as results:  # no waiting for who writes
        try:
            return results.execute("SELECT COUNT(*) FROM results").fetchone()[0]
        except sqlite3.OperationalError:  # it is being made
            return 0


# -- tables of elsewhere -----------------------------------------------------------------------


@pytest.fixture
def pets(tmp_path, monkeypatch):
    """Write tiny images of three classes, and keep the cache of them here too."""
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    rng = np.random.default_rng(0)
    for split, n in (("train", 10), ("test", 4)):
        for label in ("bee", "cat", "dog"):
            folder = tmp_path / "home of mine" / "2024" / split / label
            folder.mkdir(parents=True)
            for i in range(n):
                pixels = rng.integers(256, size=(4, 3, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "home of mine" / "2024"


def test_tables_do_not_show_where_a_folder_is(pets, files, trained, monkeypatch):
    store, table = files
    grid = "sweep --widths 5 --epochs 0 1 --measures redundancy knn --table".split()
    grid += [str(table), "--data", "digits"]
    assert main([*grid, f"folder:{pets}", "--store", str(store)]) == 0
    # A folder may be called 2024, and that is no number.
    assert sorted(read(table)["data"].astype(str)) == ["2024", "2024", "digits", "digits"]
    assert "home of mine" not in table.read_text()
    assert set(kept(store)["data"]) == {"digits", f"folder:{pets}"}
    before = table.read_bytes()
    # It resumes, however the folder is named.
    assert sum(trained) == 2
    assert main([*grid, f"folder:{pets}"]) == 0
    monkeypatch.chdir(pets.parent)
    assert main([*grid, "folder:2024"]) == 0
    monkeypatch.chdir(pets)
    assert main([*grid, "folder:."]) == 0
    assert sum(trained) == 2
    assert table.read_bytes() == before


def test_folders_of_one_name_do_not_go_to_one_table(pets, files, trained, capsys):
    store, table = files
    other = pets.parent / "other" / "2024"
    other.parent.mkdir()
    shutil.copytree(pets, other)
    grid = "sweep --widths 5 --epochs 0 --measures redundancy --data digits".split()
    grid += [f"folder:{pets}", f"folder:{other}"]
    assert main([*grid, "--store", str(store)]) == 0
    assert len(kept(store)) == 3
    assert main([*grid, "--table", str(table)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("nhlib: --table: it could not tell digits, folder:")
    assert not table.exists()


def test_older_tables_have_no_dropout(files, trained):
    _, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    whole = read(table)
    whole.drop(columns="dropout").to_csv(table, index=False)
    assert main([*GRID, "--table", str(table)]) == 0
    assert trained == [4]
    assert read(table).equals(whole)
    # With dropout they are other networks.
    assert main([*GRID, "--dropout", "0", "0.5", "--table", str(table)]) == 0
    assert trained == [4]
    assert read(table)["dropout"].value_counts().to_dict() == {0: 8, 0.5: 8}


def test_failed_networks_stay_failed(files, trained):
    _, table = files
    assert main([*GRID, "--table", str(table)]) == 0
    whole = read(table)
    whole["failed"] = [None, "not finite in epoch 2"] * 4
    late = whole["failed"].notna()
    whole.loc[late, ["redundancy_train", "redundancy_random_n"]] = np.nan
    whole.to_csv(table, index=False)
    assert main([*GRID, "--table", str(table)]) == 0
    assert trained == [4]
    assert read(table)["failed"].notna().tolist() == late.tolist()
