"""The neural code: one bit a unit, packed eight to a byte, with a layout of named layers."""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from nhlib._files import replacing
from nhlib.codes.hamming import hamming_distances

FORMAT, FORMAT_VERSION = "nhlib neural codes", 1

# Longer rows, in bytes, are not sorted to find equal ones.
_LONG = 1 << 10

Layout = Mapping[str, tuple[int, ...]]


class NeuralCodes:
    """The neural codes of n inputs: the on/off pattern of a network's units for each.

    A code is stored as ``np.packbits`` would store it, layer by layer: every layer
    starts on a byte, and the bits that fill up its last byte are 0. Two inputs have the
    same code exactly when their rows of bytes are equal. Codes cannot be changed once
    made.

    Parameters
    ----------
    packed : uint8 array, shape (n, n_bytes)
        The rows of bytes.
    layers : mapping of str to tuple of int
        Name and shape (of one example's bits) of every layer, in the order of the bytes.

    Raises
    ------
    ValueError
        If the bytes do not fit the layout, or a padding bit is 1.

    See Also
    --------
    NeuralCodes.from_bits : codes from an array of 0 and 1.
    nhlib.encode : codes of a network's inputs.

    Examples
    --------
    >>> codes = NeuralCodes.from_bits([[1, 0, 1], [1, 0, 1], [0, 1, 1]])
    >>> codes
    NeuralCodes(3 examples × 3 bits, bits: 3)
    >>> codes.n_distinct
    2
    >>> codes.packed.tolist()       # 1 0 1 and five padding bits make 0b10100000
    [[160], [160], [96]]
    """

    def __init__(self, packed: UInt8[np.ndarray, "n n_bytes"], layers: Layout) -> None:
        layout = {name: tuple(int(size) for size in shape) for name, shape in layers.items()}
        packed = np.ascontiguousarray(packed)
        if packed.dtype != np.uint8 or packed.ndim != 2:
            raise ValueError(
                f"packed: a uint8 array of shape (n, n_bytes) is needed, "
                f"not {packed.dtype} of shape {packed.shape}"
            )
        self._layers: Layout = MappingProxyType(layout)
        if packed.shape[1] != self.n_bytes:
            raise ValueError(
                f"packed has {packed.shape[1]} bytes a row, but layers {layout} take {self.n_bytes}"
            )
        for name, (start, stop) in self._byte_ranges().items():
            padding = -math.prod(layout[name]) % 8
            if stop > start and (packed[:, stop - 1] & ((1 << padding) - 1)).any():
                raise ValueError(f"packed: padding bits of layer {name!r} are not 0")
        self._packed = packed.view()
        self._packed.flags.writeable = False

    @classmethod
    def _of_file(cls, packed: UInt8[np.ndarray, "n n_bytes"], layers: Layout) -> "NeuralCodes":
        # Looking at all padding bits would read a whole mapped file.
        codes = cls(packed[:0], layers)
        codes._packed = packed
        return codes

    @classmethod
    def from_bits(cls, bits: Any, layers: Layout | None = None) -> "NeuralCodes":
        """Codes from an array of 0 and 1.

        Parameters
        ----------
        bits : array_like, shape (n, n_bits)
            Booleans or numbers, every one 0 or 1.
        layers : mapping of str to tuple of int, optional
            Name and shape of each layer; their sizes add up to ``n_bits``. By default
            one layer called ``"bits"``.

        Raises
        ------
        ValueError
            If `bits` is not two-dimensional, holds anything but 0 and 1, or does not fit `layers`.

        Examples
        --------
        >>> NeuralCodes.from_bits([[0, 1, 1]], layers={"relu1": (2,), "relu2": (1,)})
        NeuralCodes(1 examples × 3 bits, relu1: 2, relu2: 1)
        """
        array = np.asarray(bits)
        if array.ndim != 2:
            raise ValueError(f"bits: shape (n, n_bits) is needed, not {array.shape}")
        binary = (array == 0) | (array == 1)
        if not binary.all():
            strange = array[~binary][0]
            raise ValueError(
                f"bits: only 0 and 1 are allowed, but there is {strange!r}; "
                "for pre-activations pass `bits=preactivations > 0`"
            )
        layout = {"bits": (array.shape[1],)} if layers is None else layers
        sizes = [math.prod(shape) for shape in layout.values()]
        if sum(sizes) != array.shape[1]:
            raise ValueError(
                f"layers: {dict(layout)} take {sum(sizes)} bits, but bits has {array.shape[1]}"
            )
        parts = np.split(array.astype(bool), np.cumsum(sizes)[:-1], axis=1) if sizes else []
        packed = [np.packbits(part, axis=1) for part in parts]
        return cls(np.hstack([np.empty((len(array), 0), np.uint8), *packed]), layout)

    # -- what is in it ---------------------------------------------------------------------

    @property
    def packed(self) -> UInt8[np.ndarray, "n n_bytes"]:
        """The bytes, read-only; every layer starts on a byte."""
        return self._packed

    @property
    def layers(self) -> Layout:
        """Shape of one example's bits in every layer, by name, in the order of the bytes."""
        return self._layers

    @property
    def n_bits(self) -> int:
        """Length of a code in bits."""
        return sum(math.prod(shape) for shape in self._layers.values())

    @property
    def n_bytes(self) -> int:
        """Length of a code in bytes, padding included."""
        return sum(-(-math.prod(shape) // 8) for shape in self._layers.values())

    def __len__(self) -> int:
        """Count the examples."""
        return len(self._packed)

    def __repr__(self) -> str:
        """Name sizes and layers, but no bits."""
        layers = [f"{name}: {math.prod(shape)}" for name, shape in self._layers.items()]
        if len(layers) > 6:
            layers[3:-2] = [f"… {len(layers) - 5} more …"]
        return f"NeuralCodes({', '.join([f'{len(self)} examples × {self.n_bits} bits', *layers])})"

    def __eq__(self, other: object) -> bool:
        """Tell whether layers (names, shapes, order) and all bits are the same."""
        if not isinstance(other, NeuralCodes):
            return NotImplemented
        return list(self.layers.items()) == list(other.layers.items()) and np.array_equal(
            self._packed, other._packed
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return NeuralCodes, (self._packed, dict(self._layers))

    def bits(self) -> UInt8[np.ndarray, "n n_bits"]:
        """Unpack: one byte, 0 or 1, for every bit.

        Examples
        --------
        >>> NeuralCodes.from_bits([[1, 0], [0, 0]]).bits()
        array([[1, 0],
               [0, 0]], dtype=uint8)
        """
        out = np.empty((len(self), self.n_bits), np.uint8)
        column = 0
        for name, (start, stop) in self._byte_ranges().items():
            size = math.prod(self._layers[name])
            out[:, column : column + size] = np.unpackbits(
                self._packed[:, start:stop], axis=1, count=size
            )
            column += size
        return out

    # -- parts of it -----------------------------------------------------------------------

    def __getitem__(self, key: Any) -> "NeuralCodes":
        """Select examples (int, slice, mask, indices) or layers (a name, a list of names).

        Examples
        --------
        >>> codes = NeuralCodes.from_bits([[0, 1, 1], [1, 0, 0]], {"relu1": (2,), "relu2": (1,)})
        >>> codes["relu1"].bits().tolist()
        [[0, 1], [1, 0]]
        >>> codes[1].bits().tolist()
        [[1, 0, 0]]
        """
        if isinstance(key, str):
            key = [key]
        if isinstance(key, (list, tuple)) and key and all(isinstance(k, str) for k in key):
            return self._select_layers(key)
        if isinstance(key, (int, np.integer)):
            if not -len(self) <= key < len(self):
                raise IndexError(f"there are {len(self)} codes, so none at {key}")
            key = [int(key)]
        rows = key if isinstance(key, slice) else np.asarray(key)
        if isinstance(rows, np.ndarray) and rows.size == 0 and rows.dtype != bool:
            rows = rows.astype(np.int64)
        selected = self._packed[rows]
        if selected.ndim != 2 or selected.shape[1] != self.n_bytes:
            raise IndexError(
                "codes are indexed by an integer, a slice, a mask or a list of integers for "
                f"examples, or by names for layers; not by {key!r}"
            )
        return NeuralCodes(selected, self._layers)

    def _select_layers(self, names: Sequence[str]) -> "NeuralCodes":
        unknown = [name for name in names if name not in self._layers]
        if unknown:
            raise KeyError(f"no layer {unknown[0]!r}; there are {', '.join(self._layers)}")
        ranges = self._byte_ranges()
        packed = np.hstack([self._packed[:, slice(*ranges[name])] for name in names])
        return NeuralCodes(packed, {name: self._layers[name] for name in names})

    def _byte_ranges(self) -> dict[str, tuple[int, int]]:
        ranges, start = {}, 0
        for name, shape in self._layers.items():
            stop = start + -(-math.prod(shape) // 8)
            ranges[name] = (start, stop)
            start = stop
        return ranges

    # -- comparing codes -------------------------------------------------------------------

    @cached_property
    def n_distinct(self) -> int:
        """The number of different codes, exact: rows of bytes are compared, not hashes.

        Examples
        --------
        >>> NeuralCodes.from_bits([[1, 0], [1, 0], [1, 1]]).n_distinct
        2
        """
        return len(np.unique(self._keys()))

    def groups(self) -> Int64[np.ndarray, " n"]:
        """Give every code a number; equal numbers mean equal codes.

        Returns
        -------
        int64 array, shape (n,)
            Numbers from 0 to ``n_distinct - 1``, in the order in which codes first appear.

        Examples
        --------
        >>> NeuralCodes.from_bits([[1, 1], [0, 0], [1, 1]]).groups().tolist()
        [0, 1, 0]
        """
        _, first, group = np.unique(self._keys(), return_index=True, return_inverse=True)
        by_appearance = np.empty(len(first), np.int64)
        by_appearance[np.argsort(first)] = np.arange(len(first))
        return by_appearance[group]

    def _keys(self) -> np.ndarray:
        # Of long rows, the number of their first equal: no copy, as sorting them would need.
        if self.n_bytes > _LONG:
            return self._first_equals()
        return self._rows()

    def _rows(self) -> np.ndarray:
        # One void scalar a row: NumPy compares those as strings of bytes. A row needs a byte.
        packed = self._packed if self.n_bytes else np.zeros((len(self), 1), np.uint8)
        return packed.view(np.dtype((np.void, packed.shape[1]))).ravel()

    def _first_equals(self) -> Int64[np.ndarray, " n"]:
        """Find for every row the first that equals it. A hash finds it, a comparison makes sure."""
        firsts: dict[bytes, list[int]] = {}
        equal = np.empty(len(self), np.int64)
        for i, row in enumerate(self._packed):
            candidates = firsts.setdefault(hashlib.blake2b(row, digest_size=16).digest(), [])
            found = (j for j in candidates if np.array_equal(self._packed[j], row))
            equal[i] = next(found, i)
            if equal[i] == i:
                candidates.append(i)
        return equal

    def hamming(self, other: "NeuralCodes") -> Int32[np.ndarray, "n m"]:
        """Count the bits in which two codes differ, for every pair.

        Parameters
        ----------
        other : NeuralCodes
            m codes with the same layers.

        Returns
        -------
        int32 array, shape (n, m)
            ``[i, j]`` is the Hamming distance of ``self[i]`` and ``other[j]``, in bits.

        Raises
        ------
        ValueError
            If the layers of the two differ.

        Examples
        --------
        >>> a = NeuralCodes.from_bits([[1, 0, 1], [0, 0, 0]])
        >>> a.hamming(a).tolist()
        [[0, 2], [2, 0]]
        """
        check_same_layers("other", self, other)
        return hamming_distances(self._packed, other._packed)

    # -- files -----------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the codes to a file (safetensors: no pickle, can be mapped into memory).

        The file appears complete or not at all; one that was there before is replaced.

        Parameters
        ----------
        path : path
            Where to; the folder has to exist.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.

        Examples
        --------
        >>> import tempfile
        >>> codes = NeuralCodes.from_bits([[1, 0, 1]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     codes.save(f"{folder}/mine.codes")
        ...     NeuralCodes.load(f"{folder}/mine.codes") == codes
        True
        """
        with replacing(Path(path)) as partial:
            save_file({"packed": self._packed}, partial, file_metadata(self._layers))

    @classmethod
    def load(cls, path: str | os.PathLike[str], mapped: bool = False) -> "NeuralCodes":
        """Read codes that `save` or `nhlib.encode` wrote.

        Parameters
        ----------
        path : path
            The file.
        mapped : bool, default False
            Leave the codes in the file and read what is asked for, when it is asked for: they
            may be larger than the memory. The file has to stay as it is.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is cut short, is something else, or was written by a later nhlib.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"path: there is no file {os.fspath(path)}")
        try:
            with safe_open(path, framework="np") as file:
                metadata = file.metadata() or {}
                found = metadata.get("format"), metadata.get("version")
                if found[0] != FORMAT:
                    raise ValueError(f"path: {path} is a safetensors file, but holds no codes")
                if found[1] != str(FORMAT_VERSION):
                    raise ValueError(
                        f"path: {path} has format version {found[1]}, and this nhlib reads "
                        f"version {FORMAT_VERSION}; update nhlib, or encode again"
                    )
                layers = {name: tuple(shape) for name, shape in json.loads(metadata["layers"])}
                if mapped and all(shape := file.get_slice("packed").get_shape()):
                    start = Path(path).stat().st_size - math.prod(shape)
                    return cls._of_file(np.memmap(path, np.uint8, "r", start, tuple(shape)), layers)
                return cls(file.get_tensor("packed"), layers)
        except SafetensorError as error:
            raise ValueError(
                f"path: {path} is cut short or is no file of neural codes ({error})"
            ) from None


def file_metadata(layers: Layout) -> dict[str, str]:
    """Return what a file of codes says about them."""
    return {
        "format": FORMAT,
        "version": str(FORMAT_VERSION),
        "layers": json.dumps(list(layers.items())),
    }


def check_same_layers(name: str, one: NeuralCodes, other: NeuralCodes) -> None:
    """Refuse codes, given as the argument `name`, that have other layers than some before."""
    if list(one.layers.items()) != list(other.layers.items()):
        raise ValueError(
            f"{name}: codes with the same layers are needed, but the layers differ: "
            f"{dict(one.layers)} and {dict(other.layers)}"
        )
