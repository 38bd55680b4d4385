"""What chapter 3 says of its runs and of the stored tables; the names are those of the notebook."""

from comparison import near


def shared(**settings):
    codes = explorer.codes(**settings)
    of = codes.groups()
    sizes = np.bincount(of)
    groups = np.flatnonzero(sizes > 1)
    n_classes = [len(set(data.train.labels[of == g].tolist())) for g in groups]
    mixed = sum(n > 1 for n in n_classes)
    return np.array([codes.n_distinct, sizes[groups].sum(), len(groups), mixed]), sizes.max()


twelve, fifty = {"network": "12"}, {"network": "50"}
found, _ = shared(protocol="B", **twelve)
near(found[:3], (620, 1100, 280), (10, 20, 10))
near(found[2] - found[3], 200, 10)
found, _ = shared(epoch=0, protocol="A", **twelve)
near(found[0], 183, 0)
near(found[3] / found[2], 2 / 3, 0.05)
assert shared(protocol="B", **fifty)[0][2] <= 5
found, _ = shared(epoch=0, protocol="A", **fifty)
near(found[2:], (50, 0), 0)
found, most = shared(protocol="A", **fifty)
near(found[2], 180, 10)
near(most, 120, 10)
deep = {"network": "16-16-16", "protocol": "B"}
near(shared(**deep)[0][2], 40, 5)
near(shared(layer="relu3", **deep)[0][2], 220, 10)

ratio = remarkable.set_index("set")["redundancy"]
near(ratio["untrained"], 0.043, 0.0006)
near(ratio["protocol A"], 0.41, 0.006)
assert ratio["protocol B"] < 0.004
assert ratio["hyperplanes"] < 0.004
assert 50 <= sizes.max() <= 95
near(remarkable["one pair in"][0], 13_600, 60)
assert runs["A"].test_accuracy[-1] > 0.95
widest = by_width.query("width == 200")["redundancy"]
assert widest.max() < 0.003
last = experiment.query("epoch == 100").groupby("inputs").mean(numeric_only=True)
assert last["redundancy"]["centred"] < 0.04
assert last["redundancy"]["as they are"] > 0.2
assert (last["accuracy"] > 0.96).all()
assert equal_n.loc["protocol A", "random"] < 0.1

a, b = story.loc["A"], story.loc["B"]
c = story.loc["A, centred inputs"]
quoted = [
    (a["offset"][0], 0.49), (a["offset"][1], 1.00), (a["offset"][60], 0.34),
    (a["units on"][1], 0.74), (a["redundancy"][1], 0.53),
    (a["redundancy"][60], 0.11), (c["redundancy"][1], 0.15),
    (b["redundancy"][1], 0.10), (b["offset"][1], 0.12),
    (c["redundancy"][0], 0.015), (b["redundancy"][60], 0.05),
]  # fmt: skip
for ours, said in quoted:
    near(ours, said, 0.006)
assert c["offset"].max() < 0.06
assert c["H2 if indep."].min() > 39
halves = pd.read_csv("../results/mnist_rarefaction.csv").drop_duplicates(
    ["protocol", "width", "seed", "epoch"]
)
halves = halves[(halves["epoch"] > 0) | (halves["protocol"] == "A")]
assert len(halves) == 45
assert (halves["half_bound"] == 1).sum() == 18
missed = halves.query("half_redundancy > half_bound")
near(missed[["half_bound", "half_redundancy"]], [[0.0030, 0.0040]], 5e-5)
assert compare.loc["train", "A − paper"].abs().max() < 0.03
assert compare.loc["test", "A − paper"].abs().max() < 0.055
assert compare.loc["train", "B − paper"].min() > -0.24
draws = [
    nh.redundancy_ratio(nh.encode(nh.random_hyperplanes(data.train, 50, s), data.train))
    for s in range(1, 5)
]
assert max(draws) < 0.006

for name in ("untrained", "protocol A"):
    k = 2 ** nh.collision_entropy(codes[name])
    uniform = 1 - k / 1437 * (1 - (1 - 1 / k) ** 1437)
    assert nh.redundancy_ratio(codes[name]) < uniform < nh.redundancy_bound(np.log2(k), 1437) + 1e-9

assert 0.2 < course["redundancy"][1000] < 0.45
