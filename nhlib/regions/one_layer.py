"""The exact number of regions of one layer in a rectangle, counted in whole numbers."""

import math
from typing import Any

from nhlib._arguments import real_numbers
from nhlib.regions.plane import to_rectangle

_HINT = "; of an nn.Linear layer, take layer.weight and layer.bias, or zeros where it has no bias"

# A line a·x + b·y + c = 0 in whole numbers.
_Line = tuple[int, int, int]


def arrangement_count(weights: Any, biases: Any, extent: Any = (-1.0, 1.0, -1.0, 1.0)) -> int:
    r"""Count the regions of one layer of two inputs in a rectangle, without drawing them.

    Unit :math:`j` switches on the line :math:`w_j \cdot x + b_j = 0`. Drawn one after
    another, each line that enters the rectangle adds one region, and one more for every
    point inside at which it crosses lines before it:

    .. math:: 1 + L + \sum_{p} (k_p - 1)

    for :math:`L` different lines that enter, and :math:`k_p \ge 2` of them through the
    crossing point :math:`p`. Only what is inside counts: a line along the border, or through
    a corner alone, parts nothing.

    Parameters
    ----------
    weights : array or tensor, shape (n, 2)
        One row a unit. A row of zeros is no line.
    biases : array or tensor, shape (n,)
        One number a unit.
    extent : (left, right, bottom, top), default (-1, 1, -1, 1)
        The rectangle, without its border.

    Returns
    -------
    int
        Exact for the numbers given, taken as float64: duplicate, parallel and concurrent lines
        are recognized without any tolerance.

    Raises
    ------
    ValueError
        If `weights` or `biases` are of another shape, or hold nan or infinity; if the
        rectangle is empty.

    See Also
    --------
    nhlib.partition : the regions themselves, of any number of layers.
    zaslavsky_bound : the most there can be.

    Notes
    -----
    A float is a whole number times a power of two, so every line has whole coefficients, and
    signs and crossing points are computed in whole numbers of any size. That takes time with
    the square of the number of lines. `nhlib.partition` takes what differs only by rounding for
    equal, and may count fewer where three lines meet almost in a point.

    Examples
    --------
    Three lines cross in the points (0, 0), (0, 1) and (1, 0); two of them lie on the border
    of the default square.

    >>> weights, biases = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 0.0, -1.0]
    >>> arrangement_count(weights, biases, extent=(-2, 2, -2, 2))
    7
    >>> arrangement_count(weights, biases)
    5
    """
    w = real_numbers("weights", weights, _HINT)
    if w.ndim != 2 or w.shape[1] != 2:
        raise ValueError(
            "weights: shape (n, 2) is needed, one row a unit and one column an input, "
            f"not {w.shape}"
        )
    b = real_numbers("biases", biases, _HINT)
    if b.shape != w.shape[:1]:
        raise ValueError(
            f"biases: shape ({len(w)},) is needed, one number for each row of weights, "
            f"not {b.shape}"
        )
    # Coordinates in which the rectangle has whole corners, the first of them (0, 0).
    left, right, bottom, top, unit = _whole(*to_rectangle(extent, None), 1.0)
    width, height = right - left, top - bottom
    lines: dict[_Line, None] = {}
    for row, bias in zip(w.tolist(), b.tolist(), strict=True):
        x, y, constant = _whole(*row, bias)
        constant = constant * unit + x * left + y * bottom
        corners = [constant + p * width + q * height for p in (0, x) for q in (0, y)]
        if min(corners) < 0 < max(corners):
            lines[_normal(x, y, constant)] = None
    known = list(lines)
    return 1 + sum(1 + _crossings(known[:i], known[i], width, height) for i in range(len(known)))


def _whole(*numbers: float) -> list[int]:
    """Multiply floats by the smallest power of two that makes all of them whole."""
    ratios = [number.as_integer_ratio() for number in numbers]
    common = max(denominator for _, denominator in ratios)
    return [numerator * (common // denominator) for numerator, denominator in ratios]


def _normal(a: int, b: int, c: int) -> _Line:
    """Return what all multiples of a line have in common."""
    divisor = math.gcd(a, b, c)
    if (a, b) < (0, 0):
        divisor = -divisor
    return (a // divisor, b // divisor, c // divisor)


def _crossings(lines: list[_Line], line: _Line, width: int, height: int) -> int:
    """Count the points at which a line crosses others inside the rectangle from (0, 0)."""
    a, b, c = line
    points = set()
    for p, q, r in lines:
        # Cramer's rule: the lines meet at (x / w, y / w), or nowhere if w is 0.
        w = a * q - b * p
        x = b * r - c * q
        y = c * p - a * r
        if w < 0:
            w, x, y = -w, -x, -y
        if 0 < x < w * width and 0 < y < w * height:
            # On one line, one coordinate tells points apart.
            along = x if b else y
            divisor = math.gcd(along, w)
            points.add((along // divisor, w // divisor))
    return len(points)
