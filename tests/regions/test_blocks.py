"""A rectangle that is cut block by block is cut as in one piece, to the last bit."""

import signal
import threading
import time

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info
from torch import nn

import nhlib as nh
from nhlib._threads import one_thread_a_product
from nhlib.regions import blocks, descent, row_products
from nhlib.regions.affine import Layer
from nhlib.regions.folding import fold

ONE_BLOCK = 1 << 50


def network_of(*widths, seed=0, bias=True):
    torch.manual_seed(seed)
    layers = []
    for before, after in zip((2, *widths), widths, strict=False):
        layers += [nn.Linear(before, after, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 3))


def convolutional():
    torch.manual_seed(1)
    return nn.Sequential(
        *(nn.Conv2d(1, 3, 3, stride=2), nn.LeakyReLU(0.1), nn.Conv2d(3, 4, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(16, 12), nn.ReLU()),
    )


def lattice():
    """Lines of two layers that coincide, meet in points, and run through corners."""
    first = nn.Linear(2, 12).double()
    rows = [row for row in ([1.0, 0], [0, 1], [1, 1], [1, -1]) for _ in range(3)]
    first.weight.data = torch.tensor(rows, dtype=torch.float64)
    first.bias.data = torch.tensor([-0.5, 0, 0.5] * 4, dtype=torch.float64)
    second = nn.Linear(12, 9).double()
    generator = torch.Generator().manual_seed(0)
    second.weight.data = torch.randint(-2, 3, (9, 12), generator=generator).double() / 2
    second.bias.data = torch.randint(-2, 3, (9,), generator=generator).double() / 2
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(9, 1).double())


IMAGES = torch.rand(3, 1, 9, 9, generator=torch.Generator().manual_seed(0))
CASES = {
    "default": (network_of(20, 20, 20), {}),
    "narrow first": (network_of(3, 40, 40, seed=5), {}),
    "deep": (network_of(*[12] * 6, seed=1), {"extent": (-4.0, 4.0, -4.0, 4.0)}),
    "without biases": (network_of(24, 24, bias=False), {}),
    "more than 64 units": (network_of(70, 9), {}),
    "lattice": (lattice(), {}),
    "convolutions": (convolutional(), {"plane": IMAGES}),
}


def arrays(found):
    return {
        "vertices": found.vertices,
        "edges": found.edges,
        "edge_regions": found.edge_regions,
        "edge_units": found.edge_units,
        "codes": found.codes.packed,
        "polygons": found.polygons.flat,
        "starts": found.polygons.starts,
        "neighbours": found.neighbours.flat,
        "areas": found.areas,
    }


@pytest.fixture(scope="module", params=CASES)
def in_one_piece(request):
    network, arguments = CASES[request.param]
    size, blocks._SIZE = blocks._SIZE, ONE_BLOCK
    try:
        return network, arguments, arrays(nh.partition(network, **arguments, threads=1))
    finally:
        blocks._SIZE = size


@pytest.mark.parametrize(
    ("size", "threads"), [(1 << 17, 1), (1 << 14, 3), (1 << 12, 1), (1 << 12, 2)]
)
def test_blocks_and_threads_do_not_change_a_bit(in_one_piece, size, threads, monkeypatch):
    network, arguments, expected = in_one_piece
    counts, original = [], blocks.Parts.__len__
    monkeypatch.setattr(blocks, "_SIZE", size)
    monkeypatch.setattr(
        blocks.Parts, "__len__", lambda self: counts.append(original(self)) or counts[-1]
    )
    found = arrays(nh.partition(network, **arguments, threads=threads))
    if size == 1 << 12:
        assert max(counts) > 1
    for name, array in found.items():
        assert array.dtype == expected[name].dtype
        assert np.array_equal(array, expected[name]), name


def layer_of(weights):
    rng = np.random.default_rng(0)
    return Layer(weights, rng.normal(size=len(weights)), None, "", (len(weights),))


def rows_are_independent(layer):
    rng = np.random.default_rng(0)
    products = row_products.RowProducts(layer)
    rows = rng.normal(size=(500, layer.weights.shape[1]))
    with one_thread_a_product():
        whole = products.preactivations(rows)
        assert np.allclose(whole, rows @ layer.weights.T + layer.biases, rtol=0, atol=1e-12)
        for k in (1, 2, 95, 96, 97, 300):
            some = rng.permutation(500)[:k]
            assert np.array_equal(products.preactivations(rows[some]), whole[some])
    return products


@pytest.mark.parametrize("n_units", [1, 5, 64, 100])
@pytest.mark.parametrize("n", [1, 7, 64, 300])
def test_rows_of_a_product_do_not_depend_on_each_other(n, n_units):
    weights = np.random.default_rng(0).normal(size=(n_units, n))
    assert rows_are_independent(layer_of(weights))._fields is None


@pytest.mark.parametrize("padding", [0, 1])
def test_nor_do_those_of_receptive_fields(padding):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 16, 3, padding=padding), nn.ReLU())
    layer = fold(network, (3, 12, 12)).layers[0]
    fields = rows_are_independent(layer)._fields
    # Corners, sides and the middle see other numbers of pixels.
    assert len(fields) == (1 if padding == 0 else 3)
    assert {field.units.shape[1] for field in fields} == {16}
    assert sum(field.units.size for field in fields) == len(layer.weights)


def test_units_that_see_little_or_nothing():
    weights = np.zeros((40, 200))
    weights[:30, :3] = np.random.default_rng(0).normal(size=(30, 3))
    weights[35, 7] = 1
    fields = rows_are_independent(layer_of(weights))._fields
    assert sorted(field.weights.shape for field in fields) == [(1, 1, 1), (1, 9, 0), (1, 30, 3)]


def test_numbers_of_threads():
    network = network_of(3)
    with pytest.raises(ValueError, match="threads: a whole number of at least 1"):
        nh.partition(network, threads=0)


# -- limits, progress, interrupts ------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_a_limit_stops_before_all_is_done(threads, monkeypatch):
    monkeypatch.setattr(blocks, "_SIZE", 1 << 13)
    network = network_of(30, 30, 30)
    n = nh.partition(network).n_regions
    assert nh.partition(network, max_regions=n, threads=threads).n_regions == n
    for limit in (n - 1, n // 2, 1):
        with pytest.raises(ValueError, match="max_regions: there are at least ") as caught:
            nh.partition(network, max_regions=limit, threads=threads)
        so_far = int(str(caught.value).split("at least ")[1].split(" ")[0].replace(",", ""))
        assert limit < so_far <= n
        assert f"and {limit:,} are the limit" in str(caught.value)


def many_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_SIZE", 1 << 12)
    return network_of(30, 30, 30)


def test_a_bar_counts_to_a_hundred(monkeypatch):
    network, seen = many_blocks(monkeypatch), []
    original = descent.progress_bar

    def progress_bar(*arguments):
        bar = original(*arguments)
        update = bar.update
        bar.update = lambda n: (seen.append(n), update(n))
        return bar

    monkeypatch.setattr(descent, "progress_bar", progress_bar)
    nh.partition(network)
    assert sum(seen) == 100
    assert min(seen) >= 0
    assert len(seen) > 50


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_leaves_nothing_behind(threads, monkeypatch):
    network = many_blocks(monkeypatch)
    expected = arrays(nh.partition(network, threads=threads))
    before = threading.active_count(), threadpool_info()
    original, cuts = descent.cut_by_layer, []

    def cut_by_layer(*arguments):
        cuts.append(time.perf_counter())
        if len(cuts) == 20:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(descent, "cut_by_layer", cut_by_layer)
    with pytest.raises(KeyboardInterrupt):
        nh.partition(network, threads=threads)
    n = len(cuts)
    assert (threading.active_count(), threadpool_info()) == before
    assert len(cuts) == n  # nobody goes on
    monkeypatch.undo()
    monkeypatch.setattr(blocks, "_SIZE", 1 << 12)
    found = arrays(nh.partition(network, threads=threads))
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
