"""Where executed notebooks are kept, so that none is shown that something newer would change.

jupyter-cache executes a notebook again only when its cells change. Its folder is named here after
everything else that its outputs depend on.
"""

import hashlib
import os
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).parents[2]


def fingerprint(root: Path, dataset: str) -> str:
    """Return a hash of nhlib's files, the exact versions of packages and the chosen data set."""
    files = sorted(
        p for p in (root / "nhlib").rglob("*") if p.suffix in {".py", ".mplstyle", ".js", ".css"}
    )
    digest = hashlib.sha256(dataset.encode())
    for path in (*files, root / "constraints.txt"):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def choose_folder(app: Sphinx, config: Config) -> None:
    """Point jupyter-cache to the folder; a new one also makes Sphinx read the pages again."""
    name = fingerprint(ROOT, os.environ.get("NHLIB_DATASET", ""))
    config.nb_execution_cache_path = str(Path(app.outdir).parent / ".jupyter_cache" / name)
    # Progress bars are for a reader at a kernel; what else a cell says on stderr is a warning.
    os.environ["TQDM_DISABLE"] = "1"


def setup(app: Sphinx) -> dict[str, bool]:
    """Choose the folder as soon as the configuration is read."""
    app.connect("config-inited", choose_folder)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
