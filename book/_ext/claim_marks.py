"""The small ° after a sentence: how often it held when it was tried, in a box that opens in place.

In the sources it is a plain link to the appendix *What we claim, and how surely*, and stays one in
JupyterLab. On a page the browser's own popover shows what the appendix says; paper prints the
count.
"""

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

sys.path.append(str(Path(__file__).parents[1] / "claims"))

import ledger


class claim_mark(nodes.Inline, nodes.Element):
    """The mark of one claim, and what its box says."""


class MarkClaims(SphinxPostTransform):
    """Replace the links of one page."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace the links by marks."""
        links = [
            link
            for link in self.document.findall(nodes.reference)
            if link.astext() == "°" and "claims.html#" in link.get("refuri", "")
        ]
        if not links:
            return
        ledger.topics()
        ended = ledger.found()
        for number, link in enumerate(links):
            name = link["refuri"].partition("#")[2]
            claim = ledger.CLAIMS[name]
            link.replace_self(
                claim_mark(
                    count=ended[name].count,
                    scope=claim.scope,
                    broken_by=claim.broken_by,
                    refuri=link["refuri"],
                    number=number,
                )
            )


def write_mark(self: HTML5Translator, node: claim_mark) -> None:
    """Write the button and its box."""
    box = f"claim-{node['number']}"
    count = self.encode(node["count"])
    broken = f" Broken by: {self.encode(node['broken_by'])}." if node["broken_by"] else ""
    self.body.append(
        f'<span class="claim" data-count="{count}">'
        f'<button type="button" popovertarget="{box}" aria-label="Held in {count} trials">°'
        f'</button><span id="{box}" class="claim-box" popover>Held in {count}: '
        f"{self.encode(node['scope'])}.{broken} "
        f'<a href="{node["refuri"]}">How it was tried</a></span></span>'
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the transform, and how a mark is written."""
    app.add_post_transform(MarkClaims)
    app.add_node(claim_mark, html=(write_mark, lambda self, node: None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
