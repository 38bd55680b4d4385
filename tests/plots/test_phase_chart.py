"""Phase charts show every cell's regime where it belongs, by colour and by hatching."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex, to_rgb

from nhlib.phases.chart import REGIMES, phase_chart
from nhlib.plots.phase_chart import plot_phase_chart

mpl.use("agg")

UNDER, CRITICAL, SUFFICIENT, UNDETERMINED, UNTRAINED = REGIMES


@pytest.fixture(autouse=True)
def _own_figure():
    plt.close("all")
    with plt.style.context("nhlib.book"):
        yield
    plt.close("all")


@pytest.fixture
def chart():
    """A chart with all regimes at n = 1000; at n = 50 two cells, and two missing."""
    regimes = [UNTRAINED, UNDER, UNDER, UNTRAINED, SUFFICIENT, CRITICAL, UNTRAINED, *2 * [CRITICAL]]
    regimes[-1] = UNDETERMINED
    cells = pd.DataFrame(
        {
            "width": np.repeat([7, 50, 1200], 3),
            "epoch": np.tile([0, 0.5, 100], 3),
            "n": 1000,
            "regime": regimes,
        }
    )
    few = pd.DataFrame({"width": [7, 50], "epoch": [100, 0], "n": 50, "regime": UNDER})
    return pd.concat([cells, few], ignore_index=True).sample(frac=1, random_state=0)


def drawn(ax):
    """Regime at (column, row) of every cell that is drawn."""
    return {
        tuple(path.vertices[:4].mean(axis=0).round(6).tolist()): artist.get_label()
        for artist in ax.collections
        for path in artist.get_paths()
    }


def texts(ticks):
    return [tick.get_text() for tick in ticks]


def test_every_cell_is_drawn_in_its_place(chart):
    _, ax = plt.subplots()
    assert plot_phase_chart(chart, 1000, ax=ax) is ax
    assert drawn(ax) == {
        (0, 0): UNTRAINED,
        (1, 0): UNDER,
        (2, 0): UNDER,
        (0, 1): UNTRAINED,
        (1, 1): SUFFICIENT,
        (2, 1): CRITICAL,
        (0, 2): UNTRAINED,
        (1, 2): CRITICAL,
        (2, 2): UNDETERMINED,
    }
    for artist in ax.collections:
        for path in artist.get_paths():
            assert np.allclose(np.ptp(path.vertices, axis=0), 0.92)
    assert texts(ax.get_xticklabels()) == ["0", "0.5", "100"]
    assert texts(ax.get_yticklabels()) == ["7", "50", "1,200"]
    assert list(ax.get_xticks()) == list(ax.get_yticks()) == [0, 1, 2]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "width")
    assert (*ax.get_xlim(), *ax.get_ylim()) == (-0.5, 2.5, -0.5, 2.5)


def test_panels_of_one_chart_agree_in_rows_columns_and_legend(chart):
    axes = plt.figure().subplots(1, 2)
    few, many = (plot_phase_chart(chart, n, ax=ax) for n, ax in zip((50, 1000), axes, strict=True))
    assert drawn(few) == {(2, 0): UNDER, (0, 1): UNDER}
    assert few.get_xlim() == many.get_xlim()
    assert few.get_ylim() == many.get_ylim()
    legends = [ax.get_legend() for ax in axes]
    assert [texts(legend.get_texts()) for legend in legends] == [list(REGIMES)] * 2
    assert [legend.get_title().get_text() for legend in legends] == ["n = 50", "n = 1,000"]
    plain = plot_phase_chart(chart, 50, legend=False, ax=plt.figure().gca())
    assert plain.get_legend() is None
    assert plain.get_title(loc="left") == "n = 50"


def test_regimes_are_told_by_colour_and_by_hatching(chart):
    ax = plot_phase_chart(chart, np.int64(1000))
    looks = {}
    for artist in ax.collections:
        face = artist.get_facecolor()
        color = to_hex(face[0]) if len(face) else "none"
        looks[artist.get_label()] = (color, artist.get_hatch())
    assert list(looks) == list(REGIMES)
    assert len({hatch for _, hatch in list(looks.values())[:3]}) == 3
    assert len({color for color, _ in list(looks.values())[:3]}) == 3
    assert len({hatch for _, hatch in list(looks.values())[3:]}) == 2
    assert [looks[name][0] for name in (UNDETERMINED, UNTRAINED)] == ["none"] * 2
    # Grey prints tell the filled from the empty ones, too.
    paper = np.mean(to_rgb(plt.rcParams["figure.facecolor"]))
    for name in (UNDER, CRITICAL, SUFFICIENT):
        assert paper - np.mean(to_rgb(looks[name][0])) > 0.25
    for artist in ax.collections[3:]:
        assert to_hex(artist.get_edgecolor()[0]) == plt.rcParams["axes.edgecolor"]
    handles = ax.get_legend().legend_handles
    assert [handle.get_hatch() for handle in handles] == [hatch for _, hatch in looks.values()]


def test_only_regimes_of_the_chart_are_in_the_legend(chart):
    ax = plot_phase_chart(chart[chart["n"] == 50])
    assert texts(ax.get_legend().get_texts()) == [UNDER]
    assert ax.get_legend().get_title().get_text() == "n = 50"
    assert all(isinstance(artist, PolyCollection) for artist in ax.collections)


def test_a_chart_of_measures_with_columns_of_other_names():
    table = pd.DataFrame(
        {"depth": [1, 2], "redundancy": [0.5, 0.0], "accuracy": [0.5, 0.9], "steps": 10}
    ).assign(examples=60, seed=0)
    names = {"size": "depth", "time": "steps", "samples": "examples"}
    ax = plot_phase_chart(phase_chart(table, **names), **names)
    assert drawn(ax) == {(0, 0): UNDER, (0, 1): UNDETERMINED}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("steps", "depth")
    assert ax.get_legend().get_title().get_text() == "examples = 60"


def test_long_axes_are_labelled_at_every_second_cell():
    chart = pd.DataFrame({"width": range(23), "epoch": 1, "n": 10, "regime": UNDER})
    ax = plot_phase_chart(chart)
    assert texts(ax.get_yticklabels()) == [str(width) for width in range(0, 23, 2)]
    assert list(ax.get_yticks()) == list(range(0, 23, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda chart: chart.drop(columns="regime"), "chart: no column 'regime'; there are width"),
        (lambda chart: chart.drop(columns="n"), "chart: no column 'n'; .* with samples="),
        (lambda chart: chart.replace(CRITICAL, "critical"), "chart: unknown regime 'critical'"),
        (lambda chart: pd.concat([chart, chart]), "chart: one row a cell is needed"),
        (lambda chart: chart.iloc[:0], "chart: at least one cell is needed"),
    ],
)
def test_what_is_no_chart(chart, change, message):
    with pytest.raises(ValueError, match=message):
        plot_phase_chart(change(chart), 1000)


def test_sample_sizes(chart):
    with pytest.raises(ValueError, match="n: one sample size is drawn; name it: .* has 50, 1,000"):
        plot_phase_chart(chart)
    with pytest.raises(ValueError, match="n: 30 is no sample size: the chart has 50, 1,000"):
        plot_phase_chart(chart, 30)
    with pytest.raises(ValueError, match="a column for each argument is needed, not size='n'"):
        plot_phase_chart(chart, 50, size="n")
