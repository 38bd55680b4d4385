"""Files that appear complete or not at all."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file aside; it takes its place complete or not at all.

    Parameters
    ----------
    path : Path
        The file. Its folder has to exist.

    Yields
    ------
    Path
        Where to write; what is there when the block ends without an error replaces `path`.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path: there is no folder {path.parent} to write {path.name}")
    partial = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
