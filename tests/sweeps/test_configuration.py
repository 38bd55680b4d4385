"""What a factor is stands in one place, and the sweep, the store and the command line agree."""

import inspect

import numpy as np
import pytest
import torch

import nhlib as nh
from nhlib.__main__ import _parser
from nhlib.sweeps import FACTORS, KEYS, Grid, columns

SEVERAL = {
    "data": ["digits", "moons"],
    "train_sizes": [200, 300],
    "widths": [5, (4, 3)],
    "protocols": ["A", "B"],
    "batch_norm": [False, True],
    "batch_sizes": [16, 64],
    "l2": [0.0, 0.5],
    "dropout": [0.0, 0.25],
    "label_noise": [0.0, 0.5],
    "seeds": [0, 3],
    "epochs": [0, 2],
    "steps": [0, 1],
}


def test_the_signature_of_sweep_has_the_factors_and_their_defaults():
    parameters = inspect.signature(nh.sweep).parameters
    others = {"measures", "store", "device", "client", "progress"}
    assert parameters.keys() - others == FACTORS.keys()
    for name, factor in FACTORS.items():
        assert parameters[name].default == factor.default


def test_keys_are_the_first_columns():
    assert list(columns())[: len(KEYS)] == list(KEYS)
    assert list(KEYS) == [factor.column for factor in FACTORS.values()]


@pytest.mark.parametrize("argument", FACTORS)
def test_each_factor_varies_its_own_key(argument):
    others = {"data": "digits", "train_sizes": 200, "epochs": 1}
    grid = Grid(**{**others, argument: SEVERAL[argument]}, measures="redundancy")
    rows = [dict(zip(KEYS, key, strict=True)) for key in grid.keys]
    assert len(rows) == 2
    varied = {name for name in KEYS if len({row[name] for row in rows}) == 2}
    column = FACTORS[argument].column
    # A protocol decides what nothing else does.
    assert varied == {column} | ({"batch_norm", "l2"} if argument == "protocols" else set())
    shown = {"-".join(map(str, v)) if isinstance(v, tuple) else v for v in SEVERAL[argument]}
    assert {row[column] for row in rows} == ({"5", "4-3"} if column == "widths" else shown)


WORDS = {**{name: list(map(str, given)) for name, given in SEVERAL.items()}}
WORDS |= {"widths": ["5", "4-3"], "batch_norm": ["no", "yes"]}


@pytest.mark.parametrize("argument", FACTORS)
def test_each_factor_is_a_flag(argument):
    flag = f"--{argument.replace('_', '-')}"
    given = _parser().parse_args(["sweep", flag, *WORDS[argument]])
    assert getattr(given, argument) == SEVERAL[argument]


@pytest.mark.parametrize("argument", FACTORS)
def test_what_is_none_of_its_values_is_refused_with_its_name(argument):
    for given in (object(), [object()], [], [[object()]], [float("nan")]):
        with pytest.raises((TypeError, ValueError), match=f"{argument}: "):
            Grid(**{argument: given})


def test_numbers_may_be_numpys_and_torchs():
    plain = Grid(widths=[8, 9], epochs=3, seeds=2, l2=0.5, label_noise=0.5, train_sizes=100)
    other = Grid(
        widths=np.array([8, 9]),
        epochs=np.int64(3),
        seeds=torch.tensor(2),
        l2=np.float64(0.5),
        label_noise=torch.tensor([0.5]),
        train_sizes=np.array(100),
    )
    assert other.configurations == plain.configurations
    assert other.moments == plain.moments
    for configuration in other.configurations:
        kinds = {type(value) for value in vars(configuration).values()}
        assert kinds <= {str, int, bool, float, tuple}


def test_a_setting_that_is_none():
    with pytest.raises(TypeError, match="width: a grid has data, train_sizes, .* and measures"):
        Grid(width=3)


@pytest.mark.parametrize("seed", [2**32, 2**63 - 1])
def test_the_largest_seeds_work(seed, tmp_path):
    grid = {"data": "moons", "widths": 4, "epochs": [0, 1], "measures": "redundancy"}
    grid |= {"label_noise": 0.5, "dropout": [0, 0.5], "progress": False}
    table = nh.sweep(**grid, seeds=[0, seed], store=tmp_path / "runs.sqlite")
    assert sorted(set(table["seed"])) == [0, seed]
    assert nh.sweep(**grid, seeds=[0, seed], store=tmp_path / "runs.sqlite").equals(table)
