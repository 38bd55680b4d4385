"""Plain values as bytes, between the grader and the process that runs a student's functions.

Neither side trusts the other, so nothing here executes anything: a message is JSON, in which arrays
are their bytes with a type and a shape. This file runs inside the sandbox too, where nhlib is not
at hand; it needs NumPy only.
"""

import base64
import json
import math
import struct
from collections.abc import Sequence
from numbers import Rational
from typing import Any

import numpy as np

LARGEST = 2**20  # bytes of a message: a right answer has a few thousand
LARGEST_CODE = 2**24  # bytes of the message that carries a notebook's cells
LENGTH = struct.Struct(">I")
TYPES = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split())  # of arrays; no other is parsed
REAL = "biuf"  # Booleans, whole numbers, floating point


class NotPlainError(ValueError):
    """A value that is neither a number, text, array nor a list or dictionary of these."""


def encode(value: object, largest: int = LARGEST) -> bytes:
    """Write a plain value as one message, its length in front.

    Parameters
    ----------
    value : object
        None, a Boolean, real number, text or array of these; or lists, tuples and dictionaries with
        text as keys of such. What equals one of them by value is taken for it: named tuples,
        fractions, NumPy's and pandas' own kinds of numbers and arrays, complex numbers that are
        real.
    largest : int
        Bytes that the message may have.

    Returns
    -------
    bytes

    Raises
    ------
    NotPlainError
        When there is anything else in it, or it is too large or too deep.

    Examples
    --------
    >>> message = encode({"codes": np.eye(2, dtype=np.uint8)})
    >>> decode(message[LENGTH.size:])
    {'codes': array([[1, 0],
           [0, 1]], dtype=uint8)}
    """
    try:
        body = json.dumps(_plain(value)).encode()
    except RecursionError:
        raise NotPlainError("a value that contains itself, or is nested too deep") from None
    except ValueError as e:  # of json: Python writes no number of so many digits
        raise NotPlainError(str(e)) from None
    if len(body) > largest:
        raise NotPlainError(f"more than {largest // 2**20} MiB")
    return LENGTH.pack(len(body)) + body


def decode(body: bytes) -> Any:
    """Read what `encode` has written, without its length.

    Parameters
    ----------
    body : bytes
        From whoever; nothing is taken on trust.

    Returns
    -------
    object
        Of Python's and NumPy's own types only.

    Raises
    ------
    ValueError
        When it is not such a message.

    Examples
    --------
    >>> decode(b'[1, {"array": "f8", "shape": [1], "bytes": "AAAAAAAA8D8="}]')
    [1, array([1.])]
    """
    try:
        return _restored(json.loads(body))
    except (RecursionError, KeyError, TypeError, AttributeError, OverflowError) as e:
        raise ValueError(f"not a message: {type(e).__name__}") from None


def _plain(value: Any) -> Any:
    """The same in what JSON can say."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise NotPlainError("a dictionary whose keys are not text")
        return {"dict": {str(key): _plain(v) for key, v in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [_plain(v) for v in value]}
    if isinstance(value, np.generic | np.ndarray) or hasattr(value, "__array__"):
        return _array(np.asarray(value))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(v) for v in value]
    return _number(value)


def _array(array: Any) -> Any:
    """An array, or a number if it has no axes."""
    if array.dtype.kind == "c" and not array.imag.any():
        array = array.real
    if array.dtype.kind == "f" and array.itemsize > 8:  # a long double
        array = array.astype(float)
    if array.dtype.kind in "OU":  # numbers of another kind, as fractions are
        return _plain(array.tolist())
    if array.dtype.kind not in REAL:
        raise NotPlainError("an array of another type")
    if array.ndim == 0:
        return array.item()
    if array.nbytes > LARGEST:
        raise NotPlainError(f"an array of more than {LARGEST // 2**20} MiB")
    kind = array.dtype.newbyteorder("<")
    return {
        "array": kind.str[1:],
        "shape": list(array.shape),
        "bytes": base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode(),
    }


def _number(value: Any) -> int | float:
    """The whole number that a value equals, or else the nearest in floating point."""
    if isinstance(value, complex) and value.imag == 0:
        value = value.real
    try:
        if isinstance(value, int):
            return int(value)
        if isinstance(value, Rational) and value.denominator == 1:
            return int(value.numerator)
        if hasattr(type(value), "__float__"):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise NotPlainError("an object of another type")


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {str(key): _restored(v) for key, v in value["dict"].items()}
    if "tuple" in value:
        return tuple(_restored(v) for v in list(value["tuple"]))
    if value["array"] not in TYPES:
        raise ValueError("not a message: no such type of array")
    dtype, shape = np.dtype(value["array"]), [int(n) for n in value["shape"]]
    data = base64.b64decode(value["bytes"], validate=True)
    if min(shape, default=0) < 0 or len(shape) > 32:
        raise ValueError("not a message: no such shape of an array")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("not a message: an array's bytes do not fill its shape")
    return np.frombuffer(data, dtype).reshape(shape).copy()
