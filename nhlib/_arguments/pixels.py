"""What is said when numbers lie beyond their range, pixels of 0 to 255 above all."""

import torch

# Rounding beyond a range, as a share of it.
_SLACK = 1e-5


def check_range(name: str, given: torch.Tensor, box: tuple[float, float], otherwise: str) -> None:
    """Say which numbers lie beyond a range, and what brings them into it.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : tensor
        What was given for it.
    box : pair of float
        The range; rounding beyond it is allowed for.
    otherwise : str
        What to try where dividing does not help, for the end of the message.

    Raises
    ------
    ValueError
        If a number is nan, or outside.

    Examples
    --------
    >>> check_range("inputs", torch.tensor([0.0, 128, 255]), (0.0, 1.0), "pass another box")
    Traceback (most recent call last):
    ValueError: inputs: numbers from 0 to 1 are needed, not from 0 to 255; divide them by 255
    """
    if not given.numel():
        return
    low, high = box
    least, most = (end.item() for end in given.aminmax())
    slack = _SLACK * (high - low)
    if low - slack <= least and most <= high + slack:
        return
    needed = f"{name}: numbers from {low:g} to {high:g} are needed"
    if not least <= most:
        raise ValueError(f"{needed}, but some are nan")
    hint = (
        f"divide them by {brightest(most):g}" if (low, high) == (0, 1) and least >= 0 else otherwise
    )
    raise ValueError(f"{needed}, not from {least:g} to {most:g}; {hint}")


def brightest(most: float) -> float:
    """Return what white is in pictures whose largest number is known: 16, 255 or 65,535.

    scikit-learn's digits have 17 greys, files have 8 or 16 bits.
    """
    return next((white for white in (16.0, 255.0, 65535.0) if most <= white), most)
