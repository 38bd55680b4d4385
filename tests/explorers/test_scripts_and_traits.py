"""Scripts and classes of explorers agree on what is synchronized."""

import re
from pathlib import Path

import pytest

from nhlib import explorers

FOLDER = Path(explorers.__file__).parent
CLASSES = [getattr(explorers, name) for name in explorers.__all__]


@pytest.mark.parametrize("explorer", CLASSES, ids=lambda explorer: explorer.__name__)
def test_what_scripts_ask_for_is_synchronized(explorer):
    folder = FOLDER / Path(explorer._entry).parent
    scripts = [*folder.glob("*.js"), FOLDER / "common" / "address.js", FOLDER / "common/frame.js"]
    asked = {
        name
        for script in scripts
        for name in re.findall(r'(?:ui|model)\.get\("(_\w+)"\)', script.read_text("utf-8"))
    }
    assert "_allowed" in asked
    assert asked <= set(explorer.class_traits(sync=True))
