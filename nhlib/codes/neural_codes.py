"""The neural code: one bit a unit, packed eight to a byte, with a layout of named layers."""

import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from torch import Tensor

from nhlib._files import replacing
from nhlib.codes.code_format import Layout, header_of, read_header, row_bytes
from nhlib.codes.equal_codes import keys_of, rows_of
from nhlib.codes.hamming import hamming_distances

# Rows at either end of a mapped file whose padding is looked at.
_LOOKED_AT = 1 << 10


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
        packed = np.array(packed, order="C")  # a copy, which nobody else can change
        if packed.dtype != np.uint8 or packed.ndim != 2:
            raise ValueError(
                f"packed: a uint8 array of shape (n, n_bytes) is needed, "
                f"not {packed.dtype} of shape {packed.shape}"
            )
        self._set(packed, layers)
        self._check_padding(packed)

    @classmethod
    def _own(cls, packed: UInt8[np.ndarray, "n n_bytes"], layers: Layout) -> "NeuralCodes":
        """Take an array that nobody else writes to, and whose padding is 0, as it is."""
        codes = cls.__new__(cls)
        codes._set(packed, layers)
        return codes

    def _set(self, packed: UInt8[np.ndarray, "n n_bytes"], layers: Layout) -> None:
        layout = {name: tuple(int(size) for size in shape) for name, shape in layers.items()}
        self._layers: Layout = MappingProxyType(layout)
        if packed.shape[1] != self.n_bytes:
            raise ValueError(
                f"packed has {packed.shape[1]} bytes a row, but layers {layout} take {self.n_bytes}"
            )
        self._packed = packed.view()
        self._packed.flags.writeable = False

    def _check_padding(self, packed: UInt8[np.ndarray, "n n_bytes"]) -> None:
        for name, (start, stop) in self._byte_ranges().items():
            padding = -math.prod(self._layers[name]) % 8
            if stop > start and (packed[:, stop - 1] & ((1 << padding) - 1)).any():
                raise ValueError(f"packed: padding bits of layer {name!r} are not 0")

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
        try:
            array = np.asarray(bits.detach().cpu() if isinstance(bits, Tensor) else bits)
        except ValueError as error:  # rows of different lengths
            raise ValueError(f"bits: an array of shape (n, n_bits) is needed ({error})") from None
        if array.ndim != 2:
            raise ValueError(
                f"bits: shape (n, n_bits) is needed, not {array.shape} of {type(bits).__name__}"
            )
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
        return cls._own(np.hstack([np.empty((len(array), 0), np.uint8), *packed]), layout)

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
        return row_bytes(self._layers)

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
        return NeuralCodes._own, (np.asarray(self._packed), dict(self._layers))

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError(
            "NeuralCodes are no array; codes.bits() has a row of 0 and 1 for each, and "
            "codes.packed its bytes"
        )

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
        try:
            selected = self._packed[rows]
            if selected.ndim != 2 or selected.shape[1] != self.n_bytes:
                raise IndexError(f"not by {key!r:.60}")
        except (IndexError, TypeError) as error:
            raise IndexError(
                f"{len(self)} codes are indexed by an integer, a slice, a mask or a list of "
                f"integers for examples, or by names for layers; {error}"
            ) from None
        return NeuralCodes._own(np.ascontiguousarray(selected), self._layers)

    def _select_layers(self, names: Sequence[str]) -> "NeuralCodes":
        unknown = [name for name in names if name not in self._layers]
        if unknown:
            raise KeyError(f"no layer {unknown[0]!r}; there are {', '.join(self._layers)}")
        if len(set(names)) < len(names):
            raise KeyError(f"every layer once, not {', '.join(names)}")
        ranges = self._byte_ranges()
        packed = np.hstack([self._packed[:, slice(*ranges[name])] for name in names])
        return NeuralCodes._own(packed, {name: self._layers[name] for name in names})

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
        return len(np.unique(keys_of(self._packed)))

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
        _, first, group = np.unique(keys_of(self._packed), return_index=True, return_inverse=True)
        by_appearance = np.empty(len(first), np.int64)
        by_appearance[np.argsort(first)] = np.arange(len(first))
        return by_appearance[group]

    def _rows(self) -> np.ndarray:
        return rows_of(self._packed)

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
        check_codes("other", other)
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
        with replacing(Path(path)) as partial, partial.open("wb") as file:
            file.write(header_of(self._layers, len(self)))
            file.write(np.ascontiguousarray(self._packed).data)

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
            If the file is cut short, damaged or something else, or was written by a later nhlib.
            Of a mapped file not all rows are looked at: only at its ends bits are missed that
            fill up a byte and are not 0.
        """
        layers, shape, start = read_header(path)
        if mapped and all(shape):
            packed: UInt8[np.ndarray, "n n_bytes"] = np.memmap(path, np.uint8, "r", start, shape)
            ends = [packed[:_LOOKED_AT], packed[-_LOOKED_AT:]]
        else:
            packed = np.fromfile(path, np.uint8, math.prod(shape), offset=start).reshape(shape)
            ends = [packed]
        codes = cls._own(packed, layers)
        try:
            for end in ends:
                codes._check_padding(end)
        except ValueError as error:
            raise ValueError(f"path: {path} holds no codes of this nhlib ({error})") from None
        return codes


def check_codes(name: str, given: Any, least: int = 0) -> NeuralCodes:
    """Return codes, or say what is given for them instead, or that they are too few.

    Parameters
    ----------
    name : str
        What the argument is called.
    given : object
        What was given for it.
    least : int, default 0
        How many codes are needed.

    Raises
    ------
    TypeError
        If they are no NeuralCodes; the message says how to make some.
    ValueError
        If there are fewer.

    Examples
    --------
    >>> check_codes("codes", NeuralCodes.from_bits([[0, 1]]))
    NeuralCodes(1 examples × 2 bits, bits: 2)
    """
    if not isinstance(given, NeuralCodes):
        how, first = "", given[0] if isinstance(given, (list, tuple)) and given else None
        if getattr(given, "ndim", 0) == 2 or isinstance(first, (list, tuple)):
            how = "; of rows of 0 and 1 they are made by nhlib.NeuralCodes.from_bits"
        elif isinstance(first, NeuralCodes):
            how = f" of {len(given)}"
        raise TypeError(f"{name}: NeuralCodes are needed, not {type(given).__name__}{how}")
    if len(given) < least:
        needed = "one code is" if least == 1 else f"{least} codes are"
        there = {0: "there is none", 1: "there is one"}.get(len(given), f"there are {len(given)}")
        raise ValueError(f"{name}: at least {needed} needed, and {there}")
    return given


def check_same_layers(name: str, one: NeuralCodes, other: NeuralCodes) -> None:
    """Refuse codes, given as the argument `name`, that have other layers than some before."""
    if list(one.layers.items()) != list(other.layers.items()):
        raise ValueError(
            f"{name}: codes with the same layers are needed, but the layers differ: "
            f"{dict(one.layers)} and {dict(other.layers)}"
        )
