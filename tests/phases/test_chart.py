"""Regimes against hand-made tables and against the definition, written out cell by cell."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhlib.phases.chart import REGIMES, critical_size, phase_chart, regime, sensitivity

UNDER, CRITICAL, SUFFICIENT, UNDETERMINED, UNTRAINED = REGIMES
NAN = float("nan")

# Hundredths, so that ties with thresholds are frequent, and exact as fractions.
hundredths = st.integers(0, 100)
low_hundredths = st.integers(0, 12)


@st.composite
def irregular_grids(draw, max_rows=30):
    """Rows of measured networks on a grid with holes, some with more seeds than others."""
    networks = st.tuples(
        st.sampled_from([3, 10, 15, 40]),
        st.sampled_from([0, 1, 5, 60]),
        st.sampled_from([100, 1000]),
        st.integers(0, 2),
    )
    rows = draw(st.lists(networks, unique=True, min_size=1, max_size=max_rows))
    measures = [(draw(low_hundredths), draw(low_hundredths) + 50) for _ in rows]
    return [(*row, *measure) for row, measure in zip(rows, measures, strict=True)]


def table_of(rows):
    table = pd.DataFrame(rows, columns=["width", "epoch", "n", "seed", "redundancy", "accuracy"])
    return table.assign(redundancy=table["redundancy"] / 100, accuracy=table["accuracy"] / 100)


def by_definition(rows, tau, delta):
    """Name every cell's regime in exact arithmetic; thresholds are in hundredths, too."""
    members = {}
    for width, epoch, n, _, redundancy, accuracy in rows:
        members.setdefault((width, epoch, n), []).append((redundancy, accuracy))
    means = {
        cell: tuple(Fraction(sum(values), len(values)) for values in zip(*measures, strict=True))
        for cell, measures in members.items()
    }
    labels = {}
    for (width, epoch, n), (redundancy, accuracy) in means.items():
        larger = [w for w, e, m in means if (e, m) == (epoch, n) and w > width]
        longer = [e for w, e, m in means if (w, m) == (width, n) and e > epoch]
        gains = []
        if larger:
            gains.append(means[min(larger), epoch, n][1] - accuracy)
        if longer:
            gains.append(means[width, min(longer), n][1] - accuracy)
        if epoch == 0:
            label = UNTRAINED
        elif redundancy > tau:
            label = UNDER
        elif any(gain >= delta for gain in gains):
            label = CRITICAL
        elif len(gains) < 2:
            label = UNDETERMINED
        else:
            label = SUFFICIENT
        labels[width, epoch, n] = label
    return labels


def labels_of(chart):
    cells = zip(chart["width"], chart["epoch"], chart["n"], strict=True)
    return dict(zip(cells, chart["regime"], strict=True))


# -- regime ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("redundancy", "accuracy", "next_model", "next_time", "expected"),
    [
        (0.30, 0.80, 0.90, 0.90, UNDER),
        (0.30, 0.80, NAN, NAN, UNDER),  # whatever neighbours would show
        (0.05, 0.80, 0.90, 0.80, CRITICAL),  # exactly tau is not above it
        (0.00, 0.80, 0.80, 0.90, CRITICAL),
        (0.00, 0.80, 0.70, 0.81, CRITICAL),  # the other one may lose
        (0.00, 0.80, 0.81, NAN, CRITICAL),  # a gain that was seen is enough
        (0.00, 0.80, NAN, 0.81, CRITICAL),
        (0.00, 0.80, 0.809, 0.809, SUFFICIENT),
        (0.00, 0.80, 0.70, 0.70, SUFFICIENT),
        (0.00, 0.80, 0.80, NAN, UNDETERMINED),  # longer training might gain
        (0.00, 0.80, NAN, 0.80, UNDETERMINED),  # a larger model might gain
        (0.00, 0.80, NAN, NAN, UNDETERMINED),
    ],
)
def test_regime_case_by_case(redundancy, accuracy, next_model, next_time, expected):
    label = regime(redundancy, accuracy, next_model, next_time, tau=0.05, delta=0.01)
    assert label.shape == ()
    assert label == expected


def test_a_gain_of_exactly_delta_is_enough_whatever_its_floats():
    now, larger = np.arange(100) / 100, np.arange(1, 101) / 100
    assert (larger - now < 0.01).any()
    assert (regime(0, now, larger, now, delta=0.01) == CRITICAL).all()
    assert (regime(0, now, larger - 1e-6, now, delta=0.01) == SUFFICIENT).all()


def test_arguments_are_broadcast():
    labels = regime([[0.0], [0.2]], 0.5, np.array([0.5, 0.6, NAN]), 0.5)
    assert labels.tolist() == [[SUFFICIENT, CRITICAL, UNDETERMINED], [UNDER] * 3]
    assert regime([], [], [], []).shape == (0,)
    with pytest.raises(ValueError, match=r"fit together are needed, not redundancy \(2,\), acc"):
        regime([0, 0], [0.1, 0.2, 0.3], 0.5, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.5, 0.5, 0.5, 0.5), "redundancy: numbers from 0 to 1 are needed, but there is 1.5"),
        ((NAN, 0.5, 0.5, 0.5), "redundancy: numbers from 0 to 1 are needed, but there is nan"),
        ((0.1, [93, 95], 0.5, 0.5), "accuracy: numbers from 0 to 1 are needed, but there is 93"),
        ((0.1, NAN, 0.5, 0.5), "accuracy: .* there is nan"),
        ((0.1, 0.5, -0.1, 0.5), "next_model: .* there is -0.1"),
        ((0.1, 0.5, 0.5, float("inf")), "next_time: .* there is inf"),
        ((0.1, "high", 0.5, 0.5), "accuracy: numbers from 0 to 1 are needed, not 'high'"),
        ((0.1, 0.5, {}, 0.5), "next_model: numbers from 0 to 1 are needed, not {}"),
    ],
)
def test_what_is_no_ratio(arguments, message):
    with pytest.raises(ValueError, match=message):
        regime(*arguments)


@pytest.mark.parametrize("tau", [-0.01, 1.01, 5, NAN, "0.05", None, True, [0.05]])
def test_impossible_tau(tau):
    error = ValueError if isinstance(tau, (int, float)) and tau is not True else TypeError
    with pytest.raises(error, match="tau: a number from 0 to 1 is needed, not"):
        regime(0.1, 0.5, 0.5, 0.5, tau=tau)


@pytest.mark.parametrize("delta", [0, -0.01, NAN, "0.01", None, True])
def test_impossible_delta(delta):
    error = ValueError if isinstance(delta, (int, float)) and delta is not True else TypeError
    with pytest.raises(error, match="delta: a finite number above 0 is needed, not"):
        regime(0.1, 0.5, 0.5, 0.5, delta=delta)


def test_numpys_thresholds_are_numbers():
    assert regime(0.2, 0.5, 0.5, 0.5, tau=np.float32(0.25), delta=np.int64(1)) == SUFFICIENT


@given(hundredths, hundredths, st.none() | hundredths, st.none() | hundredths)
def test_undetermined_means_that_a_neighbour_would_decide(redundancy, accuracy, larger, longer):
    def name(larger, longer):
        measured = [NAN if v is None else v / 100 for v in (larger, longer)]
        return str(regime(redundancy / 100, accuracy / 100, *measured, tau=0.05, delta=0.05))

    possible = {
        name(one, other)
        for one in (range(101) if larger is None else [larger])
        for other in ([0, 100] if longer is None else [longer])
    }
    if accuracy <= 95:  # a neighbour cannot gain more than there is to gain
        assert name(larger, longer) == (possible.pop() if len(possible) == 1 else UNDETERMINED)


# -- phase chart -----------------------------------------------------------------------------


@pytest.fixture
def table():
    """A 3 × 3 grid of all regimes; the worst accuracy is at the largest, longest cell."""
    redundancy = [[0.9, 0.8, 0.7], [0.1, 0.05, 0.04], [0.01, 0.01, 0.01]]
    accuracy = [[0.3, 0.4, 0.5], [0.7, 0.8, 0.805], [0.8, 0.809, 0.81]]
    return pd.DataFrame(
        {
            "width": np.repeat([10, 50, 200], 3),
            "epoch": np.tile([0, 10, 100], 3),
            "n": 1000,
            "seed": 0,
            "redundancy": np.ravel(redundancy),
            "accuracy": np.ravel(accuracy),
        }
    )


def test_chart_by_hand(table):
    chart = phase_chart(table)
    assert chart.columns.tolist() == [
        *("width", "epoch", "n", "redundancy", "accuracy", "seeds"),
        *("gain_size", "gain_time", "regime"),
    ]
    assert chart["regime"].tolist() == [
        *(UNTRAINED, UNDER, UNDER),
        *(UNTRAINED, SUFFICIENT, UNDETERMINED),
        *(UNTRAINED, UNDETERMINED, UNDETERMINED),
    ]
    gains = [[0.4, 0.4, 0.305], [0.1, 0.009, 0.005], [NAN] * 3]
    np.testing.assert_allclose(chart["gain_size"], np.ravel(gains))
    gains = [[0.1, 0.1, NAN], [0.1, 0.005, NAN], [0.009, 0.001, NAN]]
    np.testing.assert_allclose(chart["gain_time"], np.ravel(gains))
    assert (chart["seeds"] == 1).all()
    strict = phase_chart(table, delta=0.005)["regime"].tolist()
    assert strict[4:6] == [CRITICAL, CRITICAL]


def test_next_means_the_next_that_was_measured(table):
    holes = table[~((table["width"] == 50) & (table["epoch"] == 10))]
    chart = phase_chart(holes).set_index(["width", "epoch"])
    assert chart.loc[(10, 10), "gain_size"] == pytest.approx(0.409)
    assert chart.loc[(50, 0), "gain_time"] == pytest.approx(0.105)


def test_seeds_are_averaged(table):
    other = table.assign(
        seed="another", redundancy=table["redundancy"] / 2, accuracy=table["accuracy"] + 0.1
    )
    both = pd.concat([table.assign(seed="one"), other.iloc[1:]])
    chart = phase_chart(both)
    assert chart["seeds"].tolist() == [1] + [2] * 8
    np.testing.assert_allclose(chart["redundancy"][1:], 0.75 * table["redundancy"][1:])
    np.testing.assert_allclose(chart["accuracy"][1:], table["accuracy"][1:] + 0.05)
    # 0.1 and 0.05 are 0.075 on average.
    below = phase_chart(both, tau=0.07).set_index(["width", "epoch"])["regime"]
    assert below[50, 10] == SUFFICIENT
    assert phase_chart(both, tau=0.03).set_index(["width", "epoch"])["regime"][50, 10] == UNDER


def test_three_seeds_at_tau_are_not_above_it(table):
    seeds = pd.concat([table.assign(seed=seed) for seed in range(3)]).assign(redundancy=0.05)
    assert seeds["redundancy"].iloc[:3].sum() / 3 > 0.05  # floats
    assert UNDER not in set(phase_chart(seeds)["regime"])


def test_columns_of_other_names(table):
    renamed = table.rename(
        columns={
            "width": "depth",
            "epoch": "steps",
            "n": "examples",
            "seed": "run",
            "redundancy": "redundancy_test",
            "accuracy": "knn",
        }
    ).assign(protocol="A")
    names = {
        "size": "depth",
        "time": "steps",
        "samples": "examples",
        "redundancy": "redundancy_test",
        "accuracy": "knn",
        "seed": "run",
    }
    chart = phase_chart(renamed, **names)
    assert chart.columns.tolist()[:5] == "depth steps examples redundancy_test knn".split()
    assert chart["regime"].tolist() == phase_chart(table)["regime"].tolist()
    assert sensitivity(renamed, [0.05], [0.01], **names)["changed"].tolist() == [0]


@pytest.mark.parametrize("dtype", ["Int64", "int16", "float32"])
def test_other_types_of_numbers(table, dtype):
    converted = table.astype(dict.fromkeys(["width", "epoch", "n"], dtype))
    converted = converted.astype({"accuracy": "Float64"})
    chart = phase_chart(converted)
    assert chart["regime"].tolist() == phase_chart(table)["regime"].tolist()
    assert chart["width"].dtype == dtype


def test_a_table_is_left_as_it_was(table):
    before = table.copy()
    phase_chart(table)
    critical_size(table)
    sensitivity(table, [0.1], [0.1])
    pd.testing.assert_frame_equal(table, before)


@given(irregular_grids(), low_hundredths, st.integers(1, 12))
def test_chart_of_an_irregular_grid_agrees_with_the_definition(rows, tau, delta):
    chart = phase_chart(table_of(rows), tau=tau / 100, delta=delta / 100)
    assert labels_of(chart) == by_definition(rows, tau, delta)


@given(irregular_grids(), st.randoms(use_true_random=False))
def test_order_of_rows_and_index_change_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    one, other = phase_chart(table_of(rows)), table_of(shuffled).set_index("seed", drop=False)
    pd.testing.assert_frame_equal(one, phase_chart(other), check_exact=True)


@given(irregular_grids(), low_hundredths, low_hundredths)
def test_raising_tau_never_makes_a_cell_under_expressive(rows, one, other):
    low, high = (
        phase_chart(table_of(rows), tau=tau / 100)["regime"] for tau in sorted([one, other])
    )
    assert not ((low != UNDER) & (high == UNDER)).any()
    assert not (phase_chart(table_of(rows), tau=1)["regime"] == UNDER).any()


@given(irregular_grids(), st.integers(1, 12), st.integers(1, 12))
def test_raising_delta_never_makes_a_cell_critical(rows, one, other):
    low, high = (
        phase_chart(table_of(rows), delta=delta / 100)["regime"] for delta in sorted([one, other])
    )
    assert not ((low != CRITICAL) & (high == CRITICAL)).any()
    assert ((low == UNDER) == (high == UNDER)).all()
    assert CRITICAL not in set(phase_chart(table_of(rows), delta=float("inf"))["regime"])


@given(irregular_grids(), hundredths)
def test_measuring_beyond_the_last_cells_only_decides_undetermined_ones(rows, accuracy):
    before = labels_of(phase_chart(table_of(rows)))
    larger = {(1000, epoch, n, 0, 0, accuracy) for _, epoch, n, *_ in rows}
    longer = {(width, 1000, n, 0, 0, accuracy) for width, _, n, *_ in rows}
    after = labels_of(phase_chart(table_of([*rows, *larger, *longer])))
    assert all(label in (UNDETERMINED, after[cell]) for cell, label in before.items())
    assert UNDETERMINED not in {after[cell] for cell in before}


# -- critical size ---------------------------------------------------------------------------


def one_column(ratios, sizes=(10, 20, 40, 80)):
    table = pd.DataFrame({"width": sizes, "redundancy": ratios})
    return table.assign(epoch=5, n=100, seed=0)


@pytest.mark.parametrize(
    ("ratios", "below", "critical"),
    [
        ([0.9, 0.3, 0.05, 0.01], 20, 40),
        ([0.9, 0.01, 0.3, 0.01], 40, 80),  # from which on it stays
        ([0.05, 0.04, 0.01, 0], NAN, 10),
        ([0.9, 0.8, 0.7, 0.06], 80, NAN),
        ([0.01, 0.01, 0.01, 0.06], 80, NAN),
    ],
)
def test_critical_size_by_hand(ratios, below, critical):
    found = critical_size(one_column(ratios))
    assert found.columns.tolist() == ["epoch", "n", "below", "critical_size"]
    np.testing.assert_array_equal(found, [[5, 100, below, critical]])


def test_critical_size_of_every_time_and_sample_size(table):
    more = pd.concat([table, table.assign(n=500, redundancy=0)])
    found = critical_size(more, tau=0.04)
    expected = [(0, 50, 200), (10, 50, 200), (100, 10, 50)]
    rows = [
        row for when, *found in expected for row in ((when, 500, NAN, 10), (when, 1000, *found))
    ]
    np.testing.assert_array_equal(found, rows)


@given(irregular_grids(), low_hundredths)
def test_critical_size_by_its_definition(rows, tau):
    table = table_of(rows)
    found = critical_size(table.drop(columns="accuracy"), tau=tau / 100)
    labels = by_definition([(w, e + 1, n, *more) for w, e, n, *more in rows], tau, 1)
    assert len(found) == len({(epoch, n) for _, epoch, n in labels})
    for row in found.itertuples():
        column = {w: label for (w, e, n), label in labels.items() if (e - 1, n) == row[1:3]}
        staying = [
            w for w in column if all(label != UNDER for v, label in column.items() if v >= w)
        ]
        np.testing.assert_equal(row.critical_size, min(staying, default=NAN))
        np.testing.assert_equal(row.below, max(set(column) - set(staying), default=NAN))


def test_critical_size_checks_tau(table):
    with pytest.raises(ValueError, match="tau: a number from 0 to 1 is needed, not 2"):
        critical_size(table, tau=2)


# -- sensitivity -----------------------------------------------------------------------------


def test_sensitivity_by_hand(table):
    found = sensitivity(table, [0.05, 0.04, 0.75], (0.01, 0.005))
    assert found["tau"].tolist() == [0.05, 0.05, 0.04, 0.04, 0.75, 0.75]
    assert found["delta"].tolist() == [0.01, 0.005] * 3
    assert (found["cells"] == 3).all()  # (10, 10), (10, 100) and (50, 10)
    np.testing.assert_allclose(found["changed"], [0, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 2 / 3])
    assert (found["undetermined"] == 0).all()
    found = sensitivity(table, [0.05], [0.5], delta=0.005)
    np.testing.assert_allclose(found, [[0.05, 0.5, 4, 0.5, 0.25]])


@given(irregular_grids(), st.lists(low_hundredths, min_size=1, max_size=3))
def test_sensitivity_counts_charts_that_differ(rows, taus):
    table = table_of(rows)
    chart = phase_chart(table)["regime"]
    determined = ~chart.isin([UNDETERMINED, UNTRAINED])
    found = sensitivity(table, [tau / 100 for tau in taus], [0.01, 0.03])
    assert (found["cells"] == determined.sum()).all()
    if not determined.any():
        assert found[["changed", "undetermined"]].isna().all(axis=None)
        return
    for row in found.itertuples():
        other = phase_chart(table, tau=row.tau, delta=row.delta)["regime"]
        assert row.changed == pytest.approx((chart != other)[determined].mean())
        assert row.undetermined == pytest.approx((other == UNDETERMINED)[determined].mean())


def test_thresholds_to_try(table):
    with pytest.raises(ValueError, match="taus: at least one threshold is needed"):
        sensitivity(table, [], [0.01])
    with pytest.raises(ValueError, match="deltas: at least one threshold is needed"):
        sensitivity(table, [0.01], [])
    with pytest.raises(ValueError, match="tau: a number from 0 to 1 is needed, not 5"):
        sensitivity(table, [0.05, 5], [0.01])
    with pytest.raises(ValueError, match="delta: a finite number above 0 is needed, not 0"):
        sensitivity(table, [0.05], [0.0])


# -- what a table must be --------------------------------------------------------------------


@pytest.mark.parametrize("column", ["width", "epoch", "n", "seed", "redundancy", "accuracy"])
def test_a_missing_column(table, column):
    with pytest.raises(ValueError, match=f"table: no column '{column}'; there are .*, "):
        phase_chart(table.drop(columns=column))


def test_what_to_do_about_a_missing_column(table):
    message = r"no column 'n'; there are width.*\. Name another with samples=, or add it: table\."
    with pytest.raises(ValueError, match=message):
        phase_chart(table.drop(columns="n"))
    with pytest.raises(ValueError, match="no column 'n'"):
        critical_size(table.drop(columns="n"))


def test_a_column_for_two_things(table):
    with pytest.raises(ValueError, match="a column for each .* size='n', time='epoch', samples='n"):
        phase_chart(table, size="n")


def test_no_networks(table):
    with pytest.raises(ValueError, match="table: at least one measured network is needed"):
        phase_chart(table.iloc[:0])


def test_networks_twice(table):
    twice = pd.concat([table.assign(protocol="A"), table.assign(protocol="B")])
    message = "two have width 10, epoch 0, n 1000, seed 0; keep those of one protocol"
    with pytest.raises(ValueError, match=message):
        phase_chart(twice)
    with pytest.raises(ValueError, match=message):
        critical_size(twice)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("accuracy", NAN, r"there is nan; leave such rows out: table.dropna\(subset=\['accuracy'"),
        (
            "accuracy",
            93.5,
            "numbers from 0 to 1 are needed in column 'accuracy', but there is 93.5",
        ),
        ("redundancy", -0.1, "numbers from 0 to 1 are needed in column 'redundancy', but .* -0.1$"),
        ("redundancy", float("inf"), "'redundancy', but there is inf$"),
        ("epoch", -1, "numbers of at least 0 are needed in column 'epoch', but there is -1$"),
        ("epoch", NAN, "finite numbers .* 'epoch', but there is nan"),
        ("width", float("inf"), "finite numbers .* 'width', but there is inf$"),
        ("n", pd.NA, "finite numbers .* 'n', "),
    ],
)
def test_strange_values(table, column, value, message):
    strange = table.astype({column: "Float64" if value is pd.NA else "float64"})
    strange.loc[3, column] = value
    with pytest.raises(ValueError, match=message):
        phase_chart(strange)


@pytest.mark.parametrize("values", [["20"] * 9, [True] * 9, [1j] * 9])
def test_values_that_are_no_numbers(table, values):
    with pytest.raises(ValueError, match="numbers .* are needed in column 'width', not "):
        phase_chart(table.assign(width=values))
