"""What chapter 8 says of its runs and of the stored tables; the names are those of the notebook."""

from comparison import near

assert is_right < 0.25
assert is_sure > 0.4
ratio = np.median(away) / np.median(usually)
assert ratio > 2
near(np.median(usually) / known.codes.n_bits, 0.10, 0.015)
at = search["precision@10"]
near(at["code of the last layer"], at["features"], 0.01)
near(at["hyperplanes on features"], at["features"], 0.01)
near(of_answer, 0.98, 0.0125)
assert upright_sure > is_sure
kept = search["recall@10"]
near(kept["code of the last layer"], 0.54, 0.03)
assert kept["hyperplanes on features"] > kept["code of the last layer"] - 0.02
assert search.loc["code of the last layer", "bytes"] == 32
luck = lucky["auroc"].agg(["min", "max"])
assert luck.loc["whole code", "min"] > 0.99
assert luck.loc["softmax", "min"] < 0.93
assert luck.loc["softmax", "max"] < 0.97
assert chart["whole code"].drop("upside down").min() > 0.96
assert (chart["whole code"] >= chart.max(axis=1) - 0.02).all()
assert (chart["pixels"] - chart["whole code"]).abs().max() < 0.03
assert (chart["random part"] - chart["whole code"]).abs().max() < 0.04
assert chart["last layer"].min() > 0.8
asked = chart[["softmax", "energy"]]
assert (asked.loc["turned"] <= asked.min() + 0.05).all()
assert (chart.loc["upside down"] <= 0.93).all()
assert by_class[0] < 0.75
assert by_class[1] < 0.8
assert min(by_class[digit] for digit in range(2, 10)) > 0.8
by = wrong.groupby("by")[["AUROC", "found", "learnt"]].mean()
near(by["learnt"].iloc[0], 0.88, 0.15)
near(by.loc["whole code", "found"], 0.965, 0.01)
near(by.loc["pixels", "found"], 0.95, 0.01)
near(by.loc["random part", "found"], 0.95, 0.025)
near(by.loc["last layer", "found"], 0.75, 0.07)
near(by.loc["the network's doubt", "found"], 2 / 3, 0.07)
near(by.loc["doubt of others", "found"], 0.9, 0.04)
near(by.loc["whole code", "AUROC"], by.loc["pixels", "AUROC"], 0.01)
assert (labels[worst].numpy() != given[worst]).sum() >= 8
assert (
    copied.xs("pixels", axis=1, level=1) >= copied.xs("whole code", axis=1, level=1) - 0.03
).all(axis=None)
assert copied.loc["moved by a pixel"].max() < 0.15
plain = copied["found"].drop("moved by a pixel")
assert plain["whole code"].min() > 0.93
assert plain["pixels"].min() == 1

typical = margins.groupby(["network", "digits"])["margin"].median()
for name, value in {
    "protocol A": 0.018,
    "protocol B": 0.005,
    "untrained": 0.008,
}.items():
    near(typical[name, "test"], value, 0.2 * value + 0.001)
    near(typical[name, "training"] / typical[name, "test"], 1, 0.2)
assert 1.7 < apart.amin(dim=1).median() < 2.1
by = attacks.groupby(["network", "step"])
changes = by["answer"].agg(lambda v: (v == "changes").mean())
assert (changes.xs("uphill", level="step") > 0.97).all()
assert (changes.xs("random", level="step") < 0.55).all()
median = by[["length", "flips", "flips in 0.5"]].median()
assert (median.xs("uphill", level="step")["length"] - 0.5).abs().max() < 0.2
assert median.loc[("protocol A", "uphill"), "flips"] <= 2
assert median.loc[("protocol B", "uphill"), "flips"] <= 8
held = attacks.query("step == 'random' and answer == 'holds'")
held = held.groupby("network")["flips"].median()
near(held["protocol A"], 5, 2)
near(held["protocol B"], 13, 3)
in_half = attacks.pivot_table("flips in 0.5", "network", "step")
assert in_half.loc["protocol B", "uphill"] > 1.5 * in_half["random"].max()
assert max(ranks.values()) < 0.35
assert min(ranks.values()) > -0.5
far = margins.groupby(["network"])[["margin", "typical border"]].median()
assert (far["typical border"] / far["margin"]).between(30, 55).all()
before_flips = attacks.query("network == 'protocol A' and step == 'uphill'")
assert 0.15 < (before_flips["flips"] == 0).mean() < 0.5


def about(found, quoted, tolerance=0.006):
    return abs(found - quoted) < tolerance


at = retrieval["precision"]
for way, quoted in {
    "256 hyperplanes on features": 0.78,
    "code, 256 bits of the last layer": 0.69,
    "hyperplanes on features": 0.79,
    "code, last layer": 0.74,
    "features": 0.76,
    "angles of features": 0.79,
    "the network's answer": 0.73,
    "code, all layers": 0.45,
    "raw pixels": 0.24,
}.items():
    assert about(at[way], quoted), way
there = shifts.set_index(["network", "shift", "score"])["auroc"]
cifar, mnist = there["ResNet-20, CIFAR-10"], there["CNN, MNIST"]
whole = cifar.xs("nearest code, all layers", level="score")
assert about(whole["the other data set"], 0.03)
assert about(whole["blurred"], 0.35)
assert about(whole["one colour"], 0.01)
in_pixels = cifar.xs("nearest pixels", level="score")
assert about(in_pixels["blurred"], 0.30)
assert about(in_pixels["one colour"], 0)
assert mnist["one colour", "nearest code, all layers"] > 0.995
last_layer = cifar.xs("nearest code, last layer", level="score")
assert (last_layer > whole[last_layer.index]).sum() == 4
assert whole[["shuffled pixels", "uniform noise"]].min() > 0.96
assert mnist.xs("nearest code, all layers", level="score").min() > 0.885
energy = cifar.xs("energy", level="score")
best = cifar.groupby("shift").max()
for shift in ("blurred", "negative"):
    assert energy[shift] == best[shift]
softmax = cifar.xs("max-softmax", level="score")
assert softmax["one colour"] == best["one colour"]
assert in_pixels["the other data set"] == best["the other data set"]
assert about(in_pixels["the other data set"], 0.92)
assert about(mnist["uniform noise", "max-softmax"], 0.05)
assert about(energy["shuffled pixels"], 0.42)
assert about(mnist["uniform noise", "energy"], 0.02)
by_features = cifar.xs("nearest features", level="score")
assert by_features.min() > 0.6
assert (by_features < best[by_features.index]).all()
worst_of = cifar.groupby("score").min()
assert (worst_of.drop("nearest features") < 0.6).all()
shares = found_wrong["found"].mean()
for way, quoted in {
    "the network's own doubt": 0.83,
    "features": 0.54,
    "code, last layer": 0.47,
    "code, all layers": 0.28,
    "raw pixels": 0.12,
}.items():
    assert about(shares[way], quoted), way
copies_there = stored["copies"].set_index(["change", "way"])["found"]
plain = copies_there.drop("mirrored", level="change")
for way in ("code, all layers", "code, last layer", "raw pixels"):
    assert plain.xs(way, level="way").min() > 0.98
is_copy = stored["copies"].set_index(["change", "way"])["auroc"]
for change in ("brighter by a fifth", "noise of 0.05", "moved by a pixel"):
    assert is_copy[change, "code, all layers"] > 0.985
assert about(is_copy["noise of 0.05", "code, last layer"], 0.98)
assert about(is_copy["noise of 0.05", "features"], 0.83)
assert about(is_copy["mirrored", "code, all layers"], 0.55)
assert about(is_copy["mirrored", "features"], 0.75)
assert about(is_copy["moved by a pixel", "raw pixels"], 0.95)
mirrored = copies_there["mirrored"]
assert about(mirrored["features"], 0.69)
assert about(mirrored["code, all layers"], 0.31)
assert about(mirrored["raw pixels"], 0.19)
accuracy = steps.groupby(["direction", "length"])["accuracy"].first()
assert about(accuracy["uphill", 0.1], 0.65)
assert about(accuracy["random", 0.02], 0.85)
assert about(accuracy["random", 2.0], 0.825)
weighted = steps.assign(n=steps["flipped"] * steps["bits"])
of_all = weighted.groupby(["direction", "length"])[["n", "bits"]].sum()
of_all = of_all["n"] / of_all["bits"]
assert about(of_all["uphill", 0.1], 0.012, 0.0006)
assert about(of_all["random", 2.0], 0.088, 0.0006)
ratio = of_all["uphill"] / of_all["random"]
assert ratio.loc[:1.0].between(1.9, 3).all()
by_place = steps.pivot_table(index=["direction", "length"], columns="place", values="flipped")
profile = by_place[19] / by_place[1]
assert profile["random"].between(1.85, 2.15).all()
assert profile["uphill"].between(4.95, 19).all()
in_last = at_half.query("place == 19").set_index("direction")["flipped"]
assert about(in_last["uphill"], 0.14)
assert about(in_last["random"], 0.02)
