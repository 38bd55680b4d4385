"""The format of files of codes: safetensors, with one tensor of packed rows and their layers."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

Layout = Mapping[str, tuple[int, ...]]

FORMAT, VERSION = "nhlib neural codes", 1
# More bytes than any header has: what says so is another kind of file.
LONGEST_HEADER = 1 << 24


class Header(NamedTuple):
    """What a file of codes says about them, and where their rows begin."""

    layers: dict[str, tuple[int, ...]]
    shape: tuple[int, int]
    start: int


def row_bytes(layers: Layout) -> int:
    """Return how many bytes a row takes; every layer starts on a byte.

    Examples
    --------
    >>> row_bytes({"relu1": (2, 3), "relu2": (9,)})
    3
    """
    return sum(-(-math.prod(shape) // 8) for shape in layers.values())


def header_of(layers: Layout, n: int, **origin: str) -> bytes:
    """Return the beginning of a file of n codes: the length of the header, and the header.

    Examples
    --------
    >>> beginning = header_of({"relu1": (3,)}, 2)
    >>> int.from_bytes(beginning[:8], "little") == len(beginning) - 8
    True
    """
    n_bytes = row_bytes(layers)
    about = {
        "__metadata__": {
            "format": FORMAT,
            "version": str(VERSION),
            "layers": json.dumps(list(layers.items())),
            **origin,
        },
        "packed": {"dtype": "U8", "shape": [n, n_bytes], "data_offsets": [0, n * n_bytes]},
    }
    text = json.dumps(about).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def raw_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Read a header as it is, empty where there is none, and where what follows it begins."""
    length = int.from_bytes(file.read(8), "little")
    try:
        about = json.loads(file.read(min(length, LONGEST_HEADER)))
    except ValueError:
        about = None
    return (about if isinstance(about, dict) else {}), 8 + length


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read the header of a file of codes, and see that the file has what it says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is cut short, damaged or something else, or was written by a later nhlib.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"path: there is no file {os.fspath(path)}")
    with Path(path).open("rb") as file:
        about, start = raw_header(file)
    size = Path(path).stat().st_size - start
    metadata = about.get("__metadata__")
    metadata = metadata if isinstance(metadata, dict) else {}
    if metadata.get("format") != FORMAT:
        if about and size >= 0:
            raise ValueError(f"path: {path} is a safetensors file, but holds no codes")
        raise ValueError(f"path: {path} is cut short or is no file of neural codes")
    if metadata.get("version") != str(VERSION):
        raise ValueError(
            f"path: {path} has format version {metadata.get('version')}, and this nhlib reads "
            f"version {VERSION}; update nhlib, or encode again"
        )
    try:
        layers = _layers(json.loads(metadata["layers"]))
        packed = about["packed"]
        kind, (n, n_bytes), (first, stop) = (
            packed[key] for key in ("dtype", "shape", "data_offsets")
        )
        lengths = [tensor["data_offsets"][1] for name, tensor in about.items() if name[:2] != "__"]
        fits = first >= 0 and stop - first == n * n_bytes and max(lengths) >= stop
    except (KeyError, TypeError, ValueError, IndexError):
        fits = False
    if not fits:
        raise ValueError(f"path: the header of {path} is damaged; encode again")
    if kind != "U8" or n_bytes != row_bytes(layers):
        raise ValueError(
            f"path: {path} holds {kind} of shape ({n}, {n_bytes}), but codes of its layers "
            f"{layers} are U8 of shape (n, {row_bytes(layers)})"
        )
    if size != max(lengths):
        raise ValueError(
            f"path: {path} is cut short or is no file of neural codes: it has {size} bytes of "
            f"codes, and should have {max(lengths)}"
        )
    return Header(layers, (n, n_bytes), start + first)


def _layers(given: list[Any]) -> dict[str, tuple[int, ...]]:
    layers = {name: tuple(shape) for name, shape in given}
    sizes = [size for shape in layers.values() for size in shape]
    if len(layers) < len(given) or not all(isinstance(name, str) for name in layers):
        raise ValueError
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError
    return layers
