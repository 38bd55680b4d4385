"""Digits as explorers embed them."""

import numpy as np

from nhlib.data import Split


def pack_digits(digits: Split) -> tuple[bytes, bytes]:
    """Return pixels, 0 to 16 in five bits each, and labels, a byte each.

    Examples
    --------
    >>> import nhlib as nh
    >>> pixels, labels = pack_digits(nh.load("digits").test)
    >>> len(pixels), list(labels[:3])
    (14400, [7, 6, 3])
    """
    levels = (16 * digits.inputs.flatten(1)).numpy().astype(np.uint8)
    five = np.unpackbits(levels[:, :, None], axis=2)[:, :, 3:]
    pixels = np.packbits(five.reshape(len(levels), -1), axis=1).tobytes()
    return pixels, digits.labels.numpy().astype(np.uint8).tobytes()
