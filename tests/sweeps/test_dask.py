"""A sweep on a Dask cluster gives what one in this process gives, whatever happens to workers."""

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

import nhlib as nh  # noqa: E402
from nhlib import __main__  # noqa: E402
from nhlib.sweeps import batches, configuration, running  # noqa: E402
from nhlib.sweeps.configuration import KEYS  # noqa: E402
from nhlib.sweeps.results import Results  # noqa: E402

# After which anything that is waited for has gone wrong.
SECONDS = 120
GRID = {
    "data": "digits",
    "widths": [8, (9, 7)],
    "epochs": [0, 2],
    "seeds": [0, 1, 2],
    "protocols": ["A", "B"],
    "measures": ["redundancy", "knn"],
    "progress": False,
}


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="localhost:0"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def alone():
    """Return the table of one process."""
    return nh.sweep(**GRID)


@pytest.fixture
def client(cluster):
    # No default: a sweep takes the client that it is given.
    with distributed.Client(cluster, set_as_default=False, timeout=SECONDS) as connected:
        connected.wait_for_workers(2, timeout=SECONDS)
        yield connected


@pytest.fixture(autouse=True)
def patience():
    """Stop a test that hangs."""

    def stop(*_):
        raise TimeoutError(f"longer than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def untrained(monkeypatch):
    """Train nothing in this process."""
    monkeypatch.setattr(batches, "Population", None)
    monkeypatch.setattr(batches, "fit", None)


def put(client, make):
    """Replace what measures in the workers."""

    def change():
        batches.Batch.before = batches.Batch.rows
        batches.Batch.rows = make(batches.Batch.rows)

    client.run(change)


@pytest.fixture
def in_workers(client):
    """Return what replaces what measures in the workers, as long as a test lasts."""

    def restore():
        if hasattr(batches.Batch, "before"):  # it is another process than before
            batches.Batch.rows = batches.Batch.before
            del batches.Batch.before

    yield lambda make: put(client, make)
    client.wait_for_workers(2, timeout=SECONDS)
    client.run(restore)


def agree(one, other):
    """Compare tables of networks that were trained in different company."""
    assert one[list(KEYS)].equals(other[list(KEYS)])
    assert list(one) == list(other)
    measures = one.select_dtypes("number").columns.difference(KEYS)
    assert len(measures) >= 6
    # A code that differs by rounding can lead K-Means to another of its local optima.
    steady = measures.drop("kmeans", errors="ignore")
    assert np.allclose(one[steady], other[steady], atol=0.03, equal_nan=True)
    if "kmeans" in measures:
        assert np.allclose(one["kmeans"], other["kmeans"], atol=0.15, equal_nan=True)


def idle(client):
    """Tell whether the cluster has nothing left to do, soon."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        tasks = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
        if not tasks and not any(client.processing().values()):
            return True
        time.sleep(0.05)
    return False


def test_the_table_is_that_of_one_process(client, alone, tmp_path, untrained, monkeypatch):
    store = tmp_path / "runs.sqlite"
    opened = []

    class Seen(Results):
        def __init__(self, path):
            opened.append(path)
            super().__init__(path)

    monkeypatch.setattr(running, "Results", Seen)
    table = nh.sweep(**GRID, client=client, store=store)
    assert opened == [store]
    agree(table, alone)
    assert len(table) == 2 * 2 * 3 * 2
    with Results(store) as results:
        assert results.table().equals(table)
    # Untrained networks are the same to the last bit.
    measures = ["redundancy_train", "redundancy_random_n", "knn"]
    start = table["epoch"] == 0
    assert table.loc[start, measures].equals(alone.loc[start, measures])


def test_codes_are_extracted_in_shards(client, tmp_path):
    # The recipe in the notes of nhlib.encode.
    network, inputs = nh.mlp(20, [30, 11], 4), np.random.default_rng(0).random((50, 20), np.float32)
    np.save(tmp_path / "inputs.npy", inputs)

    def shard(start, stop):
        mapped = np.load(tmp_path / "inputs.npy", mmap_mode="r")[start:stop]
        nh.encode(network, mapped, out=tmp_path / f"codes-{start:07}.safetensors")

    starts = range(0, 50, 20)
    found = client.map(shard, starts, [start + 20 for start in starts])
    client.gather(found)  # raises what a shard raised
    shards = [nh.NeuralCodes.load(path) for path in sorted(tmp_path.glob("codes-*"))]
    assert [len(codes) for codes in shards] == [20, 20, 10]
    expected = nh.encode(network, inputs)
    assert np.array_equal(np.concatenate([codes.packed for codes in shards]), expected.packed)


def test_the_work_is_shared(client):
    def done():
        return client.run(lambda dask_worker: dask_worker.state.executed_count)

    before = done()
    nh.sweep(**GRID, client=client)
    more = [n - before[worker] for worker, n in done().items()]
    assert len(more) == 2
    assert min(more) >= 2


def test_dropout_and_several_data_sets(client):
    grid = {"data": ["moons", "digits"], "widths": [8], "epochs": [1], "dropout": [0, 0.3]}
    grid |= {"batch_norm": [False, True], "seeds": [3, 4], "progress": False}
    table = nh.sweep(**grid, client=client)
    agree(table, nh.sweep(**grid))
    assert len(table) == 2 * 2 * 2 * 2


def test_only_epoch_0(client):
    grid = {**GRID, "epochs": 0}
    agree(nh.sweep(**grid, client=client), nh.sweep(**grid))


def test_a_sweep_goes_on_with_a_client(client, tmp_path, untrained):
    store = tmp_path / "runs.sqlite"
    first = nh.sweep(**{**GRID, "seeds": [0, 1]}, client=client, store=store)
    again = nh.sweep(**{**GRID, "seeds": [0, 1]}, store=store)  # with nothing to train
    assert again.equals(first)
    assert nh.sweep(**{**GRID, "seeds": [0, 1]}, client=client, store=store).equals(first)
    more = nh.sweep(**GRID, client=client, store=store)
    assert more[more["seed"] < 2].reset_index(drop=True).equals(first)
    assert len(more) == 24
    with Results(store) as results:
        assert len(results) == 24


def test_nothing_is_remembered_from_the_last_sweep(client, in_workers):
    first = nh.sweep(**GRID, client=client)

    def other(real):
        def rows(*args):
            for row in real(*args):
                yield {**row, "knn": 0.125}

        return rows

    in_workers(other)
    second = nh.sweep(**GRID, client=client)
    assert (second["knn"] == 0.125).all()
    assert not (first["knn"] == 0.125).any()


def test_a_diverged_network_is_a_row_that_says_so(client, monkeypatch):
    def change(rate):

        recipe, norm = configuration.PROTOCOLS["A"]
        recipe = replace(recipe, learning_rate=rate)
        configuration.PROTOCOLS["A"] = configuration.Protocol(recipe, norm)

    client.run(change, 1e30)
    try:
        table = nh.sweep(**GRID, client=client)
    finally:
        client.run(change, nh.Recipe().learning_rate)
    failed = (table["protocol"] == "A") & (table["epoch"] == 2)
    assert table["failed"].notna().equals(failed)
    assert table.loc[failed, "failed"].str.contains("not finite in epoch 1").all()
    assert table["knn"].isna().equals(failed)


# -- the command line --------------------------------------------------------------------------


def test_the_command_line_connects_to_a_cluster(cluster, tmp_path, untrained, capsys):
    table = tmp_path / "table.csv"
    grid = f"sweep --widths 8 --epochs 1 --seeds 0 1 2 --measures redundancy --table {table}"
    assert __main__.main([*grid.split(), "--dask", cluster.scheduler_address]) == 0
    assert capsys.readouterr().out == f"3 rows are in {table}\n"


def test_the_command_line_starts_workers(tmp_path, untrained, capsys):
    store = tmp_path / "runs.sqlite"
    grid = f"sweep --widths 8 --epochs 1 --seeds 0 1 2 --measures redundancy --store {store}"
    handler = signal.getsignal(signal.SIGINT)
    assert __main__.main([*grid.split(), "--dask", "1"]) == 0
    assert signal.getsignal(signal.SIGINT) is handler
    assert capsys.readouterr().out == f"3 rows are in {store}\n"
    with Results(store) as results:
        assert len(results) == 3


# -- what goes wrong ---------------------------------------------------------------------------


def test_what_is_no_client(untrained, tmp_path):
    store = tmp_path / "runs.sqlite"
    for other in ("tcp://localhost:8786", 4, object()):
        with pytest.raises(TypeError, match="client: a dask.distributed.Client is needed, not"):
            nh.sweep(**GRID, client=other, store=store)
    assert not store.exists()


def test_results_that_cannot_travel_are_an_error(client, in_workers, tmp_path):
    def strange(real):
        def rows(*args):
            for row in real(*args):
                yield {**row, "failed": (lambda: None) if row["epoch"] else None}

        return rows

    in_workers(strange)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="client: a worker failed: .*failed: a function"):
        nh.sweep(**GRID, client=client, store=tmp_path / "runs.sqlite")
    assert time.monotonic() - start < SECONDS / 2
    assert idle(client)


def test_an_exception_in_a_worker_is_told_and_the_rest_is_kept(client, alone, in_workers, tmp_path):
    store = tmp_path / "runs.sqlite"

    def fails(real):
        def rows(batch, *args):
            import time

            for row in real(batch, *args):
                if row["seed"] == 2 and row["protocol"] == "B" and row["epoch"]:
                    time.sleep(3)  # the others are done by then
                    raise ZeroDivisionError("no such luck")
                yield row

        return rows

    in_workers(fails)
    with pytest.raises(RuntimeError, match="a worker failed: ZeroDivisionError: no such luck"):
        nh.sweep(**GRID, client=client, store=store)
    assert idle(client)
    with Results(store) as results:
        rows = results.table()
    # All but of the piece that failed, of which the rows before count as well.
    assert 12 <= len(rows) < 24
    assert ((rows["seed"] == 2) & (rows["protocol"] == "B") & (rows["epoch"] == 0)).sum() == 1
    both = rows.merge(alone, on=list(KEYS), suffixes=("", "_alone"))
    assert len(both) == len(rows)
    assert np.allclose(both["knn"], both["knn_alone"], atol=0.03)


def slow(real):
    def rows(*args):
        import time

        yield from real(*args)
        time.sleep(0.5)

    return rows


def test_an_interruption_leaves_nothing_running(client, in_workers, tmp_path, monkeypatch):
    store = tmp_path / "runs.sqlite"
    in_workers(slow)

    class Interrupted(Results):
        def add(self, row):
            super().add(row)
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "Results", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        nh.sweep(**GRID, client=client, store=store)
    assert idle(client)
    monkeypatch.undo()
    with Results(store) as results:
        assert len(results) == 1
    assert len(nh.sweep(**GRID, client=client, store=store)) == 24


def test_an_interruption_while_it_waits(client, in_workers, tmp_path):
    store = tmp_path / "runs.sqlite"
    in_workers(slow)

    def press(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, press)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            nh.sweep(**{**GRID, "seeds": range(6)}, client=client, store=store)
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert idle(client)
    with Results(store) as results:
        n = len(results)
    assert n < 48
    assert len(nh.sweep(**GRID, client=client, store=store)) == 24


def test_a_killed_worker_loses_and_repeats_nothing(client, alone, in_workers, tmp_path):
    store, killed = tmp_path / "runs.sqlite", tmp_path / "killed"
    path = str(killed)

    def dies(real):
        def rows(*args):
            import os
            import pathlib
            import signal

            for row in real(*args):
                yield row
                if row["seed"] == 1 and not pathlib.Path(path).exists():
                    pathlib.Path(path).touch()
                    os.kill(os.getpid(), signal.SIGKILL)

        return rows

    in_workers(dies)
    added, real = [], Results.add

    class Counted(Results):
        def add(self, row):
            added.append(tuple(row[key] for key in KEYS))
            real(self, row)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "Results", Counted)
        table = nh.sweep(**GRID, client=client, store=store)
    assert killed.exists()
    assert len(added) == len(set(added)) == len(table) == 24
    agree(table, alone)


def test_a_cluster_that_is_gone_is_an_error(tmp_path):
    store = tmp_path / "runs.sqlite"
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="localhost:0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        added, real = [], Results.add

        def add(self, row):
            real(self, row)
            added.append(row)
            if len(added) == 1:
                cluster.close()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Results, "add", add)
            with pytest.raises(RuntimeError, match="client: a worker failed: .*cancelled"):
                nh.sweep(**{**GRID, "seeds": range(20)}, client=client, store=store)
    with Results(store) as results:
        assert 1 <= len(results) == len(added) < 160


def test_workers_that_always_die_are_an_error():
    """On a cluster of its own: whether and when it has workers again does not matter."""

    def dies(real):
        def rows(*args):
            import os
            import signal

            os.kill(os.getpid(), signal.SIGKILL)
            yield

        return rows

    def never_again(dask_scheduler):
        dask_scheduler.allowed_failures = 0

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="localhost:0"
        ) as doomed,
        distributed.Client(doomed, set_as_default=False, timeout=SECONDS) as client,
    ):
        put(client, dies)
        client.run_on_scheduler(never_again)
        with pytest.raises(RuntimeError, match="client: a worker failed: .*died while running"):
            nh.sweep(**GRID, client=client)
        assert idle(client)
