"""What the theme's pages need to work anywhere: without a repository, a server or a script."""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.jinja2glue import BuiltinTemplateLoader


def configure(app: Sphinx, config: Config) -> None:
    """Choose the templates; link to repository, Colab and Binder when its address is set."""
    config.template_bridge = "static_pages.StaticPages"
    options = config.html_theme_options
    if options.get("repository_url"):
        options.update(use_repository_button=True, use_issues_button=True)
    else:
        options.pop("launch_buttons", None)


class StaticPages(BuiltinTemplateLoader):
    """Sphinx's templates, with what no setting and no block of the theme's reaches."""

    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        """Return the HTML of a page."""
        html = super().render(template, context)
        # The theme's script sets the mode. Without it, only a page with no mode has colours.
        html = html.replace(' data-theme="auto"', "", 1)
        # Icons are in a font already; their script is as heavy as all the rest of a page.
        html = re.sub(r'<script defer src="[^"]*/fontawesome\.js[^"]*"></script>\n?', "", html)
        # A server may call a notebook JSON, which the browser would show instead of saving.
        html = re.sub(r'(<a href="[^"]*_sources/[^"]+") target="_blank"', r"\1 download", html)
        # A notebook comes with the tables that it reads (see `notebook_downloads`).
        html = re.sub(r'(<a href="[^"]*_sources/[^"]+)\.ipynb" download', r'\1.zip" download', html)
        html = html.replace('"btn__text-container">.ipynb<', '"btn__text-container">.zip<')
        # Screen readers jump from landmark to landmark, and the title is in the sidebar.
        sidebar = '<div id="pst-primary-sidebar" {}class='
        landmark = sidebar.format('role="navigation" aria-label="Book" ')
        html = html.replace(sidebar.format(""), landmark, 1)
        # docutils promises a list to screen readers, and has no items in it.
        return html.replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the pages made so."""
    app.connect("config-inited", configure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
