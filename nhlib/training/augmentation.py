"""Augmentation: images seen a little shifted, mirrored and turned, differently in every epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from nhlib._arguments import real_number, true_or_false, whole_number


@dataclass(frozen=True)
class Augmentation:
    """How images are changed at random before a network trains on them.

    Every image gets a new shift, mirroring and rotation in every epoch. What comes in from
    outside the image repeats the pixels of its edge.

    Parameters
    ----------
    shift : int, default 4
        Pixels by which an image is moved at most, up, down, left or right; every whole number
        of pixels is equally likely.
    flip : bool, default True
        Mirror every other image, left to right.
    rotation : float, default 0
        Degrees by which an image is turned at most, in either direction.

    Raises
    ------
    TypeError, ValueError
        If a setting is not of the right kind or size.

    Examples
    --------
    >>> images = torch.arange(9.).reshape(1, 1, 3, 3)
    >>> augmentation = Augmentation(shift=1, flip=False)
    >>> changes = augmentation.changes(1, (3, 3), seed=0, epoch=2)
    >>> apply_changes(images, changes)[0, 0].round()
    tensor([[1., 2., 2.],
            [4., 5., 5.],
            [7., 8., 8.]])
    """

    shift: int = 4
    flip: bool = True
    rotation: float = 0.0

    def __post_init__(self) -> None:
        whole_number("shift", self.shift, 0)
        true_or_false("flip", self.flip)
        real_number("rotation", self.rotation, 0, 180)

    def changes(self, n: int, size: Sequence[int], seed: int, epoch: int) -> Float[Tensor, "n 2 3"]:
        """Draw the changes of n images for one epoch: a function of its arguments alone.

        Parameters
        ----------
        n : int
            Number of images.
        size : two int
            Their height and width in pixels.
        seed, epoch : int
            Seed of the training, and which epoch it is, from 1.

        Returns
        -------
        float32 tensor, shape (n, 2, 3)
            For every image the affine map from places in the changed image to places in the
            original, in the coordinates of ``torch.nn.functional.affine_grid``.
        """
        rng = np.random.default_rng((seed, epoch, 1))  # epoch_order draws from (seed, epoch)
        height, width = size
        shifts = rng.integers(-self.shift, self.shift + 1, (n, 2)) * (2 / width, 2 / height)
        mirror = np.where(self.flip & (rng.random(n) < 0.5), -1.0, 1.0)
        angle = np.radians(rng.uniform(-self.rotation, self.rotation, n))
        # In pixels, not in the coordinates of the grid, a turn is a turn.
        cos, sin, aspect = np.cos(angle), np.sin(angle), height / width
        rows = np.stack(
            [
                np.stack([cos * mirror, -sin * aspect, shifts[:, 0]], axis=1),
                np.stack([sin * mirror / aspect, cos, shifts[:, 1]], axis=1),
            ],
            axis=1,
        )
        return torch.from_numpy(rows.astype(np.float32))


def apply_changes(
    images: Float[Tensor, "n channels height width"], changes: Float[Tensor, "n 2 3"]
) -> Float[Tensor, "n channels height width"]:
    """Shift, mirror and turn images as `Augmentation.changes` drew, on the device they are on."""
    grid = F.affine_grid(changes.to(images), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
