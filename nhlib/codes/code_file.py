"""A file of codes that grows row by row, so that neither memory nor a kill sets a limit."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from nhlib._files import check_folder
from nhlib.codes.code_format import LONGEST_HEADER, Layout, header_of, raw_header, row_bytes
from nhlib.codes.neural_codes import NeuralCodes

# Bytes that are looked through at once.
_BLOCK = 1 << 20


class CodeFile:
    """Codes on their way to a file that `NeuralCodes.load` reads.

    Rows go to ``PATH.partial``, which takes the place of ``PATH`` when all are there. What was
    written before a kill counts, in whole batches: whoever opens the file again goes on after
    them, with the batches of a run that was not killed. Zeros at its end do not count: a power
    failure leaves zeros where nothing was written.

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
        self.n_done, self.start = 0, 0
        self.layers: Layout | None = None
        check_folder(self.path, "path")
        if self.path.exists():
            self._recognise(self.path)
            self.layers = self.codes().layers
            self.n_done = n
        elif self.partial.exists() and self._recognise(self.partial):
            self.n_done = self._n_written()
            if self.n_done < n:
                self.n_done -= self.n_done % batch_size

    def append(self, packed: UInt8[np.ndarray, "rows n_bytes"], layers: Layout) -> None:
        """Write the next rows; those of the last call complete the file."""
        if self.layers is None:
            beginning = header_of(layers, self.n, origin=self.origin)
            self.partial.write_bytes(beginning)
            self.layers, self.start = dict(layers), len(beginning)
        else:
            self.check_layers(layers)
        with self.partial.open("r+b") as file:
            file.truncate(file.seek(self.start + self.n_done * packed.shape[1]))
            file.write(np.ascontiguousarray(packed).data)
        self.n_done += len(packed)
        if self.n_done >= self.n:
            self._finish()

    def check_layers(self, layers: Layout) -> None:
        """Raise FileExistsError if the file was begun with other layers."""
        if self.layers is None or list(layers.items()) != list(self.layers.items()):
            raise FileExistsError(
                f"path: {self._there} is there, and was begun with layers "
                f"{dict(self.layers or {})}, not {dict(layers)}; choose another path, or delete it"
            )

    def check_rows(self, packed: UInt8[np.ndarray, "rows n_bytes"], start: int) -> None:
        """Raise FileExistsError if the file has other rows than these from a place on."""
        if not np.array_equal(packed, self.rows(start, start + len(packed))):
            raise FileExistsError(
                f"path: {self._there} is there, with other codes for the inputs from {start} on "
                "than this network gives now. Has its forward changed, or something that it keeps "
                "beside its weights? Or does it draw random numbers, or compute on another device "
                "or with other threads than before? Choose another path, or delete it"
            )

    def rows(self, start: int, stop: int) -> UInt8[np.ndarray, "rows n_bytes"]:
        """Read rows that are there already."""
        if self.path.exists():
            return self.codes().packed[start:stop]
        return self._map_rows(self.n_done)[start:stop]

    @property
    def _there(self) -> Path:
        return self.path if self.path.exists() else self.partial

    def codes(self) -> NeuralCodes:
        """Return the finished codes, mapped from the file."""
        if not self.path.exists():  # killed just before it got its name
            self._finish()
        return NeuralCodes.load(self.path, mapped=True)

    def _finish(self) -> None:
        with self.partial.open("r+b") as file:
            os.fsync(file.fileno())  # or the name may outlive a power failure, and rows not
        self.partial.replace(self.path)

    def _map_rows(self, n_rows: int) -> UInt8[np.ndarray, "rows n_bytes"]:
        assert self.layers is not None
        shape = (n_rows, row_bytes(self.layers))
        if not all(shape):
            return np.zeros(shape, np.uint8)
        return np.memmap(self.partial, np.uint8, "r", self.start, shape)

    def _n_written(self) -> int:
        """Count the rows up to the last byte that is not 0."""
        assert self.layers is not None
        n_bytes = max(1, row_bytes(self.layers))
        n_there = min(self.n, (self.partial.stat().st_size - self.start) // n_bytes)
        there = self._map_rows(n_there).reshape(-1)
        for stop in range(len(there), 0, -_BLOCK):
            first = max(0, stop - _BLOCK)
            written = np.flatnonzero(there[first:stop])
            if len(written):
                return (first + int(written[-1]) + 1) // n_bytes
        return 0

    def _recognise(self, path: Path) -> bool:
        """Read the header of a file of this origin; tell whether all of it is there."""
        about: dict[str, Any] = {}
        start = 0
        if path.is_file():
            with path.open("rb") as file:
                about, start = raw_header(file)
        if path == self.partial and path.stat().st_size < start <= LONGEST_HEADER:
            return False
        metadata = about.get("__metadata__")
        if not isinstance(metadata, dict) or metadata.get("origin") != self.origin:
            raise FileExistsError(
                f"path: {path} is there, and was not made from this network and these inputs "
                "with these options; choose another path, or delete it"
            )
        self.layers = {name: tuple(shape) for name, shape in json.loads(metadata["layers"])}
        self.start = start
        return True
