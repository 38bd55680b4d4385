"""What a RegionExplorer says, and the Python that repeats it, in states drawn at random."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from nhlib.explorers.regions.region_explorer import RegionExplorer

# A frame that holds settings, and a network trained as the page trains it.
STATE = {
    "regions/adam.js": "Adam",
    "regions/seen.js": "see",
    "regions/state.js": "State",
    "regions/words.js": "callOf, wordsOf",
}
TRAINED = """return given.map((settings) => {
  const view = (bytes) => new DataView(Uint8Array.from(bytes).buffer);
  const inner = (one) => Array.isArray(one) ? view(one)
    : Object.fromEntries(Object.entries(one).map(([name, value]) => [name, inner(value)]));
  const given = { ...settings, _points: inner(settings._points), _labels: inner(settings._labels) };
  const state = new State({ get: (name) => given[name], set() {} });
  const adam = new Adam(state.network);
  for (let i = 0; i < settings.epochs; i++) {
    adam.step(state.inputs, state.labels, state.n, settings.learning_rate);
  }
  state.steps = settings.epochs;
  const seen = see(state);
  const [here, there] = [state.cursor, state.pinned].map((place) => seen.regions.locate(place));
  return { words: wordsOf(state, seen, here, there), call: callOf(state) };
});"""
SAID = re.compile(
    r"After (\S+) epochs?: (?:(\S+) regions in the square, "
    r"(?:each a linear|which make (\S+) linear)|1 region, the whole square).*? "
    r"The (\S+) points? ha(?:s|ve) (\S+) distinct codes?: a redundancy ratio of (\S+) %\. "
    r"Loss (\S+), training accuracy (\S+) %\. "
    r"At \((\S+), (\S+)\) the code is ([01 ]+), (\d+) bits? from the pinned point's; "
    r"its region covers (.*?) of the square\. "
    r"There the score of class 0 is (.*?), and that of class 1 is (.*?)\."
)


def drawn(rng):
    """Return an explorer in a random state."""
    settings = {name: value for name, value in SOME.items() if rng.random() < 0.7}
    settings = {name: rng.choice(np.array(v, object)) for name, v in settings.items()}
    own = rng.uniform(-1, 1, (int(rng.integers(1, 30)), 2)).round(3).tolist()
    cursor, pinned = rng.uniform(-1, 1, (2, 2)).round(3).tolist()
    return RegionExplorer(
        **settings,
        points=[[*xy, int(rng.integers(2))] for xy in own],
        cursor=cursor,
        pinned=pinned,
        seed=int(rng.integers(100)),
        epochs=int(rng.integers(0, 40)),
    )


SOME = {
    "data": ["moons", "spirals", "own", "own"],
    "width": [1, 2, 5, 11, 16],
    "depth": [1, 2, 3],
    "learning_rate": [0.01, 0.1, 1.0],
    "label_noise": [0.05, 0.4],
    "sample_size": [20, 50, 200],
}


def embedded(explorer):
    def inner(one):
        return list(one) if isinstance(one, bytes) else {k: inner(v) for k, v in one.items()}

    names = [*explorer._settings, "_points", "_labels"]
    state = {name: getattr(explorer, name) for name in names}
    return state | {name: inner(state[name]) for name in ("_points", "_labels")}


def affine(text):
    """Return the numbers of a score such as 1.00 x − 2.00 y + 3.00."""
    text = text.replace("− ", "-").replace("−", "-").replace("+ ", "")
    return [float(part) for part in text.split()[::2]]


# Runs each piece of Python as a reader would, and tells what it has found.
RUN = """
import contextlib, io, json, sys
import torch
for call, places in json.load(sys.stdin):
    names = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(call, names)
    p, network, train = names["p"], names["network"], names["data"].train
    region = names["region"]
    with torch.no_grad():
        scores = network(train.inputs)
    print(json.dumps({
        "printed": printed.getvalue(),
        "inputs": train.inputs.tolist(),
        "labels": train.labels.tolist(),
        "regions": p.n_regions,
        "linear": p.n_linear_regions,
        "codes": names["codes"].n_distinct,
        "ratio": 100 * names["nh"].redundancy_ratio(names["codes"]),
        "loss": torch.nn.functional.cross_entropy(scores, train.labels).item(),
        "accuracy": 100 * (scores.argmax(1) == train.labels).double().mean().item(),
        "bits": p.codes[p.locate(places)].bits().tolist(),
        "share": 25 * p.areas[region],
        "map": [[*row, b] for row, b in zip(p.slopes[region].tolist(), p.offsets[region])],
    }))
"""


def test_python_repeats_what_is_said(node):
    rng = np.random.default_rng(0)
    explorers = [drawn(rng) for _ in range(16)]
    seen = node(STATE, TRAINED, list(map(embedded, explorers)))
    calls = [
        (one["call"], [explorer.cursor, explorer.pinned])
        for one, explorer in zip(seen, explorers, strict=True)
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(calls), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for explorer, one, line in zip(explorers, seen, done.stdout.splitlines(), strict=True):
        found = json.loads(line)
        said = SAID.fullmatch(one["words"])
        assert said, one["words"]
        train = explorer.dataset().train
        assert (found["inputs"], found["labels"]) == (train.inputs.tolist(), train.labels.tolist())
        counts = [int(said[i] or said[2] or 1) for i in (2, 3, 5)]
        assert counts == [found["regions"], found["linear"], found["codes"]]
        assert found["printed"].startswith(" ".join(map(str, counts)))
        assert (int(said[1]), int(said[4])) == (explorer.epochs, len(train))
        assert float(said[6]) == pytest.approx(found["ratio"], abs=0.051)
        assert float(said[7]) == pytest.approx(found["loss"], rel=0.006)
        assert float(said[8]) == pytest.approx(found["accuracy"], abs=0.051)
        place = [float(value.replace("−", "-")) for value in said.group(9, 10)]
        assert place == pytest.approx(explorer.cursor, abs=0.0051)
        here, there = np.array(found["bits"])
        assert said[11].replace(" ", "") == "".join(map(str, here))
        assert int(said[12]) == (here != there).sum()
        if said[13] == "less than 0.001 %":
            assert found["share"] < 0.001
        else:
            assert float(said[13][:-2]) == pytest.approx(found["share"], abs=0.0051)
        assert affine(said[14]) == pytest.approx(found["map"][0], abs=0.0051)
        assert affine(said[15]) == pytest.approx(found["map"][1], abs=0.0051)
