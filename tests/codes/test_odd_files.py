"""Odd files through everything that reads codes: the right value, or an error that names them."""

import gzip
import io
import json
import os
import pickle
import re

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save, save_file
from torch import nn

import nhlib as nh

LAYERS = {"relu1": (3,), "größe/層 2": (3, 3)}
CODES = nh.NeuralCodes.from_bits(np.random.default_rng(0).integers(0, 2, (5, 12)), LAYERS)
ABOUT = {
    "__metadata__": {
        "format": "nhlib neural codes",
        "version": "1",
        "layers": json.dumps(list(LAYERS.items())),
    },
    "packed": {"dtype": "U8", "shape": [5, 3], "data_offsets": [0, 15]},
}
ROWS = CODES.packed.tobytes()


def written(metadata=(), packed=(), rows=ROWS, **others) -> bytes:
    """Return a file with another header, and perhaps other bytes after it."""
    about = {
        "__metadata__": ABOUT["__metadata__"] | dict(metadata),
        "packed": ABOUT["packed"] | dict(packed),
        **others,
    }
    text = json.dumps(about).encode()
    return len(text).to_bytes(8, "little") + text + rows


def with_layers(*layers) -> bytes:
    return written({"layers": json.dumps(layers)})


def without(key: str) -> bytes:
    """Return a file whose header lacks something."""
    about = {name: dict(value) for name, value in ABOUT.items()}
    for part in (about, *about.values()):
        part.pop(key, None)
    text = json.dumps(about).encode()
    return len(text).to_bytes(8, "little") + text + ROWS


def array_file() -> bytes:
    file = io.BytesIO()
    np.save(file, CODES.packed)
    return file.getvalue()


RIGHT = {
    "as it should be": written(),
    "with a tensor after the codes": written(
        rows=ROWS + b"more", more={"dtype": "U8", "shape": [4], "data_offsets": [15, 19]}
    ),
    "with a tensor before the codes": written(
        packed={"data_offsets": [4, 19]},
        rows=b"more" + ROWS,
        more={"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
    ),
    "with more metadata": written({"who": "somebody"}),
    "by the library": save({"packed": CODES.packed}, ABOUT["__metadata__"]),
}
NO_CODES = "is cut short or is no file of neural codes"
DAMAGED = "the header of .* is damaged"
WRONG = {
    "empty": (b"", NO_CODES),
    "text": (b"what somebody wrote, and wants to keep", NO_CODES),
    "zeros": (bytes(200), NO_CODES),
    "endless header": ((1 << 60).to_bytes(8, "little") + ROWS, NO_CODES),
    "header of words": (b"\x05" + bytes(7) + b"words" + ROWS, NO_CODES),
    "header of a list": (b"\x04" + bytes(7) + b"[13]" + ROWS, NO_CODES),
    "pickle": (pickle.dumps(CODES), NO_CODES),
    "array": (array_file(), NO_CODES),
    "compressed": (gzip.compress(written()), NO_CODES),
    "other tensors": (save({"packed": CODES.packed}), "is a safetensors file, but holds no codes"),
    "metadata of another kind": (without("__metadata__"), "holds no codes"),
    "later version": (written({"version": "2"}), "has format version 2, and this nhlib reads"),
    "no layers": (without("layers"), DAMAGED),
    "layers of words": (written({"layers": "words"}), DAMAGED),
    "layers of a number": (written({"layers": "13"}), DAMAGED),
    "layers that are no pairs": (with_layers(["relu1"]), DAMAGED),
    "one layer twice": (with_layers(["relu1", [3]], ["relu1", [3]], ["x", [9]]), DAMAGED),
    "negative size": (with_layers(["relu1", [-3]], ["relu2", [9]]), DAMAGED),
    "broken size": (with_layers(["relu1", [3.5]], ["relu2", [9]]), DAMAGED),
    "size of words": (with_layers(["relu1", "three"], ["relu2", [9]]), DAMAGED),
    "layer without a name": (with_layers([3, [3]], ["relu2", [9]]), DAMAGED),
    "no codes": (without("packed"), DAMAGED),
    "no shape": (without("shape"), DAMAGED),
    "other shape": (written(packed={"shape": [5, 3, 1]}), DAMAGED),
    "other length": (written(packed={"shape": [4, 3]}), DAMAGED),
    "codes before the file": (written(packed={"data_offsets": [-15, 0]}), DAMAGED),
    "offsets of words": (written(packed={"data_offsets": ["0", "15"]}), DAMAGED),
    "signed bytes": (written(packed={"dtype": "I8"}), r"holds I8 of shape \(5, 3\), but codes of"),
    "wide numbers": (
        written(packed={"dtype": "F32", "data_offsets": [0, 60]}, rows=4 * ROWS),
        DAMAGED,
    ),
    "fewer bytes a row": (with_layers(["relu1", [3]]), r"are U8 of shape \(n, 1\)"),
    "cut": (written()[:-1], NO_CODES),
    "cut in the header": (written()[:60], NO_CODES),
    "longer": (written() + b"!", NO_CODES),
    "padding": (written(rows=b"\xff" * 15), "holds no codes .*padding bits of layer 'relu1'"),
}


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("content", RIGHT.values(), ids=RIGHT.keys())
def test_files_that_hold_codes(tmp_path, content, mapped):
    (tmp_path / "codes").write_bytes(content)
    (tmp_path / "link").symlink_to(tmp_path / "codes")
    for path in (tmp_path / "codes", str(tmp_path / "link")):
        found = nh.NeuralCodes.load(path, mapped=mapped)
        assert found == CODES
        assert found.n_distinct == CODES.n_distinct


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG.keys())
def test_files_that_do_not(tmp_path, content, message, mapped):
    path = tmp_path / "codes"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as found:
        nh.NeuralCodes.load(path, mapped=mapped)
    assert str(path) in str(found.value)


@pytest.mark.parametrize("suffix", ["", ".partial"])
@pytest.mark.parametrize("content", [content for content, _ in WRONG.values()], ids=WRONG.keys())
def test_none_is_overwritten_or_continued(tmp_path, content, suffix):
    path = tmp_path / f"codes{suffix}"
    path.write_bytes(content)
    begun = suffix and content in (WRONG["empty"][0], WRONG["cut in the header"][0])
    if begun:  # by a run that was killed before it had written the header
        nh.encode(nh.mlp(3, [4], 2), torch.ones(5, 3), out=tmp_path / "codes")
        return
    with pytest.raises(FileExistsError, match=f"path: {re.escape(str(path))} is there"):
        nh.encode(nh.mlp(3, [4], 2), torch.ones(5, 3), out=tmp_path / "codes")
    assert path.read_bytes() == content


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file(tmp_path, make):
    make(tmp_path / "codes")
    with pytest.raises(FileNotFoundError, match="path: there is no file .*codes"):
        nh.NeuralCodes.load(tmp_path / "codes")
    with pytest.raises(FileExistsError, match="codes is there"):
        nh.encode(nh.mlp(3, [4], 2), torch.ones(5, 3), out=tmp_path / "codes")


def test_a_link_that_leads_nowhere(tmp_path):
    (tmp_path / "codes").symlink_to(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="path: there is no file .*codes"):
        nh.NeuralCodes.load(tmp_path / "codes")


@pytest.mark.parametrize("n", [0, 1, 3000])
@pytest.mark.parametrize("layers", [{}, {"a": (0,)}, {"a": (1,)}, {"a": (8,), "b": (2, 5)}])
def test_codes_of_any_size_come_back(tmp_path, n, layers):
    n_bits = sum(int(np.prod(shape)) for shape in layers.values())
    bits = np.random.default_rng(1).integers(0, 2, (n, n_bits))
    codes = nh.NeuralCodes.from_bits(bits, layers)
    codes.save(tmp_path / "codes")
    for mapped in (False, True):
        found = nh.NeuralCodes.load(tmp_path / "codes", mapped=mapped)
        assert found == codes
        assert np.array_equal(found.bits(), bits)
    with safe_open(tmp_path / "codes", framework="np") as file:  # the library reads them, too
        assert np.array_equal(file.get_tensor("packed"), codes.packed)


def test_padding_is_looked_at_at_both_ends_of_a_mapped_file(tmp_path):
    rows = np.zeros((5000, 1), np.uint8)
    rows[-1] = 1
    metadata = ABOUT["__metadata__"] | {"layers": '[["relu1", [3]]]'}
    save_file({"packed": rows}, tmp_path / "codes", metadata)
    for mapped in (False, True):
        with pytest.raises(ValueError, match="padding bits of layer 'relu1' are not 0"):
            nh.NeuralCodes.load(tmp_path / "codes", mapped=mapped)


def test_an_array_of_another_byte_order_or_of_other_things():
    network = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
    numbers = np.random.default_rng(0).standard_normal((6, 4))
    expected = nh.encode(network, torch.from_numpy(numbers))
    assert nh.encode(network, numbers.astype(">f8")) == expected
