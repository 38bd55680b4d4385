"""What chapter 4 says of its runs and of the stored tables; the names are those of the notebook."""

from comparison import near

quoted = {
    ("A", "activations", "knn"): 0.98,
    ("A", "codes", "knn"): 0.70,
    ("B", "activations", "kmeans"): 0.96,
    ("B", "activations", "knn"): 0.98,
    ("B", "codes", "knn"): 0.94,
    ("B", "codes", "kmeans"): 0.83,
    ("B", "network", "network"): 0.98,
    ("B", "random hyperplanes", "knn"): 0.90,
    ("B", "raw inputs", "knn"): 0.97,
    ("B", "raw inputs", "kmeans"): 0.79,
    ("B", "untrained codes", "knn"): 0.84,
}
for key, value in quoted.items():
    tolerance = 0.05 if key[0] == "A" or "kmeans" in key else 0.015
    near(means[key], value, tolerance)
assert means["B", "codes", "kmeans"] > means["B", "raw inputs", "kmeans"]
assert information.min() > 0.1
assert information.max() < 0.75
at = worth.groupby(["code", "bits"])["accuracy"].mean()
near(at["random hyperplanes", 100], at["most informative bits", 50], 0.02)


def left_out(near, k=9):
    own = near == np.arange(len(near))[:, None]
    own[~own.any(axis=1), -1] = True
    truth = data.train.labels.numpy()
    votes = truth[near[~own].reshape(-1, k)]
    votes = [(votes == c).sum(axis=1) for c in range(10)]
    return (np.argmax(votes, axis=0) == truth).mean()


def by_code(**settings):
    codes = explorer.codes(**settings)
    return left_out(nh.nearest_codes(codes, codes, 10)[1])


pixels = data.train.inputs.flatten(1)
nearest_pixels = torch.cdist(pixels, pixels).argsort(stable=True)
near(left_out(nearest_pixels[:, :10].numpy()), 0.987, 0.004)
near(by_code(protocol="B"), 0.962, 0.02)
near(by_code(epoch=0), 0.831, 0.01)
near(by_code(protocol="A"), 0.64, 0.06)
deep = {"network": "16-16-16", "protocol": "B"}
near(by_code(**deep), 0.982, 0.012)
near(by_code(layer="relu3", **deep), 0.969, 0.02)
near(by_code(network="6", protocol="B"), 0.635, 0.08)

gap = compare["A − paper"].abs()
assert gap.loc["knn"].max() < 0.022
assert gap.loc["logreg"].loc[20:].max() < 0.0165
assert gap.loc["kmeans"].max() < 0.06
gain = compare["B − paper"].loc["knn"]
near(gain.loc[10], 0.15, 0.006)
near(gain.loc[60], 0.02, 0.003)
at40 = stored.xs(40, level="width")["knn"]
quoted = {
    "untrained codes": 0.75, "random hyperplanes": 0.82, "codes, A": 0.89,
    "codes, B": 0.92, "activations, A": 0.965, "activations, B": 0.972,
}  # fmt: skip
for name, value in quoted.items():
    near(at40[name], value, 0.006)
raw = stored.loc["raw inputs", 784]
near(raw["knn"], 0.965, 0.001)
assert final["knn"].max() < raw["knn"]
for p in "AB":
    real = stored.loc[f"activations, {p}"]
    for method in ("knn", "logreg"):
        signs = stored.loc[f"codes, {p}"][method].loc[real.index]
        assert (signs < real[method]).all()
    wide = stored.loc[f"codes, {p}"]["kmeans"].loc[40:]
    assert (wide > raw["kmeans"] + 0.05).all()
assert stored.loc["codes, B"]["logreg"].loc[100] > raw["logreg"]

assert np.isclose(confused.max().sum() / len(labels), nh.kmeans_accuracy(codes, labels))
