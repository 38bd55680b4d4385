"""What assignment 1 is marked by: absolute-value networks on a line."""

from itertools import pairwise

import numpy as np
from nhlib.classroom import Task


def draw_layer(rng, n_units, start=-1.0, end=1.0):
    """Units with kinks at random places between start and end."""
    weights = rng.uniform(0.5, 2, n_units) * rng.choice([-1, 1], n_units)
    return weights, -weights * rng.uniform(start, end, n_units)


def draw_layer_and_ends(rng, n_units):
    """Kinks on both sides of the ends of an interval, and one exactly at each end."""
    weights, biases = draw_layer(rng, n_units - 2, -3, 3)
    ends = np.sort(rng.uniform(-3, 3, 2))
    factors = 2.0 ** rng.integers(-1, 3, 2) * rng.choice([-1, 1], 2)  # exact: -b / w is the end
    order = rng.permutation(n_units)
    weights = np.append(weights, factors)[order]
    return weights, np.append(biases, -factors * ends)[order], *ends.tolist()


def kinks(weights, biases, start, end):
    return np.array(sorted({-b / w for w, b in zip(weights, biases, strict=True)
                            if w and start < -b / w < end}))  # fmt: skip


find_kinks = Task(kinks)
INSIDE = "units that all fold inside the interval"
OUTSIDE = "intervals that leave some kinks outside"
SHARED = "units that fold at the same place"
FLAT = "layers with flat units"


@find_kinks.on(INSIDE, points=2)
def _(rng):
    return *draw_layer(rng, rng.integers(2, 9)), -1.0, 1.0


@find_kinks.on(OUTSIDE, points=1)
def _(rng):
    return draw_layer_and_ends(rng, 12)


@find_kinks.on(SHARED, points=1)
def _(rng):
    weights, biases = draw_layer(rng, rng.integers(2, 6))
    factors = 2.0 ** rng.integers(1, 4, len(weights))  # exact, so that the places are the same
    return (
        np.append(weights, -factors * weights),
        np.append(biases, -factors * biases),
        -1.0,
        1.0,
    )


@find_kinks.on(FLAT, points=1)
def _(rng):
    weights, biases = draw_layer(rng, rng.integers(3, 7))
    weights[rng.integers(len(weights))] = 0
    return weights, biases, -1.0, 1.0


@find_kinks.mistake(
    "looks for kinks at b / w instead of -b / w",
    loses=[INSIDE, OUTSIDE, SHARED, FLAT],
)
def kinks(weights, biases, start, end):
    w, b = weights[weights != 0], biases[weights != 0]
    places = np.unique(b / w)
    return places[(start < places) & (places < end)]


@find_kinks.mistake("keeps kinks outside of the interval", loses=[OUTSIDE])
def kinks(weights, biases, start, end):
    sloped = weights != 0
    return np.unique(-biases[sloped] / weights[sloped])


@find_kinks.mistake("takes an end of the interval for a place inside it", loses=[OUTSIDE])
def kinks(weights, biases, start, end):
    sloped = weights != 0
    places = np.unique(-biases[sloped] / weights[sloped])
    return places[(start <= places) & (places <= end)]


@find_kinks.mistake("counts a place twice when two units fold there", loses=[SHARED])
def kinks(weights, biases, start, end):
    sloped = weights != 0
    places = np.sort(-biases[sloped] / weights[sloped])
    return places[(start < places) & (places < end)]


@find_kinks.mistake(
    "takes the bias alone for a place",
    loses=[INSIDE, OUTSIDE, SHARED, FLAT],
)
def kinks(weights, biases, start, end):
    places = np.unique(-biases)
    return places[(start < places) & (places < end)]


@find_kinks.mistake("gives flat units a kink", loses=[FLAT])
def kinks(weights, biases, start, end):
    places = np.unique(-biases / np.where(weights == 0, 1e9, weights))
    return places[(start < places) & (places < end)]


def slopes(weights, biases, outputs, start, end):
    places = [start, *sorted({-b / w for w, b in zip(weights, biases, strict=True)
                              if w and start < -b / w < end}), end]  # fmt: skip

    def network(x):
        return float(np.abs(weights * x + biases) @ outputs)

    return np.array([(network(b) - network(a)) / (b - a) for a, b in pairwise(places)])


find_slopes = Task(slopes)
ORDINARY = "units with kinks of their own"
TOGETHER = "units that fold at the same place"
SOME = "intervals that leave some kinks outside"


def apart(weights, biases, outputs, start, end):
    """Whether the pieces are wide enough to tell their slopes."""
    places = np.concatenate([[start, end], -biases / weights])
    return np.diff(np.unique(places)).min() > 1e-3


def draw_until_apart(rng, draw):
    while True:
        arguments = draw(rng)
        if apart(*arguments):
            return arguments


@find_slopes.on(ORDINARY, points=3)
def _(rng):
    def draw(rng):
        h = rng.integers(2, 8)
        return *draw_layer(rng, h), rng.normal(size=h), -1.0, 1.0

    return draw_until_apart(rng, draw)


@find_slopes.on(TOGETHER, points=1)
def _(rng):
    def draw(rng):
        weights, biases = draw_layer(rng, 3)
        return (
            np.append(weights, -2 * weights),
            np.append(biases, -2 * biases),
            rng.normal(size=6),
            -1.0,
            1.0,
        )

    return draw_until_apart(rng, draw)


@find_slopes.on(SOME, points=1)
def _(rng):
    def draw(rng):
        weights, biases, start, end = draw_layer_and_ends(rng, 8)
        return weights, biases, rng.normal(size=8), start, end

    return draw_until_apart(rng, draw)


ALL = [ORDINARY, TOGETHER, SOME]


def inputs_in_the_middle(weights, biases, start, end, distinct=np.unique, before=np.less):
    """What every unit gets in the middle of each piece."""
    places = distinct(-biases / weights)
    ends = np.concatenate([[start], places[before(start, places) & before(places, end)], [end]])
    return np.outer((ends[:-1] + ends[1:]) / 2, weights) + biases


@find_slopes.mistake("takes ReLU units for absolute values", loses=ALL)
def slopes(weights, biases, outputs, start, end):
    return (inputs_in_the_middle(weights, biases, start, end) > 0) @ (outputs * weights)


@find_slopes.mistake("goes from right to left", loses=ALL)
def slopes(weights, biases, outputs, start, end):
    signs = np.sign(inputs_in_the_middle(weights, biases, start, end))
    return (signs @ (outputs * weights))[::-1]


@find_slopes.mistake("leaves the output weights out", loses=ALL)
def slopes(weights, biases, outputs, start, end):
    return np.sign(inputs_in_the_middle(weights, biases, start, end)) @ weights


@find_slopes.mistake("gives the piece before the first kink no slope of its own", loses=ALL)
def slopes(weights, biases, outputs, start, end):
    signs = np.sign(inputs_in_the_middle(weights, biases, start, end))
    return (signs @ (outputs * weights))[1:]


@find_slopes.mistake("opens an empty piece where two units fold together", loses=[TOGETHER])
def slopes(weights, biases, outputs, start, end):
    signs = np.sign(inputs_in_the_middle(weights, biases, start, end, np.sort))
    return signs @ (outputs * weights)


@find_slopes.mistake("opens an empty piece where a unit folds at an end", loses=[SOME])
def slopes(weights, biases, outputs, start, end):
    signs = np.sign(inputs_in_the_middle(weights, biases, start, end, before=np.less_equal))
    return signs @ (outputs * weights)


def widths(layers, start, end):
    """How wide each piece is: the first layer cuts the interval, and on each part the others are a
    network with an affine map in front."""

    def cut(slope, offset, rest, a, b):
        if not rest:
            return [b - a]
        (weight, bias), *further = rest
        slopes, offsets = weight @ slope, weight @ offset + bias
        places = {-o / s for s, o in zip(slopes, offsets, strict=True) if s and a < -o / s < b}
        ends, parts = [a, *sorted(places), b], []
        for left, right in pairwise(ends):
            sign = np.sign(slopes * (left + right) / 2 + offsets)
            parts += cut(sign * slopes, sign * offsets, further, left, right)
        return parts

    return cut(np.ones(1), np.zeros(1), list(layers), start, end)


def pieces(layers, start, end):
    return len(widths(layers, start, end))


count_pieces = Task(pieces)
ONE = "a single layer"
TWO = "two layers"
DEEP = "three or four layers"
NARROW = "networks with very narrow pieces"


def draw_network(rng, units):
    """A network whose pieces of (-2, 2) are all wide enough for a fine grid."""
    while True:
        layers, n = [], 1
        for width in units:
            weight = rng.normal(size=(width, n)) * np.sqrt(2 / n)
            layers.append((weight, rng.normal(size=width) * 0.7))
            n = width
        if min(widths(layers, -2.0, 2.0)) > 5e-3:
            return layers


@count_pieces.on(ONE, points=1)
def _(rng):
    return draw_network(rng, [rng.integers(3, 9)]), -2.0, 2.0


@count_pieces.on(TWO, points=2)
def _(rng):
    return draw_network(rng, rng.integers(3, 7, 2)), -2.0, 2.0


@count_pieces.on(DEEP, points=2)
def _(rng):
    return (
        draw_network(rng, rng.integers(2, 5, rng.integers(3, 5))),
        -2.0,
        2.0,
    )


@count_pieces.on(NARROW, points=1)
def _(rng):
    weight, bias = draw_network(rng, [rng.integers(2, 6)])[0]
    place, gap = rng.uniform(-0.9, 0.9), 10 ** rng.uniform(-6, -5)
    weight = np.append(weight, [[1.0], [1.0]], axis=0)
    bias = np.append(bias, [-place, -place - gap])
    return [(weight, bias)], -1.0, 1.0


@count_pieces.mistake(
    "counts the kinks, which are one fewer than the pieces",
    loses=[ONE, TWO, DEEP, NARROW],
)
def pieces(layers, start, end):
    return count_by(np.abs, layers, start, end) - 1


@count_pieces.mistake("takes ReLU units for absolute values", loses=[TWO, DEEP])
def pieces(layers, start, end):
    return count_by(lambda z: np.maximum(z, 0), layers, start, end)


@count_pieces.mistake("sees the first layer only", loses=[TWO, DEEP])
def pieces(layers, start, end):
    return count_by(np.abs, layers[:1], start, end)


@count_pieces.mistake("counts on a grid, and overlooks narrow pieces", loses=[NARROW])
def pieces(layers, start, end):
    h, codes = np.linspace(start, end, 2001)[:, None], []
    for weight, bias in layers:
        z = h @ weight.T + bias
        codes.append(z > 0)
        h = np.abs(z)
    codes = np.concatenate(codes, axis=1)
    return int((codes[1:] != codes[:-1]).any(axis=1).sum()) + 1


@count_pieces.mistake("sees the last layer only", loses=[TWO, DEEP])
def pieces(layers, start, end):
    return count_by(np.abs, layers, start, end, last_only=True)


def count_by(activation, layers, start, end, last_only=False):
    """The method of the solution, with another activation or fewer cuts."""
    places = np.array([start, end], dtype=float)
    values, cuts = places[:, None], np.array([])
    for weight, bias in layers:
        before = values @ weight.T + bias
        low, high = before[:-1], before[1:]
        part, unit = np.nonzero(low * high < 0)
        share = low[part, unit] / (low[part, unit] - high[part, unit])
        cuts = places[part] + share * (places[part + 1] - places[part])
        old, places = places, np.unique(np.append(places, cuts))
        values = activation(np.stack([np.interp(places, old, z) for z in before.T], axis=1))
    return len(np.unique(cuts)) + 1 if last_only else len(places) - 1


TASKS = [find_kinks, find_slopes, count_pieces]
