"""Executed SVG figures in two variants, for the light and for the dark page.

`nhlib/book.mplstyle` draws with four ink colours that it uses for nothing else. Each variant has
them exchanged for those of its page; the palette reads on both. Figures stay plain <img>s, so that
the page needs no script to show them.
"""

import hashlib
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

# The background first, which custom.css gives the page too.
INKS = {
    #         style sheet: (light page, dark page)
    "paper": ("#fefefe", "#ffffff", "#14181e"),
    "ink": ("#1f2733", "#1f2733", "#e3e8ef"),
    "muted": ("#5a6675", "#5a6675", "#a3adba"),
    "grid": ("#d5dae1", "#d5dae1", "#343c48"),
}


def themed(svg: str, dark: bool) -> str:
    """Return a figure's SVG with the inks of one page; the sheet behind it turns transparent."""
    # The date in the metadata would make every build different.
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    sheet = f"fill: {INKS['paper'][0]}"
    svg = svg.replace(sheet, "fill: none", 1)  # matplotlib draws the figure's background first
    for drawn, light, on_dark in INKS.values():
        svg = svg.replace(drawn, on_dark if dark else light)
    return svg


class figure_image(nodes.image):
    """One variant, which a page loads when it comes into view: that of the other theme never does.

    With its size, so that the text does not move when it comes.
    """


class ThemedFigures(SphinxTransform):
    """Put both variants of each SVG that a notebook has produced in the place of the figure."""

    default_priority = 500

    def apply(self) -> None:
        """Write the two files beside the original, and wrap their images in one container."""
        outputs = Path(self.env.mystnb_config.output_folder)  # type: ignore[attr-defined]
        for image in list(self.document.findall(nodes.image)):
            path = Path(self.env.relfn2path(image["uri"])[1])
            if path.suffix != ".svg" or path.parent != outputs:
                continue
            svg = path.read_text("utf-8")
            if f"fill: {INKS['paper'][0]}" not in svg:
                continue  # not drawn with the book's style sheet
            # The theme hides every caption that follows an .only-dark image in the same parent.
            pair = nodes.container(classes=["figure-themes"])
            for theme in ("light", "dark"):
                variant = figure_image(**image.attributes, size=_size(svg))
                variant["classes"] = [*image["classes"], f"only-{theme}"]
                drawing = themed(svg, theme == "dark").encode()
                name = f"{hashlib.sha256(drawing).hexdigest()[:20]}-{theme}.svg"
                (outputs / name).write_bytes(drawing)
                variant["uri"] = image["uri"].removesuffix(path.name) + name
                pair += variant
            image.replace_self(pair)


def _size(svg: str) -> tuple[int, int]:
    points = re.search(r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    assert points  # matplotlib's
    width, height = (round(float(length) * 4 / 3) for length in points.groups())
    return width, height


def visit_figure_image(translator: HTML5Translator, node: figure_image) -> None:
    """Write the image as Sphinx does, with what it has no place for."""
    translator.visit_image(node)
    width, height = node["size"]
    loading = f'<img loading="lazy" width="{width}" height="{height}" '
    translator.body[-1] = translator.body[-1].replace("<img ", loading, 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the transform, and how its images are written."""
    app.add_transform(ThemedFigures)
    app.add_node(figure_image, html=(visit_figure_image, HTML5Translator.depart_image))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
