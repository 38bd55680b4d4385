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
of_size = sizes.groupby(["epoch", "width", "train_size"])
of_size = of_size[["redundancy_test", "knn", "logreg"]].mean()
assert (of_size.loc[10].xs(100, level="train_size")["knn"] - 0.4).abs().max() < 0.06
for width, ours_then, theirs in zip(
    (40, 50, 60), (0.80, 0.66, 0.48), (0.77, 0.61, 0.47), strict=True
):
    near(of_size.loc[(10, width, 10), "redundancy_test"], ours_then, 0.006)
    near(paper_size.loc[(width, 10), "redundancy_test"], theirs, 0.01)
    late = of_size.loc[(60, width, 30_000)]
    near(late, paper_size.loc[(width, 30_000), late.index], 0.02)
first = stored("mnist_first_epoch").query("epoch == 1").groupby("widths")
for width, ours_then, theirs in zip(
    ("40", "50", "60"), (0.58, 0.34, 0.16), (0.58, 0.37, 0.20), strict=True
):
    ratios = first.get_group(width)["redundancy_train"]
    near(ratios.mean(), ours_then, 0.006)
    then = paper_time.loc[(int(width), 1), "redundancy_train"]
    near(then, theirs, 0.006)
    assert ratios.min() < then < ratios.max()
for split, ends in (("train", (0.100, 0.101)), ("test", (0.039, 0.041))):
    near(paper_time.loc[(40, 2000), f"redundancy_{split}"], ends[0], 0.0006)
    near(paper_width.loc[40, f"redundancy_{split}"], ends[1], 0.0006)
