"""What assignment 6 is marked by: another phase chart, and scores of forecasts."""

import math

import numpy as np
from nhlib.classroom import Task

# -- states ----------------------------------------------------------------


def states(redundancy, accuracy, tau, delta):
    n_widths, n_times = redundancy.shape
    found = []
    for i in range(n_widths):
        row = []
        for j in range(n_times):
            r, a = float(redundancy[i, j]), float(accuracy[i, j])
            wider = [float(accuracy[k, j]) for k in range(i + 1, n_widths)]
            if math.isnan(r) or math.isnan(a):
                row.append(-1)
            elif r > tau:
                row.append(0)
            else:
                row.append(1 if any(w - a >= delta for w in wider) else 2)
        found.append(row)
    return np.array(found)


find_states = Task(states)
FULL = "charts without gaps"
GAPS = "charts in which some networks were not trained"
EXACT = "charts in which some numbers are exactly at tau or delta"


def chart(
    redundancy,
    accuracy,
    tau,
    delta,
    *,
    wider="some",
    at_tau="fine",
    at_delta="gain",
    gaps="unknown",
):
    """The method of the solution, with one of its rules replaced."""
    filled = np.where(np.isnan(accuracy), 0 if gaps == "zero" else -np.inf, accuracy)
    own = filled if gaps == "zero" else accuracy
    found = np.full(redundancy.shape, 2)
    for i in range(len(accuracy)):
        others = {"some": filled[i + 1 :], "next": filled[i + 1 : i + 2], "any": filled,
                  "longer": None}[wider]  # fmt: skip
        for j in range(accuracy.shape[1]):
            column = filled[i, j + 1 :] if others is None else others[:, j]
            gain = column.max(initial=-np.inf) - own[i, j]
            found[i, j] = 1 if gain > delta or (gain == delta and at_delta == "gain") else 2
            if redundancy[i, j] > tau or (redundancy[i, j] == tau and at_tau == "starved"):
                found[i, j] = 0
    if gaps == "unknown":
        found[np.isnan(redundancy) | np.isnan(accuracy)] = -1
    if gaps == "redundancy":
        found[np.isnan(redundancy)] = -1
    return found


RULES = [{"wider": "next"}, {"wider": "any"}, {"wider": "longer"}]


def draw_chart(rng, gaps=0):
    """A chart in which each of the rules above gives another answer."""
    while True:
        redundancy = np.sort(rng.random((6, 4)), axis=0)[::-1] * 0.8
        accuracy = 0.5 + rng.random((6, 4)) * 0.4 + np.linspace(0, 0.1, 6)[:, None]
        for grid in (redundancy, accuracy):
            grid.flat[rng.choice(24, gaps, replace=False)] = np.nan
        tau, delta = (
            float(rng.uniform(0.2, 0.5)),
            float(rng.uniform(0.05, 0.2)),
        )
        arguments = redundancy, accuracy, tau, delta
        right = chart(*arguments)
        if {0, 1, 2} <= set(right.ravel().tolist()) and all(
            (chart(*arguments, **rule) != right).any() for rule in RULES
        ):
            return arguments


@find_states.on(FULL, points=3)
def _(rng):
    return draw_chart(rng)


@find_states.on(GAPS, points=2)
def _(rng):
    while True:
        arguments = draw_chart(rng, gaps=3)
        right = chart(*arguments)
        if (chart(*arguments, gaps="redundancy") != right).any() and (
            chart(*arguments, gaps="zero") != right
        ).any():
            return arguments


@find_states.on(EXACT, points=1)
def _(rng):
    # Eighths: their differences are exact.
    while True:
        redundancy, accuracy = (
            rng.integers(0, 5, (5, 3)) / 8,
            rng.integers(2, 9, (5, 3)) / 8,
        )
        arguments = redundancy, accuracy, 0.25, 0.25
        right = chart(*arguments)
        others = [*RULES, {"at_tau": "starved"}, {"at_delta": "none"}]
        if all((chart(*arguments, **rule) != right).any() for rule in others):
            return arguments


@find_states.mistake("looks at the next wider network only", loses=[FULL, GAPS, EXACT])
def states(redundancy, accuracy, tau, delta):
    return chart(redundancy, accuracy, tau, delta, wider="next")


@find_states.mistake("compares with narrower networks as well", loses=[FULL, GAPS, EXACT])
def states(redundancy, accuracy, tau, delta):
    return chart(redundancy, accuracy, tau, delta, wider="any")


@find_states.mistake(
    "compares with longer training instead of wider networks",
    loses=[FULL, GAPS, EXACT],
)
def states(redundancy, accuracy, tau, delta):
    return chart(redundancy, accuracy, tau, delta, wider="longer")


@find_states.mistake("calls a network starved whose redundancy is exactly tau", loses=[EXACT])
def states(redundancy, accuracy, tau, delta):
    return chart(redundancy, accuracy, tau, delta, at_tau="starved")


@find_states.mistake("wants a gain of more than delta", loses=[EXACT])
def states(redundancy, accuracy, tau, delta):
    return chart(redundancy, accuracy, tau, delta, at_delta="none")


@find_states.mistake("takes a missing accuracy for 0", loses=[GAPS])
def states(redundancy, accuracy, tau, delta):
    return chart(redundancy, accuracy, tau, delta, gaps="zero")


@find_states.mistake("does not see that the accuracy is missing", loses=[GAPS])
def states(redundancy, accuracy, tau, delta):
    return chart(redundancy, accuracy, tau, delta, gaps="redundancy")


# -- safe_width ------------------------------------------------------------


def safe_width(widths, redundancy, tau):
    pairs = list(zip(widths.tolist(), redundancy.tolist(), strict=True))
    safe = [w for w, _ in pairs if all(r <= tau for v, r in pairs if v >= w)]
    return min(safe, default=None)


find_width = Task(safe_width)
STEADY = "runs in which redundancy falls with every unit"
BUMPY = "runs in which redundancy rises again for a while"
NEVER = "runs of which some never become safe"
AT = "runs that meet tau exactly"


def draw_widths(rng, n):
    order = rng.permutation(n)
    return np.sort(rng.choice(np.arange(5, 200), n, replace=False)), order


@find_width.on(STEADY, points=1)
def _(rng):
    widths, order = draw_widths(rng, 7)
    redundancy = np.sort(rng.random(7))[::-1]
    tau = float(redundancy[2:5].mean())
    while (
        order[np.isin(order, np.flatnonzero(redundancy <= tau))][0] == (redundancy <= tau).argmax()
    ):
        order = rng.permutation(7)
    return widths[order], redundancy[order], tau


def draw_bumpy(rng):
    widths, order = draw_widths(rng, 7)
    redundancy = np.array([0.9, 0.1, 0.8, 0.5, 0.15, 0.1, 0.05]) * rng.uniform(0.8, 1, 7)
    return widths, redundancy, order


@find_width.on(BUMPY, points=1)
def _(rng):
    widths, redundancy, order = draw_bumpy(rng)
    while order.tolist().index(1) > order.tolist().index(4) or order[-1] in (4, 5, 6):
        order = rng.permutation(7)
    return widths[order], redundancy[order], 0.2


@find_width.on(NEVER, points=1)
def _(rng):
    widths, redundancy, order = draw_bumpy(rng)
    tau = float(rng.choice([0.01, 0.02, 0.6]))
    while order.tolist().index(1) > order.tolist().index(3) or order[-1] in (3, 4, 5, 6):
        order = rng.permutation(7)
    return widths[order], redundancy[order], tau


@find_width.on(AT, points=1)
def _(rng):
    widths, redundancy, order = draw_bumpy(rng)
    while order.tolist().index(1) > order.tolist().index(4) or order[-1] in (4, 5, 6):
        order = rng.permutation(7)
    return (
        widths[order],
        redundancy[order],
        float(redundancy[[4, 5][int(rng.integers(2))]]),
    )


def walk(widths, redundancy, tau, below=np.less_equal):
    safe = None
    for w, r in list(zip(widths.tolist(), redundancy.tolist(), strict=True))[::-1]:
        if not below(r, tau):
            break
        safe = w
    return safe


def in_order(widths, redundancy):
    order = np.argsort(widths)
    return widths[order], redundancy[order]


@find_width.mistake(
    "takes the first width that is safe, even if a wider one is not",
    loses=[BUMPY, NEVER, AT],
)
def safe_width(widths, redundancy, tau):
    safe = widths[redundancy <= tau]
    return int(safe.min()) if len(safe) else None


@find_width.mistake("wants less than tau, not at most tau", loses=[AT])
def safe_width(widths, redundancy, tau):
    return walk(*in_order(widths, redundancy), tau, np.less)


@find_width.mistake(
    "takes the widths as they stand, not in their order",
    loses=[STEADY, BUMPY, NEVER, AT],
)
def safe_width(widths, redundancy, tau):
    safe = redundancy <= tau
    return int(widths[safe.argmax()]) if safe.any() else None


@find_width.mistake("returns the widest where none is safe", loses=[NEVER])
def safe_width(widths, redundancy, tau):
    found = walk(*in_order(widths, redundancy), tau)
    return int(widths.max()) if found is None else found


@find_width.mistake(
    "returns the last width that is not safe",
    loses=[STEADY, BUMPY, NEVER, AT],
)
def safe_width(widths, redundancy, tau):
    return int(widths[redundancy > tau].max())


# -- interval_score --------------------------------------------------------


def interval_score(low, high, value, alpha):
    scores = []
    for a, b, x in zip(low.tolist(), high.tolist(), value.tolist(), strict=True):
        score = b - a
        if x < a:
            score += 2 * (a - x) / alpha
        if x > b:
            score += 2 * (x - b) / alpha
        scores.append(score)
    return math.fsum(scores) / len(scores)


find_score = Task(interval_score)
HELD = "forecasts that hold the truth"
MISSED = "forecasts that miss it below and above"


def draw_forecasts(rng, n):
    low = rng.random(n)
    return low, low + rng.uniform(0.1, 0.5, n)


@find_score.on(HELD, points=1)
def _(rng):
    low, high = draw_forecasts(rng, rng.integers(3, 8))
    share = rng.uniform(0.1, 0.9, len(low))
    return (
        low,
        high,
        low + share * (high - low),
        float(rng.choice([0.05, 0.1, 0.2, 0.5])),
    )


@find_score.on(MISSED, points=3)
def _(rng):
    low, high = draw_forecasts(rng, 6)
    miss = rng.uniform(0.1, 0.4, 6)
    value = np.where(
        np.arange(6) < 2,
        low - miss,
        np.where(np.arange(6) < 4, high + miss, (low + high) / 2),
    )
    return low, high, value, float(rng.choice([0.05, 0.1, 0.2, 0.5]))


def parts(low, high, value):
    return (
        high - low,
        np.maximum(low - value, 0),
        np.maximum(value - high, 0),
    )


@find_score.mistake("adds the scores up instead of averaging them", loses=[HELD, MISSED])
def interval_score(low, high, value, alpha):
    width, below, above = parts(low, high, value)
    return float(np.sum(width + 2 / alpha * (below + above)))


@find_score.mistake("charges a miss without 2 / alpha", loses=[MISSED])
def interval_score(low, high, value, alpha):
    width, below, above = parts(low, high, value)
    return float(np.mean(width + below + above))


@find_score.mistake("charges 1 / alpha instead of 2 / alpha", loses=[MISSED])
def interval_score(low, high, value, alpha):
    width, below, above = parts(low, high, value)
    return float(np.mean(width + (below + above) / alpha))


@find_score.mistake("charges misses above only", loses=[MISSED])
def interval_score(low, high, value, alpha):
    width, _, above = parts(low, high, value)
    return float(np.mean(width + 2 / alpha * above))


@find_score.mistake("rewards the truth for being far inside", loses=[HELD, MISSED])
def interval_score(low, high, value, alpha):
    return float(np.mean(high - low + 2 / alpha * (low - value) + 2 / alpha * (value - high)))


@find_score.mistake("leaves the width out", loses=[HELD, MISSED])
def interval_score(low, high, value, alpha):
    _, below, above = parts(low, high, value)
    return float(np.mean(2 / alpha * (below + above)))


TASKS = [find_states, find_width, find_score]
