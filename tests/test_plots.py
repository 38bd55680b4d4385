"""Figures show the numbers that they are given."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

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
    with pytest.raises(ValueError, match="labels: 7 are needed, one a code, not shape"):
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


@pytest.mark.parametrize("shape", [(5, 64), (0, 8, 8), (5, 2, 8, 8)])
def test_images_of_a_wrong_shape(shape):
    with pytest.raises(ValueError, match="pictures of shape .* are needed, not"):
        nh.plot_images(torch.zeros(shape))


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
    with pytest.raises(ValueError, match="labels: 4 are needed, one a code, not shape"):
        nh.plot_distances(codes, torch.tensor([0, 0, 1]))


def test_distances_of_one_kind_and_labels_that_are_no_tensor():
    codes = nh.NeuralCodes.from_bits([[0, 0, 0], [0, 0, 1], [1, 1, 1]])
    _, ax = plt.subplots()
    ax.fill_between([0, 1], [0, 0.1])
    nh.plot_distances(codes, np.array([1, 1, 1]), ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["same class"]
    nh.plot_distances(codes, [0, 1, 2], ax=ax)
    with pytest.raises(ValueError, match="codes: at least two are needed"):
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
