"""A measure is one entry: whoever adds one finds it in the sweep, the store and everywhere else."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import nhlib as nh
from nhlib.__main__ import main
from nhlib.sweeps import MEASURES, columns, measurement
from nhlib.sweeps.measurement import Column, Measure

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def activity(monkeypatch):
    """Add a measure: the share of ones in the codes, and the number of codes."""

    def function(codes):
        return {"on": codes.train.bits().mean(), "codes": codes.train.n_distinct}

    measure = Measure(
        (Column("on", label="share of ones"), Column("codes", "INTEGER")),
        function,
        "the share of ones in the training codes",
        usual=False,
        of_classes=False,
    )
    monkeypatch.setitem(MEASURES, "activity", measure)


def test_it_is_in_the_sweep_and_in_the_store(activity, tmp_path):
    store = tmp_path / "runs.sqlite"
    grid = {"widths": [10, 20], "epochs": [0, 2], "progress": False, "store": store}
    table = nh.sweep("digits", **grid, measures="activity")
    for row in table.itertuples():
        network = nh.mlp(64, [int(row.widths)], 10)
        nh.fit(network, nh.load("digits"), nh.Recipe(epochs=row.epoch), progress=False)
        codes = nh.encode(network, nh.load("digits").train)
        assert row.on == pytest.approx(codes.bits().mean(), abs=0.01)
        assert row.codes == pytest.approx(codes.n_distinct, abs=20)
    assert "redundancy_train" not in table
    # It counts as measured, and others are added to it.
    assert nh.sweep("digits", **grid, measures="activity").equals(table)
    both = nh.sweep("digits", **grid, measures=["activity", "redundancy"])
    assert both[["on", "redundancy_train"]].notna().all(axis=None)


def test_older_stores_get_its_columns(activity, tmp_path):
    store = shutil.copy(FIXTURES / "runs.sqlite", tmp_path)
    grid = {"widths": [5, (4, 3)], "epochs": [0, 2], "train_sizes": 100, "seeds": [0, 1]}
    with nh.Results(store) as results:
        before = results.table()
    table = nh.sweep(**grid, measures=["knn", "activity"], store=store, progress=False)
    assert table["on"].notna().all()
    with nh.Results(store) as results:
        assert results.table()["knn"].equals(before["knn"])
    with closing(sqlite3.connect(store)) as connection:
        kinds = {
            name: kind for _, name, kind, *_ in connection.execute("PRAGMA table_info(results)")
        }
        assert kinds == columns()
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_store_with_columns_of_a_measure_that_is_gone(activity, monkeypatch, tmp_path):
    grid = {"widths": 5, "epochs": 0, "progress": False, "store": tmp_path / "runs.sqlite"}
    nh.sweep(**grid, measures=["redundancy", "activity"])
    monkeypatch.delitem(MEASURES, "activity")
    table = nh.sweep(**grid, measures="redundancy")
    assert "on" not in table
    assert len(table) == 1


def test_it_is_in_the_explorer(activity):
    table = nh.sweep("digits", [10, 20], [0, 2], measures="activity", progress=False)
    explorer = nh.SweepExplorer(table, measure="on")
    assert explorer._words["measures"]["on"] == ("share of ones", "activity")
    assert "codes" not in explorer._words["measures"]
    assert list(explorer._stored["digits"]["measures"]) == ["on", "test_accuracy"]
    html = explorer._repr_mimebundle_()[0]["text/html"]
    assert "share of ones along width" in html


def test_it_is_on_the_command_line(activity, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["sweep", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "activity: the share of ones in the training codes" in said
    grid = "sweep --widths 5 --epochs 0 --measures activity --table".split()
    table = tmp_path / "table.csv"
    assert main([*grid, str(table)]) == 0
    assert "on,codes" in table.read_text()
    capsys.readouterr()
    assert main([*grid, str(table), "--dry-run"]) == 0
    assert capsys.readouterr().out == "nothing to do: all rows are there\n"


def test_it_is_in_the_docstring(activity):
    assert '``"activity"``: the share of ones' in measurement.describe_measures()


def test_the_docstring_of_sweep_has_all_measures():
    text = " ".join((nh.sweep.__doc__ or "").split())
    assert "{" not in text
    for name, measure in MEASURES.items():
        assert f'``"{name}"``: {measure.about}' in text


def test_few_examples_are_enough_for_what_needs_no_classes(activity):
    table = nh.sweep(
        "digits", 5, 0, train_sizes=3, measures=["activity", "redundancy"], progress=False
    )
    assert table["on"].notna().all()
    with pytest.raises(ValueError, match="or measures='redundancy' or 'activity'"):
        nh.sweep("digits", 5, 0, train_sizes=3, measures=["activity", "knn"])


def test_columns_belong_to_one_measure():
    names = [column.name for column in measurement.measure_columns()]
    assert len(names) == len(set(names))
    for measure in MEASURES.values():
        assert {*measure.shown_by} <= {column.name for column in measure.columns}
