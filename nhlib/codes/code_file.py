"""A file of codes that grows row by row, so that neither memory nor a kill sets a limit."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import UInt8

from nhlib.codes.neural_codes import Layout, NeuralCodes, file_metadata

# More bytes than any header has: what says so is another kind of file.
_LONGEST_HEADER = 1 << 24


class CodeFile:
    """Codes on their way to a file that `NeuralCodes.load` reads.

    Rows go to ``PATH.partial``, which takes the place of ``PATH`` when all are there. What was
    written before a kill counts, in whole batches: whoever opens the file again goes on after
    them, with the batches of a run that was not killed.

    Parameters
    ----------
    path : path
        The finished file; its folder has to exist.
    n : int
        Number of codes that it will hold.
    origin : str
        What the codes are made from, in a word that no other network and inputs have. Only
        what has the same origin is continued, or taken as finished.
    batch_size : int, default 1
        Rows that come at a time.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    FileExistsError
        If there is a file of another origin at `path` or at ``PATH.partial``: nothing is
        overwritten.

    Examples
    --------
    >>> import tempfile
    >>> codes = NeuralCodes.from_bits([[1, 0], [1, 1], [0, 1]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = CodeFile(f"{folder}/mine.codes", 3, "an example")
    ...     file.append(codes.packed[:2], codes.layers)
    ...     file = CodeFile(f"{folder}/mine.codes", 3, "an example")   # as after a kill
    ...     n_done = file.n_done
    ...     file.append(codes.packed[n_done:], codes.layers)
    ...     n_done, file.codes() == codes
    (2, True)
    """

    def __init__(
        self, path: str | os.PathLike[str], n: int, origin: str, batch_size: int = 1
    ) -> None:
        self.path, self.n, self.origin = Path(path), n, origin
        self.partial = self.path.with_name(f"{self.path.name}.partial")
        self.n_done = 0
        self.layers: Layout | None = None
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"path: there is no folder {self.path.parent} to write {self.path.name}"
            )
        if self.path.exists():
            self._recognise(self.path)
            self.n_done = n
        elif self.partial.exists():
            about, start = self._recognise(self.partial)
            if about:
                self._continue(about, start, batch_size)

    def append(self, packed: UInt8[np.ndarray, "rows n_bytes"], layers: Layout) -> None:
        """Write the next rows; those of the last call complete the file."""
        if self.layers is None:
            self._begin(packed.shape[1], layers)
        elif dict(layers) != dict(self.layers):
            raise ValueError(
                f"path: {self.partial} was begun with layers {dict(self.layers)}, "
                f"not {dict(layers)}"
            )
        with self.partial.open("ab") as file:
            file.write(np.ascontiguousarray(packed).data)
        self.n_done += len(packed)
        if self.n_done >= self.n:
            self.partial.replace(self.path)

    def codes(self) -> NeuralCodes:
        """Return the finished codes, mapped from the file."""
        return NeuralCodes.load(self.path, mapped=True)

    def _begin(self, n_bytes: int, layers: Layout) -> None:
        # A file of safetensors: the length of the header, the header, the rows.
        header = {
            "__metadata__": {**file_metadata(layers), "origin": self.origin},
            "packed": {
                "dtype": "U8",
                "shape": [self.n, n_bytes],
                "data_offsets": [0, self.n * n_bytes],
            },
        }
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self.partial.write_bytes(len(text).to_bytes(8, "little") + text)
        self.layers = layers

    def _continue(self, about: dict[str, Any], start: int, batch_size: int) -> None:
        layers = json.loads(about["__metadata__"]["layers"])
        self.layers = {name: tuple(shape) for name, shape in layers}
        n_bytes = about["packed"]["shape"][1]
        self.n_done = (self.partial.stat().st_size - start) // n_bytes
        if self.n_done >= self.n:  # killed just before the end
            self.partial.replace(self.path)
        else:
            self.n_done -= self.n_done % batch_size
            os.truncate(self.partial, start + self.n_done * n_bytes)

    def _recognise(self, path: Path) -> tuple[dict[str, Any], int]:
        """Read the header of a file of this origin: empty if there is not all of it yet."""
        with path.open("rb") as file:
            about, start = _header(file)
        if path == self.partial and path.stat().st_size < start <= _LONGEST_HEADER:
            return {}, 0
        if about.get("__metadata__", {}).get("origin") != self.origin:
            raise FileExistsError(
                f"path: {path} is there, and was not made from this network and these inputs "
                "with these options; choose another path, or delete it"
            )
        return about, start


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(file.read(8), "little")
    try:
        return json.loads(file.read(min(length, _LONGEST_HEADER))), 8 + length
    except ValueError:
        return {}, 8 + length
