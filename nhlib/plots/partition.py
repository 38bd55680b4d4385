"""Linear regions in a plane."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float64, Int
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

from nhlib._arguments import class_labels
from nhlib.codes import NeuralCodes
from nhlib.plots.axes import axes_or_current
from nhlib.regions import Partition, pairs

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

    Borders of each layer are drawn finer than those of the layer before, down to a hairline.

    Parameters
    ----------
    partition : Partition
        What `nhlib.partition` returns.
    color : "code", "slope" or None, default "code"
        With ``"code"``, hue and strength of colour are the codes' first two principal
        components, and the parity of a code makes its region light or dark: neighbours differ
        where one unit switches, or three, but not where two switch on the same line. With
        ``"slope"``, the norm of the affine map's derivative, beside a scale. With None, borders
        alone.
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
            labels = class_labels("labels", labels, len(points), "points")
    ax = axes_or_current(ax)
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
