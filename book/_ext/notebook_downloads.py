"""What the download of a notebook is: a zip with the notebook and the tables that it reads."""

import ast
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx

FOLDER = "neural-codes"  # so that chapters that are unpacked side by side share their tables
NEVER_CHANGED = (1980, 1, 1, 0, 0, 0)  # the same contents are the same file


def pack(notebook: Path, book: Path) -> bytes:
    """Return a zip that runs from an empty folder, wherever `nhlib` is installed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in (notebook, *tables(nbformat.read(notebook, as_version=4), book)):
            name = f"{FOLDER}/{path.relative_to(book).as_posix()}"
            entry = zipfile.ZipInfo(name, NEVER_CHANGED)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def tables(notebook: NotebookNode, book: Path) -> list[Path]:
    """Return the tables of ``book/results`` whose names a notebook's code makes.

    A name that is put together, such as f"results/mnist_{name}.csv", stands for all tables of
    this form of which the code has the missing words.
    """
    cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code = "\n".join(re.sub(r"^[%!].*$", "", cell, flags=re.MULTILINE) for cell in cells)
    words = set(re.findall(r"\w+", code))
    forms = [re.compile(form) for form in _forms(ast.parse(code))]
    return [
        table
        for table in sorted(book.glob("results/*.csv"))
        if any(words.issuperset(m.groups()) for form in forms if (m := form.fullmatch(table.name)))
    ]


def _forms(code: ast.Module) -> Iterator[str]:
    """Yield a regular expression for each string that begins a name in ``results``."""
    for node in ast.walk(code):
        if isinstance(node, ast.JoinedStr | ast.Constant):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            form = "".join(
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"(\w+)"
                for part in parts
            )
            _, results, name = form.rpartition("results/")
            if results:
                yield name


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the zips of all pages that are notebooks, beside their sources."""
    if error or app.builder.format != "html":
        return
    for page in app.env.found_docs:
        source = Path(app.env.doc2path(page))
        if source.suffix == ".ipynb":
            packed = pack(source, Path(app.srcdir))
            path = Path(app.outdir) / "_sources" / f"{page}.zip"
            if not path.is_file() or path.read_bytes() != packed:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(packed)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write them when the pages are there; `static_pages` links to them."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
