"""Files that appear complete or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# What a disk says that takes no more, in the middle of writing.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replacing(path: Path, name: str = "path") -> Iterator[Path]:
    """Write a file aside; it takes its place complete or not at all.

    Parameters
    ----------
    path : Path
        The file. Its folder has to exist.
    name : str, default "path"
        What the argument is called that named the file.

    Yields
    ------
    Path
        Where to write; what is there when the block ends without an error replaces `path`.

    Raises
    ------
    FileNotFoundError, PermissionError
        As `check_folder` does.
    OSError
        If the file cannot be written all the same: the disk is full, or a folder is in its place.
    """
    check_folder(path, name)
    partial = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        yield partial
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and (error.filename == str(partial) or error.errno in _FULL):
            raise type(error)(f"{name}: {path} cannot be written ({error.strerror})") from error
        raise


def check_folder(path: Path, name: str) -> None:
    """Refuse a file that cannot be written, before there is anything to write.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What the argument is called that named it.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    PermissionError
        If nothing can be written into the folder.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{name}: there is no folder {path.parent} to write {path.name}")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f"{name}: {path.name} cannot be written, since the folder {path.parent} is read-only"
        )
