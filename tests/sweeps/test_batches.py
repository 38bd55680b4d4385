"""Batches hold every network once, those together that train together, and never too many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nhlib as nh
from nhlib.sweeps.batches import Batch, divide, examples_shown, source
from nhlib.sweeps.configuration import Moment
from nhlib.sweeps.grid import Grid
from nhlib.sweeps.results import Results

GRIDS = st.fixed_dictionaries(
    {
        "data": st.sampled_from(["moons", "digits", ["moons", "digits"]]),
        "widths": st.sampled_from([[5], [5, 9, 30], [5, (9, 7), (5, 5)]]),
        "epochs": st.sampled_from([0, [0, 3], [1, 2, 40]]),
        "train_sizes": st.sampled_from([None, [100], [100, 250, 500, 999]]),
        "seeds": st.sampled_from([0, range(4)]),
        "protocols": st.sampled_from(["A", ["A", "B"]]),
        "l2": st.sampled_from([None, [0, 1e-3]]),
        "dropout": st.sampled_from([0, [0, 0.5]]),
        "label_noise": st.sampled_from([0, [0, 0.5]]),
    }
)


def missing(grid):
    with Results(":memory:") as results:
        return grid.missing(results)


@given(GRIDS, st.sampled_from([1.0, 1e5, 1e6, 1e9]), st.integers(1, 9), st.data())
@settings(max_examples=60)
def test_every_network_is_in_one_batch_of_its_kind(given_grid, most, least, data):
    grid = Grid(**given_grid, measures="redundancy")
    late = missing(grid)
    # Of a sweep that was interrupted, some rows are there.
    for c in data.draw(st.lists(st.sampled_from(list(late)), max_size=5, unique=True)):
        late[c] = late[c][-1:]
    batches = list(divide(grid, late, most=most, least=least))
    assert sum(len(batch.networks) for batch in batches) == len(late)
    found = {c: epochs for batch in batches for c, epochs in batch.networks.items()}
    assert found == late
    for batch in batches:
        whole = grid.data[batch.data]
        kinds = {
            (
                *(c.data, c.protocol, c.batch_norm, c.l2, c.dropout),
                *(len(c.widths), max(late[c]), c.examples_an_epoch(whole)),
            )
            for c in batch.networks
        }
        assert len(kinds) == 1
        assert (batch.measures, batch.device) == (("redundancy",), None)
    # Where there is a choice, a batch sees about as much as it may, and no more.
    for batch in batches:
        shown = [examples_shown(grid, c, epochs) for c, epochs in batch.networks.items()]
        streams = {(source(c), c.seed) for c in batch.networks}
        if len(batch.networks) >= 2 * least:
            assert sum(shown) <= max(1.5 * most, 2 * least * max(shown))
        if len(streams) > 1 and len(batch.networks) > least + max(
            sum((source(c), c.seed) == stream for c in batch.networks) for stream in streams
        ):
            assert sum(shown) <= most


def sizes(batches):
    return [len(batch.networks) for batch in batches]


def test_networks_that_share_minibatches_stay_together():
    # One that trained alone would be slow: six widths of a seed, of which each sees very much.
    grid = Grid(widths=range(3, 20), epochs=[0, 5000], seeds=range(2))
    batches = list(divide(grid, missing(grid)))
    assert sizes(batches) == [8, 9, 8, 9]
    assert all(len({c.seed for c in batch.networks}) == 1 for batch in batches)
    # On an accelerator more of them take hardly longer.
    assert sizes(divide(grid, missing(grid), "cuda")) == [8, 9, 8, 9]
    grid = Grid(widths=range(3, 20), epochs=[0, 1100], seeds=range(2))
    assert sizes(divide(grid, missing(grid), "cuda")) == [17, 17]


def test_chapter_6_is_cut_by_its_sample_sizes():
    widths = (10, 20, 25, 30, 40, 50, 60, 70, 80, 100, 140, 200)
    train_sizes = [1437 // k for k in (16, 12, 8, 6, 4, 3, 2, 1)]
    grid = Grid(
        widths=widths,
        epochs=(0, 1, 3, 6, 10, 30, 60, 100),
        train_sizes=train_sizes,
        seeds=range(3),
    )
    batches = list(divide(grid, missing(grid)))
    assert len(batches) >= 7
    assert max(sizes(batches)) == 36


def test_a_batch_measures_what_it_holds():
    grid = Grid(data="moons", widths=[4, 5], epochs=[0, 1, 2], measures="redundancy")
    whole = nh.load("moons")
    (batch,) = divide(grid, missing(grid))
    one, other = batch.networks
    late = {one: [Moment(2, 0)], other: [Moment(0, 0), Moment(2, 0)]}
    part = Batch("moons", late, ("redundancy",))
    rows = [(row["widths"], row["epoch"]) for row in part.rows(whole)]
    assert rows == [("4", 2), ("5", 0), ("5", 2)]
    alone = nh.sweep("moons", [4, 5], [0, 2], measures="redundancy", progress=False)
    found = [row["redundancy_train"] for row in part.rows(whole)]
    assert found == pytest.approx(alone["redundancy_train"].tolist()[1:], abs=0.005)
