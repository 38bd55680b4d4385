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
                variant = image.deepcopy()
                variant["classes"] = [*image["classes"], f"only-{theme}"]
                drawing = themed(svg, theme == "dark").encode()
                name = f"{hashlib.sha256(drawing).hexdigest()[:20]}-{theme}.svg"
                (outputs / name).write_bytes(drawing)
                variant["uri"] = image["uri"].removesuffix(path.name) + name
                pair += variant
            image.replace_self(pair)


def load_lazily(app: Sphinx, error: Exception | None) -> None:
    """Load figures when they come into view: those of the other theme never do.

    With their sizes, so that the text does not move when they come.
    """
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir)

    def enriched(image: re.Match[str]) -> str:
        svg = (folder / "_images" / image[1]).read_text("utf-8")
        sizes = re.search(r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', svg)
        assert sizes, f"{image[1]} is not matplotlib's"
        width, height = (round(float(points) * 4 / 3) for points in sizes.groups())
        return f'{image[0]} loading="lazy" width="{width}" height="{height}"'

    for page in folder.rglob("*.html"):
        html = page.read_text("utf-8")
        lazy = re.sub(r'src="[^"]*_images/([0-9a-f]{20}-(?:light|dark)\.svg)"', enriched, html)
        if lazy != html:
            page.write_text(lazy, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the transform, and what follows it."""
    app.add_transform(ThemedFigures)
    app.connect("build-finished", load_lazily)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
