"""Plain values as bytes, between the grader and the process that runs a student's functions.

Neither side trusts the other, so nothing here executes anything: a message is JSON, in which arrays
are their bytes with a type and a shape. This file runs inside the sandbox too, where nhlib is not
at hand; it needs NumPy only.
"""

import base64
import json
import math
import struct
from typing import Any

import numpy as np

LARGEST = 16 * 2**20  # bytes of a message
LENGTH = struct.Struct(">I")
KINDS = "biuf"  # Booleans, whole numbers, floating point


class NotPlainError(ValueError):
    """A value that is neither a number, text, array nor a list or dictionary of these."""


def encode(value: object) -> bytes:
    """Write a plain value as one message, its length in front.

    Parameters
    ----------
    value : object
        None, a Boolean, number, text or NumPy array of Booleans or real numbers; or lists, tuples
        (which arrive as lists) and dictionaries with text as keys of such.

    Returns
    -------
    bytes

    Raises
    ------
    NotPlainError
        When there is anything else in it, or it is too large or too deep. Only exact types count:
        an object of a class of one's own is refused, whatever it derives from.

    Examples
    --------
    >>> message = encode({"codes": np.eye(2, dtype=np.uint8)})
    >>> decode(message[LENGTH.size:])
    {'codes': array([[1, 0],
           [0, 1]], dtype=uint8)}
    """
    try:
        body = json.dumps(_plain(value)).encode()
    except (RecursionError, UnicodeError):
        raise NotPlainError("a value that contains itself, or is nested too deep") from None
    if len(body) > LARGEST:
        raise NotPlainError(f"more than {LARGEST // 2**20} MiB")
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
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (list, tuple):
        return [_plain(v) for v in value]
    if kind is dict and all(type(key) is str for key in value):
        return {"dict": {key: _plain(v) for key, v in value.items()}}
    if kind is np.ndarray and value.dtype.kind in KINDS:
        if value.nbytes > LARGEST // 2:
            raise NotPlainError(f"an array of more than {LARGEST // 2**21} MiB")
        return {
            "array": value.dtype.newbyteorder("<").str[1:],
            "shape": list(value.shape),
            "bytes": base64.b64encode(
                np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
            ).decode(),
        }
    if kind.__module__ == "numpy" and isinstance(value, np.generic) and value.dtype.kind in KINDS:
        return value.item()
    if kind is np.ndarray:
        raise NotPlainError(f"an array of type {value.dtype.str}")
    raise NotPlainError("an object of another type")


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {str(key): _restored(v) for key, v in value["dict"].items()}
    dtype = np.dtype(str(value["array"]))
    shape = [int(n) for n in value["shape"]]
    data = base64.b64decode(value["bytes"], validate=True)
    if dtype.kind not in KINDS or min(shape, default=0) < 0 or len(shape) > 32:
        raise ValueError("not a message: no such array")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("not a message: an array's bytes do not fill its shape")
    return np.frombuffer(data, dtype).reshape(shape).copy()
