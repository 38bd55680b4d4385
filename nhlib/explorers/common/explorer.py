"""What every explorer is: a widget, its settings, its scripts, and a picture where none run."""

import io
import re
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure

from nhlib.explorers.common.rows import Row, Rows
from nhlib.explorers.common.scripts import bundle

FOLDER = Path(__file__).parents[1]
# One sheet for all explorers: several stand in one page, where what comes later would win.
_STYLES = sorted(FOLDER.rglob("*.css"), key=lambda path: (path.parent.name != "common", path))
# The inks of nhlib/book.mplstyle, and what the page calls them.
_INKS = {
    "#1f2733": "--pst-color-text-base",
    "#5a6675": "--pst-color-text-muted",
    "#d5dae1": "--pst-color-border",
}


class Explorer(anywidget.AnyWidget):
    """A picture of measured networks that the reader moves, with or without Python behind it.

    Where there is no kernel, the page runs the script with what is embedded here. Every setting is
    a trait, tagged ``setting=True``: it can be given to the constructor, read and assigned in
    Python, moved in the page, and stands in the page's address.

    Subclasses name their script, hold their data in further synchronized traits, and draw a still.

    Raises
    ------
    TypeError
        If there is no setting of a name that was given.
    traitlets.TraitError
        If a value is not one that the setting takes.
    """

    _entry: ClassVar[str]  # in the folder of the explorers
    _css = "\n".join(path.read_text("utf-8") for path in _STYLES)
    # Of the embedded data: a script refuses those of another version.
    _version = traitlets.Int().tag(sync=True)
    _settings = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _allowed = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make one module of the script and of all that it imports."""
        if "_entry" in cls.__dict__:
            cls._esm = bundle(FOLDER, cls._entry)
        super().__init_subclass__(**kwargs)

    def __init__(self, **settings: Any) -> None:
        names = list(self.traits(setting=True))
        for name in settings:
            if name not in names:
                raise TypeError(
                    f"{type(self).__name__} has no setting {name!r}; it has {', '.join(names)}"
                )
        super().__init__(**settings)
        self._settings = names
        self._allowed = {
            name: _values_of(trait) for name, trait in self.traits(setting=True).items()
        }

    def still(self) -> tuple[Figure, str, str]:
        """Draw what stands where no script runs; return it, its alternative text and a caption."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        assert shown is not None  # only widgets without a view have none
        bundle, metadata = shown
        with plt.style.context("nhlib.book"):
            figure, alt, caption = self.still()
            drawing = _inline(figure, type(self).__name__)
        bundle["text/html"] = (
            f'<figure class="nh-still" data-explorer="{self.model_id}">'
            f'<div role="img" aria-label="{escape(alt)}">{drawing}</div>'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
        return bundle, metadata


def _values_of(trait: traitlets.TraitType[Any, Any]) -> Any:
    """Return the values that a setting takes, as the script needs them."""
    if isinstance(trait, traitlets.Enum):
        assert trait.values is not None
        return list(trait.values)
    if isinstance(trait, traitlets.Bool):
        return [False, True]
    if isinstance(trait, (Row, Rows)):
        return trait.allowed()
    assert isinstance(trait, (traitlets.Int, traitlets.Float))
    return {"min": trait.min, "max": trait.max, "whole": isinstance(trait, traitlets.Int)}


def _inline(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element in the colours of the page that it stands in."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    plt.close(figure)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("fill: #fefefe", "fill: none", 1)  # the sheet behind the figure
    # Several figures share one page, and their elements' names must not.
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for ink, variable in _INKS.items():
        svg = svg.replace(ink, f"var({variable}, {ink})")
    return svg
