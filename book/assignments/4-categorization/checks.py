"""What assignment 4 is marked by: other ways to ask whether codes know the class."""

from itertools import permutations

import numpy as np
from nhlib.classroom import Task
from scipy.optimize import linear_sum_assignment

# -- jaccard_distances -----------------------------------------------------


def jaccard_distances(one, other):
    def distance(u, v):
        on_u, on_v = set(np.flatnonzero(u)), set(np.flatnonzero(v))
        either = on_u | on_v
        return len(on_u ^ on_v) / len(either) if either else 0.0

    return np.array([[distance(u, v) for v in other] for u in one])


find_jaccard = Task(jaccard_distances)
USUAL = "codes with some units on"
SILENT = "codes among which some have no unit on"


@find_jaccard.on(USUAL, points=3)
def _(rng):
    n, m = rng.permutation([4, 5, 6])[:2]
    while True:
        one, other = rng.integers(0, 2, (n, 9)), rng.integers(0, 2, (m, 9))
        if one.any(axis=1).all() and other.any(axis=1).all():
            return one, other


@find_jaccard.on(SILENT, points=1)
def _(rng):
    one, other = rng.integers(0, 2, (5, 7)), rng.integers(0, 2, (4, 7))
    one[rng.integers(5)] = 0
    other[rng.integers(4)] = 0
    return one, other


def overlaps(one, other):
    one, other = one.astype(int), other.astype(int)
    both = one @ other.T
    return both, one.sum(axis=1)[:, None] + other.sum(axis=1) - both


@find_jaccard.mistake("returns the similarity, not the distance", loses=[USUAL, SILENT])
def jaccard_distances(one, other):
    both, either = overlaps(one, other)
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


@find_jaccard.mistake(
    "divides by the number of bits, as Hamming distance does",
    loses=[USUAL, SILENT],
)
def jaccard_distances(one, other):
    return (one[:, None] != other).mean(axis=2)


@find_jaccard.mistake("divides by zero where no unit is on", loses=[SILENT])
def jaccard_distances(one, other):
    both, either = overlaps(one, other)
    with np.errstate(invalid="ignore"):
        return 1 - both / either


@find_jaccard.mistake("puts two codes without a unit on at distance 1", loses=[SILENT])
def jaccard_distances(one, other):
    both, either = overlaps(one, other)
    return 1 - both / np.maximum(either, 1)


@find_jaccard.mistake("has the second codes as rows", loses=[USUAL, SILENT])
def jaccard_distances(one, other):
    both, either = overlaps(one, other)
    return np.where(either > 0, 1 - both / np.maximum(either, 1), 0.0).T


# -- nearest_prototype -----------------------------------------------------


def nearest_prototype(train_codes, train_labels, test_codes):
    found = []
    for code in test_codes:
        best = None
        for label in sorted(set(train_labels.tolist())):
            own = train_codes[train_labels == label]
            prototype = [2 * int(column.sum()) > len(own) for column in own.T]
            distance = sum(int(a) != int(b) for a, b in zip(code, prototype, strict=True))
            if best is None or distance < best[0]:
                best = distance, label
        found.append(best[1])
    return np.array(found)


find_prototype = Task(nearest_prototype)
CLEAR = "classes with clear prototypes"
HALVES = "classes with bits that are half-half"
TIES = "test codes between two prototypes"


def draw_classes(rng, sizes, n_bits):
    """Noisy copies of one code a class, and labels with gaps, in random order."""
    labels = rng.choice(20, len(sizes), replace=False)
    codes, owners = [], []
    for label, size in zip(labels, sizes, strict=True):
        centre = rng.integers(0, 2, n_bits)
        codes.append(centre ^ (rng.random((size, n_bits)) < 0.25))
        owners += [label] * size
    order = rng.permutation(len(owners))
    return np.concatenate(codes)[order], np.array(owners)[order]


def distances_to(train_codes, train_labels, test_codes, rule):
    classes = np.unique(train_labels)
    prototypes = np.array([rule(train_codes[train_labels == c]) for c in classes])
    return classes, (test_codes[:, None] != prototypes).sum(axis=2)


def above_half(own):
    return own.mean(axis=0) > 0.5


def half_or_more(own):
    return own.mean(axis=0) >= 0.5


def by(rule, train_codes, train_labels, test_codes, last=False):
    classes, distances = distances_to(train_codes, train_labels, test_codes, rule)
    if last:
        return classes[::-1][distances[:, ::-1].argmin(axis=1)]
    return classes[distances.argmin(axis=1)]


def nearest_example(train_codes, train_labels, test_codes):
    return train_labels[(test_codes[:, None] != train_codes).sum(axis=2).argmin(axis=1)]


def no_ties(arguments):
    _, distances = distances_to(*arguments, above_half)
    two = np.sort(distances, axis=1)[:, :2]
    return (two[:, 0] < two[:, 1]).all()


@find_prototype.on(CLEAR, points=2)
def _(rng):
    while True:
        codes, labels = draw_classes(rng, rng.choice([5, 7, 9], 4), 15)
        arguments = codes, labels, rng.integers(0, 2, (12, 15))
        answers = by(above_half, *arguments)
        positions = np.unique(labels, return_inverse=True)[0].searchsorted(answers)
        if (no_ties(arguments) and (answers != nearest_example(*arguments)).any()
                and (answers != positions).any() and len(set(answers.tolist())) > 1):  # fmt: skip
            return arguments


@find_prototype.on(HALVES, points=1)
def _(rng):
    while True:
        codes, labels = draw_classes(rng, [2, 4, 4], 15)
        arguments = codes, labels, rng.integers(0, 2, (12, 15))
        if (
            no_ties(arguments)
            and (by(above_half, *arguments) != by(half_or_more, *arguments)).any()
        ):
            return arguments


@find_prototype.on(TIES, points=1)
def _(rng):
    while True:
        codes, labels = draw_classes(rng, [5, 7, 5], 8)
        arguments = codes, labels, rng.integers(0, 2, (12, 8))
        answers = by(above_half, *arguments)
        if (answers != by(above_half, *arguments, last=True)).any() and len(
            set(answers.tolist())
        ) > 1:
            return arguments


@find_prototype.mistake("gives half-half bits a 1", loses=[HALVES])
def nearest_prototype(train_codes, train_labels, test_codes):
    return by(half_or_more, train_codes, train_labels, test_codes)


@find_prototype.mistake("takes the largest label of those that tie", loses=[TIES])
def nearest_prototype(train_codes, train_labels, test_codes):
    return by(above_half, train_codes, train_labels, test_codes, last=True)


@find_prototype.mistake(
    "returns positions among the classes, not labels",
    loses=[CLEAR, HALVES, TIES],
)
def nearest_prototype(train_codes, train_labels, test_codes):
    return distances_to(train_codes, train_labels, test_codes, above_half)[1].argmin(axis=1)


@find_prototype.mistake("takes the farthest prototype", loses=[CLEAR, HALVES, TIES])
def nearest_prototype(train_codes, train_labels, test_codes):
    classes, distances = distances_to(train_codes, train_labels, test_codes, above_half)
    return classes[distances.argmax(axis=1)]


@find_prototype.mistake(
    "lets the whole training set vote on each prototype",
    loses=[CLEAR, HALVES, TIES],
)
def nearest_prototype(train_codes, train_labels, test_codes):
    return np.full(len(test_codes), train_labels.min())


# -- matched_accuracy ------------------------------------------------------


def matched_accuracy(clusters, labels):
    names, classes = (
        sorted(set(clusters.tolist())),
        sorted(set(labels.tolist())),
    )
    pairs = list(zip(clusters.tolist(), labels.tolist(), strict=True))
    if len(names) > len(classes):
        names, classes = classes, names
        pairs = [(b, a) for a, b in pairs]
    return max(
        sum(dict(zip(names, chosen, strict=True))[a] == b for a, b in pairs)
        for chosen in permutations(classes, len(names))
    ) / len(labels)


find_matched = Task(matched_accuracy)
SQUARE = "as many clusters as classes"
MORE = "more clusters than classes"
FEWER = "fewer clusters than classes"


def table_of(clusters, labels):
    _, row = np.unique(clusters, return_inverse=True)
    _, column = np.unique(labels, return_inverse=True)
    table = np.zeros((row.max() + 1, column.max() + 1), dtype=int)
    np.add.at(table, (row, column), 1)
    return table


def greedy(table):
    table, total = table.astype(float), 0.0
    for _ in range(min(table.shape)):
        i, j = np.unravel_index(table.argmax(), table.shape)
        total += table[i, j]
        table[i, :] = table[:, j] = -1
    return total


def draw_clusters(rng, k, m):
    while True:
        clusters, labels = (
            rng.integers(0, k, 30) + 3,
            2 * rng.integers(0, m, 30),
        )
        table = table_of(clusters, labels)
        best = table[linear_sum_assignment(table, maximize=True)].sum()
        others = {int(greedy(table)), int(table.max(axis=1).sum()), int(table.max(axis=0).sum()),
                  int((clusters == labels).sum()), int(table[linear_sum_assignment(table)].sum()),
                  int(np.trace(table[: min(k, m), : min(k, m)]))}  # fmt: skip
        if table.shape == (k, m) and best not in others:
            return clusters, labels


@find_matched.on(SQUARE, points=2)
def _(rng):
    return draw_clusters(rng, 4, 4)


@find_matched.on(MORE, points=1)
def _(rng):
    return draw_clusters(rng, 5, 3)


@find_matched.on(FEWER, points=1)
def _(rng):
    return draw_clusters(rng, 3, 5)


@find_matched.mistake(
    "lets every cluster vote, so that two may get one class",
    loses=[SQUARE, MORE, FEWER],
)
def matched_accuracy(clusters, labels):
    return table_of(clusters, labels).max(axis=1).sum() / len(labels)


@find_matched.mistake("lets every class take its largest cluster", loses=[SQUARE, MORE, FEWER])
def matched_accuracy(clusters, labels):
    return table_of(clusters, labels).max(axis=0).sum() / len(labels)


@find_matched.mistake(
    "finds the worst pairing: the table was a cost",
    loses=[SQUARE, MORE, FEWER],
)
def matched_accuracy(clusters, labels):
    table = table_of(clusters, labels)
    return table[linear_sum_assignment(table)].sum() / len(labels)


@find_matched.mistake(
    "takes the largest pair first and never looks back",
    loses=[SQUARE, MORE, FEWER],
)
def matched_accuracy(clusters, labels):
    return greedy(table_of(clusters, labels)) / len(labels)


@find_matched.mistake("takes the numbers of clusters for labels", loses=[SQUARE, MORE, FEWER])
def matched_accuracy(clusters, labels):
    return (clusters == labels).mean()


@find_matched.mistake("needs as many clusters as classes", loses=[MORE, FEWER])
def matched_accuracy(clusters, labels):
    table = table_of(clusters, labels)
    k = min(table.shape)
    table = table[:k, :k] if table.shape[0] != table.shape[1] else table
    return table[linear_sum_assignment(table, maximize=True)].sum() / len(labels)


# -- leave_one_out ---------------------------------------------------------


def leave_one_out(codes, labels):
    right = 0
    for i, code in enumerate(codes.tolist()):
        others = [(sum(a != b for a, b in zip(code, other, strict=True)), j)
                  for j, other in enumerate(codes.tolist()) if j != i]  # fmt: skip
        right += labels[min(others)[1]] == labels[i]
    return float(right / len(codes))


find_neighbour = Task(leave_one_out)
DISTINCT = "codes that are all different"
SHARED = "codes that several examples share"


def hamming(codes):
    return (codes[:, None] != codes).sum(axis=2)


def without_self(codes):
    distances = hamming(codes)
    np.fill_diagonal(distances, codes.shape[1] + 1)
    return distances


def last_nearest(distances):
    return distances.shape[1] - 1 - distances[:, ::-1].argmin(axis=1)


def unequal_answers(codes, labels):
    """All mistakes below give another accuracy here than the truth, and than 1."""
    right = leave_one_out_of(codes, labels, without_self(codes).argmin(axis=1))
    others = [
        1.0,
        leave_one_out_of(codes, labels, last_nearest(without_self(codes))),
        leave_one_out_of(
            codes,
            labels,
            np.argsort(hamming(codes), axis=1, kind="stable")[:, 1],
        ),
        leave_one_out_of(
            codes,
            labels,
            np.where(np.eye(len(codes)), -1, hamming(codes)).argmax(axis=1),
        ),
        float((labels[:-1] == labels[1:]).sum() / len(labels)),
    ]
    return right, others


def leave_one_out_of(codes, labels, neighbours):
    return float((labels[neighbours] == labels).mean())


@find_neighbour.on(DISTINCT, points=2)
def _(rng):
    while True:
        codes, labels = draw_classes(rng, [6, 7, 8], 9)
        right, others = unequal_answers(codes, labels)
        if len(np.unique(codes, axis=0)) == len(codes) and right not in [
            *others[:2],
            *others[3:],
        ]:
            return codes, labels


@find_neighbour.on(SHARED, points=2)
def _(rng):
    while True:
        codes, labels = draw_classes(rng, [6, 7, 8], 5)
        right, others = unequal_answers(codes, labels)
        if len(np.unique(codes, axis=0)) < len(codes) - 4 and right not in others:
            return codes, labels


@find_neighbour.mistake("finds each example as its own neighbour", loses=[DISTINCT, SHARED])
def leave_one_out(codes, labels):
    return float((labels[hamming(codes).argmin(axis=1)] == labels).mean())


@find_neighbour.mistake(
    "drops the nearest, which need not be the example itself when codes are shared",
    loses=[SHARED],
)
def leave_one_out(codes, labels):
    second = np.argsort(hamming(codes), axis=1, kind="stable")[:, 1]
    return float((labels[second] == labels).mean())


@find_neighbour.mistake("takes the last of those that tie", loses=[DISTINCT, SHARED])
def leave_one_out(codes, labels):
    return float((labels[last_nearest(without_self(codes))] == labels).mean())


@find_neighbour.mistake("takes the farthest example", loses=[DISTINCT, SHARED])
def leave_one_out(codes, labels):
    distances = np.where(np.eye(len(codes)), -1, hamming(codes))
    return float((labels[distances.argmax(axis=1)] == labels).mean())


@find_neighbour.mistake(
    "compares with the next row instead of the nearest",
    loses=[DISTINCT, SHARED],
)
def leave_one_out(codes, labels):
    return float((labels[:-1] == labels[1:]).sum() / len(labels))


TASKS = [find_jaccard, find_prototype, find_matched, find_neighbour]
