"""What assignment 2 is marked by: networks of hard-tanh units and their codes."""

import numpy as np
from nhlib.classroom import Task


def draw_layers(rng, n_inputs, widths):
    layers = []
    for width in widths:
        weight = rng.normal(size=(width, n_inputs)) * 2 / np.sqrt(n_inputs)
        layers.append((weight, rng.normal(size=width) * 0.5))
        n_inputs = width
    return layers


def clip(z):
    return min(max(z, -1.0), 1.0)


# -- ternary_code ----------------------------------------------------------


def ternary_code(inputs, layers):
    codes = []
    for x in inputs:
        code = []
        for weight, bias in layers:
            z = [sum(w * v for w, v in zip(row, x, strict=True)) + b
                 for row, b in zip(weight, bias, strict=True)]  # fmt: skip
            code += [0 if v <= -1 else 2 if v >= 1 else 1 for v in z]
            x = [clip(v) for v in z]
        codes.append(code)
    return np.array(codes)


find_states = Task(ternary_code)
ONE = "networks of one layer"
DEEP = "networks of several layers"
EDGE = "units that lie exactly on a border"


def enough(arguments):
    """No unit near a border, and the order of layers and units matters."""
    inputs, layers = arguments
    for weight, bias in layers:
        z = inputs @ weight.T + bias
        if np.abs(np.abs(z) - 1).min() < 1e-6:
            return False
        inputs = np.clip(z, -1, 1)
    return True


def draw_network(rng, widths):
    while True:
        d = int(rng.integers(2, 5))
        arguments = rng.normal(size=(12, d)), draw_layers(rng, d, widths)
        if enough(arguments):
            return arguments


@find_states.on(ONE, points=2)
def _(rng):
    return draw_network(rng, [rng.integers(5, 9)])


@find_states.on(DEEP, points=2)
def _(rng):
    return draw_network(rng, rng.integers(5, 9, rng.integers(2, 4)))


@find_states.on(EDGE, points=1)
def _(rng):
    # Small whole numbers, so that no rounding decides.
    inputs = rng.integers(-2, 3, (20, 2)).astype(float)
    return inputs, [
        (
            np.eye(2)[rng.permutation(2)],
            rng.integers(-1, 2, 2).astype(float),
        )
    ]


@find_states.mistake("takes a unit on the border for one that is not clipped", loses=[EDGE])
def ternary_code(inputs, layers):
    states = []
    for weight, bias in layers:
        z = inputs @ weight.T + bias
        states.append((z >= -1).astype(int) + (z > 1))
        inputs = np.clip(z, -1, 1)
    return np.concatenate(states, axis=1)


@find_states.mistake("hands the unclipped values on to the next layer", loses=[DEEP])
def ternary_code(inputs, layers):
    states = []
    for weight, bias in layers:
        inputs = inputs @ weight.T + bias
        states.append((inputs > -1).astype(int) + (inputs >= 1))
    return np.concatenate(states, axis=1)


@find_states.mistake("hands the states on to the next layer", loses=[DEEP])
def ternary_code(inputs, layers):
    states = []
    for weight, bias in layers:
        z = inputs @ weight.T + bias
        states.append((z > -1).astype(int) + (z >= 1))
        inputs = states[-1]
    return np.concatenate(states, axis=1)


@find_states.mistake("returns the last layer only", loses=[DEEP])
def ternary_code(inputs, layers):
    for weight, bias in layers:
        z = inputs @ weight.T + bias
        inputs = np.clip(z, -1, 1)
    return (z > -1).astype(int) + (z >= 1)


@find_states.mistake("borders lie at 0 and 1, as for a clipped ReLU", loses=[ONE, DEEP, EDGE])
def ternary_code(inputs, layers):
    states = []
    for weight, bias in layers:
        z = inputs @ weight.T + bias
        states.append((z > 0).astype(int) + (z >= 1))
        inputs = np.clip(z, -1, 1)
    return np.concatenate(states, axis=1)


@find_states.mistake("has units as rows and inputs as columns", loses=[ONE, DEEP, EDGE])
def ternary_code(inputs, layers):
    states = []
    for weight, bias in layers:
        z = inputs @ weight.T + bias
        states.append((z > -1).astype(int) + (z >= 1))
        inputs = np.clip(z, -1, 1)
    return np.concatenate(states, axis=1).T


# -- code_numbers ----------------------------------------------------------


def code_numbers(states):
    return [int("".join(map(str, row)), 3) for row in states.tolist()]


find_numbers = Task(code_numbers)
SHORT = "codes of a few units"
LONG = "codes of more than forty units"


@find_numbers.on(SHORT, points=3)
def _(rng):
    return (rng.integers(0, 3, (6, rng.integers(4, 12))),)


@find_numbers.on(LONG, points=2)
def _(rng):
    states = rng.integers(0, 3, (4, rng.integers(45, 90)))
    states[:, [0, -1]] = rng.permuted([[1, 2]] * 4, axis=1)  # neither end is a 0
    return (states,)


@find_numbers.mistake(
    "takes the first unit for the least significant digit",
    loses=[SHORT, LONG],
)
def code_numbers(states):
    return [sum(int(s) * 3**i for i, s in enumerate(row)) for row in states]


@find_numbers.mistake("overflows where 64 bits are not enough", loses=[LONG])
def code_numbers(states):
    powers = 3 ** np.arange(states.shape[1] - 1, -1, -1, dtype=np.int64)
    return (states.astype(np.int64) @ powers).tolist()


@find_numbers.mistake("rounds, since it computes in floating point", loses=[LONG])
def code_numbers(states):
    return [int(n) for n in states @ 3.0 ** np.arange(states.shape[1] - 1, -1, -1)]


@find_numbers.mistake("counts in base 2", loses=[SHORT, LONG])
def code_numbers(states):
    return [sum(int(s) * 2**i for i, s in enumerate(row[::-1])) for row in states]


@find_numbers.mistake("writes the digits side by side, in base 10", loses=[SHORT, LONG])
def code_numbers(states):
    return [int("".join(str(int(s)) for s in row)) for row in states]


@find_numbers.mistake("counts the exponents from 1 instead of 0", loses=[SHORT, LONG])
def code_numbers(states):
    return [3 * sum(int(s) * 3**i for i, s in enumerate(row[::-1])) for row in states]


# -- affine_map ------------------------------------------------------------


def affine_map(x, weights, biases, outputs, offset):
    # By differences: the map is known from the network at d + 1 places of the region.
    def network(y):
        return outputs @ np.clip(weights @ y + biases, -1, 1) + offset

    margin = np.abs(np.abs(weights @ x + biases) - 1).min()
    step = 0.5 * margin / np.abs(weights).max()
    matrix = np.stack([(network(x + step * e) - network(x - step * e)) / (2 * step)
                       for e in np.eye(len(x))], axis=1)  # fmt: skip
    return matrix, network(x) - matrix @ x


find_map = Task(affine_map)
INNER = "inputs at which no unit is clipped"
CLIPPED = "inputs at which some units are clipped"
ALL = "inputs at which all units are clipped"


def draw_input(rng, share):
    """A network and an input at which ``share(z)`` holds, away from every border."""
    while True:
        d, h, k = rng.integers(2, 5), rng.integers(4, 9), rng.integers(2, 4)
        x, weights = rng.normal(size=d), rng.normal(size=(h, d))
        biases = rng.normal(size=h)
        if share is ALL:
            weights, biases = 8 * weights, 8 * biases
        if share is INNER:
            weights, biases = 0.15 * weights, 0.3 * biases
        z = np.abs(weights @ x + biases)
        wanted = {INNER: (z < 1).all(), ALL: (z > 1).all(),
                  CLIPPED: 1 < (z > 1).sum() < h - 1}[share]  # fmt: skip
        signs = np.sign((weights @ x + biases)[z > 1])
        if wanted and np.abs(z - 1).min() > 0.02 and (share is INNER or len(set(signs)) == 2):
            return (
                x,
                weights,
                biases,
                rng.normal(size=(k, h)),
                rng.normal(size=k),
            )


@find_map.on(INNER, points=2)
def _(rng):
    return draw_input(rng, INNER)


@find_map.on(CLIPPED, points=3)
def _(rng):
    return draw_input(rng, CLIPPED)


@find_map.on(ALL, points=1)
def _(rng):
    return draw_input(rng, ALL)


def masks(x, weights, biases):
    z = weights @ x + biases
    return z, (np.abs(z) < 1).astype(float)


@find_map.mistake("forgets that clipped units still add 1 or -1", loses=[CLIPPED, ALL])
def affine_map(x, weights, biases, outputs, offset):
    _, linear = masks(x, weights, biases)
    return outputs @ (weights * linear[:, None]), outputs @ (biases * linear) + offset


@find_map.mistake(
    "adds 1 for every clipped unit, also for those at -1",
    loses=[CLIPPED, ALL],
)
def affine_map(x, weights, biases, outputs, offset):
    _, linear = masks(x, weights, biases)
    constants = np.where(linear, biases, 1)
    return outputs @ (weights * linear[:, None]), outputs @ constants + offset


@find_map.mistake("returns the network's output for the vector", loses=[INNER, CLIPPED])
def affine_map(x, weights, biases, outputs, offset):
    z, linear = masks(x, weights, biases)
    return outputs @ (weights * linear[:, None]), outputs @ np.clip(z, -1, 1) + offset


@find_map.mistake("leaves the offset out", loses=[INNER, CLIPPED, ALL])
def affine_map(x, weights, biases, outputs, offset):
    z, linear = masks(x, weights, biases)
    constants = np.where(linear, biases, np.sign(z))
    return outputs @ (weights * linear[:, None]), outputs @ constants


@find_map.mistake("takes the units for ReLUs", loses=[INNER, CLIPPED, ALL])
def affine_map(x, weights, biases, outputs, offset):
    on = (weights @ x + biases > 0).astype(float)
    return outputs @ (weights * on[:, None]), outputs @ (biases * on) + offset


@find_map.mistake("keeps the slope of clipped units", loses=[CLIPPED, ALL])
def affine_map(x, weights, biases, outputs, offset):
    z, linear = masks(x, weights, biases)
    constants = np.where(linear, biases, np.sign(z))
    return outputs @ weights, outputs @ constants + offset


TASKS = [find_states, find_numbers, find_map]
