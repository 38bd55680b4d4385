"""Values on the wire: what equals a plain value arrives as one, and nothing else does."""

import json
import tracemalloc
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from contextlib import suppress
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhlib.classroom.answers import difference
from nhlib.classroom.inside import wire
from nhlib.classroom.sandbox import CallError

Pair = namedtuple("Pair", "mean error")
Colour = IntEnum("Colour", "RED GREEN")


def sent(value):
    return wire.decode(wire.encode(value)[wire.LENGTH.size :])


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain)
def test_plain_values_survive_the_wire(value):
    assert repr(sent(value)) == repr(value)


@given(
    st.sampled_from(["u1", "i4", "i8", "f2", "f4", "f8", "?", ">f8"]),
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
)
def test_arrays_survive_the_wire(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    back = sent([array])[0]
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("<")
    assert np.array_equal(back, array)


EQUAL = {
    "a named tuple": (Pair(0.5, 0.25), (0.5, 0.25)),
    "a fraction": (Fraction(1, 4), 0.25),
    "a whole fraction": (Fraction(3**49), 3**49),
    "fractions in an array": (np.array([Fraction(1, 4), 1]), [0.25, 1]),
    "a decimal": (Decimal("0.25"), 0.25),
    "a long double": (np.longdouble(0.25), 0.25),
    "long doubles": (np.array([0.25, 1], dtype=np.longdouble), np.array([0.25, 1])),
    "a matrix": (np.ones((1, 2)).view(np.matrix), np.ones((1, 2))),
    "a masked array": (np.ma.array([1, 2]), np.array([1, 2])),
    "numpy's numbers": ([np.float32(0.5), np.int8(3), np.bool_(True)], [0.5, 3, True]),
    "a 0-d array": (np.array(0.25), 0.25),
    "a series": (pd.Series([1, 2]), np.array([1, 2])),
    "a table": (pd.DataFrame({"a": [1, 2]}), np.array([[1], [2]])),
    "a range": (range(3), [0, 1, 2]),
    "a deque": (deque([1, 2]), [1, 2]),
    "complex but real": (np.array([0.5 + 0j]), np.array([0.5])),
    "one complex but real": (0.5 + 0j, 0.5),
    "an enumeration": (Colour.GREEN, 2),
    "a string of numpy": (np.str_("on"), "on"),
    "a dictionary of another kind": (OrderedDict(a=1), {"a": 1}),
    "a counter": (Counter("aab"), {"a": 2, "b": 1}),
    "a default dictionary": (defaultdict(int, a=1), {"a": 1}),
    "a class of one's own": (type("A", (float,), {"__eq__": lambda *_: True})(0.25), 0.25),
    "a view of one's own": (np.ones(2).view(type("A", (np.ndarray,), {})), np.ones(2)),
    "columns in Fortran's order": (np.asfortranarray([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]])),
}


@pytest.mark.parametrize(("value", "same"), EQUAL.values(), ids=EQUAL)
def test_what_equals_a_plain_value_counts(value, same):
    back = sent(value)
    assert type(back) is type(same)
    assert np.array_equal(back, same)
    assert type(back).__module__ in ("builtins", "numpy")


class Equal:
    def __eq__(self, other):
        return True

    __hash__ = None


def cycle():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [Equal(), np.array([object()]), cycle(), print, {1: 2}, {1, 2}, b"12", np.ndarray, iter([1]),
     np.array([1j]), np.datetime64("2026-01-01"), pytest.param(10**5000, id="long"),
     np.zeros(2**20), [[]] * 2**19, np.zeros(3, dtype="f8,i4")],
)  # fmt: skip
def test_nothing_else_leaves(value):
    with pytest.raises(wire.NotPlainError):
        wire.encode(value)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_bytes_of_anyone_do_no_harm(data):
    with suppress(ValueError):
        wire.decode(data)


@settings(max_examples=200)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "array": st.sampled_from(["f8", "O", "V8", "U3", "M8[s]", "f8,i4", "(,)f8", 7, ["f8"]])
            | st.text(max_size=4),
            "shape": st.lists(st.integers(-5, 2**62), max_size=40) | st.integers(),
            "bytes": st.sampled_from(["", "AAAAAAAA8D8=", "?"]),
            "dict": st.none() | st.dictionaries(st.text(max_size=2), st.integers()),
            "tuple": st.none() | st.integers() | st.lists(st.integers()),
        },
    )
)
def test_crafted_arrays_do_no_harm(message):
    try:
        value = wire.decode(json.dumps(message).encode())
    except ValueError:
        return
    assert isinstance(value, dict | tuple) or value.dtype.kind in "biuf"


@pytest.mark.parametrize("dtype", ["(,)f8", "f8," * 10**5, "i" * 10**6, "V" + "9" * 4000, "|O"])
def test_a_type_of_array_is_one_of_a_list(dtype, monkeypatch):
    """NumPy's own parser of types takes minutes for some, and ends in any error for others."""
    monkeypatch.setattr(wire.np, "dtype", lambda text: pytest.fail("parsed"))
    with pytest.raises(ValueError, match="no such type"):
        wire.decode(json.dumps({"array": dtype, "shape": [0], "bytes": ""}).encode())


def test_a_message_becomes_no_giant():
    tracemalloc.start()
    wire.decode(b"[" + b"[]," * (wire.LARGEST // 3 - 2) + b"[]]")
    assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    tracemalloc.stop()


# --- When answers are equal


@pytest.mark.parametrize(
    ("right", "given"),
    [
        ((0.5, 0.25), np.array([0.5, 0.25])),
        ((0.5, 0.25), [0.5, 0.25]),
        ((np.eye(2), np.ones(2)), np.array([[1, 0], [0, 1]]).tolist() and [np.eye(2), (1, 1)]),
        ([3**49, 1], (3**49, 1)),
        ([1, 2], np.array([1, 2])),
        (np.array([1, 2]), (1, 2)),
        (np.array([[1, 2]]), ((1, 2),)),
        (4, 4.0),
        (1, True),
        (0.5, np.float32(0.5)),
        (float("nan"), np.nan),
        (None, None),
    ],
)
def test_answers_that_are_equal_by_value_agree(right, given):
    assert difference(right, given) == ""


@pytest.mark.parametrize(
    ("right", "given", "words"),
    [
        (np.array([1, 2]), (np.array([1, 2]), np.array([1, 1])), "2 values, not one"),
        (0.5, (0.5, 0.1), "2 values, not one"),
        ((0.5, 0.25), 0.5, "one value, not 2"),
        ((0.5, 0.25), np.array([0.5]), "1 values, not 2"),
        (0.5, None, "None, or nothing"),
        (None, 0.5, "another value"),
        (np.eye(2), [[1, 0], [0]], "rows of unequal length"),
        (np.eye(2), np.ones(2), "not two axes"),
        (0.5, np.array([0.5]), "not a number"),
        ((0.5, 0.25), [0.5] * 1234, "many values, not 2"),
        (0.5, (0.5,) * 1234, "many values, not one"),
        (0.5, "0.5", "something that is not a number"),
        (np.ones(2), ["a", "b"], "something that is not a number"),
        (np.ones(2), [{}, [[{}]]], "something that is not a number"),
        (np.ones(2), [2**70, 1], "another value"),
        (0.5, CallError("it took too long"), "it took too long"),
    ],
)
def test_how_answers_differ_is_said(right, given, words):
    assert difference(right, given) == words


def test_texts_become_no_giant():
    given = ["x" * 500_000, *[""] * 10**5]  # as an array, 200 GB
    assert difference(np.ones(2), given) == "something that is not a number"
    assert difference(0.5, tuple(given)) == "something that is not a number"


RIGHT = [None, "a", 1, 0.5, [1, 2], (0.5, 1), np.eye(2), (np.eye(2), np.ones(2)), {"a": 1}]


@given(st.sampled_from(RIGHT), plain | st.lists(st.lists(st.floats() | st.integers())))
def test_whatever_is_given_it_is_compared(right, given):
    assert isinstance(difference(right, given), str)
