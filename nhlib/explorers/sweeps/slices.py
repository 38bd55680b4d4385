"""What a sweep has measured along one or two of its factors, with all others held."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nhlib.sweeps import FACTORS as SETTINGS
from nhlib.sweeps import PROTOCOLS

if TYPE_CHECKING:
    import pandas as pd

# In the order in which they are settled, if not everything was measured with everything.
FACTORS = (
    "protocol",
    "depth",
    "width",
    "train_size",
    "epoch",
    "label_noise",
    "dropout",
    "batch_norm",
    "batch_size",
    "l2",
)
# What a protocol has, unless a sweep says something else.
OF_PROTOCOLS = {
    name: {s.column: s.by_protocol(protocol) for s in SETTINGS.values() if s.by_protocol}
    for name, protocol in PROTOCOLS.items()
}
# More curves than there are colours can't be told apart.
_CURVES = 6


@dataclass(frozen=True)
class Slice:
    """The points of a chart.

    Attributes
    ----------
    along, lines : str
        The factor of the x axis, and the one that has a curve for every value, or ``"none"``.
    held : dict
        The values of the others, and those at the point that is read out.
    drawn : list
        The values of `lines` that have a curve.
    points : DataFrame
        Rows of the table, of the curves drawn.
    """

    along: str
    lines: str
    held: dict[str, Any]
    drawn: list[Any]
    points: "pd.DataFrame"


def with_factors(table: "pd.DataFrame") -> "pd.DataFrame":
    """Add width and depth as numbers to a table of `nhlib.sweep`."""
    layers = [[int(width) for width in text.split("-")] for text in table["widths"].astype(str)]
    for of_one in layers:
        if len(set(of_one)) > 1:
            raise ValueError(
                "tables: networks whose layers are equally wide are needed, not "
                f"{'-'.join(map(str, of_one))}, which has no place on an axis"
            )
    return table.assign(
        width=[of_one[0] for of_one in layers], depth=[len(of_one) for of_one in layers]
    )


def slice_of(
    table: "pd.DataFrame", measures: Iterable[str], along: str, lines: str, wanted: dict[str, Any]
) -> Slice | None:
    """Return the points that a choice shows, or those next to it that were measured.

    Batch norm, the batch size and the L2 penalty are part of a protocol. So where protocols are
    compared, each has its own, and none of these is held.

    Parameters
    ----------
    table : DataFrame
        As `with_factors` returns it.
    measures : iterable of str
        Columns. What has not been measured by all of them does not count, if anything has.
    along, lines : str
        The factors of the axis and of the curves; ``"none"`` for one curve. If they were not
        measured together, there is one curve; if the first has one value only, another is taken.
    wanted : dict
        A value for every factor. The nearest one is held that was measured.

    Returns
    -------
    Slice or None
        None if nothing was measured at two values of any factor.
    """
    known = table[list(measures)].notna()
    kept = known.all(axis=1)
    if not kept.any():
        kept = known.any(axis=1)
    rows = table[kept.groupby([table[factor] for factor in FACTORS]).transform("any")]
    pairs = [(along, lines), (along, "none"), *((factor, "none") for factor in FACTORS)]
    for x, curves in pairs:
        found = _contexts(rows, x, curves)
        if len(found):
            break
    else:
        return None
    held: dict[str, Any] = {}
    for factor in FACTORS:
        if factor not in (x, curves) and factor in found:
            held[factor] = _nearest(found[factor], wanted[factor])
            found = found[found[factor] == held[factor]]
    drawn: list[Any] = []
    here = found
    if curves != "none":
        lengths = found.groupby(curves)[x].nunique()
        held[curves] = _nearest(found[curves], wanted[curves])
        # Of long curves, as far as nobody asks for another; one alone compares nothing.
        long = lengths[2 * lengths >= lengths.max()]
        drawn = pick((long if len(long) > 1 else lengths).index.tolist(), held[curves])
        here = found[found[curves] == held[curves]]
        found = found[found[curves].isin(drawn)]
    held[x] = _nearest(here[x], wanted[x])
    return Slice(x, curves, held, drawn, found)


def _contexts(rows: "pd.DataFrame", along: str, lines: str) -> "pd.DataFrame":
    """Return the rows that make a chart: two points along the axis, on two curves if asked for."""
    if along == lines:
        return rows[:0]
    shown = {along, lines}
    others = [factor for factor in FACTORS if factor not in shown]
    if "protocol" in shown:
        of_protocol = next(iter(OF_PROTOCOLS.values()))
        for factor in of_protocol:
            if factor in others:
                others.remove(factor)
                usual = {name: settings[factor] for name, settings in OF_PROTOCOLS.items()}
                rows = rows[rows[factor] == rows["protocol"].map(usual)]
        rows = rows.drop(columns=[factor for factor in of_protocol if factor not in shown])
    if lines == "none":
        return rows[rows.groupby(others)[along].transform("nunique") >= 2]
    rows = rows[rows.groupby([*others, lines])[along].transform("nunique") >= 2]
    return rows[rows.groupby(others)[lines].transform("nunique") >= 2]


def _nearest(values: "pd.Series", wanted: Any) -> Any:
    """Return the nearest value, the smaller of two; of names, the wanted one or the first."""
    known = sorted(values.unique().tolist())
    if isinstance(known[0], str):
        return wanted if wanted in known else known[0]
    return min(known, key=lambda value: abs(value - wanted))


def pick(values: list[Any], focus: Any) -> list[Any]:
    """Choose the curves to draw: the ends, what is farthest from those, and the one in focus."""
    places = list(range(len(values)))
    if len(values) > _CURVES:
        places = [0, len(values) - 1]
        while len(places) < _CURVES:
            gaps = [min(abs(i - place) for place in places) for i in range(len(values))]
            places.append(gaps.index(max(gaps)))
    drawn = sorted(values[place] for place in places)
    if focus not in drawn:
        if len(drawn) == _CURVES:  # the ends stay
            drawn.remove(min(drawn[1:-1], key=lambda value: abs(value - focus)))
        drawn = sorted([*drawn, focus])
    return drawn
