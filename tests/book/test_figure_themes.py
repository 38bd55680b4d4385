"""The look of figures: tokens that can be exchanged, colours that can be told apart."""

import io
import itertools
import re
from pathlib import Path

import figure_themes
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAPER, *_ = figure_themes.INKS.values()
BACKGROUNDS = {"light": PAPER[1], "dark": PAPER[2]}

with plt.style.context("nhlib.book"):
    PALETTE = [mpl.colors.to_hex(c) for c in plt.rcParams["axes.prop_cycle"].by_key()["color"]]
    STYLE = dict(plt.rcParams)


def linear(colour: str) -> np.ndarray:
    """Return linear RGB of a colour (IEC 61966-2-1)."""
    rgb = np.array(mpl.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast ratio, from 1 to 21."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def cielab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ rgb.clip(0, 1) / [0.9505, 1, 1.0888])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "tritanopia": np.array(
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]
    ),
}


def drawing(date: str = "2000-01-01") -> str:
    """Return the SVG of a figure with everything that chapters draw."""
    with plt.style.context("nhlib.book"):
        figure, (left, right) = plt.subplots(1, 2)
        left.plot([0, 1], [0, 1], label="line")
        left.legend(frameon=True)
        left.bar([0, 1], [1, 2])
        left.text(0.5, 0.5, "text", bbox={"facecolor": plt.rcParams["figure.facecolor"]})
        bits = np.zeros((4, 4, 4))
        bits[::2] = mpl.colors.to_rgba(PALETTE[0])
        right.imshow(bits)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": date})
        plt.close(figure)
    return file.getvalue()


@pytest.mark.parametrize("theme", BACKGROUNDS)
@pytest.mark.parametrize("colour", PALETTE)
def test_palette_reads_on_both_pages(colour: str, theme: str) -> None:
    assert contrast(colour, BACKGROUNDS[theme]) >= 3


def test_inks_read_on_their_page() -> None:
    for name, least in (("ink", 12), ("muted", 4.5)):
        _, light, dark = figure_themes.INKS[name]
        assert contrast(light, BACKGROUNDS["light"]) >= least
        assert contrast(dark, BACKGROUNDS["dark"]) >= least


@pytest.mark.parametrize("vision", VISION)
def test_palette_stays_apart_for_colour_blind_eyes(vision: str) -> None:
    seen = [cielab(VISION[vision] @ linear(colour)) for colour in PALETTE]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert nearest > 15  # 2.3 can just be noticed side by side


def test_style_draws_with_the_four_inks_and_nothing_else() -> None:
    tokens = {name: colours[0] for name, colours in figure_themes.INKS.items()}
    settings = {
        "paper": ["figure.facecolor", "legend.facecolor", "patch.edgecolor"],
        "ink": ["text.color", "axes.labelcolor", "axes.titlecolor", "xtick.labelcolor"],
        "muted": ["axes.edgecolor", "xtick.color", "ytick.color"],
        "grid": ["grid.color", "legend.edgecolor"],
    }
    for name, keys in settings.items():
        assert {mpl.colors.to_hex(STYLE[key]) for key in keys} == {tokens[name]}
    known = {*tokens.values(), *PALETTE}
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawing())) <= known
    assert not set(PALETTE) & set(tokens.values())


def test_paper_is_the_background_of_the_page() -> None:
    sheet = (ROOT / "book/_static/book.css").read_text("utf-8")
    light, dark = re.findall(r"--pst-color-background: (#[0-9a-f]{6})", sheet)
    assert {"light": light, "dark": dark} == BACKGROUNDS


@pytest.mark.parametrize(("theme", "column"), [("light", 1), ("dark", 2)])
def test_variant_has_the_inks_of_its_page(theme: str, column: int) -> None:
    variant = figure_themes.themed(drawing(), dark=theme == "dark")
    assert PAPER[0] not in variant
    first = re.search(r"fill: [^;\"]+", variant)
    assert first
    assert first[0] == "fill: none"  # the sheet behind the figure
    assert f"fill: {BACKGROUNDS[theme]}" in variant  # the box behind the text
    expected = {colours[column] for colours in figure_themes.INKS.values()}
    assert expected <= set(re.findall(r"#[0-9a-f]{6}\b", variant)) <= {*expected, *PALETTE}
    assert "data:image/png;base64," in variant


def test_figure_is_the_same_in_every_build() -> None:
    one, other = drawing("2000-01-01"), drawing("2001-01-01")
    assert one != other
    assert figure_themes.themed(one, dark=True) == figure_themes.themed(other, dark=True)


def test_figure_is_opaque_in_jupyterlab() -> None:
    assert mpl.colors.to_rgba(STYLE["figure.facecolor"])[3] == 1
    assert contrast(STYLE["text.color"], STYLE["figure.facecolor"]) > 12
