"""The engine of the page beside nhlib: the same orders, weights, codes, measures and tables."""

import contextlib
import io
import json
import os
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nhlib as nh
from nhlib.data import with_label_noise
from nhlib.explorers.common.digits import pack_digits
from nhlib.explorers.engine.settings import facts, recipes
from nhlib.measures.kmeans import kmeans, nearest_centre
from nhlib.sweeps import KEYS, PROTOCOLS, Grid
from nhlib.sweeps.configuration import Moment
from nhlib.training.randomness import epoch_order

ENGINE = Path(__file__).parents[2] / "nhlib" / "explorers" / "engine"
TOOLS = Path(__file__).parents[1] / "javascript"
SEEDS = st.integers(0, 2**53 - 1)


@pytest.fixture(scope="module")
def digits():
    return nh.load("digits")


# -- what is random ---------------------------------------------------------------------------


@given(st.integers(1, 2000), SEEDS, st.integers(1, 10**6))
@settings(max_examples=15)
def test_orders_are_those_of_numpy(node, n, seed, epoch):
    order = node(
        {"engine/permutation.js": "permutation"},
        "return [...permutation(given.n, [given.seed, given.epoch])];",
        {"n": n, "seed": seed, "epoch": epoch},
    )
    assert order == epoch_order(n, seed, epoch).tolist()


@given(SEEDS, st.lists(st.integers(1, 70), min_size=1, max_size=3))
@settings(max_examples=15)
def test_networks_begin_as_in_python(node, seed, widths):
    sizes = [64, *widths, 10]
    found = node(
        {"engine/random.js": "glorot"},
        "return glorot(given.sizes, given.seed).map((weights) => [...weights]);",
        {"sizes": sizes, "seed": seed},
    )
    network = nh.mlp(64, widths, 10, seed=seed)
    for ours, layer in zip(found, linear_layers(network), strict=True):
        # Another kind of processor may round the last digit otherwise.
        np.testing.assert_allclose(ours, layer.weight.detach().flatten().numpy(), rtol=2e-7)


@pytest.mark.parametrize("share", [0.001, 0.25, 0.5, 1.0])
def test_label_noise_is_that_of_nhlib(node, digits, share):
    for seed, n in ((0, 1437), (7, 50), (2**40, 333)):
        small = replace(digits, train=digits.train[:n])
        noisy = node(
            {"engine/digits.js": "learnt"},
            "return [...learnt(given).examples.labels];",
            {"train_size": n, "label_noise": share, "seed": seed},
        )
        assert noisy == with_label_noise(small, share, seed).train.labels.tolist()


def test_digits_and_random_inputs_are_those_of_nhlib(node, digits):
    train, test, drawn = node(
        {"engine/digits.js": "loadDigits", "engine/random.js": "randomInputs"},
        """const { train, test } = loadDigits();
        return [train, test].map(({ inputs, labels }) => [[...inputs], [...labels]])
          .concat([[...randomInputs(360, 64)]]);""",
        None,
    )
    for (inputs, labels), split in ((train, digits.train), (test, digits.test)):
        assert inputs == split.inputs.flatten().tolist()
        assert labels == split.labels.tolist()
    assert drawn == nh.random_inputs(digits, 360).flatten().tolist()
    packed = [pack_digits(split) for split in (digits.train, digits.test)]
    embedded = b"".join([*(labels for _, labels in packed), *(pixels for pixels, _ in packed)])
    assert (ENGINE / "digits.bin").read_bytes() == embedded


# -- training ---------------------------------------------------------------------------------

TRAIN = """
  const { examples, times } = learnt(given);
  const machine = openMachine(given.quick);
  const sizes = [64, ...given.widths, 10];
  const network = new Network(machine, sizes, given.recipe, glorot(sizes, given.seed));
  const training = new Training(network, examples, times, given.seed);
  const found = [];
  while (training.epochs < given.epochs) found.push(training.epoch());
  const layers = network.parameters().map(({ weights, biases }) => [[...weights], [...biases]]);
  return { quick: machine.quick, steps: training.steps, found, layers };
"""
TRAINING = {
    "engine/digits.js": "learnt",
    "engine/network.js": "Network",
    "engine/products.js": "openMachine",
    "engine/random.js": "glorot",
    "engine/training.js": "Training",
}


def linear_layers(network):
    return [module for module in network if isinstance(module, torch.nn.Linear)]


def in_the_page(node, recipe, **wanted):
    """Train in JavaScript, with the numbers of a recipe of nhlib."""
    numbers = {**recipes()["A"], **asdict(recipe)}
    usual = {"label_noise": 0, "train_size": 1437, "quick": True}
    return node(TRAINING, TRAIN, {**usual, **wanted, "recipe": numbers})


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize(
    ("widths", "recipe"),
    [
        ([50], nh.Recipe(epochs=5)),
        ([17, 9, 5], nh.Recipe(epochs=5, batch_size=128, learning_rate=3e-3, l2=1e-3)),
        ([3], nh.Recipe(epochs=3, batch_size=31, decay=0.5, decay_every=1, epsilon=1e-5)),
    ],
)
def test_weights_are_those_of_fit(node, digits, widths, recipe, quick):
    network = nh.mlp(64, widths, 10, seed=3)
    history = nh.fit(network, digits, recipe, seed=3, progress=False)
    found = in_the_page(node, recipe, widths=widths, epochs=recipe.epochs, seed=3, quick=quick)
    assert found["quick"] == quick
    assert found["steps"] >= 60
    for (weights, biases), layer in zip(found["layers"], linear_layers(network), strict=True):
        theirs = layer.weight.detach().flatten(), layer.bias.detach()
        for ours, expected in zip((weights, biases), theirs, strict=True):
            np.testing.assert_allclose(ours, expected.numpy(), rtol=0, atol=1e-5)
    for epoch, ours in enumerate(found["found"]):
        assert ours["loss"] == pytest.approx(history.train_loss[epoch], abs=1e-5)
        assert ours["accuracy"] == pytest.approx(history.train_accuracy[epoch], abs=1 / 1437)


def test_a_training_that_diverges_says_so(node):
    recipe = nh.Recipe(epochs=3, learning_rate=1e30)
    assert not in_the_page(node, recipe, widths=[4], epochs=2, seed=0)["found"][-1]["finite"]


# -- rows -------------------------------------------------------------------------------------

ROWS = """
  const experiments = experimentsOf(given.facts, given.settings, () => undefined);
  return experiments.flatMap((one) =>
    [...rowsOf(openMachine(), one, () => {})].filter((row) => row !== null));
"""
GRID = {
    "engine/experiment.js": "rowsOf",
    "engine/grid.js": "experimentsOf",
    "engine/products.js": "openMachine",
}


def rows_of_page(node, **settings):
    found = pd.DataFrame(node(GRID, ROWS, {"facts": facts(), "settings": settings}))
    with nh.Results(":memory:") as results:
        results.add_table(found)
        return results.table()


def test_a_chart_of_the_page_is_that_of_sweep(node):
    grid = {
        "widths": [4, 12, [6, 6]],
        "epochs": [0, 1, 4],
        "train_sizes": [100, 700],
        "protocols": ["A"],
        "seeds": [0, 1],
        "label_noise": [0, 0.3],
        "measures": ["redundancy", "knn"],
    }
    ours = rows_of_page(node, **grid)
    theirs = nh.sweep("digits", **grid, progress=False)
    keys = facts()["keys"]
    assert ours[keys].to_dict("list") == theirs[keys].to_dict("list")
    measured = [name for name in ours if name not in keys]
    assert set(measured) == set(theirs) - set(keys) - {"version", "device", "date"}
    for name in measured:
        assert ours[name].isna().tolist() == theirs[name].isna().tolist(), name
        apart = (ours[name] - theirs[name]).abs().max()
        # One example of 360 may fall on another side of a border.
        assert apart <= (1e-4 if name == "train_loss" else 1 / 360 + 1e-9), name
        assert (ours[name] - theirs[name]).abs().median() <= 1e-6, name


def test_under_protocol_b_rows_are_within_what_rounding_does(node, digits):
    """Half a unit in the last place of the initial weights spreads `fit` as far as the page."""
    epochs = 12
    recipe = replace(PROTOCOLS["B"].recipe, epochs=epochs)
    runs = []
    for k in range(6):
        network = nh.mlp(64, [14], 10, batch_norm=True, seed=5)
        rng = np.random.default_rng(k)
        with torch.no_grad():
            for layer in linear_layers(network) if k else ():
                signs = torch.from_numpy(rng.choice([-1.0, 1.0], tuple(layer.weight.shape)))
                layer.weight.copy_(layer.weight.double() * (1 + signs * 2**-24))
        nh.fit(network, digits, recipe, seed=5, progress=False)
        codes = {s: nh.encode(network, getattr(digits, s)) for s in ("train", "test")}
        runs.append(
            {
                "redundancy_train": nh.redundancy_ratio(codes["train"]),
                "redundancy_test": nh.redundancy_ratio(codes["test"]),
                "knn": nh.knn_accuracy(
                    codes["train"], digits.train.labels, codes["test"], digits.test.labels
                ),
            }
        )
    row = rows_of_page(
        node,
        widths=[14],
        epochs=[epochs],
        protocols=["B"],
        seeds=[5],
        measures=["redundancy", "knn"],
    ).iloc[0]
    spread = pd.DataFrame(runs)
    for name in spread:
        room = spread[name].max() - spread[name].min() + 1 / 360
        assert spread[name].min() - room <= row[name] <= spread[name].max() + room, name


@given(
    st.sampled_from(["A", "B"]),
    st.lists(st.integers(1, 1437), min_size=1, max_size=2, unique=True),
    st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
    st.booleans(),
)
@settings(max_examples=10)
def test_grids_are_those_of_nhlib(node, protocol, sizes, widths, own):
    grid = {"protocols": [protocol], "train_sizes": sizes, "widths": widths, "seeds": [0, 2]}
    grid |= {"l2": [0, 1e-3], "batch_norm": [True]} if own else {}
    expected = None
    with contextlib.suppress(ValueError):  # of what batch norm cannot normalize
        expected = Grid(data="digits", epochs=[0], measures="redundancy", **grid)
    found = node(
        {"engine/grid.js": "configurationsOf, recipeOf"},
        """try {
          const found = configurationsOf(given.facts, given.grid);
          return found.map((one) => [one, recipeOf(given.facts, one)]);
        } catch (error) { return error.message; }""",
        {"facts": facts(), "grid": grid},
    )
    if expected is None:
        assert "leave one by itself" in found
        return
    assert len(found) == len(expected.configurations)
    by_keys = {tuple(sorted(one.items())): recipe for one, recipe in found}
    for configuration in expected.configurations:
        row = configuration.row(Moment(0, 0))
        del row["epoch"]
        recipe = by_keys[tuple(sorted(row.items()))]
        for name, value in asdict(configuration.recipe(1)).items():
            assert recipe.get(name, value) == value


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"widths": [0]}, "widths: whole numbers from 1 to 1,024 are needed, not 0"),
        ({"epochs": [1.5]}, "epochs: whole numbers from 0 to 2,000 are needed, not 1.5"),
        ({"train_sizes": [1438]}, "train_sizes: whole numbers from 1 to 1,437 are needed"),
        ({"dropout": [0.5]}, "dropout: the page trains without"),
        ({"train_sizes": [9], "measures": ["knn"]}, "9 examples are too few to be categorized"),
        ({"seeds": [-1]}, "seeds: whole numbers"),
    ],
)
def test_what_is_wrong_with_a_grid_is_named(node, changed, words):
    settings = {"widths": [4], "epochs": [1], "measures": ["redundancy"], **changed}
    script = """try { return experimentsOf(given.facts, given.settings, () => undefined); }
      catch (error) { return error.message; }"""
    found = node(
        {"engine/grid.js": "experimentsOf"}, script, {"facts": facts(), "settings": settings}
    )
    assert words in found


def test_coarse_to_fine_is_each_place_once(node):
    found = node(
        {"engine/grid.js": "coarseToFine"},
        "return given.map((n) => coarseToFine(n));",
        [*range(40)],
    )
    assert [sorted(places) for places in found] == [list(range(n)) for n in range(40)]
    for n, places in enumerate(found[3:], 3):
        assert set(places[:2]) == {0, n - 1}
        assert 0 < places[2] < n - 1


def test_the_coarsest_networks_come_first(node):
    settings = {"widths": list(range(1, 10)), "epochs": [1], "seeds": [0, 1]}
    settings["measures"] = ["redundancy"]
    found = node(
        {"engine/grid.js": "experimentsOf"},
        """return experimentsOf(given.facts, given.settings, () => undefined)
          .map(({ configuration }) => [configuration.seed, Number(configuration.widths)]);""",
        {"facts": facts(), "settings": settings},
    )
    assert found[:3] == [[0, 1], [0, 9], [0, 6]]
    assert [seed for seed, _ in found] == [0] * 9 + [1] * 9
    assert sorted(width for seed, width in found if seed) == list(range(1, 10))


# -- measures ---------------------------------------------------------------------------------

REVIVE = """
  const codesOf = (rows) => {
    const [n, length] = [rows.length, rows[0].length];
    const width = Math.ceil(length / 32);
    const words = new Int32Array(n * width);
    rows.forEach((row, i) => row.forEach((bit, b) => {
      words[i * width + (b >> 5)] |= bit << (b & 31);
    }));
    return { n, length, width, words };
  };
  const codes = { train: codesOf(given.train), test: codesOf(given.test) };
  const examples = { train: { labels: Uint8Array.from(given.trainLabels) },
    test: { labels: Uint8Array.from(given.testLabels) } };
  const all = given.test.map((_, i) => i);
"""


@st.composite
def labelled_codes(draw):
    """Draw codes of few bits, with many ties, or of several words."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, m, bits = draw(st.integers(9, 60)), draw(st.integers(1, 30)), draw(st.integers(1, 70))
    train, test = (rng.integers(0, 2, (count, bits)) for count in (n, m))
    labels = rng.integers(0, draw(st.integers(1, 10)), n)
    return train, labels, test, rng.choice(labels, m)


@given(labelled_codes())
@settings(max_examples=20)
def test_redundancy_and_neighbours_are_those_of_nhlib(node, drawn):
    train, labels, test, others = drawn
    found = node(
        {
            "engine/measures.js": "knnAccuracy, redundancyAt",
            "engine/products.js": "openMachine",
        },
        REVIVE
        + """const knn = [true, false].map((quick) =>
            knnAccuracy(openMachine(quick), codes, examples, all, 9));
          const ratios = [given.n, codes.train.n].map((n) => redundancyAt(codes.train, n));
          return [...knn, ...ratios];""",
        {
            "train": train.tolist(),
            "trainLabels": labels.tolist(),
            "test": test.tolist(),
            "testLabels": others.tolist(),
            "n": len(train) // 2,
        },
    )
    here, there = nh.NeuralCodes.from_bits(train), nh.NeuralCodes.from_bits(test)
    accuracy = nh.knn_accuracy(here, labels, there, others)
    expected = [
        *(accuracy, accuracy),
        nh.redundancy_ratio(here, len(train) // 2),
        nh.redundancy_ratio(here),
    ]
    assert found == pytest.approx(expected, abs=1e-12)


def test_clusters_are_as_tight_as_those_of_nhlib(node, digits):
    network = nh.mlp(64, [20], 10, seed=1)
    nh.fit(network, digits, nh.Recipe(epochs=5), seed=1, progress=False)
    train, test = (nh.encode(network, split[:360]) for split in (digits.train, digits.test))
    labels, others = digits.train.labels[:360], digits.test.labels[:360]
    found = node(
        {"engine/kmeans.js": "kmeansAccuracy"},
        REVIVE + "return kmeansAccuracy(codes, examples, all);",
        {
            "train": train.bits().tolist(),
            "trainLabels": labels.tolist(),
            "test": test.bits().tolist(),
            "testLabels": others.tolist(),
        },
    )
    # Both take the best of ten starts, which are drawn otherwise.
    points = torch.from_numpy(train.bits().astype(np.float32))
    inertias = []
    for seed in range(8):
        centres = kmeans(points, 10, 10, seed)
        near = centres[nearest_centre(points, centres)]
        inertias.append((points - near).square().sum().item())
    assert 0.995 * min(inertias) <= found["inertia"] <= 1.005 * max(inertias)
    accuracies = [nh.kmeans_accuracy(train, labels, test, others, seed=seed) for seed in range(8)]
    assert min(accuracies) - 0.03 <= found["accuracy"] <= max(accuracies) + 0.03


# -- files ------------------------------------------------------------------------------------


@st.composite
def tables(draw):
    """Draw rows as the page has them, all keys and some measures."""
    n = draw(st.integers(1, 5))
    numbers = st.none() | st.floats(0, 1)
    rows = []
    for seed in range(n):
        rows.append(
            {
                **dict.fromkeys(KEYS, 1),  # also those that come one day
                "data": "digits",
                "train_size": draw(st.integers(1, 1437)),
                "seed": seed,
                "widths": draw(st.sampled_from(["5", "10-10", "128"])),
                "protocol": draw(st.sampled_from(["A", "B"])),
                "batch_norm": draw(st.booleans()),
                "l2": draw(st.sampled_from([0, 1e-6, 0.25])),
                "dropout": 0,
                "label_noise": draw(st.floats(0, 1)),
                "epoch": 3,
                **{name: draw(numbers) for name in ("knn", "redundancy_train", "train_loss")},
                "failed": draw(st.sampled_from([None, 'not "finite", again', "two\nlines"])),
                "device": "browser",
            }
        )
    # As in a row of the page, what was not measured is not there.
    return [{name: one for name, one in row.items() if one is not None} for row in rows]


@given(tables())
@settings(max_examples=15)
def test_files_go_to_python_and_back(node, rows):
    csv = node(
        {"engine/table_file.js": "toCsv"},
        "return toCsv(given.rows, given.facts);",
        {"rows": rows, "facts": facts()},
    )
    table = pd.read_csv(io.StringIO(csv), dtype={"widths": str})
    with nh.Results(":memory:") as results:
        results.add_table(table)
        kept = results.table()
    assert len(kept) == len(rows)
    buffer = io.StringIO()
    kept.to_csv(buffer, index=False)
    back = node(
        {"engine/table_file.js": "fromCsv"},
        "return fromCsv(given.text, given.facts);",
        {"text": buffer.getvalue(), "facts": facts()},
    )
    by_seed = {row["seed"]: row for row in back}
    for row in rows:
        assert by_seed[row["seed"]] == row


def test_files_from_before_batch_sizes_were_kept(node):
    fixture = Path(__file__).parents[1] / "fixtures" / "runs.csv"
    rows = node(
        {"engine/table_file.js": "fromCsv"},
        "return fromCsv(given.text, given.facts);",
        {"text": fixture.read_text("utf-8"), "facts": facts()},
    )
    assert len(rows) == 8
    assert {(row["batch_size"], row["step"]) for row in rows} == {(64, 0)}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: "", "no table of nh.sweep"),
        (lambda text: "a,b\n1,2\n", "no table of nh.sweep: it lacks most columns"),
        (lambda text: text.replace("protocol", "recipe", 1), "it lacks protocol"),
        (lambda text: text.rsplit(",", 1)[0], "line 2: 11 values are needed, not 10"),
        (lambda text: text.replace(",0.5", ",half"), "line 2, knn: a number is needed, not half"),
        (lambda text: text.replace("8-8", "8x8"), "line 2, widths: units joined by dashes"),
        (lambda text: text.replace(",700,", ",7e-1,"), "train_size: a whole number is needed"),
        (lambda text: text.replace("digits", '"digits', 1), "a quotation mark is not closed"),
    ],
)
def test_damaged_files_are_refused_whole(node, damage, words):
    row = {"data": "digits", "train_size": 700, "widths": "8-8", "protocol": "A", "seed": 0}
    row |= {"batch_norm": False, "l2": 0.0, "dropout": 0.0, "label_noise": 0.0, "epoch": 3}
    keys = facts()["keys"]
    whole = (
        ",".join([*keys, "knn"]) + "\n" + ",".join([*(str(row.get(key, 0)) for key in keys), "0.5"])
    )
    script = """try { return fromCsv(given.text, given.facts).length; }
      catch (error) { return error.message; }"""
    ask = {"engine/table_file.js": "fromCsv"}
    assert node(ask, script, {"text": whole, "facts": facts()}) == 1
    text = damage(whole + "\n")
    words = words.replace("11", str(len(keys) + 1)).replace("not 10", f"not {len(keys)}")
    assert words in node(ask, script, {"text": text, "facts": facts()})


def test_the_binary_is_made_of_its_source(node_program, tmp_path):
    compiler = TOOLS / "node_modules" / "assemblyscript" / "bin" / "asc.js"
    if not compiler.is_file():
        if os.environ.get("NHLIB_REQUIRE_SITE") == "1":
            pytest.fail("NHLIB_REQUIRE_SITE=1, but make lint has not installed the compiler")
        pytest.skip("there is no compiler: run make lint first")
    package = json.loads((TOOLS / "package.json").read_text("utf-8"))
    command = package["scripts"]["kernels"].split()
    command[0] = str(compiler)
    command[command.index("--outFile") + 1] = str(tmp_path / "kernels.wasm")
    subprocess.run([node_program, *command], cwd=TOOLS, check=True)
    assert (tmp_path / "kernels.wasm").read_bytes() == (ENGINE / "kernels.wasm").read_bytes()
