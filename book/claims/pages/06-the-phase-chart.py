"""What chapter 6 says of its runs and of the stored tables; the names are those of the notebook."""

from comparison import near

assert computed["regime"].tolist() == by_hand


def border(ratio, tau, n):
    all_of = nh.critical_size(digits, samples="train_size", redundancy=ratio, tau=tau)
    here = all_of.query(f"epoch == 100 and train_size == {n}")
    return here["below"].item()


def a_step_off(found, low):
    "The border may move by a step where a ratio is nearly tau."
    steps = [0, *WIDTHS, 999]
    return abs(steps.index(found) - steps.index(low)) <= 1


for ratio, tau, n, low in [
    ("redundancy_test", 0.02, 1437, 80),
    ("redundancy_test", 0.05, 1437, 60),
    ("redundancy_test", 0.2, 1437, 40),
    ("redundancy_test", 0.05, 89, 70),
    ("redundancy_train", 0.05, 1437, 80),
    ("redundancy_train", 0.05, 89, 50),
]:
    assert a_step_off(border(ratio, tau, n), low)
for delta, least, most in ((0.01, 20, 35), (0.05, 1, 7)):
    regimes = nh.phase_chart(digits, redundancy="redundancy_test", delta=delta, **COLUMNS).query(
        "train_size == 1437"
    )["regime"]
    found = (regimes == "critically-expressive").sum()
    assert least <= found <= most, found
sixty = digits.query("width == 60 and train_size == 1437")
sixty = sixty.groupby("epoch")["redundancy_test"].mean()
assert sixty[0] < TAU < sixty.loc[10:].min()

named = nh.critical_size(digits, samples="train_size", redundancy="redundancy_train").set_index(
    ["epoch", "train_size"]
)
assert (named["below"] <= between).all()
assert (between <= named["critical_size"]).all()

spread = comparable.groupby(["width", "epoch", "train_size"])["knn"].std()
mnist_spread = large.groupby(["width", "epoch", "train_size"])["knn"].std()
assert 0.005 < mnist_spread.median() < 0.013
share = {name: found.set_index(["tau", "delta"])["changed"] for name, found in changed.items()}
for tau, least, most in ((0.03, 0.03, 0.1), (0.07, 0.03, 0.1)):
    assert all(least < part[tau, DELTA] < most for part in share.values())
for tau in (0.02, 0.1):
    assert all(0.05 < part[tau, DELTA] < 0.17 for part in share.values())
assert 0.15 < share["MNIST"][TAU, 0.02] < 0.27


def doubling(name):
    curve = against_tau.query("curve == @name").set_index("tau")["critical"]
    near = curve[(curve.index > 0.03) & (curve.index < 0.085)]
    return -np.polyfit(np.log2(near.index), near, 1)[0]


assert 6 < doubling("MNIST, epoch 60") < 12
assert changed["digits"].query("tau == 0.05 and delta == 0.01")["changed"].eq(0).all()
assert share["digits"][TAU, 0.02] < 0.12
assert 0.025 < spread.median() < 0.045
assert 6 < doubling("digits, epoch 100") < 14
assert sure.loc["under-expressive"].xs("mean", level=1).min() > 0.8
assert sure.loc["critically-expressive", ("digits", "mean")] < 0.6
few = sure["digits", "mean"]["sufficiently-expressive"]
assert few < 0.5
longer = sure["digits, longer steps"]
assert longer["mean"]["critically-expressive"] > 0.7
assert "sufficiently-expressive" not in longer.dropna().index
at_100 = between.loc[100]
near(at_100[SIZES[0]], 51, 8)
near(at_100[SIZES[-1]], 85, 8)
last_fixed = critical_widths(comparable, "redundancy_test_n").loc[100]
assert last_fixed.between(55, 90).all()
first = critical_widths(comparable, "redundancy_test_n").loc[1]
assert first.between(29, 45).all()

means = entropies.mean()
assert 0.12 < means[100] / 100 < 0.19
assert 0.08 < (means[100] - means[60]) / 40 < 0.16
assert 7.5 < slope < 11.5
residual = measured - start - slope * doublings
near(np.abs(residual).max(), 0, 7)
alone = pd.DataFrame(
    {
        seed: critical_widths(part, "redundancy_train").loc[100]
        for seed, part in digits.groupby("seed")
    }
)
assert 10 < (alone.max(axis=1) - alone.min(axis=1)).max() < 35
gap = measured - of_kept("rarefied").to_numpy()
assert np.abs(gap[[0, -1]]).max() < 8
assert gap.max() < 18
assert same_test.between(55, 90).all()
over = steps["width by the bound"] - steps["width measured"]
assert 1 < over[0.05] < 10
assert 12 < over[0.2] < 28
assert (of_kept("bound") > of_kept("rarefied")).all()
sixteenth = digits.query("epoch == 100 and train_size == @SIZES[0]")
assert sixteenth.query("width == 60")["redundancy_test"].mean() > TAU

near(theirs, 48.6, 0.1)
at = beside["critical width"]
near(at["ours, protocol A"], 48.6, 1)
near(theirs - at["ours, protocol B"], 8, 1.2)
cell = marked.set_index(["width", "epoch", "train_size"])
forty = cell.loc[(40, 60, 48_000)]
near(forty["redundancy_train"], 0.11, 0.006)
near(forty["knn"], 0.89, 0.006)
near(cell["knn"][50, 60, 48_000], 0.92, 0.006)
near(cell["knn"][100, 60, 48_000], 0.95, 0.006)
near(cell["redundancy_train"][50, 60, 48_000], 0.05, 0.003)
near(cell["redundancy_train"][100, 60, 48_000], 0.001, 0.0005)
at_own = mnist_borders.xs(48_000, level="train_size")
for epoch, width in ((0, 39), (1, 69), (10, 56), (60, 50)):
    near(at_own[epoch], width, 0.8)
for n, width in ((100, 17), (3_000, 27)):
    near(mnist_borders[0, n], width, 0.8)
for n, width in ((100, 42), (300, 47.5), (3_000, 55)):
    near(mnist_borders[10, n], width, 0.8)
untrained = mnist_borders.loc[0]
slope_0 = np.polyfit(np.log2(untrained.index), untrained, 1)[0]
assert 2 < slope_0 < 3
for n, width in ((10_000, 51), (48_000, 40)):
    near(fixed_borders[60, n], width, 0.8)
settled = mnist_borders.loc[60]
settled = settled[settled.index >= 10_000]
assert settled.between(49, 52).all()
for n, width in ((10_000, 62), (48_000, 60)):
    near(fixed_borders[1, n], width, 0.8)
by_a_hair = cell.loc[(80, [3, 10, 30], 48_000), "gain_size"]
assert by_a_hair.between(0.0075, 0.01).all()
few_images = mnist.query("train_size <= 3_000")
late = cell.query("train_size <= 3_000 and epoch == 60")["regime"]
assert (late == "under-expressive").all()
early = marked.query("train_size >= 300 and epoch == 10")
sides = early.groupby("train_size").apply(
    lambda part: part[part["regime"] == "under-expressive"]["width"].max()
)
assert sides.between(40, 50).all()
assert (marked.query("exhausted")["epoch"] >= 30).all()
means = few_images.pivot_table(index="train_size", columns="epoch", values="test_accuracy")
assert (means[10] - means[60]).abs().max() < 0.02
shares = by_method["deviation between seeds"]
assert shares["K-Means"] > 0.02
assert shares["K-NN"] < 0.0125
assert by_method.loc["log. regression", "agrees with K-NN"] > 0.8
assert by_method["sufficient"]["K-Means"] > by_method["sufficient"]["K-NN"]
near(by_method["single seeds agree"]["K-Means"], 1 / 6, 0.05)
fine_regimes = full["A, 23 widths"].query("epoch > 1")["regime"]
assert (fine_regimes == "sufficiently-expressive").sum() > 15
after = precision.loc[16_000]
assert after["torch.float32", "redundancy"] > 0.9
assert after["torch.float64", "redundancy"] < 0.65
both = [after[str(k), "test accuracy"] for k in (torch.float32, torch.float64)]
near(both[0], both[1], 0.08)

assert (stricter[changes]["regime"] == "under-expressive").all()

last_b = compared["B"][60]
assert last_b.between(14, 26).all()
