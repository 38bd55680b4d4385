"""Settings in the page's address: whatever stands there, and every state there and back."""

import math

import numpy as np
import pytest
import traitlets

import nhlib as nh
from nhlib.explorers.common.explorer import Explorer
from nhlib.explorers.common.rows import Limits, Row, Rows

NAMES = ["plain", "two words", "a&b=c", "50 %", "%E0%A4%A", "ünï~_", "#?+"]
# A page's globals, and a frame of which the address takes settings. `visit` opens a link anew.
PAGE = """
globalThis.requestAnimationFrame = () => {};
globalThis.addEventListener = () => {};
globalThis.PerformanceNavigationTiming = class {};
performance.getEntriesByType = () => [];
const visit = (hash, state) => {
  globalThis.location = new URL("https://example.org/page.html" + hash);
  const settings = { ...state };
  const ui = {
    name: "some-explorer", ended: new AbortController(), model: { on() {} },
    get: (name) => ({ _settings: Object.keys(state), _allowed: given.allowed })[name]
      ?? settings[name],
    set: (name, value) => { settings[name] = value; },
  };
  return { settings, address: new Address(ui) };
};
"""


class Some(Explorer):
    """Settings of every kind."""

    name = traitlets.Enum(NAMES, "plain").tag(sync=True, setting=True)
    share = traitlets.Enum((0.0, 0.05, 1.0), 0.0).tag(sync=True, setting=True)
    on = traitlets.Bool(False).tag(sync=True, setting=True)
    seed = traitlets.Int(3, min=0, max=99).tag(sync=True, setting=True)
    length = traitlets.Float(1.5, min=-3, max=3).tag(sync=True, setting=True)
    place = Row([0.25, -1], Limits(-1.0, 1.0), Limits(-1.0, 1.0)).tag(sync=True, setting=True)
    points = Rows(
        [[0.5, 0.5, 1]], *(Limits(-1.0, 1.0), Limits(-1.0, 1.0), Limits(0, 1)), least=1, most=5
    ).tag(sync=True, setting=True)


def state_of(explorer):
    return {name: getattr(explorer, name) for name in explorer._settings}


def drawn(rng):
    """Return settings at random: any that Python takes."""
    place = rng.uniform(-1, 1, (6, 2)).round(rng.integers(0, 17)).tolist()
    n = int(rng.integers(1, 6))
    return {
        "name": NAMES[rng.integers(len(NAMES))],
        "share": (0.0, 0.05, 1.0)[rng.integers(3)],
        "on": bool(rng.integers(2)),
        "seed": int(rng.integers(100)),
        "length": float(rng.uniform(-3, 3) * 10.0 ** -rng.integers(0, 12)),
        "place": place[-1],
        "points": [[*xy, int(rng.integers(2))] for xy in place[:n]],
    }


def of_allowed(rng, allowed):
    """Return a value at random that a setting takes."""
    if isinstance(allowed, list):
        return allowed[rng.integers(len(allowed))]
    if "row" in allowed:
        return [of_allowed(rng, one) for one in allowed["row"]]
    if "rows" in allowed:
        n = rng.integers(allowed["least"], min(allowed["most"], 20) + 1)
        return [[of_allowed(rng, one) for one in allowed["rows"]] for _ in range(n)]
    low, high = allowed["min"], allowed["max"]
    return int(rng.integers(low, high + 1)) if allowed["whole"] else float(rng.uniform(low, high))


@pytest.fixture
def there_and_back(node):
    """Return what opens addresses on a page that starts with given states."""

    def run(script, **given):
        given.setdefault("allowed", Some()._allowed)
        return node({"common/address.js": "Address"}, PAGE + script, given)

    return run


# Opened on a page that starts with other settings, as it is, and encoded as a whole.
VISITS = """return given.states.map((state, i) => {
  const link = visit("", state).address.link();
  const hash = link.slice(link.indexOf("#"));
  const other = given.states[(i + 1) % given.states.length];
  return [hash, "#" + encodeURIComponent(hash.slice(1))].map((h) => visit(h, other).settings);
});"""


def test_every_state_goes_into_a_link_and_comes_out_of_it(there_and_back):
    rng = np.random.default_rng(0)
    states = [state_of(Some(**drawn(rng))) for _ in range(200)]
    for state, seen in zip(states, there_and_back(VISITS, states=states), strict=True):
        assert seen == [state, state]


@pytest.mark.parametrize("kind", [nh.RegionExplorer, nh.CodeExplorer, nh.MarginExplorer])
def test_every_state_of_explorers_goes_there_and_back(there_and_back, kind):
    rng, allowed = np.random.default_rng(0), kind()._allowed
    states = [{name: of_allowed(rng, one) for name, one in allowed.items()} for _ in range(50)]
    seen = there_and_back(VISITS, states=states, allowed=allowed)
    assert seen == [[state, state] for state in states]


@pytest.mark.parametrize(
    "hash",
    [
        *("", "#", "#100%", "#%E0%A4%A", "#some-explorer", "#some-explorer?", "#some-explorer%3F"),
        *("#some-explorer%3f%", "#some-explorer?seed", "#some-explorer?=", "#?seed=5"),
        "#other-explorer?seed=5",
        "#some-explorer?seed=100",  # more than there are
        "#some-explorer?seed=1e400&length=NaN&share=null&on=1&name=%E0%A4",
        "#some-explorer?seed=[5]&seed=7",
        "#some-explorer?place=0.5&points=",
        "#some-explorer?place=0.5_&points=0_0_0~",
        "#some-explorer?place=0.5_2&points=0_0_0.5",
        "#some-explorer?place=0.5_0_0&points=0_0_0~0_0_0~0_0_0~0_0_0~0_0_0~0_0_0",
        "#some-explorer?place={}&points=[[0,0,0]]",
    ],
)
def test_what_is_damaged_changes_nothing(there_and_back, hash):
    start = state_of(Some())
    assert (
        there_and_back("return visit(given.hash, given.start).settings;", hash=hash, start=start)
        == start
    )


def test_what_is_cut_off_keeps_what_comes_before(there_and_back):
    hash, start = "#some-explorer?seed=5&length=2&name=50%20%25%E0%A4%A", state_of(Some())
    script = "return visit(given.hash, given.start).settings;"
    assert there_and_back(script, hash=hash, start=start) == start | {"seed": 5, "length": 2}


def test_a_link_leaves_nothing_of_the_one_before(there_and_back):
    script = """const { settings, address } = visit("#some-explorer?seed=5&on=true", given.start);
      location.hash = "#some-explorer?seed=6";
      address.read();
      return settings;"""
    start = state_of(Some())
    assert there_and_back(script, start=start) == start | {"seed": 6}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"place": [0.5]}, "'place' trait.*a row: a number from -1 to 1, a number from -1 to 1"),
        ({"place": [0.5, 2]}, "place"),
        ({"place": 0.5}, "place"),
        ({"place": [0.5, math.nan]}, "place"),
        ({"points": []}, "1 to 5 rows, each: .* a whole number from 0 to 1"),
        ({"points": [[0, 0, 0]] * 6}, "points"),
        ({"points": [[0, 0, 0.5]]}, "points"),
        ({"points": [[0, 0, True]]}, "points"),
        ({"points": 3}, "points"),
    ],
)
def test_rows_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(traitlets.TraitError, match=words):
        Some(**settings)


def test_rows_of_arrays_are_taken_as_lists():
    some = Some(place=np.array([0.25, 0.5]), points=[(np.float64(0.5), 0, np.int64(1))])
    assert (some.place, some.points) == ([0.25, 0.5], [[0.5, 0, 1]])
