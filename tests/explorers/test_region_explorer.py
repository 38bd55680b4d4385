"""RegionExplorer's own network, trained by the script that is shipped, beside nhlib's."""

import json
import subprocess

import numpy as np
import pytest
import torch
import traitlets

import nhlib as nh
from nhlib.explorers.common.explorer import FOLDER
from nhlib.explorers.regions.region_explorer import RegionExplorer

ENGINE = {"regions/network.js": "Network", "regions/adam.js": "Adam"}
LOAD = "const net = new Network(given.sizes).load(Float32Array.from(given.weights));"


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()]).tolist()


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
def test_same_weights_give_the_same_codes(node, widths):
    network = nh.mlp(2, widths, 2, seed=1)
    for parameter in network.parameters():
        parameter.data += 0.1
    points = 2 * torch.rand(2000, 2, generator=torch.Generator().manual_seed(0)) - 1
    script = (
        f"{LOAD} net.forward(Float32Array.from(given.points), given.points.length / 2);"
        "return { codes: Array.from(net.codes()), decided: Array.from(net.decisions()),"
        "  values: net.sizes.slice(1, -1).map((_, l) => Array.from(net.values[l + 1])) };"
    )
    given = {"sizes": [2, *widths, 2], "weights": flat(network), "points": points.ravel().tolist()}
    seen = node(ENGINE, script, given)
    theirs = nh.encode(network, points).bits()
    words = np.array(seen["codes"], np.uint32).reshape(len(points), -1)
    ours = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, : theirs.shape[1]]
    # Bits may differ only where a value is at the level of rounding.
    values = np.concatenate([np.reshape(v, (len(points), -1)) for v in seen["values"]], axis=1)
    assert np.abs(values[ours != theirs]).max(initial=0) < 1e-5
    assert (ours != theirs).mean() < 1e-4
    script = "return numbered(Uint32Array.from(given.codes), given.words);"
    given = {"codes": seen["codes"], "words": words.shape[1]}
    counted = node({"regions/numbering.js": "numbered"}, script, given)
    assert counted["distinct"] == len(np.unique(ours, axis=0))
    first = np.unique(ours, axis=0, return_inverse=True)[1].ravel()
    pairs = set(zip(first.tolist(), counted["numbers"].values(), strict=True))
    assert len(pairs) == counted["distinct"]  # equal codes have one number, and only they
    decided = network(points).argmax(1).numpy()
    assert (np.array(seen["decided"]) == decided).mean() > 0.999


# The worker with a clock that the test moves.
WORKER = """
let [now, hear, tick] = [0, null, null];
const steps = [];
performance.now = () => now;
globalThis.addEventListener = (_, listener) => { hear = listener; };
globalThis.setTimeout = (next) => { tick = next; return 1; };
globalThis.postMessage = (trained) => {
  steps.push(trained.steps);
  hear({ data: { kind: "drawn", id: 1 } });
};
await import(ADDRESS);
const inputs = Float32Array.of(0.5, -0.5);
const training = { sizes: [2, 2, 2], seed: 0, inputs, labels: Uint8Array.of(1), n: 1, rate: 0.01 };
hear({ data: { kind: "start", id: 1, ...training, until: 0, playing: true, pace: 60, most: 40 } });
while (!tick) await new Promise(setImmediate); // the first slice waits for a message
for (const passed of [100, 3600 * 1000, 100, 0, 1000, 1000]) {
  now += passed;
  tick();
}
console.log(JSON.stringify(steps));
process.exit(); // its channel of messages would keep it waiting
"""


def test_a_break_is_made_up_for_by_a_quarter_of_a_second(node_program):
    address = json.dumps((FOLDER / "regions" / "worker.js").as_uri())
    done = subprocess.run(
        [node_program, "--input-type=module", "-e", WORKER.replace("ADDRESS", address)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    # At 60 a second: 6 in a tenth; 15 after an hour; 6; none; 15, cut off at the most of 40.
    assert json.loads(done.stdout) == [6, 21, 27, 40, 40]


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


def test_own_points_are_data():
    explorer = RegionExplorer(data="own", points=[[0, 1, 0], (0.5, -0.25, 1)], epochs=3, width=2)
    data = explorer.dataset()
    assert data.train.inputs.tolist() == [[0, 1], [0.5, -0.25]]
    assert data.train.labels.tolist() == [0, 1]
    alt = explorer.still()[1]
    assert "trained for 3 epochs on 2 points of two classes, own points" in alt


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
        ({"points": []}, traitlets.TraitError, "1 to 500 rows"),
        ({"points": [[0, 2, 0]]}, traitlets.TraitError, "points"),
        ({"cursor": [0.5, -1.5]}, traitlets.TraitError, "cursor"),
        ({"wdith": 8}, TypeError, "no setting 'wdith'; it has cursor, .*width"),
    ],
)
def test_bad_settings_are_named(settings, error, words):
    with pytest.raises(error, match=words):
        RegionExplorer(**settings)


def test_still_says_what_it_shows():
    bundle, _ = RegionExplorer(width=3, depth=1, epochs=5)._repr_mimebundle_()
    html = bundle["text/html"]
    assert "<svg" in html
    assert "linear regions of a 2-3-2 network" in html
    assert 'role="img" aria-label="A square cut' in html
    assert "#1f2733)" in html  # inks are the page's, with the style sheet's to fall back on
    assert "application/vnd.jupyter.widget-view+json" in bundle
