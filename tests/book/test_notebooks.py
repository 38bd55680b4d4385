"""Rules for the source of the chapters."""

import json
from pathlib import Path

import pytest
import yaml

BOOK = Path(__file__).parents[2] / "book"
NOTEBOOKS = [
    path
    for path in sorted(BOOK.rglob("*.ipynb"))
    if not {"_build", ".ipynb_checkpoints"} & set(path.parts)
]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_figures_have_both_a_text_and_a_caption(path: Path) -> None:
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        options = cell["metadata"].get("mystnb", {})
        alt = options.get("image", {}).get("alt", "")
        caption = options.get("figure", {}).get("caption", "")
        assert bool(alt) == bool(caption), f"{path.name}: {alt!r} with {caption!r}"
        assert not alt or len(alt) > 20, f"{path.name}: say what is seen, not {alt!r}"


def test_every_page_of_the_contents_exists() -> None:
    toc = yaml.safe_load((BOOK / "_toc.yml").read_text("utf-8"))
    pages = [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]
    for page in pages:
        assert len([*BOOK.glob(f"{page}.*")]) == 1, page
