"""What every function says when it is given something else than it takes."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import nhlib as nh
from nhlib._arguments import check_columns

TAKE_TABLES = {
    "phase_chart": nh.phase_chart,
    "critical_size": nh.critical_size,
    "sensitivity": lambda table: nh.sensitivity(table, 0.05, 0.01),
    "plot_accuracy": nh.plot_accuracy,
    "plot_baselines": nh.plot_baselines,
    "plot_phase_chart": nh.plot_phase_chart,
    "plot_rarefaction": nh.plot_rarefaction,
    "plot_redundancy": nh.plot_redundancy,
}


@pytest.mark.parametrize("take", TAKE_TABLES.values(), ids=TAKE_TABLES)
@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"epoch": [1], "redundancy": [0.1]}, "not dict; pass pandas.DataFrame"),
        (nh.History(nh.Recipe()), r"not History; pass its \.table\(\)"),
        ("runs.csv", r"not str; read the file first: pandas.read_csv\('runs.csv'\)"),
        ([0.1, 0.2], "not list; nhlib.[a-z_()]+ makes such tables"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_table_is_named_with_the_way_to_one(take, given, hint, unchecked):
    with pytest.raises(TypeError, match=f"^(table|chart): a DataFrame is needed, {hint}"):
        unchecked(take)(given)


def test_the_hints_work_when_followed():
    columns = {"epoch": [0, 1], "redundancy": [0.1, 0.2]}
    check_columns("table", pd.DataFrame(columns), columns)
    data = nh.load("digits", train_size=100)
    history = nh.fit(nh.mlp(64, [5], 10), data, nh.Recipe(epochs=1), progress=False)
    check_columns("table", history.table(), ["epoch", "test_accuracy"])
    codes = nh.encode(nh.mlp(64, [5], 10), data.test)
    nh.plot_rarefaction(nh.rarefaction_curve(codes), ax=plt.figure().gca())
    plt.close()


@pytest.mark.parametrize("ax", ["epoch", 3, plt])
def test_what_is_no_axes(ax, unchecked):
    table = pd.DataFrame({"epoch": [0, 1], "redundancy": [0.1, 0.2]})
    with pytest.raises(TypeError, match="^ax: matplotlib Axes are needed, not"):
        unchecked(nh.plot_redundancy)(table, ax)


@pytest.mark.parametrize(("taus", "deltas"), [(0.05, [0.01]), ([0.05], 0.01), (0.05, 0.01)])
def test_one_threshold_may_stand_for_a_list_of_one(taus, deltas):
    table = pd.DataFrame({"width": [20, 40], "redundancy": [0.3, 0.04], "accuracy": [0.7, 0.9]})
    table = table.assign(epoch=60, n=100, seed=0)
    assert nh.sensitivity(table, taus, deltas).equals(nh.sensitivity(table, [0.05], [0.01]))
