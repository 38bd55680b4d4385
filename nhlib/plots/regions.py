"""Figures of linear regions: in a rectangle, and along a line."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float64, Int, UInt8
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import Stroke
from matplotlib.ticker import MaxNLocator
from scipy.sparse.linalg import svds

from nhlib.codes import NeuralCodes
from nhlib.plots.codes import classes_of
from nhlib.regions import Partition, Segment
from nhlib.regions.plane import pairs

# Beyond so many polygons a picture of pixels is smaller than one of paths, and no less sharp.
_MOST_PATHS = 500
# Borders on coloured ground keep their colour on a dark page, as the ground does.
_BORDER = "#303a48"
# From pale (flat) to a blue on which borders still show (steep).
_SLOPES = ListedColormap(colormaps["YlGnBu"](np.linspace(0.05, 0.75, 256)), "slopes")
_MARKERS = "osD^vPX*pd"


def plot_partition(
    partition: Partition,
    color: str | None = "code",
    points: Any = None,
    labels: Any = None,
    boundary: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the regions of a network in a rectangle.

    Borders of the first layer are drawn widest, those of the last finest.

    Parameters
    ----------
    partition : Partition
        What `nhlib.partition` returns.
    color : "code", "slope" or None, default "code"
        With ``"code"``, regions whose codes differ in few bits have similar hues, and the
        parity of a code makes its region light or dark: across a border one bit changes, so
        neighbours always differ. With ``"slope"``, the norm of the affine map's derivative,
        beside a scale. With None, borders alone.
    points : array_like, shape (k, 2), optional
        Data in coordinates of the rectangle, drawn as markers.
    labels : int array_like, shape (k,), optional
        Their classes, told by colour and by the shape of the markers.
    boundary : bool, default False
        Also draw where the network's decision changes, as a thick line.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError
        If `partition` is something else.
    ValueError
        If `color` is something else, `points` are no pairs, or there are labels without points
        or not as many.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> p = nh.partition(nh.mlp(2, [8, 8], 2))
    >>> _ = nh.plot_partition(p, boundary=True, ax=plt.figure().gca())
    """
    if not isinstance(partition, Partition):
        raise TypeError(
            f"partition: what nhlib.partition returns is needed, not {type(partition).__name__}"
        )
    if not (color is None or (isinstance(color, str) and color in ("code", "slope"))):
        raise ValueError(f'color: "code", "slope" or None is needed, not {color!r}')
    if labels is not None and points is None:
        raise ValueError("labels: there are no points that they belong to; pass points, too")
    if points is not None:
        points = pairs("points", points)
        if labels is not None:
            labels = classes_of(labels, len(points), "point")
    ax = plt.gca() if ax is None else ax
    if color is not None:
        if color == "code":
            faces = _code_colors(partition.codes)
        else:
            slope = np.linalg.norm(partition.slopes, axis=(1, 2))
            scale = ScalarMappable(Normalize(0, slope.max()), _SLOPES)
            faces = scale.to_rgba(slope)
            ax.figure.colorbar(scale, ax=ax, label="slope", shrink=0.7, pad=0.02)
        ax.add_collection(
            PolyCollection(
                [partition.vertices[corners] for corners in partition.polygons],
                facecolors=faces,
                edgecolors=faces,  # closes the hairlines between polygons
                linewidths=0.3,
                rasterized=partition.n_regions > _MOST_PATHS,
                zorder=0.5,
            )
        )
    if color is None:  # finer, so that data and boundary stand out
        _draw_borders(partition, plt.rcParams["axes.edgecolor"], 0.6, ax)
    else:
        _draw_borders(partition, _BORDER, 1.0, ax)
    if boundary:
        paper, ink = plt.rcParams["figure.facecolor"], plt.rcParams["text.color"]
        lines = LineCollection(
            list(partition.decision_boundary()),
            colors=ink,
            linewidths=2,
            capstyle="round",
            zorder=2,
        )
        lines.set_path_effects([Stroke(linewidth=4.5, foreground=paper), Stroke()])
        ax.add_collection(lines)
    if points is not None:
        _draw_points(points, labels, ax)
    left, right, bottom, top = partition.extent
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.grid(visible=False)
    ax.spines[["top", "right"]].set_visible(True)
    return ax


def _code_colors(codes: NeuralCodes) -> Float64[np.ndarray, "n 3"]:
    """Turn codes into soft colours: their two main principal coordinates give hue and chroma."""
    bits = codes.bits()
    parity = bits.sum(axis=1) % 2
    varied = bits[:, bits.any(axis=0) & ~bits.all(axis=0)].astype(np.float64)
    varied -= varied.mean(axis=0)
    place = np.zeros((len(bits), 2))
    if min(varied.shape) > 2:
        fixed_start = np.random.default_rng(0).standard_normal(min(varied.shape))
        sides, sizes, axes = svds(varied, k=2, v0=fixed_start)
        # Signs of axes are arbitrary: fix them, so that every machine draws one picture.
        place = sides * sizes * np.sign(axes.sum(axis=1) + 1e-12)
    else:
        place[:, : varied.shape[1]] = varied[:, :2]
    place /= np.abs(place).max(axis=0, initial=1e-9)
    lightness = 0.87 - 0.07 * parity
    return _from_oklab(lightness, *(0.1 * place.T))


def _from_oklab(
    lightness: Float64[np.ndarray, " n"], a: Float64[np.ndarray, " n"], b: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, "n 3"]:
    """Convert from Oklab, in which equal steps look equal, to sRGB (Ottosson 2020)."""
    cone_roots = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = (to_linear @ cone_roots**3).T.clip(0, 1)
    srgb: Float64[np.ndarray, "n 3"] = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return srgb


def _draw_borders(partition: Partition, color: Any, scale: float, ax: Axes) -> None:
    widest = scale * float(np.clip(5 / partition.n_regions**0.25, 0.4, 1.6))
    layer_ends = np.cumsum([np.prod(shape) for shape in partition.codes.layers.values()])
    layer = np.searchsorted(layer_ends, partition.edge_units, side="right")
    layer[partition.edge_units < 0] = -1  # the frame: the axes draw it
    for i in range(len(layer_ends)):
        ends = partition.vertices[partition.edges[layer == i]]
        if not len(ends):
            continue
        # One path a layer: thousands of them would make a page heavy.
        kinds = np.tile([Path.MOVETO, Path.LINETO], len(ends))
        ax.add_patch(
            PathPatch(
                Path(ends.reshape(-1, 2), kinds),
                fill=False,
                edgecolor=color,
                linewidth=max(widest * 0.65**i, 0.25),
                rasterized=len(ends) > 20 * _MOST_PATHS,
                zorder=1,
            )
        )


def _draw_points(
    points: Float64[np.ndarray, "k 2"], labels: Int[np.ndarray, " k"] | None, ax: Axes
) -> None:
    classes = np.zeros(len(points), np.int64) if labels is None else labels
    for i, name in enumerate(np.unique(classes)):
        ax.scatter(
            points[classes == name, 0],
            points[classes == name, 1],
            s=16,
            c=f"C{i}",
            marker=_MARKERS[i % len(_MARKERS)],
            edgecolors=plt.rcParams["figure.facecolor"],
            linewidths=0.6,
            label=None if labels is None else f"class {name}",
            zorder=3,
        )


def plot_segment(segment: Segment, ax: Axes | None = None) -> Axes:
    """Draw the codes along a line: one row a unit that switches, filled where it is on.

    Widths are true: a column is as wide as its region is long. Ticks on top mark where units
    switch. Rows are sorted by layer, and within a layer by where they switch first.

    Parameters
    ----------
    segment : Segment
        What `nhlib.segment` returns.
    ax : matplotlib Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError
        If `segment` is something else.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import nhlib as nh
    >>> test = nh.load("digits").test
    >>> s = nh.segment(nh.mlp(64, [50, 50], 10), test.inputs[0], test.inputs[1])
    >>> _ = nh.plot_segment(s, ax=plt.figure().gca())
    """
    if not isinstance(segment, Segment):
        raise TypeError(
            f"segment: what nhlib.segment returns is needed, not {type(segment).__name__}"
        )
    ax = plt.gca() if ax is None else ax
    bounds = np.concatenate([[0], segment.breakpoints, [1]])
    row, middles = 0, []
    for i, name in enumerate(segment.codes.layers):
        units = _in_order_of_switching(segment.codes[name].bits())
        if i and row:
            ax.axhline(row, color=plt.rcParams["text.color"], linewidth=0.8)
        ax.pcolormesh(
            bounds,
            np.arange(row, row + len(units) + 1),
            np.ma.masked_equal(units, 0),
            cmap=ListedColormap([f"C{i}"]),
            edgecolors="face",
            linewidth=0.1,
        )
        # Hairlines of paper, so that every unit is seen to be one.
        inner = np.arange(row + 1, row + len(units))
        ax.hlines(inner, 0, 1, color=plt.rcParams["figure.facecolor"], linewidth=0.6)
        middles.append(row + len(units) / 2)
        row += len(units)
    ax.plot(
        segment.breakpoints,
        np.full(len(segment.breakpoints), 1.025),
        "|",
        color=plt.rcParams["text.color"],
        markersize=6,
        markeredgewidth=0.7,
        transform=ax.get_xaxis_transform(),
        clip_on=False,
    )
    names = [f"layer {i}" for i in range(1, len(middles) + 1)]
    ax.set(xlim=(0, 1), ylim=(max(row, 1), 0), yticks=middles, yticklabels=names)
    ax.set(xlabel="position from start to end", ylabel="units that switch")
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    return ax


def _in_order_of_switching(
    bits: UInt8[np.ndarray, "n_regions units"],
) -> UInt8[np.ndarray, "k n_regions"]:
    """Return the rows of the units that switch, the first to switch first."""
    switches = bits[1:] != bits[:-1]
    units = np.flatnonzero(switches.any(axis=0))
    rows: UInt8[np.ndarray, "k n_regions"] = bits.T[units]
    return rows[switches[:, units].argmax(axis=0).argsort(kind="stable")] if len(units) else rows
