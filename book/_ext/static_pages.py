"""What the theme's pages need to work anywhere: without a repository, a server or a script."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config


def link_repository(app: Sphinx, config: Config) -> None:
    """Link to the repository, Colab and Binder exactly when its public address is set."""
    options = config.html_theme_options
    if options.get("repository_url"):
        options.update(use_repository_button=True, use_issues_button=True)
    else:
        options.pop("launch_buttons", None)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Change what no setting and no template block of the theme reaches."""
    if error or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        html = page.read_text("utf-8")
        # The theme's script sets the mode. Without it, only a page with no mode has colours.
        html = html.replace(' data-theme="auto"', "", 1)
        # Icons are in a font already; their script is as heavy as all the rest of a page.
        html = re.sub(r'<script defer src="[^"]*/fontawesome\.js[^"]*"></script>\n?', "", html)
        # A server may call a notebook JSON, which the browser would show instead of saving.
        html = re.sub(r'(<a href="[^"]*_sources/[^"]+") target="_blank"', r"\1 download", html)
        # Screen readers jump from landmark to landmark, and the title is in the sidebar.
        sidebar = '<div id="pst-primary-sidebar" {}class='
        landmark = sidebar.format('role="navigation" aria-label="Book" ')
        html = html.replace(sidebar.format(""), landmark, 1)
        # docutils promises a list to screen readers, and has no items in it.
        html = html.replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )
        page.write_text(html, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both."""
    app.connect("config-inited", link_repository)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
