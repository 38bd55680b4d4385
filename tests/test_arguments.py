"""What every function says when it is given something else than it takes."""

import math
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

import nhlib as nh
from nhlib._arguments import check_columns, is_number, real_number

NUMBERS = [2, 0.5, np.float64(0.5), np.float32(0.5), np.int8(2), Fraction(1, 2), True, None]
NUMBERS += [torch.tensor(0.5), torch.tensor(2), np.array(0.5), "1", [1], np.array([1]), 1j]
NUMBERS += [np.True_, torch.tensor(True), torch.tensor(1j), torch.tensor([1.0]), b"1", object]


@pytest.mark.parametrize("given", NUMBERS, ids=repr)
def test_a_real_number_is_one_of_python_numpy_or_torch(given):
    number = is_number(given)
    one = given.item() if getattr(given, "ndim", None) == 0 else given
    assert number == (type(one) in (int, float, Fraction))
    if number:
        assert type(real_number("share", given, 0)) is float
        assert real_number("share", given, 0) == float(given)
    else:
        with pytest.raises(TypeError, match="share: a finite number of at least 0 is needed, not"):
            real_number("share", given, 0)


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "text"),
    [
        ((0,), (0, 1e300), (-1e-9, math.inf, math.nan, 10**400), "a finite number of at least 0"),
        ((0, math.inf, 0), (1e-300, 5), (0, -1, math.inf), "a finite number above 0"),
        ((0, 1), (0, 1), (-0.1, 1.1, math.nan), "a number from 0 to 1"),
        ((0, 1, 1), (0, 0.99), (1, 2, -1), "a number from 0 to below 1"),
        ((0, 1, 0), (0.01, 1), (0, 2, -1), "a number above 0, up to 1"),
    ],
)
def test_a_real_number_keeps_to_its_range(bounds, inside, outside, text):
    for number in inside:
        assert real_number("share", number, *bounds) == number
    for number in outside:
        with pytest.raises(ValueError, match=f"share: {text} is needed, not {number!r}"):
            real_number("share", number, *bounds)


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
