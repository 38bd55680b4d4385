"""MarginExplorer: its script's flips and answers beside nhlib's, and what it embeds."""

from html import unescape

import numpy as np
import pytest
import torch
import traitlets
from torch.nn.functional import cross_entropy

import nhlib as nh
from nhlib.explorers.margins.margin_explorer import MarginExplorer

NAMES = "along, against, borderDistances, nearestOther, networkAt, unit"
LONGEST = 3
NETWORKS = [("A", 0), ("A", 30), ("B", 0), ("B", 30)]


def network_of(protocol, epoch):
    """Train a network as the explorer says that its own are trained, and return it in float64."""
    data = nh.load("digits")
    network = nh.mlp(64, [50], 10, batch_norm=protocol == "B", seed=0)
    recipe = nh.Recipe(epochs=30) if protocol == "A" else nh.Recipe.code(epochs=30, patience=None)
    if epoch:
        nh.fit(network, data, recipe, seed=0, progress=False)
    return network.double().eval()


@pytest.fixture(scope="module")
def networks():
    return {name: network_of(*name) for name in NETWORKS}


@pytest.fixture(scope="module")
def embedded():
    """Return what the page gets, as the node scripts take it."""
    explorer = MarginExplorer()
    weights = np.frombuffer(explorer._weights)
    return {"weights": weights.tolist(), "sizes": explorer._sizes, "longest": LONGEST}


def lines_of(node, given):
    """Return what the script finds for every place, input and direction that are asked for."""
    script = """
      const numbers = Float64Array.from(given.weights);
      return given.asked.map(({ place, x, label, direction, lengths }) => {
        const network = networkAt(numbers, given.sizes, place);
        const start = Float64Array.from(x);
        const way = direction ? unit(Float64Array.from(direction)) : against(network, start, label);
        const { flips, answers, bits } = along(network, start, way, given.longest);
        return {
          way: [...way], flips, answers, bits: lengths.map(bits),
          distances: [...borderDistances(network, start)],
        };
      });
    """
    return node({"margins/line.js": NAMES}, script, given)


@pytest.mark.parametrize("place", range(4), ids=lambda place: "-".join(map(str, NETWORKS[place])))
def test_lines_are_those_of_nhlib(node, embedded, networks, place):
    network, test = networks[NETWORKS[place]], nh.load("digits").test
    rng = np.random.default_rng(place)
    lengths = [0, 0.1, 0.5, 1.7, 3]
    cases = []
    for i in rng.choice(360, 12, replace=False).tolist():
        one = {"place": place, "x": test.inputs[i].flatten().tolist(), "lengths": lengths}
        one |= {"label": test.labels[i].item()}
        cases += [(i, one | {"direction": None}), (i, one | {"direction": rng.normal(size=64)})]
    asked = [
        one | {"direction": None if one["direction"] is None else one["direction"].tolist()}
        for _, one in cases
    ]
    changes = 0
    for (i, one), found in zip(cases, lines_of(node, embedded | {"asked": asked}), strict=True):
        x, label = test.inputs[[i]].double(), test.labels[[i]]
        if one["direction"] is None:
            x.requires_grad_()
            [step] = torch.autograd.grad(cross_entropy(network(x), label), x)
            x = x.detach()
        else:
            step = torch.from_numpy(one["direction"]).reshape(x.shape)
        step = step / step.norm()
        assert found["way"] == pytest.approx(step.flatten().tolist(), rel=1e-6, abs=1e-9)
        assert found["distances"] == pytest.approx(nh.border_distances(network, x)[0].tolist())
        for length, bits in zip(lengths, found["bits"], strict=True):
            assert nh.encode(network, x + length * step).bits()[0].tolist() == bits

        line = nh.segment(network, x[0], (x + LONGEST * step)[0])
        flips = [flip["at"] for flip in found["flips"]]
        assert flips == pytest.approx((LONGEST * line.breakpoints).tolist())
        changed = np.diff(line.codes.bits().astype(int), axis=0)
        assert [np.abs(row).argmax() for row in changed] == [f["unit"] for f in found["flips"]]
        # Between the places where it is said to change, the answer is one; at them, two are equal.
        starts = [answer["from"] for answer in found["answers"]]
        ends = [*starts[1:], LONGEST]
        for start, end, answer in zip(starts, ends, found["answers"], strict=True):
            inside = np.linspace(start, end, 50)[1:-1] / LONGEST
            assert set(line.outputs(inside).argmax(axis=1).tolist()) == {answer["answer"]}
        for start in starts[1:]:
            first, second = np.sort(line.outputs([start / LONGEST])[0])[-2:]
            assert first == pytest.approx(second, abs=1e-7)
            changes += 1
    assert changes >= 6


def test_weights_are_those_of_the_networks(embedded, networks):
    weights, (inputs, hidden, outputs) = np.array(embedded["weights"]), embedded["sizes"]
    x = nh.load("digits").test.inputs[:20].double()
    each = np.split(weights, len(NETWORKS))
    for name, numbers in zip(NETWORKS, each, strict=True):
        cuts = np.cumsum([hidden * inputs, hidden, outputs * hidden])
        first, biases, last, offsets = np.split(numbers, cuts)
        z = x.flatten(1).numpy() @ first.reshape(hidden, inputs).T + biases
        found = np.maximum(z, 0) @ last.reshape(outputs, hidden).T + offsets
        assert np.allclose(found, networks[name](x).detach().numpy(), rtol=1e-9, atol=1e-9)


def test_nearest_digit_of_another_class_is_the_first_of_the_nearest(node):
    test = nh.load("digits").test
    levels = (16 * test.inputs).flatten(1).numpy().astype(int)
    squares = ((levels[:, None] - levels) ** 2).sum(axis=2).astype(float)
    squares[test.labels[:, None] == test.labels] = np.inf
    script = """
      return given.labels.map((_, i) => nearestOther(given.points, given.labels, i, 64));
    """
    given = {"points": levels.ravel().tolist(), "labels": test.labels.tolist()}
    assert node({"margins/line.js": NAMES}, script, given) == squares.argmin(axis=1).tolist()
    # All of them can be reached by the slider.
    assert np.sqrt(squares.min(axis=1)).max() / 16 < LONGEST


@pytest.mark.parametrize(
    ("at", "length", "said"),
    [(1.19688, 1.197, "1.197"), (1.19712, 1.2, "1.2"), (0.12345, 0.1, "0.123"), (1.5, 1.5, "1.5")],
)
def test_a_place_has_the_digits_that_tell_whether_it_was_reached(node, at, length, said):
    script = "return placed(given.at, given.length);"
    assert node({"margins/words.js": "placed"}, script, {"at": at, "length": length}) == said


def test_pixels_labels_and_random_directions():
    explorer = MarginExplorer()
    test = nh.load("digits").test
    assert np.frombuffer(explorer._labels, np.uint8).tolist() == test.labels.tolist()
    levels = np.unpackbits(np.frombuffer(explorer._pixels, np.uint8)).reshape(-1, 64, 5)
    assert np.array_equal(levels @ [16, 8, 4, 2, 1], (16 * test.inputs).flatten(1).numpy())
    drawn = np.frombuffer(explorer._random).reshape(-1, 64)
    assert len(drawn) == 16
    for seed, direction in enumerate(drawn):
        assert np.array_equal(direction, np.random.default_rng(seed).normal(size=64))


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"protocol": "C"}, traitlets.TraitError, "protocol"),
        ({"epoch": 10}, traitlets.TraitError, "epoch"),
        ({"digit": 360}, traitlets.TraitError, "359"),
        ({"digit": 0.5}, traitlets.TraitError, "digit"),
        ({"direction": "up"}, traitlets.TraitError, "direction"),
        ({"draw": 16}, traitlets.TraitError, "15"),
        ({"length": 3.01}, traitlets.TraitError, "length"),
        ({"step": 1}, TypeError, "no setting 'step'; it has .*length"),
    ],
)
def test_settings_that_are_none(given, error, words):
    with pytest.raises(error, match=words):
        MarginExplorer(**given)


@pytest.mark.parametrize(
    ("given", "caption"),
    [
        ({}, "class 8, moved against its class, protocol B, after epoch 30. Its margin is 0.00"),
        ({"length": 0}, "Moved by 0, 0 of the 50 bits of the digit's code flip"),
        ({"direction": "random", "draw": 3, "protocol": "A"}, "moved at random, protocol A"),
        ({"direction": "digit", "epoch": 0, "digit": 9}, "another class, protocol B, before"),
    ],
    ids=["usual", "nothing", "random", "untrained"],
)
def test_stills_say_what_they_show(given, caption):
    explorer = MarginExplorer(**given)
    html = unescape(explorer._repr_mimebundle_()[0]["text/html"])
    assert "<svg" in html
    alt = html.split("<figcaption>")[0].split("aria-label")[1]
    assert f"test digit {explorer.digit}, of class" in alt
    assert "a staircase: flipped bits" in alt
    assert caption in html.split("<figcaption>")[1]
