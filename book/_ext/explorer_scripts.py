"""Scripts and styles of explorers: files that pages share, not a part of what notebooks put out.

A widget's state brings its script and style along. Pages are given the state without them, so that
a notebook need not be executed again when they change, and load them from ``_static/explorers``.
They are plain scripts that hold texts: from a disk, a browser loads no module.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from npm_package import BUILD

EXPLORERS = Path(__file__).parents[2] / "nhlib" / "explorers"
STATE = "application/vnd.jupyter.widget-state+json"
TEXTS = ("_esm", "_css")


def script(explorer: type) -> str:
    """Return what a page loads for a class of explorers: its texts, under its name."""
    texts = json.dumps({name: str(getattr(explorer, name)) for name in TEXTS})
    return f"(globalThis.nhExplorers ??= {{}}).{explorer.__name__} = {texts};\n"


def stage(app: Sphinx) -> None:
    """Put the scripts beside the pages; make them if anything of the explorers has changed."""
    if app.builder.format != "html":
        return
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(EXPLORERS.rglob("*")):
        if path.suffix in {".py", ".js", ".css", ".bin", ".wasm"}:
            digest.update(path.relative_to(EXPLORERS).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    made = BUILD / f"explorers-{digest.hexdigest()[:16]}"
    if not made.is_dir():
        _make(made)
    shutil.rmtree(_folder(app), ignore_errors=True)
    shutil.copytree(made, _folder(app))


def _make(folder: Path) -> None:
    from nhlib import explorers  # only now: it loads PyTorch

    BUILD.mkdir(exist_ok=True)
    for other in BUILD.glob("explorers-*"):
        shutil.rmtree(other)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        staged = Path(scratch) / "staged"
        staged.mkdir()
        for name in explorers.__all__:
            (staged / f"{name}.js").write_text(script(getattr(explorers, name)), "utf-8")
        staged.rename(folder)


def _folder(app: Sphinx) -> Path:
    return Path(app.outdir) / "_static" / "explorers"


def take_out(app: Sphinx, page: str, source: list[str]) -> None:
    """Take scripts and styles out of a notebook's widgets, and note which the page needs."""
    if not app.env.doc2path(page).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    names = sorted(set(_without_texts(notebook["metadata"])))
    if names:
        app.env.metadata[page]["explorers"] = names
        source[0] = json.dumps(notebook)


def _without_texts(metadata: dict[str, Any]) -> Iterator[str]:
    for model in metadata.get("widgets", {}).get(STATE, {}).get("state", {}).values():
        module, _, name = model["state"].get("_anywidget_id", "").rpartition(".")
        if module.startswith("nhlib.explorers."):
            for text in TEXTS:
                del model["state"][text]
            yield name


def renewed(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to write again, since a script of theirs has changed."""
    files = _folder(app).glob("*.js")
    now = {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    before = getattr(env, "explorer_scripts", {})
    env.explorer_scripts = now  # type: ignore[attr-defined]
    return [
        page
        for page, about in env.metadata.items()
        if any(now.get(name) != before.get(name) for name in about.get("explorers", ()))
    ]


def load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Let a page load the scripts of its explorers."""
    for name in app.env.metadata.get(page, {}).get("explorers", ()):
        app.add_js_file(f"explorers/{name}.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect all of it."""
    app.connect("builder-inited", stage)
    app.connect("source-read", take_out, priority=900)  # when the outputs are in
    app.connect("env-updated", renewed)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
