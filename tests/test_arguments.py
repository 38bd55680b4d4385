"""What every function says when it is given something else than it takes."""

import math
import re
from fractions import Fraction
from pathlib import Path

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


ROWS = np.random.default_rng(0).integers(0, 2, (12, 6))
CODES = nh.NeuralCodes.from_bits(ROWS)
CLASSES = np.arange(12) % 3
TAKE_CODES = {
    nh.bit_information: lambda codes: (codes, CLASSES),
    nh.bound_on_other_half: lambda codes: (codes,),
    nh.collision_entropy: lambda codes: (codes,),
    nh.compare_redundancy: lambda codes: ({"one": codes},),
    nh.drop_constant_bits: lambda codes: (codes,),
    nh.nearest_codes: lambda codes: (CODES, codes, 3),
    nh.NeuralCodes.hamming: lambda codes: (CODES, codes),
    nh.plot_class_activity: lambda codes: (codes, CLASSES),
    nh.plot_codes: lambda codes: (codes, CLASSES),
    nh.plot_distances: lambda codes: (codes, CLASSES),
    nh.rarefaction_curve: lambda codes: (codes,),
    nh.redundancy_ratio: lambda codes: (codes,),
    nh.unit_activity: lambda codes: (codes,),
}


@pytest.mark.parametrize(("take", "arguments"), TAKE_CODES.items(), ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "given", [ROWS, torch.tensor(ROWS), ROWS.tolist()], ids=lambda given: type(given).__name__
)
def test_bits_are_no_codes_and_become_some_as_the_hint_says(take, arguments, given, unchecked):
    with pytest.raises(TypeError, match=r"NeuralCodes are needed, not (ndarray|Tensor|list); of r"):
        unchecked(take)(*arguments(given))
    take(*arguments(nh.NeuralCodes.from_bits(given)))
    plt.close()


TAKE_LABELS = {
    nh.bit_information: lambda labels: (CODES, labels),
    nh.knn_accuracy: lambda labels: (CODES, labels, CODES, CLASSES),
    nh.plot_class_activity: lambda labels: (CODES, labels),
    nh.plot_codes: lambda labels: (CODES, labels),
    nh.plot_distances: lambda labels: (CODES, labels),
}


@pytest.mark.parametrize(("take", "arguments"), TAKE_LABELS.items(), ids=lambda f: f.__name__)
def test_labels_are_numbers_in_order_and_words_become_some(take, arguments, unchecked):
    take(*arguments(pd.Series(CLASSES, index=np.arange(100, 112))))
    take(*arguments(CLASSES.tolist()))
    words = np.array(["cat", "dog", "owl"])[CLASSES]
    for given in (words, words.tolist(), pd.Series(words)):
        with pytest.raises(ValueError, match=r"labels: 12 whole .* np\.unique\((\w+), return_inv"):
            unchecked(take)(*arguments(given))
        take(*arguments(np.unique(given, return_inverse=True)[1]))
    with pytest.raises(ValueError, match="labels: 12 whole numbers are needed, one for each"):
        unchecked(take)(*arguments(CLASSES[:5]))
    plt.close()


@pytest.mark.parametrize(
    ("inputs", "labels", "hint"),
    [
        (pd.DataFrame(ROWS), torch.tensor(CLASSES), "inputs.to_numpy(), dtype=torch.float32)"),
        (ROWS.tolist(), torch.tensor(CLASSES), "inputs, dtype=torch.float32)"),
        (255 * ROWS, torch.tensor(CLASSES), "inputs, dtype=torch.float32) / 255"),
        (torch.tensor(ROWS).float(), pd.Series(CLASSES), "labels.to_numpy(), dtype=torch.int64)"),
        (torch.tensor(ROWS).float(), CLASSES.astype(str), "np.unique(labels, return_inverse=True)"),
        (torch.tensor(ROWS).float(), pd.Series(["a", "b"] * 6), "np.unique(labels.to_numpy(), ret"),
    ],
)
def test_what_a_split_says_works_when_followed(inputs, labels, hint, unchecked):
    with pytest.raises(TypeError, match=re.escape(hint)) as error:
        unchecked(nh.Split.__init__)(object.__new__(nh.Split), inputs, labels)
    name, _, remedy = str(error.value).partition("; pass ")
    given = {"inputs": inputs, "labels": labels, "np": np, "torch": torch}
    given[name.split(":")[0]] = eval(remedy, given)
    split = nh.Split(given["inputs"], given["labels"])
    assert split.inputs.max() == 1
    assert len(split) == 12


@pytest.mark.parametrize("given", [Path("pictures"), None, 5])
def test_names_are_texts(given, unchecked):
    with pytest.raises(TypeError, match="^name: a text such as 'digits' is needed, not"):
        unchecked(nh.load)(given)
    if not isinstance(given, Path):
        for function in (nh.load_trained, nh.training_log):
            with pytest.raises(TypeError, match="^name: a text or a path is needed, not"):
                unchecked(function)(given)


TAKE_SEEDS = {
    nh.bound_on_other_half: (64, (CODES,)),
    nh.kmeans_accuracy: (32, (CODES, CLASSES)),
    nh.mlp: (64, (3, [2], 2)),
    nh.plot_distances: (64, (CODES, CLASSES)),
    nh.random_inputs: (64, (nh.load("digits"), 3)),
    nh.with_label_noise: (64, (nh.load("digits"), 0.1)),
}


@pytest.mark.parametrize("take", TAKE_SEEDS, ids=lambda f: f.__name__)
def test_seeds_have_so_many_bits(take, unchecked):
    n_bits, arguments = TAKE_SEEDS[take]
    take(*arguments, seed=2**n_bits - 1)
    with pytest.raises(ValueError, match=rf"^seed: a whole number below 2\*\*{n_bits} is needed"):
        unchecked(take)(*arguments, seed=2**n_bits)
    with pytest.raises(TypeError, match="^seed: a whole number of at least 0 is needed, not 'one'"):
        unchecked(take)(*arguments, seed="one")
    plt.close()
