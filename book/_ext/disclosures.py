"""Admonitions with the class ``dropdown`` as the browser's own <details>.

They open without a script, by keyboard, and when the browser searches the page. JupyterLab shows
the same source as its own dropdown.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


class disclosure(nodes.General, nodes.Element):
    """A block that is folded away below its summary, its first child."""


class summary(nodes.TextElement):
    """The line that stays visible."""


class FoldDropdowns(SphinxPostTransform):
    """Replace the admonitions."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace the admonitions of one page."""
        for admonition in list(self.document.findall(nodes.Element)):
            if not isinstance(admonition, nodes.Admonition):
                continue
            if "dropdown" not in admonition["classes"]:
                continue
            title, *content = admonition.children
            classes = [c for c in admonition["classes"] if c != "dropdown"]
            folded = disclosure(ids=admonition["ids"], classes=["admonition", *classes])
            folded += summary("", "", *title.children, classes=["admonition-title"])
            folded += content
            admonition.replace_self(folded)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the transform and how its nodes are written."""
    app.add_post_transform(FoldDropdowns)
    for node, tag in ((disclosure, "details"), (summary, "summary")):
        app.add_node(
            node,
            html=(
                lambda self, node, tag=tag: self.body.append(self.starttag(node, tag)),
                lambda self, node, tag=tag: self.body.append(f"</{tag}>\n"),
            ),
        )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
