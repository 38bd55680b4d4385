"""What chapter 5 says of its runs and of the stored tables; the names are those of the notebook."""

from comparison import near

assert [c.n_distinct for c in toy.values()] == [6, 2, 4, 4]

# Single precision rounds differently when many networks are computed at
# once: an example whose pre-activation is nearly 0 may change sides.
differs = swept["redundancy_train"] - plain["redundancy"]
assert (differs.abs() < 0.0025).all()

start = (
    long_run.groupby(["widths", "epoch"])[["redundancy_train", "redundancy_test", *METHODS]]
    .mean()
    .xs(50)
)
hook = long_run.groupby(["widths", "epoch"])["redundancy_train"].mean()
near(hook[40, 0], 0.05, 0.006)
near(hook[40, 1], 0.5, 0.05)
near(hook[40, 200], 0.1, 0.006)
for units in (40, 50, 60):
    assert hook[units, 0] < hook[units, 200] < hook[units, 1]
    # One epoch destroys more than 200 bring back.
    lost = hook[units, 1] - hook[units, 0]
    assert hook[units, 1] - hook[units, 200] < lost
near(base["redundancy_train"].mean(), 0.05, 0.005)
near(base["redundancy_test"].mean(), 0.02, 0.005)
near(base["knn"].mean(), 0.92, 0.006)
near(base["test_accuracy"].mean(), 0.97, 0.005)
at = by_width.groupby("widths").mean(numeric_only=True)
near(at.loc[60, "redundancy_train"], 0.02, 0.005)
near(at.loc[60, "knn"], 0.93, 0.006)
near(at.loc[80, "knn"], 0.94, 0.006)
near(at.loc[3, "knn"], 0.3, 0.025)
near(at.loc[100, "knn"], 0.955, 0.01)
for name, before, after in (
    ("knn", 0.80, 0.86),
    ("logreg", 0.72, 0.85),
    ("kmeans", 0.48, 0.65),
    ("redundancy_train", 0.02, 0.27),
):
    near(start.loc[0, name], before, 0.01)
    near(start.loc[1, name], after, 0.01)
for name in ("knn", "logreg"):
    near(start.loc[200, name], start.loc[10, name], 0.012)
at = by_size.groupby("train_size").mean(numeric_only=True)
assert at["redundancy_test_n"].between(0.09, 0.17).all()
for n, ratio in ((10, 0.80), (100, 0.60), (40_000, 0.11)):
    near(at.loc[n, "redundancy_test"], ratio, 0.006)
near(at.loc[100, "redundancy_test_n"], 0.15, 0.01)
near(at.loc[100, "knn"], 0.35, 0.01)
near(at.loc[40_000, "knn"], 0.88, 0.01)
fixed = rarefied.groupby("n")["redundancy"].mean()
assert fixed[100] < 0.001
assert 120 < at.loc[100, "redundancy_test_n"] / fixed[100] < 250
assert 1.8 < at.loc[40_000, "redundancy_test_n"] / fixed[10_000] < 3.5
assert 1000 < fixed[48_000] / fixed[10] < 3000
at = regular.groupby("kind").mean(numeric_only=True)
for name, ratio in (
    ("none", 0.05),
    ("batch norm", 0.01),
    ("L2 1e−3", 0.08),
    ("dropout 0.2", 0.15),
    ("dropout 0.5", 0.34),
):
    near(at.loc[name, "redundancy_train"], ratio, 0.006)
near(at.loc["none", "knn"], 0.92, 0.006)
near(at.loc["dropout 0.2", "knn"], 0.96, 0.006)
near(at.loc["none", "kmeans"], 0.66, 0.006)
assert at.loc[["dropout 0.2", "dropout 0.5"], "kmeans"].min() > 0.925
at = by_noise.groupby("label_noise").mean(numeric_only=True)
ratio = at["redundancy_train"]
assert (ratio[0.2:0.6] - ratio[0]).abs().max() < 0.02
assert ratio[0.2] < ratio[0]
near(ratio[0.8] / ratio[0], 3, 0.3)
near(ratio[1.0], 0.74, 0.006)
for epoch, bits in ((0, (18, 10, 12)), (1, (12, 7, 20)), (60, (16, 16, 9))):
    for found, quoted in zip(budget.loc[epoch], bits, strict=True):
        near(found, quoted, 0.55)
near(effects.loc["width 3–100", "redundancy"], 100, 0.5)
near(effects.loc["width 27–100", "redundancy"], 25, 1)
assert 10 < effects.loc["width 27–100", "K-NN"] < 15
near(effects.loc["epochs 0–200", "redundancy"], 14, 0.5)
near(effects.loc["epochs 0–200", "K-NN"], 12, 0.5)
assert effects.loc["epochs 30–120", "redundancy"] < 1
near(effects.loc["examples 10–48,000", "redundancy"], 62, 0.6)
near(effects.loc["examples 20,000–48,000", "redundancy"], 2.5, 0.5)
near(effects.loc["examples 10–48,000", "K-NN"], 80, 1)
near(effects.loc["L2 0–0.001", "redundancy"], 2, 0.3)
near(effects.loc["batch norm, no–yes", "redundancy"], 2, 0.3)
near(effects.loc["dropout 0–0.5", "redundancy"], 20, 2)
assert effects.loc["L2 0–0.001":"dropout 0–0.5", "K-NN"].max() < 5
near(effects.loc["label noise 0–1", "redundancy"], 67, 1)
near(effects.loc["label noise 0–1", "K-NN"], 81, 0.6)
assert effects.loc["label noise 0–0.2", "redundancy"] < 1
few = stored("sample_size").query("train_size == 100 and widths == 50")
few = few.groupby("epoch").mean(numeric_only=True)
near(few.loc[10, "redundancy_test"], 0.36, 0.006)
near(few.loc[30, "redundancy_test"], 0.99, 0.006)
assert few.loc[30, "train_loss"] < 1e-7 < few.loc[10, "train_loss"]
assert few["test_accuracy"].max() - few["test_accuracy"].min() < 0.01
# The paper's own regularization: 1e-6 is within a standard deviation.
weak = regular.groupby("kind")["redundancy_test"].mean()
near(weak["L2 1e−6"], weak["none"], 0.004)

tests = fixed_n["test digits"]["mean"]
near(tests[15], 0.26, 0.04)
near(tests[50], 0.09, 0.03)
near(tests[1437], 0.20, 0.06)
own = fixed_n["its own n"]["mean"]
assert 4 < own[1437] / own[15] < 16
near(noise.loc[0, "redundancy"], 0.29, 0.06)
near(noise.loc[1, "redundancy"], 0.02, 0.01)
near(noise.loc[1, "K-NN, true labels"], 0.88, 0.03)
near(noise.loc[0, "K-NN, true labels"], 0.77, 0.05)
assert noise.loc[1, ["K-NN, noisy labels", "network"]].max() < 0.16
seen = inside.groupby(["width", "epoch"]).mean()
at = seen.loc[50]
near(at.loc[10, "as it is"], 0.33, 0.06)
assert 6 < at.loc[10, "as it is"] / at.loc[0, "as it is"] < 16
assert at.loc[10, "balanced"] < 0.025
near(at.loc[10, "shuffled"], 0.07, 0.03)
assert at.loc[:10, "correlation"].between(0.075, 0.1).all()
assert at["stuck"].between(0.12, 0.28).all()
near(at.loc[10, "units on"], 0.75, 0.04)
near(at.loc[0, "capacity"], 23, 1)
near(at.loc[10, "capacity"], 12.5, 1.5)
for units in (30, 50):
    part = seen.loc[units].loc[10:]
    assert (part["balanced"] < part["shuffled"] + 0.005).all()
wide = inside.query("width >= 80").pivot_table(
    index=["width", "seed"], columns="epoch", values="as it is"
)
assert (wide[100] < wide[10]).all()
mean = wide.groupby("width").mean()
assert (mean[100] / mean[10]).between(0.45, 0.85).all()
near(mean.loc[80, 10], 0.12, 0.03)
near(mean.loc[120, 10], 0.01, 0.005)
narrow = seen.loc[30, "as it is"]
near(narrow[10], 0.7, 0.05)
assert narrow[100] > narrow[10] - 0.03
near(seen.loc[(80, 10), "capacity"], 19, 2)
near(seen.loc[(80, 100), "capacity"], 25, 2.5)
for units in (80, 120):
    change = seen.loc[units, "correlation"]
    assert change[100] > change[10]

gaps = compare.reset_index()
size_gap = gaps[gaps["figure"] == "model size"]
assert size_gap.query("width >= 40")["difference"].abs().max() < 0.02
narrow = size_gap.query("width == 20").set_index("measure")["difference"]
near(narrow["redundancy_train"], 0.04, 0.005)
near(narrow["redundancy_test"], 0.07, 0.005)
time_gap = gaps[gaps["figure"] == "training time"]
first = time_gap.query("epoch == 1").set_index("width")
near(first.loc[40, "difference"], -0.05, 0.006)
assert abs(first.loc[40, "difference"]) < first.loc[40, "sd"]
assert first.loc[[50, 60], "difference"].between(-0.105, -0.08).all()
later = time_gap.query("epoch >= 10")["difference"]
assert later.between(-0.031, 0).all()
assert time_gap.query("epoch == 0")["difference"].abs().max() < 0.01

assert cost["cost"].idxmax() == "40"

assert by_rate.loc[0.5, "redundancy_train"] < 0.1
assert by_rate.loc[0.5, "knn"] > by_rate.loc[0, "knn"] + 0.1

assert under_b.loc[1:, "shuffled"].max() < 0.002
assert under_b.loc[1, "correlation"] > 1.5 * under_b.loc[0, "correlation"]
assert under_b.loc[100, "as it is"] < 0.5 * under_b.loc[0, "as it is"]

assert rank["dropout 0–0.5"] > rank["epochs 0–200"]
