"""What chapter 7 says of its runs and of the stored tables; the names are those of the notebook."""

from comparison import near

assert code.n_bits == 11_776
assert sizes["bits"].iloc[:7].sum() > code.n_bits / 2
assert lengths.loc[["ResNet-20", "ResNet-18"], "bits"].tolist() == [
    188_416,
    557_056,
]
assert lengths.loc["VGG-16", "bits"] == 277_504
by = profile.groupby(["method", "network", "layer"])["accuracy"]
knn, kmeans = by.mean()["K-NN"], by.mean()["K-Means"]
assert (knn["trained"] > 0.945).all()
near(knn["untrained", 1], 0.95, 0.02)
near(knn["untrained", 19], 0.81, 0.05)
near(kmeans["trained", 1], 0.80, 0.015)
near(kmeans["trained", 19], 0.975, 0.01)
near(kmeans["untrained", 1], 0.76, 0.03)
near(kmeans["untrained", 19], 0.52, 0.05)
assert ratios.max(axis=None) < 0.02
near(whole, 0.98, 0.0085)
last_alone = nh.knn_accuracy(codes[last], labels, test_codes[last], test_labels)
assert -0.0225 < last_alone - whole < 0.006
assert -0.0225 < by_bits.loc[128, "trained, all layers"] - whole < 0.006
assert kmeans["trained", 10] - kmeans["trained", 1] > 0.1
assert kmeans["untrained", 7] > kmeans["untrained", 1] - 0.02
fall = -kmeans["untrained"].diff()
assert fall.idxmax() == 16
assert by_bits.loc[8, "trained, last layer"] > 0.75
assert by_bits.loc[64, "trained, last layer"] > whole - 0.02
assert by_bits.loc[256, "trained, all layers"] > whole - 0.015
assert by_bits.loc[256, "untrained, last layer"] < 0.9
worst = by_bits.loc[:256].idxmin(axis=1)
assert (worst == "untrained, last layer").all()
ahead = by_bits["trained, all layers"] - by_bits["random hyperplanes"]
assert ahead[8] < -0.03
assert ahead.loc[64:].between(0.005, 0.04).all()
ahead = by_bits["trained, last layer"] - by_bits["random hyperplanes"]
assert (ahead.loc[:64] > 0.03).all()
near(from_pixels["K-NN"], 0.97, 0.01)
near(from_pixels["K-Means"], 0.79, 0.02)
strange, usual = (
    torch.cdist(x.flatten(1), pixels).amin(dim=1).median() for x in (noise, data.test.inputs)
)
assert 3 < strange / usual < 4
share = gaps.pivot_table("share", ["network", "layer"], "inputs")
assert (share["test"] - share["training"]).abs().max() < 0.006
farther = share["random"] / share["test"]
assert farther["trained"].between(2.2, 4.5).all()
near(farther["untrained", 19], 1.5, 0.25)

for state in ("trained", "untrained"):
    after = skips.loc[state, "after the sum"]
    within = skips.loc[state, "within"]
    assert after["agree"] - after["by chance"] > 0.02
    near(within["agree"], within["by chance"], 0.02)
beyond = skips["agree"] - skips["by chance"]
near(beyond["trained", "after the sum"], 0.13, 0.03)
near(beyond["untrained", "after the sum"], 0.04, 0.015)
assert pooling.loc["average", ["slope only", "code only"]].sum() <= 2
assert pooling.loc["max", "slope only"] > 50
assert pooling.loc["max", "code only"] > 100
near(batches.loc[2, "bits that differ"], 0.062, 0.015)
assert batches.loc[360, "bits that differ"] < 0.01
assert untrained_bits > 0.25
assert activations.loc["ReLU", "slope change"] < 1e-9
assert (activations.loc[["GELU", "SiLU"], "slope change"] > 1e-6).all()
assert (activations["K-NN"] > 0.95).all()
assert activations["redundancy"].max() < 0.001


def left_out(**settings):
    codes = explorer.codes(**settings)
    near = nh.nearest_codes(codes, codes, 10)[1]
    own = near == np.arange(len(near))[:, None]
    own[~own.any(axis=1), -1] = True
    truth = nh.load("digits").train.labels.numpy()
    votes = truth[near[~own].reshape(-1, 9)]
    votes = [(votes == c).sum(axis=1) for c in range(10)]
    return (np.argmax(votes, axis=0) == truth).mean()


distinct = {
    ("relu1", 30): 870,
    ("relu2", 30): 540,
    ("relu3", 30): 475,
    ("relu1", 0): 369,
    ("relu2", 0): 159,
    ("relu3", 0): 74,
}
for (layer, epoch), value in distinct.items():
    found = explorer.codes(layer=layer, epoch=epoch).n_distinct
    near(found, value, 6 if epoch else 0)
quoted = {
    ("relu1", 30): 0.883,
    ("relu2", 30): 0.926,
    ("relu3", 30): 0.969,
    ("all", 30): 0.982,
    ("relu1", 0): 0.553,
    ("relu2", 0): 0.434,
    ("relu3", 0): 0.315,
}
for (layer, epoch), value in quoted.items():
    tolerance = 0.03 if epoch else 0.01
    near(left_out(layer=layer, epoch=epoch), value, tolerance)
for layer in ("relu1", "relu2", "relu3"):
    near(left_out(layer=layer, protocol="A"), 0.54, 0.08)
    before = left_out(layer=layer, protocol="A", epoch=0)
    near(before, quoted[layer, 0], 0.01)

at = whole_codes["K-NN, 40,000"]
near(at["ResNet-20", "trained"], 0.645, 0.006)
assert at["none (pixels)"].item() < at["ResNet-20", "trained"] - 0.2
assert at["ResNet-20", "untrained"] < at["ResNet-20", "trained"] - 0.2
assert (whole_codes["redundancy, 40,000"].dropna() == 0).all()
res = layers.query("network == 'ResNet-20'").set_index(["codes", "place"])
knn, kmeans, logreg = (res.loc["trained"][name] for name in ("knn", "kmeans", "logreg"))
for series, quoted in {
    "knn": ((1, 0.27), (10, 0.46), (19, 0.80)),
    "kmeans": ((1, 0.22), (17, 0.44), (19, 0.80)),
    "logreg": ((1, 0.41), (19, 0.83)),
}.items():
    for place, value in quoted:
        near(res.loc["trained"][series][place], value, 0.006)
assert res.loc["untrained"]["knn"].between(0.15, 0.25).all()
assert (res["redundancy_train"] == 0).all()
whole_row = whole_codes.loc[("ResNet-20", "trained")]
last_row = res.loc[("trained", 19)]
for name, column in (
    ("K-NN", "knn"),
    ("K-Means", "kmeans"),
    ("log. regression", "logreg"),
):
    assert last_row[column] > whole_row[name]
vgg = layers.query("network == 'small VGG' and codes == 'trained'")
assert vgg["logreg"].tolist()[-2:] == [0.7705, 0.755]
early = res.loc["trained"]["knn"].loc[:6]
assert early.between(0.16, 0.31).all()
at = cifar_bits.set_index(["code", "n_bits"])["knn"]
assert (at["trained, last layer", 64] > whole_row["K-NN"]).all()
drawn = cifar_bits.pivot_table(index="n_bits", columns="code", values=["knn", "logreg"])
weighed, drawn = drawn["logreg"], drawn["knn"]
near(drawn.loc[64, "trained, last layer"], 0.64, 0.006)
gain = weighed["trained, all layers"] - weighed["random hyperplanes"]
assert gain[16] < 0.03 < gain.loc[32:].min()
assert gain.loc[256:].min() > 0.15
for name, value in {
    "trained, all layers": 0.70,
    "untrained, all layers": 0.38,
    "random hyperplanes": 0.35,
}.items():
    near(weighed.loc[4096, name], value, 0.006)
near(drawn.loc[32, "trained, last layer"], 0.55, 0.006)
assert drawn.loc[512, "trained, last layer"] > last_row["knn"] - 0.025
by_planes = drawn["random hyperplanes"]
gain = drawn["trained, all layers"] - by_planes
assert (gain.loc[:128] < 0.01).all()
assert (gain.loc[256:] > 0.03).all()
assert (drawn["untrained, all layers"] < by_planes).all()
trained = sums.loc["trained"]
near(trained["always_on"], 0.80, 0.006)
near(trained["redundancy_train"], 0.96, 0.006)
near(sums.loc["untrained", "redundancy_train"], 0.09, 0.006)
near(trained[["knn", "kmeans", "logreg"]].max(), 0.17, 0.006)
before = sums.loc["untrained"]
near(before[["knn", "kmeans", "logreg"]].max(), 0.22, 0.006)
near(before["always_on"], 0.81, 0.006)
near(trained["rest_on"], 0.995, 0.0006)
near(before["rest_on"], 0.60, 0.006)
for column, value in {
    "logreg_sums": 0.77,
    "knn_sums": 0.34,
    "kmeans_sums": 0.22,
    "logreg_scaled": 0.81,
    "knn_scaled": 0.70,
    "kmeans_scaled": 0.48,
}.items():
    near(trained[column], value, 0.006)
