"""SweepExplorer: its slices beside those of pandas, what it embeds, and what it trains."""

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import traitlets
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nhlib as nh
from nhlib.explorers.sweeps.slices import FACTORS, slice_of
from nhlib.explorers.sweeps.sweep_explorer import SweepExplorer
from nhlib.explorers.sweeps.tables import labels

RESULTS = Path(__file__).parents[2] / "book" / "results"
EXPERIMENTS = "layer_width training_time sample_size regularization label_noise".split()
QUICK = {"widths": [4, 8], "epochs": [0, 1], "train_sizes": 100, "measures": "redundancy"}


@pytest.fixture(scope="module")
def mnist():
    """Return the stored runs of all experiments."""
    return pd.concat(
        pd.read_csv(RESULTS / f"mnist_{name}.csv", dtype={"widths": str}) for name in EXPERIMENTS
    )


@pytest.fixture(scope="module")
def quick():
    """Return a small sweep of the digits."""
    return nh.sweep("digits", **QUICK, seeds=range(2), progress=False)


# -- what is shown ---------------------------------------------------------------------------

REVIVE = """
  const revive = (value) =>
    value?.bytes ? new DataView(Uint8Array.from(value.bytes).buffer)
    : value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]))
    : value;
  const slices = new Slices(revive(given.stored), given.protocols, given.own);
"""


def plain(value):
    """Return what is embedded as JSON has it."""
    if isinstance(value, bytes):
        return {"bytes": list(value)}
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def in_the_page(node, explorer, wishes, own=()):
    """Return the slices that the script shows: with statistics of every point.

    `own` are rows that the reader has beside those of the table.
    """
    script = (
        REVIVE
        + """return given.wishes.map(({ measures, along, lines, wanted }) => {
          const slice = slices.slice(measures, along, lines, wanted);
          if (!slice) return null;
          const stats = slice.points.map((cell) => [slice.along, slice.lines].map((f) => cell[f])
            .concat(measures.map((name) => slices.table.stats(cell, name))));
          return { ...slice, points: stats, all: slice.all.length };
        });"""
    )
    name = explorer.table
    stored = plain(explorer._stored[name])
    if own:  # with columns that only these have
        stored["measures"] = {**dict.fromkeys(labels()), **stored["measures"]}
    asked = {"stored": stored, "protocols": explorer._protocols, "own": list(own)}
    return node({"sweeps/slices.js": "Slices"}, script, {**asked, "wishes": wishes})


def assert_same_slices(node, explorer, wishes, own=(), table=None):
    table = explorer.tables[explorer.table] if table is None else table
    for wish, theirs in zip(wishes, in_the_page(node, explorer, wishes, own), strict=True):
        ours = slice_of(table, wish["measures"], wish["along"], wish["lines"], wish["wanted"])
        if ours is None:
            assert theirs is None
            continue
        assert (theirs["along"], theirs["lines"]) == (ours.along, ours.lines)
        assert theirs["held"] == ours.held
        assert theirs["drawn"] == ours.drawn
        by = [ours.along] + ([] if ours.lines == "none" else [ours.lines])
        means = {key if len(by) > 1 else key[0]: rows for key, rows in ours.points.groupby(by)}
        assert len(theirs["points"]) == len(means)
        for x, line, *stats in theirs["points"]:
            rows = means[x if len(by) == 1 else (x, line)]
            for name, found in zip(wish["measures"], stats, strict=True):
                known = rows[name].dropna()
                if not len(known):
                    assert found is None
                    continue
                expected = [known.mean(), known.min(), known.max()]
                assert [found[k] for k in ("y", "low", "high")] == pytest.approx(expected, abs=6e-5)
                assert sorted(found["seeds"]) == sorted(rows.loc[known.index, "seed"])


def test_every_pair_of_factors_is_shown_as_pandas_has_it(node, mnist):
    explorer = SweepExplorer({"MNIST": mnist})
    rng = np.random.default_rng(0)
    wishes = []
    known = explorer.tables["MNIST"]
    for along in FACTORS:
        for lines in ("none", *FACTORS):
            wanted = {f: known[f].iloc[rng.integers(len(known))] for f in FACTORS}
            wanted = {f: v.item() if hasattr(v, "item") else v for f, v in wanted.items()}
            measures = [list(labels())[rng.integers(len(labels()))]]
            if measures[0] in known:
                wishes.append(
                    {"measures": measures, "along": along, "lines": lines, "wanted": wanted}
                )
    assert len(wishes) > 50
    assert_same_slices(node, explorer, wishes)


@st.composite
def incomplete(draw):
    """Draw a table with holes, in which few factors vary."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(4, 60))
    choose = {
        "widths": ["5", "10", "10-10", "20"],
        "epoch": [0, 1, 10],
        "protocol": ["A", "B"],
        "train_size": [100, 1000],
        "batch_size": [64, 128],
        "l2": [0.0, 1e-4],
    }
    varied = draw(st.lists(st.sampled_from(list(choose)), min_size=1, max_size=5, unique=True))
    rows = {
        name: rng.choice(values, n) if name in varied else [values[0]] * n
        for name, values in choose.items()
    }
    rows |= {"data": "digits", "batch_norm": False, "dropout": 0.0, "label_noise": 0.0}
    table = pd.DataFrame({**rows, "seed": rng.integers(0, 3, n)})
    for name in ("knn", "redundancy_train"):
        table[name] = np.where(rng.random(n) < 0.3, np.nan, rng.random(n))
    table.loc[0, ["knn", "redundancy_train"]] = 0.5
    table["train_accuracy"] = table["train_loss"] = table["test_accuracy"] = rng.random(n)
    keys = [*choose, "batch_norm", "dropout", "label_noise", "data", "seed"]
    return table.drop_duplicates(keys, ignore_index=True)


@given(incomplete(), st.sampled_from(FACTORS), st.sampled_from(["none", *FACTORS]))
@settings(max_examples=25)
def test_tables_with_holes(node, table, along, lines):
    try:
        explorer = SweepExplorer({"digits": table})
    except ValueError:
        assume(False)  # nothing varies
    wanted = {"protocol": "B", "depth": 1, "width": 12, "train_size": 400, "epoch": 4}
    wanted |= {"label_noise": 0.0, "dropout": 0.0, "batch_norm": False, "l2": 0.0}
    wanted |= {"batch_size": 100}
    wishes = [
        {"measures": measures, "along": along, "lines": lines, "wanted": wanted}
        for measures in (["knn"], ["redundancy_train"], ["knn", "redundancy_train"])
        if lines == "none" or len(measures) == 1
    ]
    assert_same_slices(node, explorer, wishes)


@given(incomplete(), st.sampled_from(FACTORS), st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_the_readers_rows_stand_beside_those_of_the_table(node, table, along, seed):
    mine = np.random.default_rng(seed).random(len(table)) < 0.4
    shared = table[mine].head(3)  # which the table has, too, and which then count as its own
    try:
        whole = SweepExplorer({"digits": table})
        explorer = SweepExplorer({"digits": pd.concat([table[~mine], shared])})
    except ValueError:
        assume(False)  # nothing varies
    own = [row.dropna().to_dict() for _, row in table[mine].astype(object).iterrows()]
    wanted = {"protocol": "B", "depth": 1, "width": 12, "train_size": 400, "epoch": 4}
    wanted |= {"label_noise": 0.0, "dropout": 0.0, "batch_norm": False, "l2": 0.0}
    wanted |= {"batch_size": 100}
    wishes = [
        {"measures": [measure], "along": along, "lines": lines, "wanted": wanted}
        for measure in ("knn", "redundancy_train")
        for lines in ("none", "width")
    ]
    assert_same_slices(node, explorer, wishes, own, whole.tables["digits"])


def test_tables_that_overlap_are_one(mnist):
    explorer = SweepExplorer({"MNIST": pd.concat([mnist, mnist.iloc[:500]])})
    assert len(explorer.tables["MNIST"]) == len(SweepExplorer({"MNIST": mnist}).tables["MNIST"])


def test_a_table_is_split_by_its_data(mnist, quick):
    explorer = SweepExplorer(pd.concat([quick, mnist]), table="mnist")
    assert list(explorer.tables) == ["digits", "mnist"]
    assert explorer.measure == "redundancy_train"


@pytest.mark.parametrize(
    ("tables", "given", "error", "words"),
    [
        (lambda t: 3, {}, TypeError, "a table of nh.sweep, or a dict of some by name"),
        (lambda t: {}, {}, TypeError, "a table of nh.sweep, or a dict of some by name"),
        (lambda t: {"a": 3}, {}, TypeError, "'a' is a table of nh.sweep, not 3"),
        (lambda t: {"a": t.drop(columns="seed")}, {}, ValueError, "seed"),
        (
            lambda t: {"a": t.assign(data=["x", "y"] * (len(t) // 2))},
            {},
            ValueError,
            "one data set",
        ),
        (
            lambda t: {"a": t.assign(widths="3-4")},
            {},
            ValueError,
            "equally wide are needed, not 3-4",
        ),
        (lambda t: {"a": t.assign(redundancy_train=1.5)}, {}, ValueError, "0 to 1 are needed"),
        (lambda t: {"a": t[t["widths"] == "4"].query("epoch == 0")}, {}, ValueError, "two values"),
        (lambda t: t, {"along": "dropout"}, ValueError, "along: 'digits' has no chart of"),
        (lambda t: t, {"lines": "depth"}, ValueError, "lines: 'digits' has no chart of"),
        (lambda t: t, {"table": "cats"}, traitlets.TraitError, "digits"),
        (lambda t: t, {"widths": 3}, TypeError, "no setting 'widths'; it has .*width"),
    ],
)
def test_what_is_wrong_is_named(quick, tables, given, error, words):
    with pytest.raises(error, match=words):
        SweepExplorer(tables(quick), **given)


def test_the_still_says_what_it_shows(quick):
    html = SweepExplorer(quick, lines="epoch")._repr_mimebundle_()[0]["text/html"]
    means = quick.query("epoch == 0").groupby("widths")["redundancy_train"].mean()
    assert f"The curve untrained goes from {means['4']:.3f} to {means['8']:.3f}." in html
    assert "Means over 2 seeds" in html


# -- new points ------------------------------------------------------------------------------


def ask(explorer, kind="run", table="digits", **asked):
    explorer._handle_custom_msg({"kind": kind, "table": table, "settings": asked}, [])


def wait(explorer, *states, patience=120):
    """Wait until a run has ended, or is in a state; return how it stands."""
    deadline = time.monotonic() + patience
    while explorer._run["state"] not in (states or ("done", "failed", "cancelled")):
        assert time.monotonic() < deadline, explorer._run
        time.sleep(0.01)
    return explorer._run


def test_new_points_are_those_of_sweep(quick):
    explorer = SweepExplorer(quick)
    packed = explorer._stored["digits"]
    ask(explorer, widths=[6], epochs=[0, 1], train_sizes=[100], seeds=[0, 1], measures="redundancy")
    assert wait(explorer)["text"] == "Done: 4 new rows."
    assert (explorer._run["done"], explorer._run["total"]) == (4, 4)
    swept = nh.sweep("digits", **{**QUICK, "widths": 6}, seeds=range(2), progress=False)
    new = explorer.tables["digits"].query("width == 6")
    assert new["redundancy_train"].tolist() == swept["redundancy_train"].tolist()
    assert explorer._stored["digits"]["rows"] == packed["rows"] + 4
    # Again, there is nothing to do.
    ask(explorer, widths=[6], epochs=[0, 1], train_sizes=[100], seeds=[0, 1], measures="redundancy")
    assert wait(explorer)["text"] == "All of this is in the table already."


def test_rows_stream_in_and_a_run_is_cancelled(quick):
    explorer = SweepExplorer(quick)
    grown = []
    explorer.observe(lambda change: grown.append(change.new["digits"]["rows"]), "_stored")
    ask(explorer, widths=list(range(10, 90)), epochs=[20], train_sizes=[1437], seeds=[0, 1, 2])
    deadline = time.monotonic() + 120
    while not grown:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # Meanwhile another request is not heard, and this one goes on.
    ask(explorer, widths=[5], epochs=[1], seeds=[0])
    assert explorer._run["state"] == "running"
    ask(explorer, kind="cancel")
    run = wait(explorer)
    assert run["state"] == "cancelled"
    assert 0 < run["done"] < run["total"] == 240
    assert f"{run['done']} of 240 rows are measured and kept" in run["text"]
    assert len(explorer.tables["digits"]) == len(quick) + run["done"] == grown[-1]
    # What came is whole, and the next request finds it.
    ask(explorer, widths=[5], epochs=[1], train_sizes=[100], seeds=[0], measures="redundancy")
    assert wait(explorer, "done")["text"] == "Done: 1 new row."


def test_one_long_training_is_cancelled(quick):
    explorer = SweepExplorer(quick)
    ask(explorer, widths=[100], epochs=[10**6], train_sizes=[1437], seeds=[0, 1])
    deadline = time.monotonic() + 120
    while not explorer._run["text"].startswith("Training"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ask(explorer, kind="cancel")
    assert wait(explorer)["text"] == "Cancelled. 0 of 2 rows are measured and kept."
    assert explorer._run["state"] == "cancelled"
    assert len(explorer.tables["digits"]) == len(quick)


def test_closing_ends_the_run(quick):
    explorer = SweepExplorer(quick)
    ask(explorer, widths=list(range(10, 90)), epochs=[50], train_sizes=[1437], seeds=[0, 1, 2])
    thread = explorer._thread
    assert thread is not None
    while not explorer._run["text"].startswith("Training"):  # a file may be open before
        time.sleep(0.01)
    explorer.close()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("table", "asked", "words"),
    [
        ("cats", {"widths": [3]}, "table: there are digits, not 'cats'"),
        ("digits", {"depth": 3}, "settings: some of .*widths.* are needed, not {'depth': 3}"),
        ("digits", {"widths": [0], "epochs": [1]}, "widths"),
        ("digits", {"widths": [3], "epochs": [1], "train_sizes": [5000]}, "train_size"),
        ("digits", {"widths": [3], "epochs": [-1]}, "epochs"),
        ("digits", {"widths": "many", "epochs": [1]}, "widths"),
    ],
)
def test_requests_that_cannot_be_met(quick, table, asked, words):
    explorer = SweepExplorer(quick)
    ask(explorer, table=table, **asked)
    run = wait(explorer, "failed")
    assert re.search(words, run["text"]), run["text"]
    assert len(explorer.tables["digits"]) == len(quick)


def test_messages_that_are_none_are_not_heard(quick):
    explorer = SweepExplorer(quick)
    for message in (None, 3, {}, {"kind": "dance"}, {"kind": "cancel"}):
        explorer._handle_custom_msg(message, [])
    assert explorer._run["state"] == "idle"


def test_training_that_diverges_is_told(quick):
    explorer = SweepExplorer(quick)
    ask(
        explorer,
        widths=[4],
        epochs=[3],
        train_sizes=[100],
        l2=[1e39],
        seeds=[0],
        measures="redundancy",
    )
    assert re.search("Some training failed: .*not finite", wait(explorer)["text"])
