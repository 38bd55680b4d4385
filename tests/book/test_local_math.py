"""What comes from the npm registry is what it should be, and sets formulas."""

from dataclasses import replace
from pathlib import Path

import local_math
import npm_package
import pytest
from sphinx.errors import ExtensionError

KATEX = local_math.PACKAGE


def test_script_sheet_and_fonts_are_of_one_version() -> None:
    KATEX.fetch()
    script = (KATEX.folder / "katex/katex.min.js").read_text("utf-8")
    sheet = (KATEX.folder / "katex/katex.min.css").read_text("utf-8")
    assert f'version:"{KATEX.version}"' in script
    assert f'"{KATEX.version}"' in sheet
    assert {path.suffix for path in (KATEX.folder / "katex/fonts").iterdir()} == {".woff2"}


def test_other_contents_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    KATEX.fetch()  # so that npm has it at hand
    monkeypatch.setattr(npm_package, "BUILD", tmp_path)
    with pytest.raises(ExtensionError, match=r"katex 0\.16\.22 from npm has the SHA-512 .+ not an"):
        replace(KATEX, sha512="another").fetch()
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_error_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(npm_package, "BUILD", tmp_path / "build")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(ExtensionError, match=r"fetches katex 0\.16\.22 from the npm registry"):
        KATEX.fetch()


def test_formula_is_set_and_a_mistake_is_an_error() -> None:
    KATEX.fetch()
    katex = local_math.KaTeX()
    try:
        assert "katex-display" in katex.set(r"\frac{é}{2}".replace("é", "e"), display=True)
        assert "katex-display" not in katex.set("x", display=False)
        with pytest.raises(ValueError, match=r"Undefined control sequence: \\nothing"):
            katex.set(r"\nothing", display=False)
        assert "katex" in katex.set("x", display=False)  # goes on after an error
    finally:
        katex.stop()
