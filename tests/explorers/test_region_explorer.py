"""RegionExplorer's own network, trained by the script that is shipped, beside nhlib's."""

import numpy as np
import pytest
import torch
import traitlets

import nhlib as nh
from nhlib.explorers.regions.region_explorer import RegionExplorer

ENGINE = {"regions/network.js": "Network", "regions/adam.js": "Adam"}
LOAD = "const net = new Network(given.sizes).load(Float32Array.from(given.weights));"


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()]).tolist()


def grid(side):
    """Return the nodes row by row from the top, x first."""
    axis = torch.linspace(-1, 1, side)
    return torch.cartesian_prod(axis.flip(0), axis).flip(1)


@pytest.mark.parametrize("widths", [[1], [8, 8], [16, 16], [24, 24, 24]])
@pytest.mark.parametrize("seed", [0, 7, 99])
def test_the_page_starts_with_the_weights_of_mlp(node, widths, seed):
    sizes = [2, *widths, 2]
    script = "return Array.from(Network.glorot(given.sizes, given.seed).flat());"
    drawn = node(ENGINE, script, {"sizes": sizes, "seed": seed})
    # A machine without fused products and sums rounds once more.
    assert np.allclose(drawn, flat(nh.mlp(2, widths, 2, seed=seed)), rtol=0, atol=1.2e-7)


@pytest.mark.parametrize("data", ["moons", "spirals"])
@pytest.mark.parametrize(("widths", "classes"), [([16, 16], 2), ([5], 2), ([7, 6, 5], 2)])
def test_same_start_and_batches_give_the_same_losses(node, data, widths, classes):
    steps, n, rate = 100, 64, 0.01
    train = nh.load(data).train
    network = nh.mlp(2, widths, classes, seed=3)
    rows = [torch.arange(64 * (i % 5), 64 * (i % 5) + n) for i in range(steps)]
    script = (
        f"{LOAD} const adam = new Adam(net); const losses = [];"
        "for (const rows of given.rows) {"
        "  const x = Float32Array.from(rows.flatMap((i) => given.inputs[i]));"
        "  const y = rows.map((i) => given.labels[i]);"
        "  losses.push(adam.step(x, y, rows.length, given.rate)); }"
        "return [losses, Array.from(net.flat())];"
    )
    given = {
        "sizes": [2, *widths, classes],
        "weights": flat(network),
        "rows": [r.tolist() for r in rows],
        "inputs": train.inputs.tolist(),
        "labels": train.labels.tolist(),
        "rate": rate,
    }
    ours, weights = node(ENGINE, script, given)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, eps=1e-7)
    theirs = []
    for batch in rows:
        loss = torch.nn.functional.cross_entropy(network(train.inputs[batch]), train.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        theirs.append(loss.item())
    assert np.abs(np.subtract(ours, theirs)).max() < 1e-4
    assert np.abs(np.subtract(weights, flat(network))).max() < 1e-2


@pytest.mark.parametrize("widths", [[3], [16, 16], [40], [20, 20, 20]])
def test_same_weights_give_the_same_codes_on_a_grid(node, widths):
    network = nh.mlp(2, widths, 2, seed=1)
    for parameter in network.parameters():
        parameter.data += 0.1
    script = (
        f"{LOAD} const onGrid = Array.from(net.forwardOnGrid(128));"
        "return { codes: Array.from(net.codes()), onGrid,"
        "  values: net.sizes.slice(1, -1).map((_, l) => Array.from(net.values[l + 1])),"
        "  decided: Array.from(net.decisions()) };"
    )
    given = {"sizes": [2, *widths, 2], "weights": flat(network)}
    seen = node(ENGINE, script, given)
    assert seen["onGrid"] == seen["codes"]
    points = grid(128)
    theirs = nh.encode(network, points).bits()
    words = np.array(seen["codes"], np.uint32).reshape(len(points), -1)
    ours = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, : theirs.shape[1]]
    # Bits may differ only where a value is at the level of rounding.
    values = np.concatenate([np.reshape(v, (len(points), -1)) for v in seen["values"]], axis=1)
    assert np.abs(values[ours != theirs]).max(initial=0) < 1e-5
    assert (ours != theirs).mean() < 1e-5
    script = "return numbered(Uint32Array.from(given.codes), given.words);"
    given = {"codes": seen["codes"], "words": words.shape[1]}
    counted = node({"regions/numbering.js": "numbered"}, script, given)
    assert counted["distinct"] == len(np.unique(ours, axis=0))
    first = np.unique(ours, axis=0, return_inverse=True)[1].ravel()
    pairs = set(zip(first.tolist(), counted["numbers"].values(), strict=True))
    assert len(pairs) == counted["distinct"]  # equal codes have one number, and only they
    decided = network(points).argmax(1).numpy()
    assert (np.array(list(seen["decided"])) == decided).mean() > 0.9999


def test_lines_are_where_the_value_is_zero(node):
    script = (
        "const side = 41, values = new Float32Array(side * side), ends = [];"
        "for (let r = 0; r < side; r++) for (let c = 0; c < side; c++)"
        "  values[r * side + c] = Math.hypot(c / 40 - 0.5, r / 40 - 0.5) - 0.31;"
        "const path = { moveTo: (x, y) => ends.push([x, y]), lineTo: (x, y) => ends.push([x, y]) };"
        "contour(path, values, side); return ends;"
    )
    ends = np.array(node({"regions/contours.js": "contour"}, script, None))
    radius = np.hypot(*(ends - 0.5).T)
    assert np.abs(radius - 0.31).max() < 0.002
    # Segments join end to end: every end is that of exactly two.
    _, counts = np.unique(ends.round(6), axis=0, return_counts=True)
    assert (counts == 2).all()
    lengths = np.hypot(*(ends[::2] - ends[1::2]).T)
    assert lengths.sum() == pytest.approx(2 * np.pi * 0.31, rel=0.01)


def test_a_saddle_gives_two_lines_that_do_not_cross(node):
    script = (
        "return [[1, -1, -1, 1], [-1, 1, 1, -1]].map((values) => { const ends = [];"
        "contour({ moveTo: (...p) => ends.push(p), lineTo: (...p) => ends.push(p) },"
        "  Float32Array.from(values), 2); return ends; });"
    )
    for ends in node({"regions/contours.js": "contour"}, script, None):
        assert len(ends) == 4
        middles = (np.array(ends[::2]) + ends[1::2]) / 2
        assert np.abs(middles[0] - middles[1]).sum() == pytest.approx(1)


def test_borders_are_the_contours_of_all_units(node):
    script = (
        "const recorder = () => { const ends = []; const add = (x, y) => ends.push([x, y]);"
        "  return { ends, moveTo: add, lineTo: add }; };"
        "const { sizes, values } = given; const side = 24;"
        "const network = { sizes, values: [null, ...values.map((v) => Float32Array.from(v))] };"
        "const paths = values.map(recorder);"
        "borders(paths, network, Uint32Array.from(given.codes), side);"
        "const alone = values.map((_, l) => { const path = recorder();"
        "  for (let u = 0; u < sizes[l + 1]; u++) contour(path,"
        "    network.values[l + 1].filter((_, i) => i % sizes[l + 1] === u), side);"
        "  return path.ends; });"
        "return [paths.map((path) => path.ends), alone];"
    )
    network = nh.mlp(2, [20, 17], 2, seed=2)
    for parameter in network.parameters():
        parameter.data += 0.05
    points = grid(24)
    with torch.no_grad():
        first = network.linear1(points)
        values = [first, network.linear2(first.relu())]
    bits = nh.encode(network, points).bits()
    words = np.packbits(np.pad(bits, ((0, 0), (0, 64 - bits.shape[1]))), 1, "little")
    given = {"sizes": [2, 20, 17, 2], "values": [v.flatten().tolist() for v in values]}
    given["codes"] = words.view("<u4").ravel().tolist()
    ours, alone = node({"regions/contours.js": "borders, contour"}, script, given)
    for mine, theirs in zip(ours, alone, strict=True):
        assert len(mine) > 50
        assert sorted(mine) == sorted(theirs)


def test_settings_are_what_the_network_is_made_of():
    explorer = RegionExplorer(
        data="spirals", width=5, depth=3, sample_size=50, label_noise=0.2, seed=4, epochs=7
    )
    data = explorer.dataset()
    assert len(data.train) == 50
    expected = nh.mlp(2, [5, 5, 5], 2, seed=4)
    noisy = nh.with_label_noise(nh.load("spirals", 50), 0.2)
    nh.fit(expected, noisy, nh.Recipe(epochs=7, batch_size=50, learning_rate=0.01), seed=4)
    for ours, theirs in zip(explorer.network().parameters(), expected.parameters(), strict=True):
        assert ours.equal(theirs)


def test_all_points_and_labels_are_embedded():
    explorer = RegionExplorer()
    for name in ("moons", "spirals"):
        points = np.frombuffer(explorer._points[name], np.float32).reshape(-1, 2)
        assert np.array_equal(points, nh.load(name, 500).train.inputs.numpy())
        data = nh.with_label_noise(nh.load(name, 200), 0.4)
        labels = np.frombuffer(explorer._labels[name]["200 0.4"], np.uint8)
        assert np.array_equal(labels, data.train.labels.numpy())


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"width": 0}, traitlets.TraitError, "width"),
        ({"width": 25}, traitlets.TraitError, "24"),
        ({"data": "digits"}, traitlets.TraitError, "moons"),
        ({"sample_size": 99}, traitlets.TraitError, "sample_size"),
        ({"epochs": -1}, traitlets.TraitError, "epochs"),
        ({"learning_rate": "fast"}, traitlets.TraitError, "learning_rate"),
        ({"wdith": 8}, TypeError, "no setting 'wdith'; it has data, .*width"),
    ],
)
def test_bad_settings_are_named(settings, error, words):
    with pytest.raises(error, match=words):
        RegionExplorer(**settings)


def test_pytorch_counts_what_the_page_can_only_see():
    explorer, sent = RegionExplorer(width=4, depth=1, epochs=20), []
    explorer.send = sent.append
    explorer._handle_custom_msg({"kind": "count"}, [])
    network = explorer.network()
    codes = nh.encode(network, explorer.dataset().train.inputs)
    assert sent == [
        {"kind": "counting"},
        {
            "kind": "counted",
            "regions": nh.partition(network).n_regions,
            "redundancy": nh.redundancy_ratio(codes),
        },
    ]


def test_still_says_what_it_shows():
    bundle, _ = RegionExplorer(width=3, depth=1, epochs=5)._repr_mimebundle_()
    html = bundle["text/html"]
    assert "<svg" in html
    assert "linear regions of a 2-3-2 network" in html
    assert 'role="img" aria-label="A square cut' in html
    assert "#1f2733)" in html  # inks are the page's, with the style sheet's to fall back on
    assert "application/vnd.jupyter.widget-view+json" in bundle
