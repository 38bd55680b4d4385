"""What Sphinx leaves as it was when it builds a book again, and is no longer true.

Sphinx writes the pages again whose sources have changed. Others show of them a title, a number, a
link or a citation; all load the same styles; and pages stay of sources that are gone.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

EXTENSIONS = Path(__file__).parent


def remove(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Remove what was made of sources that are gone."""
    if app.builder.format == "html":
        for page in removed:
            (Path(app.outdir) / f"{page}.html").unlink(missing_ok=True)
            for source in (Path(app.outdir) / "_sources").glob(f"{page}.*"):
                source.unlink()
    return []


def renew(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return all pages, to be written again, if anything that they share has changed."""
    facts = repr(sorted(_shared(app, env)))
    now = hashlib.sha256(facts.encode()).hexdigest()
    before = getattr(env, "shared_facts", None)
    env.shared_facts = now  # type: ignore[attr-defined]
    if app.builder.format == "html":
        folder = Path(app.outdir)
        if (
            before is None
        ):  # Sphinx remembers nothing: all pages that are there are of earlier books
            for page in folder.rglob("*.html"):
                page.unlink()
        _remove_source_pages(folder / "_modules", env, everything=now != before)
    return [] if now == before else sorted(env.found_docs)


def _remove_source_pages(folder: Path, env: BuildEnvironment, everything: bool) -> None:
    """Remove pages of modules whose links to the reference have changed: viewcode does not look."""
    modules = getattr(env, "_viewcode_modules", {})
    links = {name: dict(entry[2]) for name, entry in modules.items() if entry}
    before = getattr(env, "source_links", {})
    env.source_links = links  # type: ignore[attr-defined]
    for page in folder.rglob("*.html"):
        module = ".".join(page.relative_to(folder).with_suffix("").parts)
        if everything or links.get(module) != before.get(module):
            page.unlink()


def _shared(app: Sphinx, env: BuildEnvironment) -> Iterator[tuple[str, Any]]:
    yield "contents", sorted(env.toctree_includes.items())
    for page, title in env.titles.items():
        yield f"title of {page}", title.astext()
    for page, about in env.metadata.items():
        headings = about.get("myst_slugs", {}).items()
        yield f"headings of {page}", [(slug, *rest) for slug, (_, *rest) in headings]
    for name, domain in env.domains.items():
        yield f"objects of {name}", sorted(map(str, domain.get_objects()))
    yield "equations", sorted(env.domaindata["math"]["objects"].items())
    yield (
        "citations",
        sorted(
            (citation.key, citation.formatted_entry.label, str(citation.formatted_entry.text))
            for citation in getattr(env.domains.get("cite"), "citations", ())
        ),
    )
    for folder in app.config.html_static_path:
        for path in sorted((Path(app.confdir) / folder).rglob("*")):
            if path.suffix in {".css", ".js"} and path.is_file():
                yield f"file {path.name}", hashlib.sha256(path.read_bytes()).hexdigest()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect both; what is read depends on these extensions, too."""
    app.connect("env-get-outdated", remove)
    app.connect("env-updated", renew, priority=900)  # when citations are known
    code = b"".join(path.read_bytes() for path in sorted(EXTENSIONS.glob("*.py")))
    version = int(hashlib.sha256(code).hexdigest()[:8], 16)
    return {"env_version": version, "parallel_read_safe": True, "parallel_write_safe": True}
