"""What the appendix says of the stored tables; the names are those of the notebook."""

from comparison import near

assert summary.loc[(ALL["redundancy_train"][1], "MNIST, A"), "largest"] < 0.04
assert summary.loc[(ALL["redundancy_test_n"][1], "MNIST, A"), "largest"] < 0.07
assert abs(summary.loc[(ALL["redundancy_train"][1], "MNIST, B"), "largest"] + 0.23) < 0.006
for measure in (
    "redundancy_train",
    "redundancy_test_n",
    "knn",
    "logreg",
    "test_accuracy",
):
    title = ALL[measure][1]
    assert abs(summary.loc[(title, "CIFAR-10 (JPEG), B"), "largest"]) < 0.0135
at = last.set_index("width").loc[170]
near(at["kmeans"], 0.49, 0.006)
near(at["kmeans_train"], 0.68, 0.006)
off = last.set_index("width")["kmeans_train"] - paper_cifar["kmeans"]
assert off.abs().max() < 0.0135
codes = pd.read_csv("../results/mnist_codes.csv")
codes = codes.query("epoch == 60 and protocol in ('A', 'B')")
of_width = codes.groupby(["protocol", "width"])
means = of_width[["kmeans_train", "kmeans"]].mean()
assert (means["kmeans_train"] - means["kmeans"]).abs().max() < 0.03
ours = trained["training set", "ours, A"]
near(ours[50, 1], 0.27, 0.006)
near(ours[60, 1], 0.11, 0.006)
off = (ours - trained["training set", "paper"]).xs(100, level="epoch")
assert off.abs().max() < 0.02
early = sizes.query("epoch == 10").groupby(["train_size", "width"])
knn, logreg = early["knn"].mean(), early["logreg"].mean()
assert (knn[100] - 0.4).abs().max() < 0.06
test = early["redundancy_test"].mean()
for width, quoted, theirs in zip(
    (40, 50, 60),
    (0.80, 0.66, 0.48),
    PAPER["redundancy_test"][10],
    strict=True,
):
    near(test[10, width], quoted, 0.006)
    near(test[10, width], theirs, 0.045)
late = sizes.query("epoch == 60").groupby(["train_size", "width"])
late = late["redundancy_test"].mean()[40_000]
assert (late - PAPER["redundancy_test"][40_000]).abs().max() < 0.02
assert (late - [0.06, 0.02, 0.01]).abs().max() < 0.006
for width, theirs in zip((40, 50, 60), PAPER["knn"][40_000], strict=True):
    near(knn[40_000, width], theirs, 0.02)
for width, theirs in zip((40, 50, 60), PAPER["logreg"][40_000], strict=True):
    near(logreg[40_000, width], theirs, 0.02)
