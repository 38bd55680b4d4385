"""Codes that stream to a file, and go on there after a kill."""

import os
import signal
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn

import nhlib as nh
from nhlib.codes.code_file import CodeFile
from nhlib.codes.neural_codes import NeuralCodes


def network(seed=0):
    return nh.mlp(20, [30, 11], 4, seed=seed)


def inputs(n=50, seed=0):
    return torch.rand(n, 20, generator=torch.Generator().manual_seed(seed))


# -- the same codes as in memory -------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 1, 7, 50])
def test_streamed_codes_are_those_of_the_memory(tmp_path, batch_size):
    path = tmp_path / "codes"
    found = nh.encode(network(), inputs(), batch_size=batch_size, out=path)
    expected = nh.encode(network(), inputs(), batch_size=batch_size)
    assert found == expected
    assert NeuralCodes.load(path) == NeuralCodes.load(path, mapped=True) == expected
    assert [file.name for file in tmp_path.iterdir()] == ["codes"]


def test_inputs_may_be_a_split_an_array_or_mapped(tmp_path):
    expected = nh.encode(network(), inputs())
    np.save(tmp_path / "inputs.npy", inputs().numpy())
    for i, given in enumerate(
        [
            nh.Split(inputs(), torch.zeros(50, dtype=torch.int64)),
            inputs().numpy(),
            np.load(tmp_path / "inputs.npy", mmap_mode="r"),
        ]
    ):
        assert nh.encode(network(), given, out=tmp_path / f"{i}") == expected


def test_layers_options_and_train_mode_stream_too(tmp_path):
    net = nn.Sequential(nn.Linear(20, 9), nn.BatchNorm1d(9), nn.GELU(), nn.Linear(9, 5), nn.ReLU())
    options = {"smooth": True, "train_mode": True, "layers": ["2"], "batch_size": 20}
    found = nh.encode(net, inputs(), out=tmp_path / "codes", **options)
    assert found == nh.encode(net, inputs(), **options)


def test_mapped_codes_can_do_what_others_can(tmp_path):
    codes = nh.encode(network(), inputs())
    codes.save(tmp_path / "codes")
    mapped = NeuralCodes.load(tmp_path / "codes", mapped=True)
    assert np.array_equal(mapped.hamming(mapped[:5]), codes.hamming(codes[:5]))
    assert np.array_equal(mapped.groups(), codes.groups())
    assert mapped["relu2"] == codes["relu2"]
    assert nh.drop_constant_bits(mapped) == nh.drop_constant_bits(codes)
    with pytest.raises(ValueError, match="read-only"):
        mapped.packed[0] = 0


def test_no_codes_are_held_in_memory(tmp_path):
    # 400 codes of 80,000 bits: 4 MB, in batches of 10: 100 kB.
    net = nn.Sequential(nn.Linear(2, 80_000), nn.ReLU(), nn.Flatten(), nn.Linear(80_000, 2))
    points = torch.rand(400, 2)
    nh.encode(net, points[:20], batch_size=10, out=tmp_path / "first")  # what is loaded once
    tracemalloc.start()
    nh.encode(net, points, batch_size=10, out=tmp_path / "codes")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000  # NumPy's arrays: unpacked bits of a batch, packed ones of two


# -- killed and resumed ----------------------------------------------------------------------

CHILD = """
import os, signal, sys
import nhlib as nh, torch
from nhlib.codes import code_file
append = code_file.CodeFile.append
def append_and_die(self, packed, layers):
    append(self, packed, layers)
    if self.n_done == 21:
        with self.partial.open("ab") as file:
            file.write(b"half a row"[:3])
        os.kill(os.getpid(), signal.SIGKILL)
code_file.CodeFile.append = append_and_die
inputs = torch.rand(50, 20, generator=torch.Generator().manual_seed(0))
nh.encode(nh.mlp(20, [30, 11], 4), inputs, batch_size=7, out=sys.argv[1])
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path, monkeypatch):
    path = tmp_path / "codes"
    child = subprocess.run([sys.executable, "-c", CHILD, path], timeout=120)
    assert child.returncode == -signal.SIGKILL
    assert not path.exists()
    rows = []
    append = CodeFile.append
    monkeypatch.setattr(
        CodeFile, "append", lambda self, p, layers: (rows.append(len(p)), append(self, p, layers))
    )
    found = nh.encode(network(), inputs(), batch_size=7, out=path)
    assert rows == [7, 7, 7, 7, 1]  # 21 were done
    assert found == nh.encode(network(), inputs(), batch_size=7)
    assert [file.name for file in tmp_path.iterdir()] == ["codes"]


@pytest.mark.parametrize("kept", [0, 5, 100, -1, -6, -15])
def test_a_file_cut_anywhere_is_completed(tmp_path, kept):
    path, partial = tmp_path / "codes", tmp_path / "codes.partial"
    expected = nh.encode(network(), inputs(), batch_size=7, out=path)
    whole = path.read_bytes()
    path.unlink()
    partial.write_bytes(whole[:kept])
    assert nh.encode(network(), inputs(), batch_size=7, out=path) == expected
    assert path.read_bytes() == whole


def test_a_file_complete_but_for_its_name_is_taken(tmp_path):
    path = tmp_path / "codes"
    expected = nh.encode(network(), inputs(), out=path).bits()
    path.rename(tmp_path / "codes.partial")
    assert np.array_equal(nh.encode(network(), inputs(), out=path).bits(), expected)


def test_of_finished_codes_only_the_first_and_the_last_batch_are_computed_again(tmp_path):
    path, net, sizes = tmp_path / "codes", network(), []
    expected = nh.encode(net, inputs(), batch_size=7, out=path)
    net.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    assert nh.encode(net, inputs(), batch_size=7, out=path) == expected
    assert sizes == [7, 1]


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".partial"])
@pytest.mark.parametrize(
    "other",
    [
        {"network": network(seed=1)},
        {"inputs": inputs(seed=1)},
        {"layers": "relu1"},
        {"batch_size": 3},
    ],
    ids=lambda other: next(iter(other)),
)
def test_other_codes_are_not_overwritten(tmp_path, other, suffix):
    path = tmp_path / "codes"
    nh.encode(network(), inputs(), out=path)
    there = path.rename(tmp_path / f"codes{suffix}")
    before = there.read_bytes()
    with pytest.raises(FileExistsError, match=f"codes{suffix} is there, and was not made from"):
        nh.encode(**{"network": network(), "inputs": inputs(), **other}, out=path)
    assert there.read_bytes() == before


@pytest.mark.parametrize("name", ["codes", "codes.partial"])
def test_another_kind_of_file_is_not_overwritten(tmp_path, name):
    there = tmp_path / name
    there.write_text("what somebody wrote, and wants to keep")
    with pytest.raises(FileExistsError, match=f"{name} is there, and was not made from"):
        nh.encode(network(), inputs(), out=tmp_path / "codes")
    assert there.read_text() == "what somebody wrote, and wants to keep"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere"):
        nh.encode(network(), inputs(), out=tmp_path / "nowhere" / "codes")


def test_a_loader_cannot_be_streamed(tmp_path):
    loader = torch.utils.data.DataLoader(inputs(), batch_size=5)
    with pytest.raises(TypeError, match="out: of a DataLoader nobody knows"):
        nh.encode(network(), loader, out=tmp_path / "codes")


@pytest.mark.parametrize("mapped", [False, True])
def test_a_truncated_file_is_refused(tmp_path, mapped):
    path = tmp_path / "codes"
    nh.encode(network(), inputs(), out=path)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(ValueError, match="is cut short or is no file of neural codes"):
        NeuralCodes.load(path, mapped=mapped)


def test_other_layers_are_not_added(tmp_path):
    codes = NeuralCodes.from_bits([[1, 0], [1, 1], [0, 1]], {"a": (2,)})
    CodeFile(tmp_path / "codes", 3, "these").append(codes.packed[:2], codes.layers)
    again = CodeFile(tmp_path / "codes", 3, "these")
    with pytest.raises(ValueError, match=r"begun with layers \{'a': \(2,\)\}, not \{'b': \(2,\)\}"):
        again.append(codes.packed[2:], {"b": (2,)})
    again.append(codes.packed[2:], codes.layers)
    assert again.codes() == codes
