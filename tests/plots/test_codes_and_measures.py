"""Figures show the numbers that they are given."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import mutual_info_score

import nhlib as nh

mpl.use("agg")


@pytest.fixture(autouse=True)
def _own_figure():
    plt.close("all")
    with plt.style.context("nhlib.book"):
        yield
    plt.close("all")


def random_codes(n, n_bits, seed=0):
    return nh.NeuralCodes.from_bits(np.random.default_rng(seed).integers(0, 2, (n, n_bits)))


def test_codes_are_drawn_bit_by_bit_in_the_order_of_their_classes():
    codes, labels = random_codes(7, 5), torch.tensor([2, 0, 2, 1, 0, 0, 1])
    ax = nh.plot_codes(codes, labels)
    opacity = ax.images[0].get_array()[..., 3]
    order = [1, 4, 5, 3, 6, 0, 2]
    assert np.array_equal(opacity, 255 * codes.bits()[order])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1", "2"]
    assert list(ax.get_yticks()) == [1.5, 4, 6]
    assert [line.get_ydata()[0] for line in ax.lines] == [3, 5]
    with pytest.raises(ValueError, match="labels: 7 whole numbers .* each of codes"):
        nh.plot_codes(codes, labels[:6])


def test_codes_without_labels_keep_their_order():
    codes = random_codes(4, 9)
    _, ax = plt.subplots()
    assert nh.plot_codes(codes, ax=ax) is ax
    assert np.array_equal(ax.images[0].get_array()[..., 3], 255 * codes.bits())


def test_images_are_drawn_in_rows_with_their_titles():
    inputs = torch.rand(5, 1, 4, 6, generator=torch.Generator().manual_seed(0))
    ax = nh.plot_images(inputs, titles=list("abcde"), n_columns=3)
    assert [text.get_text() for text in ax.texts] == list("abcde")
    for image, pixels in zip(ax.images, inputs[:, 0], strict=True):
        assert np.allclose(image.get_array()[..., 0], 1 - pixels, atol=1e-6)
    lefts, bottoms = zip(*[image.get_extent()[:3:2] for image in ax.images], strict=True)
    assert len(set(lefts)) == 3
    assert len(set(bottoms)) == 2
    color = torch.rand(2, 3, 4, 4)
    image = nh.plot_images(color, ax=plt.figure().gca()).images[1].get_array()
    assert np.allclose(image, color[1].permute(1, 2, 0), atol=1e-6)


def test_no_codes_and_no_columns_are_refused():
    with pytest.raises(ValueError, match="codes: there are none, and at least one is needed"):
        nh.plot_codes(random_codes(4, 9)[:0])
    with pytest.raises(ValueError, match="n_columns: a whole number of at least 1 is needed"):
        nh.plot_images(torch.zeros(3, 8, 8), n_columns=0)


@pytest.mark.parametrize("shape", [(5, 64), (0, 8, 8), (5, 2, 8, 8)])
def test_images_of_a_wrong_shape(shape):
    with pytest.raises(ValueError, match="pictures of shape .* are needed, not"):
        nh.plot_images(torch.zeros(shape))


@pytest.mark.parametrize("white", [16, 255])
def test_pixels_that_are_not_from_0_to_1_are_refused_with_a_hint_that_works(white):
    pictures = (torch.rand(3, 8, 8) * white).round()
    pictures[0, 0, :2] = torch.tensor([0, white])
    for given in (pictures, pictures.to(torch.uint8), pictures.to(torch.uint8).numpy()):
        with pytest.raises(ValueError, match=f"inputs: numbers .* not from 0 to {white}") as caught:
            nh.plot_images(given)
        by = float(str(caught.value).split("; divide them by ")[1])
        drawn = nh.plot_images(given / by, ax=plt.figure().gca()).images[0].get_array()
        assert np.allclose(drawn[..., 0], 1 - pictures[0] / white, atol=1e-6)
    with pytest.raises(ValueError, match="not from -2 to 0.5; scale them"):
        nh.plot_images(torch.full((1, 2, 2), 0.5) - torch.tensor([0, 2.5]))


def test_titles_are_counted():
    with pytest.raises(ValueError, match="titles: 3 are needed, one a picture, not 2"):
        nh.plot_images(torch.zeros(3, 8, 8), titles="ab")


def test_distances_are_counted_by_class():
    codes = nh.NeuralCodes.from_bits([[0, 0, 0], [0, 0, 1], [1, 1, 1], [1, 1, 1]])
    ax = nh.plot_distances(codes, torch.tensor([0, 0, 1, 1]))
    # Pairs of one class are 1 and 0 bits apart; pairs of two classes 3, 3, 2 and 2.
    bars = {}
    for artist in ax.collections:
        x, y = artist.get_paths()[0].vertices.T
        bars[artist.get_hatch() or "plain"] = (x[y > 0].min(), x[y > 0].max(), y.max())
    assert bars == {"///": (-0.5, 1.5, 0.5), "plain": (1.5, 3.5, 0.5)}
    legend = ax.get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    hatches = [patch.get_hatch() or "plain" for patch in legend.get_patches()]
    assert dict(zip(names, hatches, strict=True)) == {
        "same class": "///",
        "different classes": "plain",
    }
    assert ax.get_xlabel() == "Hamming distance (bits)"
    with pytest.raises(ValueError, match="labels: 4 whole numbers .* each of codes"):
        nh.plot_distances(codes, torch.tensor([0, 0, 1]))


def test_distances_of_one_kind_and_labels_that_are_no_tensor():
    codes = nh.NeuralCodes.from_bits([[0, 0, 0], [0, 0, 1], [1, 1, 1]])
    _, ax = plt.subplots()
    ax.fill_between([0, 1], [0, 0.1])
    nh.plot_distances(codes, np.array([1, 1, 1]), ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["same class"]
    nh.plot_distances(codes, [0, 1, 2], ax=ax)
    with pytest.raises(ValueError, match="codes: at least 2 codes are needed"):
        nh.plot_distances(codes[:1], [0])


def test_many_examples_are_sampled():
    codes, labels = random_codes(3000, 20), torch.arange(3000) % 10
    ax = nh.plot_distances(codes, labels)
    centre = ax.collections[0].get_paths()[0].vertices[:, 0].mean()
    assert 8 < centre < 12


def test_redundancy_is_a_line_in_a_band_over_the_seeds():
    table = pd.DataFrame(
        {
            "epoch": [0, 1, 0, 1],
            "seed": [0, 0, 1, 1],
            "redundancy": [0.1, 0.3, 0.2, 0.5],
            "width": ["a"] * 4,
        }
    )
    ax = nh.plot_redundancy(table, hue="width")
    assert np.allclose(ax.lines[0].get_xydata(), [[0, 0.15], [1, 0.4]])
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.1)
    assert band[:, 1].max() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no column 'depth'; there are epoch, seed, redundancy"):
        nh.plot_redundancy(table, hue="depth")


# -- accuracies ------------------------------------------------------------------------------


def drawn_lines(ax):
    """Lines with points in them; seaborn also adds empty ones, for the legend."""
    return [
        line for line in ax.lines if len(line.get_xdata()) and not np.isnan(line.get_xdata()).all()
    ]


def legend_texts(ax):
    legend = ax.get_legend()
    return None if legend is None else [text.get_text() for text in legend.get_texts()]


@pytest.fixture
def accuracies():
    return pd.DataFrame(
        {
            "epoch": [0, 5, 0, 5, 0, 5],
            "seed": [0, 0, 1, 1, 0, 0],
            "method": ["knn"] * 4 + ["kmeans"] * 2,
            "accuracy": [0.1, 0.8, 0.3, 0.9, 0.2, 0.4],
        }
    )


def test_accuracy_is_a_line_for_each_method_in_a_band_over_the_seeds(accuracies):
    _, ax = plt.subplots()
    assert nh.plot_accuracy(accuracies, ax=ax, hue="method") is ax
    knn, kmeans = drawn_lines(ax)
    assert np.allclose(knn.get_xydata(), [[0, 0.2], [5, 0.85]])
    assert np.allclose(kmeans.get_xydata(), [[0, 0.2], [5, 0.4]])
    band = ax.collections[0].get_paths()[0].vertices
    at_start, at_end = (band[band[:, 0] == epoch, 1] for epoch in (0, 5))
    assert [at_start.min(), at_start.max()] == pytest.approx([0.1, 0.3])
    assert [at_end.min(), at_end.max()] == pytest.approx([0.8, 0.9])
    assert legend_texts(ax) == ["knn", "kmeans"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()[0]) == ("epoch", "accuracy", 0)
    # Told by more than colour.
    assert knn.get_marker() != kmeans.get_marker()
    assert knn.get_color() != kmeans.get_color()


def test_one_curve_of_accuracies_needs_no_legend(accuracies):
    table = accuracies[:2].rename(columns={"epoch": "width"})
    ax = nh.plot_accuracy(table, x="width")
    assert ax is plt.gca()
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[0, 0.1], [5, 0.8]]]
    assert legend_texts(ax) is None
    assert ax.get_xlabel() == "width"


def test_style_may_be_another_column_than_hue(accuracies):
    table = pd.concat([accuracies.assign(split=split) for split in ("train", "test")])
    ax = nh.plot_accuracy(table, hue="method", style="split")
    assert len(drawn_lines(ax)) == 4
    assert {"knn", "kmeans", "train", "test"} <= set(legend_texts(ax))


def test_columns_that_accuracies_lack(accuracies):
    for names, missing in [({"x": "width"}, "width"), ({"hue": "depth"}, "depth")]:
        with pytest.raises(ValueError, match=f"table: no column '{missing}'; there are epoch, se"):
            nh.plot_accuracy(accuracies, **names)
    with pytest.raises(ValueError, match="table: no column 'accuracy'"):
        nh.plot_accuracy(accuracies.drop(columns="accuracy"))


def test_missing_columns_of_a_table_whose_columns_are_numbers():
    with pytest.raises(ValueError, match="table: no column 'accuracy'; there are 0, 1"):
        nh.plot_accuracy(pd.DataFrame({0: [0.5], 1: [0.6]}))


# -- rarefaction -----------------------------------------------------------------------------


def rarefaction_curves(**lengths):
    """One table for all: a curve for codes of every length."""
    curves = [
        nh.rarefaction_curve(random_codes(60, n_bits), [2, 10, 60]).assign(name=name)
        for name, n_bits in lengths.items()
    ]
    return pd.concat(curves, ignore_index=True)


def check_curves(ax, table, names):
    """Every name has a curve and a dotted bound of one colour; return the curves."""
    lines = drawn_lines(ax)
    dotted = [line for line in lines if line.get_linestyle() == ":"]
    solid = [line for line in lines if line not in dotted]
    assert len(dotted) == len(solid) == len(names)
    colours = set()
    for name in names:
        part = table[table["name"] == name]
        (curve,) = [line for line in solid if np.allclose(line.get_ydata(), part["redundancy"])]
        (bound,) = [line for line in dotted if np.allclose(line.get_ydata(), part["bound"])]
        for line in (curve, bound):
            assert np.allclose(line.get_xdata(), part["n"])
        assert mpl.colors.same_color(curve.get_color(), bound.get_color())
        colours.add(mpl.colors.to_hex(curve.get_color()))
    assert len(colours) == len(names)


def test_a_rarefaction_curve_and_its_bound():
    table = rarefaction_curves(a=4)
    _, ax = plt.subplots()
    assert nh.plot_rarefaction(table, ax=ax) is ax
    check_curves(ax, table, ["a"])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("number of examples n", "redundancy ratio")
    assert legend_texts(ax) is None
    assert ax.get_ylim()[1] >= 1


def test_several_rarefaction_curves_each_with_its_bound():
    table = rarefaction_curves(short=3, long=5, longer=6)
    ax = nh.plot_rarefaction(table, hue="name")
    assert ax is plt.gca()
    check_curves(ax, table, ["short", "long", "longer"])
    assert legend_texts(ax) == ["short", "long", "longer"]


def test_bounds_have_the_colours_of_their_curves_where_names_are_numbers():
    # Of numbers, seaborn draws the smallest first.
    table = rarefaction_curves(a=5, b=3).replace({"name": {"a": 40, "b": 20}})
    table["name"] = table["name"].astype(int)
    check_curves(nh.plot_rarefaction(table, hue="name"), table, [40, 20])


def test_bounds_have_the_colours_of_their_curves_in_axes_that_were_drawn_into():
    table = rarefaction_curves(a=4, b=3)
    for name in "ab":
        ax = nh.plot_rarefaction(table[table["name"] == name])
    check_curves(ax, table, ["a", "b"])


def test_bounds_may_be_left_out():
    table = rarefaction_curves(a=4, b=5)
    ax = nh.plot_rarefaction(table, hue="name", bound=False)
    assert sorted(line.get_ydata()[0] for line in drawn_lines(ax)) == pytest.approx(
        sorted(table["redundancy"][table["n"] == 2])
    )


def test_ratios_of_zero_are_not_drawn():
    codes = nh.NeuralCodes.from_bits([[0, 0], [0, 0], [0, 1], [1, 1]])
    ax = nh.plot_rarefaction(nh.rarefaction_curve(codes, [1, 2, 4]))
    assert [line.get_xdata().tolist() for line in ax.lines] == [[2, 4]] * 2


@pytest.mark.parametrize("hue", [None, "name"])
def test_codes_without_any_redundancy_make_an_empty_figure(hue):
    distinct = nh.NeuralCodes.from_bits(np.eye(8, dtype=np.uint8))
    ax = nh.plot_rarefaction(nh.rarefaction_curve(distinct).assign(name="distinct"), hue=hue)
    ax.figure.canvas.draw()
    assert drawn_lines(ax) == []
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize("column", ["n", "redundancy", "bound"])
def test_columns_that_rarefaction_lacks(column):
    table = rarefaction_curves(a=4)
    with pytest.raises(ValueError, match=f"table: no column '{column}'"):
        nh.plot_rarefaction(table.drop(columns=column))
    with pytest.raises(ValueError, match="table: no column 'width'; there are n, redundancy, bo"):
        nh.plot_rarefaction(table, hue="width")


# -- baselines -------------------------------------------------------------------------------

METHODS = {"kmeans": "K-Means", "knn": "K-NN", "logreg": "logistic regression"}


def baselines(representations, methods, network=0.97):
    rows = [
        {"representation": each, "method": method, "accuracy": 0.1 + 0.3 * i + 0.1 * j}
        for i, each in enumerate(representations)
        for j, method in enumerate(methods)
    ]
    if network is not None:
        rows.append({"representation": "network", "method": "network", "accuracy": network})
    return pd.DataFrame(rows)


def points_of(ax):
    """Return the accuracy at every marker, by row and shape of the marker."""
    return {
        (round(y), line.get_marker()): x
        for line in drawn_lines(ax)
        if line.get_marker() not in ("None", None, "")
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }


@pytest.mark.parametrize("representations", [["codes"], ["codes", "untrained codes", "raw inputs"]])
@pytest.mark.parametrize("methods", [["knn"], ["kmeans", "logreg"], ["logreg", "knn", "kmeans"]])
@pytest.mark.parametrize("network", [None, 0.97])
def test_every_accuracy_is_a_point_in_the_row_of_its_representation(
    representations, methods, network
):
    table = baselines(representations, methods, network)
    _, ax = plt.subplots()
    assert nh.plot_baselines(table, ax=ax) is ax
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.get_yticklabels()] == representations
    ordered = [method for method in METHODS if method in methods]
    measured = table[table["method"] != "network"].set_index(["representation", "method"])
    expected = {
        (i, marker): measured.loc[(each, method), "accuracy"]
        for i, each in enumerate(representations)
        for method, marker in zip(ordered, "osD", strict=False)
    }
    assert points_of(ax) == pytest.approx(expected)
    verticals = [x for line in ax.lines if len(x := line.get_xdata()) == 2 and x[0] == x[1] == 0.97]
    assert len(verticals) == (network is not None)
    names = [METHODS[method] for method in ordered]
    assert legend_texts(ax) == names + ["the network itself"] * (network is not None)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("test accuracy", "")


def test_several_seeds_become_means_in_bars_from_the_smallest_to_the_largest():
    table = baselines(["codes", "raw inputs"], ["knn"], network=0.9)
    better = table.assign(accuracy=table["accuracy"] + 0.04)
    best = table.assign(accuracy=table["accuracy"] + 0.05)
    ax = nh.plot_baselines(pd.concat([table, better, best]))
    assert ax is plt.gca()
    assert points_of(ax) == pytest.approx({(0, "o"): 0.13, (1, "o"): 0.43})
    spans = [sorted(line.get_xdata()) for line in drawn_lines(ax)]
    for low in (0.1, 0.4):
        assert any(span == pytest.approx([low, low + 0.05]) for span in spans)
    assert any(span == pytest.approx([0.93, 0.93]) for span in spans)


def test_a_real_comparison_can_be_drawn():
    data = nh.load("digits")
    some = nh.Dataset("some digits", data.train[:200], data.test[:50], 10)
    network = nh.mlp(64, [10], 10)
    table = nh.compare_with_baselines(network, network, some)
    ax = nh.plot_baselines(table)
    by_place = dict(zip("osD", METHODS, strict=True))
    rows = list(dict.fromkeys(table["representation"][:-1]))
    measured = table.set_index(["representation", "method"])["accuracy"]
    found = points_of(ax)
    assert len(found) == 15
    for (row, marker), accuracy in found.items():
        assert accuracy == pytest.approx(measured[rows[row], by_place[marker]])


@pytest.mark.parametrize("column", ["representation", "method", "accuracy"])
def test_columns_that_baselines_lack(column):
    with pytest.raises(ValueError, match=f"table: no column '{column}'; there are"):
        nh.plot_baselines(baselines(["codes"], ["knn"]).drop(columns=column))


# -- activity by class -----------------------------------------------------------------------


def test_activity_is_the_share_of_every_class_with_the_most_informative_units_first():
    rng = np.random.default_rng(0)
    labels = np.repeat([2, 5, 9], [10, 20, 30])
    chances = rng.random((10, 7))
    codes = nh.NeuralCodes.from_bits(rng.random((60, 7)) < chances[labels])
    _, ax = plt.subplots()
    assert nh.plot_class_activity(codes, torch.tensor(labels), ax=ax) is ax
    shown = ax.collections[0].get_array().reshape(3, 7)
    bits = codes.bits()
    information = [mutual_info_score(labels, column) for column in bits.T]
    order = np.argsort(information)[::-1]
    expected = [bits[labels == label][:, order].mean(axis=0) for label in (2, 5, 9)]
    assert np.allclose(shown, expected)
    assert ax.collections[0].get_clim() == (0, 1)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["2", "5", "9"]
    assert ax.get_ylabel() == "class"
    assert ax.get_xlabel() == "units, the most informative first"
    colorbar = ax.collections[0].colorbar
    assert colorbar.ax.get_ylabel() == "share of examples with the unit on"


def test_activity_of_one_class_one_unit_and_labels_of_other_kinds():
    codes = random_codes(6, 1)
    for labels in ([4] * 6, np.full(6, 4), torch.full((6,), 4, dtype=torch.int32)):
        ax = nh.plot_class_activity(codes, labels, ax=plt.figure().gca())
        assert ax.collections[0].get_array().tolist() == [[codes.bits().mean()]]
    assert nh.plot_class_activity(codes, [0, 1] * 3) is plt.gcf().axes[0]


def test_units_that_tell_equally_much_keep_their_order():
    codes = nh.NeuralCodes.from_bits([[1, 0, 1, 1], [1, 0, 0, 1]] * 4)
    ax = nh.plot_class_activity(codes, [0, 1] * 4)
    assert ax.collections[0].get_array().reshape(2, 4).tolist() == [[1, 1, 0, 1], [0, 1, 0, 1]]


@pytest.mark.parametrize("shape", [(6,), (8,), (7, 1)])
def test_activity_needs_a_label_for_each_code(shape):
    with pytest.raises(ValueError, match="labels: 7 whole numbers .* each of codes"):
        nh.plot_class_activity(random_codes(7, 3), torch.zeros(shape, dtype=torch.int64))
