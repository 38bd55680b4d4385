"""Augmentation: against SciPy, against loops over pixels, and what training sees of it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

import nhlib as nh
from nhlib.training.augmentation import Augmentation, apply_changes
from nhlib.training.randomness import epoch_order


def in_pixels(changes: torch.Tensor, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the maps of (x, y) around the centre of an image, and their shifts, in pixels."""
    # The grid's coordinates go from -1 to 1 over the whole width and the whole height.
    half = np.array([width / 2, height / 2])
    matrices = changes.double().numpy()
    return half[:, None] * matrices[:, :, :2] / half, half * matrices[:, :, 2]


def images_of(n: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, height, width, generator=generator, dtype=torch.float64)


# -- what is done to an image --------------------------------------------------------------


@given(
    st.integers(0, 6),
    st.booleans(),
    st.floats(0, 180),
    st.tuples(st.integers(2, 9), st.integers(2, 9)),
    st.integers(0, 2**40),
)
@settings(max_examples=60)
def test_images_are_what_scipy_makes_of_the_drawn_maps(shift, flip, rotation, size, seed):
    height, width = size
    changes = Augmentation(shift, flip, rotation).changes(3, size, seed, epoch=1)
    assert (changes.shape, changes.dtype) == ((3, 2, 3), torch.float32)
    images = images_of(3, height, width)
    result = apply_changes(images, changes)
    for image, matrix, moved, seen in zip(
        images, *in_pixels(changes, height, width), result, strict=True
    ):
        # SciPy has rows before columns, and counts from the centre of the first pixel.
        centre = np.array([(height - 1) / 2, (width - 1) / 2])
        of_rows = matrix[::-1, ::-1]
        offset = centre + moved[::-1] - of_rows @ centre
        for channel, one in zip(image, seen, strict=True):
            expected = ndimage.affine_transform(
                channel.numpy(), of_rows, offset, order=1, mode="nearest"
            )
            np.testing.assert_allclose(one, expected, atol=1e-5)


@given(st.integers(0, 9), st.booleans(), st.integers(0, 2**40))
@settings(max_examples=30)
def test_shifts_and_mirrors_move_whole_pixels_and_repeat_the_edge(shift, flip, seed):
    height, width = 5, 7
    changes = Augmentation(shift, flip).changes(4, (height, width), seed, epoch=3)
    matrices, shifts = in_pixels(changes, height, width)
    images = images_of(4, height, width)
    result = apply_changes(images, changes)
    for k in range(4):
        right, down = np.round(shifts[k]).astype(int)
        mirrored = images[k].flip(-1) if matrices[k, 0, 0] < 0 else images[k]
        if matrices[k, 0, 0] < 0:
            right = -right  # the map begins at the changed image
        for i in range(height):
            for j in range(width):
                row, column = np.clip([i + down, j + right], 0, [height - 1, width - 1])
                torch.testing.assert_close(
                    result[k, :, i, j], mirrored[:, row, column], rtol=0, atol=1e-5
                )


def test_a_quarter_turn_is_a_quarter_turn_of_an_image_that_is_not_square():
    # An image of 3×5 within one of 9×9 shows where its pixels go.
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 3:6, 2:7] = torch.arange(15.0).reshape(3, 5)
    quarter = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    turned = apply_changes(image, quarter)[0, 0]
    torch.testing.assert_close(turned, torch.rot90(image[0, 0], 1), rtol=0, atol=1e-4)


def test_no_change_leaves_images_as_they_are():
    images = images_of(5, 6, 7).float()
    changes = Augmentation(shift=0, flip=False).changes(5, (6, 7), seed=1, epoch=1)
    assert torch.equal(changes, torch.eye(2, 3).expand(5, 2, 3))
    torch.testing.assert_close(apply_changes(images, changes), images, rtol=0, atol=1e-5)
    assert apply_changes(images, changes).dtype == torch.float32


# -- what is drawn -------------------------------------------------------------------------


def test_maps_are_shifts_mirrors_and_turns_in_their_ranges():
    height, width = 28, 20
    changes = Augmentation(shift=3, rotation=30.0).changes(5000, (height, width), 4, epoch=2)
    matrices, shifts = in_pixels(changes, height, width)
    np.testing.assert_allclose(
        matrices.transpose(0, 2, 1) @ matrices, np.tile(np.eye(2), (5000, 1, 1)), atol=1e-5
    )
    np.testing.assert_allclose(shifts, np.round(shifts), atol=1e-5)
    # Each of the 7 × 7 shifts, in either mirroring, is equally likely.
    mirrored = np.linalg.det(matrices) < 0
    cells = np.ravel_multi_index(
        (*(np.round(shifts.T).astype(int) + 3), mirrored.astype(int)), (7, 7, 2)
    )
    assert stats.chisquare(np.bincount(cells, minlength=98)).pvalue > 1e-3
    # The second column turns alone, the first may be mirrored.
    angles = np.degrees(np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1]))
    assert np.abs(angles).max() <= 30 + 1e-4
    for some in (angles, angles[mirrored], angles[shifts[:, 0] > 0]):
        assert stats.kstest(some, stats.uniform(-30, 60).cdf).pvalue > 1e-3


def test_what_is_switched_off_is_not_drawn():
    height, width = 8, 8
    matrices, shifts = in_pixels(
        Augmentation(shift=0, rotation=10.0).changes(500, (8, 8), 0, 1), height, width
    )
    assert not shifts.any()
    assert len(np.unique(matrices[:, 1, 1])) > 400
    matrices, shifts = in_pixels(Augmentation(2, flip=False).changes(500, (8, 8), 0, 1), 8, 8)
    assert (matrices == np.eye(2)).all()
    assert np.unique(shifts).tolist() == [-2, -1, 0, 1, 2]
    matrices, _ = in_pixels(Augmentation(2).changes(500, (8, 8), 0, 1), 8, 8)
    assert np.unique(matrices[:, 0, 0]).tolist() == [-1, 1]
    assert (matrices[:, 1] == [0, 1]).all()


def test_changes_are_a_function_of_their_arguments_alone():
    augmentation = Augmentation(rotation=20.0)
    for_torch, for_numpy = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    one = augmentation.changes(10, (32, 32), 3, 4)
    assert torch.equal(torch.get_rng_state(), for_torch)
    assert (np.random.get_state()[1] == for_numpy[1]).all()  # noqa: NPY002
    torch.rand(3)
    assert torch.equal(Augmentation(rotation=20.0).changes(10, (32, 32), 3, 4), one)
    drawn = {
        tuple(augmentation.changes(10, (32, 32), seed, epoch).flatten().tolist())
        for seed in range(8)
        for epoch in range(1, 9)
    }
    assert len(drawn) == 64


# -- what training sees --------------------------------------------------------------------


def images_to_learn(n: int = 10) -> nh.Dataset:
    labels = torch.arange(n) % 3
    train, test = images_of(n, 6, 8).float(), images_of(4, 6, 8, seed=1).float()
    return nh.Dataset("images", nh.Split(train, labels), nh.Split(test, labels[:4]), 3)


def test_training_sees_changed_images_and_tests_see_them_as_they_are():
    data = images_to_learn()
    augmentation = Augmentation(shift=2, rotation=25.0)
    network = nh.vgg([[4]], [5], 3, image_size=6).double()
    network.linear1 = torch.nn.Linear(4 * 3 * 4, 5, dtype=torch.float64)
    seen: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    network.register_forward_pre_hook(lambda module, x: seen[module.training].append(x[0].clone()))
    recipe = nh.Recipe(epochs=2, batch_size=4, augmentation=augmentation)
    nh.fit(network, data, recipe, seed=7)
    expected = []
    for epoch in (1, 2):
        changes = augmentation.changes(10, (6, 8), 7, epoch)
        of_all = apply_changes(data.train.inputs.double(), changes)
        expected += [of_all[batch] for batch in epoch_order(10, 7, epoch).split(4)]
    _, *steps = seen[True]  # first a step is tried
    assert len(steps) == len(expected) == 6
    for images, wanted in zip(steps, expected, strict=True):
        torch.testing.assert_close(images, wanted)
    assert torch.equal(seen[False][-1], data.test.inputs.double())
    # The data set itself is left alone.
    assert torch.equal(data.train.inputs, images_of(10, 6, 8).float())


def test_augmentation_needs_images():
    data = nh.load("moons", train_size=20)
    recipe = nh.Recipe(epochs=1, augmentation=Augmentation())
    text = r"recipe: augmentation changes images of shape .* have shape \(2,\); pass augmenta"
    with pytest.raises(ValueError, match=text):
        nh.fit(nh.mlp(2, [3], 2), data, recipe)


# -- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"shift": -1}, ValueError, "shift: a whole number of at least 0 is needed, not -1"),
        ({"shift": 0.5}, TypeError, "shift: a whole number of at least 0 is needed, not 0.5"),
        ({"flip": 1}, TypeError, "flip: True or False is needed, not 1"),
        ({"flip": None}, TypeError, "flip: True or False is needed, not None"),
        ({"rotation": "15"}, TypeError, "rotation: a number from 0 to 180 is needed, not '15'"),
        ({"rotation": True}, TypeError, "rotation: a number from 0 to 180 is needed, not True"),
        ({"rotation": -1.0}, ValueError, "rotation: a number from 0 to 180 is needed, not -1"),
        ({"rotation": 181}, ValueError, "rotation: a number from 0 to 180 is needed, not 181"),
        ({"rotation": math.nan}, ValueError, "rotation: a number from 0 to 180 is needed, not nan"),
    ],
)
def test_impossible_changes_are_explained(unchecked, changes, error, text):
    with pytest.raises(error, match=text):
        unchecked(Augmentation.__init__)(object.__new__(Augmentation), **changes)
