"""PhaseExplorer: its script's regimes beside nhlib's, what it embeds, and what it fills in."""

import time

import numpy as np
import pandas as pd
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

import nhlib as nh
from nhlib.explorers.engine.settings import facts
from nhlib.explorers.phases.phase_explorer import PhaseExplorer
from nhlib.explorers.phases.tables import pack
from nhlib.phases.chart import REGIMES

GRID = """
const Kinds = { seeds: Uint16Array, redundancy: Float64Array, accuracy: Float64Array };
const arrays = (one) => Object.fromEntries(Object.entries(one.arrays).map(
  ([name, values]) => [name, Kinds[name].from(values, (v) => v ?? NaN)]));
"""
NAMES = "phaseChart, criticalSize"


def grid_of(table, **names):
    """Arrange the cells of a chart as the script has them; absent ones are None, or 0 seeds."""
    axes = [sorted(set(table[name])) for name in ("width", "epoch", "n")]
    index = pd.MultiIndex.from_product(axes)
    cells = table.set_index(["width", "epoch", "n"]).reindex(index)
    arrays = {key: cells[name].astype(object) for key, name in names.items()}
    arrays = {key: values.where(values.notna(), None).tolist() for key, values in arrays.items()}
    arrays["seeds"] = [int(n) if n == n else 0 for n in cells["seeds"]]
    return {**dict(zip(("sizes", "times", "samples"), axes, strict=True)), "arrays": arrays}


def regimes_of_the_script(node, grids):
    script = (
        GRID + "return given.map((one) => { const a = arrays(one);"
        "  const grid = { ...one, seeds: a.seeds };"
        "  const chart = phaseChart(grid, a.redundancy, a.accuracy, one.tau, one.delta);"
        "  const borders = one.times.map((_, t) => one.samples.map((_, n) =>"
        "    criticalSize(grid, a.redundancy, t, n, one.tau)));"
        "  return { regime: [...chart.regime], gain_size: [...chart.gainSize],"
        "    gain_time: [...chart.gainTime], borders }; });"
    )
    return node({"phases/regimes.js": NAMES}, script, grids)


def assert_same_charts(node, cases):
    grids = []
    for table, tau, delta in cases:
        chart = nh.phase_chart(table, tau=tau, delta=delta)
        grid = grid_of(chart, redundancy="redundancy", accuracy="accuracy")
        grids.append({**grid, "tau": tau, "delta": delta})
    for (table, tau, delta), grid, theirs in zip(
        cases, grids, regimes_of_the_script(node, grids), strict=True
    ):
        chart = nh.phase_chart(table, tau=tau, delta=delta)
        measured = np.array(theirs["regime"]) >= 0
        assert measured.sum() == len(chart)
        named = [REGIMES[i] for i in np.array(theirs["regime"])[measured]]
        assert named == chart["regime"].tolist()
        for gain in ("gain_size", "gain_time"):
            ours = np.array(theirs[gain], dtype=float)[measured]
            assert np.array_equal(ours, chart[gain], equal_nan=True)
        borders = nh.critical_size(table, tau=tau).set_index(["epoch", "n"])
        for i, epoch in enumerate(grid["times"]):
            for j, n in enumerate(grid["samples"]):
                found = theirs["borders"][i][j]
                if (epoch, n) not in borders.index:
                    assert found == {"below": None, "critical": None}
                    continue
                for ours, column in (("below", "below"), ("critical", "critical_size")):
                    wanted = borders.loc[(epoch, n), column]
                    assert found[ours] == (None if np.isnan(wanted) else wanted)


@st.composite
def tables(draw):
    """Tables with missing cells and uneven seeds, and values that meet thresholds exactly."""
    cells = [(w, e, n) for w in (10, 20, 40) for e in (0, 3, 9) for n in (100, 200)]
    kept = draw(st.lists(st.sampled_from(cells), min_size=1, unique=True))
    # Hundredths: differences and means of these meet the thresholds, but for rounding.
    values = st.integers(0, 30).map(lambda i: i / 100)
    rows = [
        (*cell, seed, draw(values), draw(values))
        for cell in kept
        for seed in range(draw(st.integers(1, 3)))
    ]
    names = ["width", "epoch", "n", "seed", "redundancy", "accuracy"]
    thresholds = st.sampled_from([0.01, 0.05, 0.1, 0.15])
    return pd.DataFrame(rows, columns=names), draw(thresholds), draw(thresholds)


@settings(max_examples=8)
@given(st.lists(tables(), min_size=20, max_size=40))
def test_regimes_are_those_of_nhlib(node, cases):
    assert_same_charts(node, cases)


def test_thresholds_that_are_met_exactly(node):
    table = pd.DataFrame(
        [(10, 1, 0.15, 0.14), (20, 1, 0.05, 0.15), (10, 2, 0.05, 0.15), (20, 2, 0.3, 0.16)],
        columns=["width", "epoch", "redundancy", "accuracy"],
    ).assign(n=100, seed=0)
    # 0.15 - 0.14 is a little less than 0.01; 3 * 0.05 a little more than 0.15.
    assert_same_charts(node, [(table, 0.05, 0.01), (table, 3 * 0.05, 0.01), (table, 0.0, 1.0)])


def test_a_border_is_scored(node):
    script = (
        "const border = new Border(4, 3); const flat = [...border.below];"
        "border.stroke([0, 1], [2, 3]); border.set(1, 9);"
        "return [flat, border.below, border.score([[0, 0, true], [1, 0, true], [3, 1, false]])];"
    )
    flat, below, score = node({"phases/borders.js": "Border"}, script, None)
    assert flat == [2, 2, 2]
    assert below == [1, 4, 3]
    assert score == {"right": 1, "tooHigh": 1, "tooLow": 1}


def test_a_drawn_border_stays_when_rows_and_columns_come(node):
    script = (
        "const border = new Border(3, 2); border.set(0, 1); border.set(1, 3);"
        "const from = { up: [10, 20, 40], right: [3, 30] };"
        "const onto = (up, right) => border.onto(from, { up, right }).below;"
        "return [onto([10, 12, 18, 20, 40], [0, 3, 10, 30]), onto(from.up, from.right),"
        " onto([5, 80], [30]), onto([20, 40], [3])];"
    )
    more, same, others, fewer = node({"phases/borders.js": "Border"}, script, None)
    # Between 10 and 20 it lies at their geometric mean, 14.1.
    assert more == [2, 2, 2, 5]
    assert same == [1, 3]
    assert others == [2]
    assert fewer == [0]


@pytest.fixture(scope="module")
def table():
    return nh.sweep(
        "digits",
        [10, 20, 40],
        [0, 2, 4],
        [400, 800],
        seeds=[0, 1],
        measures=("redundancy", "knn"),
        progress=False,
    )


VIEW = """
const floats = (hex, Kind) => new Kind(Uint8Array.from(hex, (b) => b).buffer);
const each = (views, Kind) => Object.fromEntries(
  Object.entries(views).map(([name, bytes]) => [name, floats(bytes, Kind)]));
const raw = given.raw;
const table = { ...raw, sizes: raw.width, times: raw.epoch, samples: raw.train_size,
  seeds: floats(raw.seeds, Uint16Array), means: each(raw.means, Float64Array), mine: new Set() };
const view = viewOf(table, "digits", (name) => given.settings[name], null);
return { call: callOf(view), why: whyWords(view, "K-NN accuracy"), hints: hintWords(view),
  critical: criticalWords(view), regime: view.chart.regime[view.here] };
"""


def told(node, explorer):
    """Return what the script tells of the state of an explorer."""
    raw = dict(explorer._grids[explorer.table])
    del raw["low"], raw["high"]
    raw["seeds"] = list(raw["seeds"])
    raw["means"] = {name: list(array) for name, array in raw["means"].items()}
    values = {name: getattr(explorer, name) for name in explorer._settings}
    words = "callOf, criticalWords, hintWords, whyWords"
    return node(
        {"phases/view.js": "viewOf", "phases/words.js": words},
        VIEW,
        {"raw": raw, "settings": values},
    )


def run(call):
    space = {}
    exec(call, space)
    return space


@pytest.mark.parametrize("cell", [(10, 2, 800), (40, 4, 400), (20, 2, 400), (20, 0, 800)])
def test_the_printed_call_gives_the_regime_that_is_told(node, table, cell, tmp_path, capsys):
    path = tmp_path / "runs.csv"
    table.to_csv(path, index=False)
    width, epoch, train_size = cell
    explorer = PhaseExplorer(
        {"digits": path},
        width=width,
        epoch=epoch,
        train_size=train_size,
        tau=0.3,
        delta=0.02,
        redundancy="redundancy_train",
        revealed=True,
    )
    page = told(node, explorer)
    space = run(page["call"])
    found = space["cell"].iloc[0]
    assert REGIMES[page["regime"]] == found["regime"]
    assert found["regime"] in page["why"]
    assert f"{found['redundancy_train']:.4f}" in page["why"]
    assert f"K-NN accuracy {found['knn']:.4f}" in page["why"]
    for gain in found[["gain_size", "gain_time"]].dropna():
        assert f"{gain:+.4f}".replace("-", "−") in page["why"]
    border = space["border"].iloc[0]
    for number in border[["below", "critical_size"]].dropna():
        assert f"{number:.0f}" in page["critical"]
    assert found["regime"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "threshold", "said"),
    [
        (0.009967, 0.01, "+0.00997"),
        (0.0100042, 0.01, "+0.010004"),
        (0.91 - 0.9, 0.01, "+0.0100"),
        (0.01, 0.01, "+0.0100"),
        (0.0099, 0.01, "+0.0099"),
        (-0.05, 0.01, "−0.0500"),
    ],
)
def test_a_gain_has_the_digits_that_tell_it_apart_from_the_threshold(node, value, threshold, said):
    script = "return gained(given.value, given.threshold);"
    given = {"value": value, "threshold": threshold}
    assert node({"phases/words.js": "gained"}, script, given) == said


def test_the_printed_call_gives_the_hints(node, table, tmp_path):
    path = tmp_path / "runs.csv"
    table.to_csv(path, index=False)
    page = told(node, PhaseExplorer({"digits": path}))
    hints = run(page["call"])["hints"]
    assert len(hints) == 3
    for width, ratio in zip(hints["width"], hints["redundancy_test"], strict=True):
        assert f"width {width} has {ratio:.4f}" in page["hints"]


def test_the_printed_sweep_gives_an_uneven_table(node, table):
    uneven = table.query("not (widths == '40' and epoch == 2) and (seed == 0 or train_size == 400)")
    explorer = PhaseExplorer(uneven, revealed=True, width=20)
    space = run(told(node, explorer)["call"])
    keys = ["width", "epoch", "train_size", "seed"]
    again = space["table"].sort_values(keys)[[*keys, "knn"]]
    assert again.to_numpy() == pytest.approx(
        explorer.tables["digits"].sort_values(keys)[[*keys, "knn"]].to_numpy()
    )


def test_what_is_embedded_are_the_means_over_seeds(table):
    explorer = PhaseExplorer({"small": table})
    grid = explorer._grids["small"]
    shape = [len(grid[axis]) for axis in ("width", "epoch", "train_size")]
    chart = nh.phase_chart(
        explorer.tables["small"], samples="train_size", redundancy="redundancy_test", accuracy="knn"
    )
    means = np.frombuffer(grid["means"]["knn"])
    assert means == pytest.approx(chart["knn"].to_numpy(), abs=1e-15)
    assert (np.frombuffer(grid["seeds"], np.uint16).reshape(shape) == 2).all()
    low, high = (np.frombuffer(grid[end]["knn"], np.float32) for end in ("low", "high"))
    assert (low <= means + 1e-7).all()
    assert (means <= high + 1e-7).all()
    assert explorer.epoch == 4
    assert explorer.train_size == 800


def test_tables_that_are_none(table, tmp_path):
    with pytest.raises(TypeError, match="tables: a table of nh.sweep, the path"):
        PhaseExplorer({})
    with pytest.raises(TypeError, match="tables: 'digits' is a table or a path, not 3"):
        PhaseExplorer({"digits": 3})
    with pytest.raises(FileNotFoundError):
        PhaseExplorer(tmp_path / "none.csv")
    with pytest.raises(ValueError, match=r"tables\['d'\]: no column 'protocol'.*what nh.sweep"):
        PhaseExplorer({"d": table.drop(columns="protocol")})
    with pytest.raises(ValueError, match="must not differ in column 'protocol'.*keep one"):
        PhaseExplorer({"d": pd.concat([table, table.assign(protocol="B")])})
    with pytest.raises(ValueError, match="one hidden layer are needed, not of widths 5-5"):
        PhaseExplorer({"d": table.assign(widths="5-5")})
    with pytest.raises(ValueError, match="one of the columns knn, kmeans, logreg is needed"):
        PhaseExplorer({"d": table.drop(columns="knn")})
    with pytest.raises(ValueError, match="two have width 10"):
        PhaseExplorer({"d": pd.concat([table, table])})
    with pytest.raises(ValueError, match="at least one measured network is needed"):
        PhaseExplorer({"d": table[:0]})


def test_settings_that_are_none(table):
    with pytest.raises(ValueError, match="width: table 'digits' has 10, 20, 40, not 30"):
        PhaseExplorer(table, width=30)
    with pytest.raises(ValueError, match="accuracy: table 'digits' has knn, not kmeans"):
        PhaseExplorer(table, accuracy="kmeans")
    with pytest.raises(TypeError, match="PhaseExplorer has no setting 'size'"):
        PhaseExplorer(table, size=3)
    for wrong in ({"tau": 2}, {"delta": 0}, {"held": "depth"}, {"table": "MNIST"}):
        with pytest.raises(traitlets.TraitError):
            PhaseExplorer(table, **wrong)


@pytest.mark.parametrize("held", ["train_size", "epoch", "width"])
def test_the_still_says_where_the_border_is(table, held):
    explorer = PhaseExplorer(table, held=held, redundancy="redundancy_train")
    figure, alt, caption = explorer.still()
    assert len(figure.axes) == 2
    chart = nh.critical_size(
        explorer.tables["digits"], samples="train_size", redundancy="redundancy_train"
    ).query("epoch == 4 and train_size == 800")
    below = chart["below"].item()
    assert np.isnan(below) or f"{below:.0f}" in alt or "all widths" in alt
    assert "τ = 0.05" in caption
    html = explorer._repr_mimebundle_()[0]["text/html"]
    assert "aria-label" in html


def test_missing_cells_are_filled_in(node, table):
    explorer = PhaseExplorer({"digits": table.query("widths != '20'")}, width=40)
    asked = explorer._grids["digits"]["asked"]
    settings = {**asked, "widths": [20], "epochs": [2], "train_sizes": [400]}
    explorer._handle_custom_msg({"kind": "run", "table": "digits", "settings": settings}, [])
    patience = time.monotonic() + 120
    while explorer._run["state"] in {"idle", "running"} and time.monotonic() < patience:
        time.sleep(0.05)
    assert explorer._run["state"] == "done", explorer._run["text"]
    new = explorer.tables["digits"].query("width == 20")
    assert new[["epoch", "train_size", "seed"]].to_numpy().tolist() == [[2, 400, 0], [2, 400, 1]]
    keys = ["widths", "epoch", "train_size", "seed"]
    same = new.merge(table, on=keys, suffixes=("", "_swept"))
    assert same["knn"].to_numpy() == pytest.approx(same["knn_swept"].to_numpy())
    assert explorer._grids["digits"]["width"] == [10, 20, 40]
    explorer.width, explorer.epoch, explorer.train_size = 20, 2, 400
    explorer.revealed = True
    page = told(node, explorer)
    assert page["call"].count("nh.sweep(") == 2
    assert run(page["call"])["cell"]["knn"].item() == pytest.approx(new["knn"].mean())


def test_what_cannot_be_loaded_cannot_be_asked_for(table):
    strange = table.assign(data="of my own", width=table["widths"].astype(int))
    assert pack("mine", strange, None, 0)["asked"] is None


def test_the_readers_cells_stand_beside_those_of_the_table(node, table):
    """With the reader's rows a chart is that of all rows; alone it is that of hers."""
    mine = table["widths"].isin(["20"]) | (table["epoch"] == 2)
    names = ["redundancy_test", "knn"]
    script = """
      const floats = (bytes, Kind) => new Kind(Uint8Array.from(bytes).buffer);
      const each = (views, Kind) => Object.fromEntries(
        Object.entries(views).map(([name, bytes]) => [name, floats(bytes, Kind)]));
      const table = (raw) => ({ ...raw, sizes: raw.width, times: raw.epoch, samples: raw.train_size,
        seeds: floats(raw.seeds, Uint16Array), means: each(raw.means, Float64Array),
        low: each(raw.low, Float32Array), high: each(raw.high, Float32Array), mine: new Set() });
      const plain = ({ width, epoch, train_size, seeds, means, low, high }) =>
        [width, epoch, train_size, [...seeds], ...[means, low, high].flatMap((one) =>
          given.names.map((name) => [...one[name]]))];
      const shown = (alone) => {
        const found = withOwn(table(given.stored), given.rows, alone, given.names, given.facts);
        return [plain(found), found.mine.size, found.source.length];
      };
      return { both: shown(false), alone: shown(true),
        expected: [plain(table(given.whole)), plain(table(given.own))] };
    """

    def packed(rows):
        (raw,) = PhaseExplorer({"digits": rows})._grids.values()
        lists = ("means", "low", "high")
        return {
            **raw,
            "seeds": list(raw["seeds"]),
            **{name: {key: list(one) for key, one in raw[name].items()} for name in lists},
        }

    own = [row.dropna().to_dict() for _, row in table[mine].astype(object).iterrows()]
    found = node(
        {"phases/own.js": "withOwn"},
        script,
        {
            "stored": packed(table[~mine]),
            "whole": packed(table),
            "own": packed(table[mine]),
            "rows": own,
            "names": names,
            "facts": facts(),
        },
    )
    for shown, expected, n_sources in zip(
        (found["both"], found["alone"]), found["expected"], (2, 1), strict=True
    ):
        cells, n_mine, sources = shown
        assert n_mine == mine.sum() / 2  # two seeds a cell
        assert sources == n_sources
        for ours, theirs in zip(cells, expected, strict=True):
            ours, theirs = (np.array(one, dtype=float) for one in (ours, theirs))
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)
