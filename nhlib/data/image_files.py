"""One image file as an array of 8-bit colours."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from nhlib.data.class_folders import printable

# 16-bit numbers in one of 8 bits: 65,535 is 255.
_STEP = 257


def decode(file: Path) -> UInt8[np.ndarray, "height width 3"]:
    """Read an image file.

    Parameters
    ----------
    file : Path
        The file, of any kind that Pillow knows.

    Returns
    -------
    uint8 array, shape (height, width, 3)
        Red, green and blue. What is transparent has the colours that the file gives it; greys of
        16 bits are rounded to 8.

    Raises
    ------
    ValueError
        If it is no readable image: for whatever reason, with the name of the file.
    """
    from PIL import Image

    try:
        if not file.is_file():  # a pipe would be waited for
            raise FileNotFoundError("there is no such file")
        with Image.open(file) as image:
            return _colours(image)
    except Exception as error:  # broken files end in errors of every kind
        raise ValueError(f"name: {printable(file)} is no readable image: {error}") from error


def _colours(image: Any) -> UInt8[np.ndarray, "height width 3"]:
    sixteen_bits = image.mode.startswith("I;16")
    sixteen_bits |= image.mode == "I" and image.format in ("PNG", "PPM")
    if sixteen_bits:
        grey = np.round(np.asarray(image) / _STEP).astype(np.uint8)
        return np.stack([grey] * 3, axis=2)
    if image.mode in ("I", "F"):
        raise ValueError(
            "its brightness is given in numbers of 32 bits, and nothing says what white is; save "
            "it with 8 or 16 bits, as PNG"
        )
    if isinstance(image.info.get("transparency"), bytes):  # Pillow warns without this step
        image = image.convert("RGBA")
    return np.asarray(image.convert("RGB"))
