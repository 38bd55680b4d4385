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


def test_rows_that_a_power_failure_left_as_zeros_are_written_again(tmp_path):
    path, partial = tmp_path / "codes", tmp_path / "codes.partial"
    expected = nh.encode(network(), inputs(), batch_size=7, out=path)
    whole = path.read_bytes()
    path.unlink()
    for zeros in (1, 20, 150, len(whole) - 300):
        partial.write_bytes(whole[:-zeros] + bytes(zeros))
        assert nh.encode(network(), inputs(), batch_size=7, out=path) == expected
        assert path.read_bytes() == whole
        path.unlink()


def test_codes_that_are_zeros_indeed_can_be_resumed(tmp_path):
    net = nn.Sequential(nn.Linear(20, 3), nn.ReLU())
    nn.init.constant_(net[0].bias, -100)
    path = tmp_path / "codes"
    expected = nh.encode(net, inputs(), batch_size=7, out=path).bits()
    assert not expected.any()
    path.rename(tmp_path / "codes.partial")
    assert np.array_equal(nh.encode(net, inputs(), batch_size=7, out=path).bits(), expected)


@pytest.mark.filterwarnings("ignore")
def test_whatever_a_network_keeps_and_arrays_of_any_bytes_can_be_streamed(tmp_path):
    class WithExtraState(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.relu = nn.Linear(20, 5), nn.ReLU()
            self.register_buffer("sparse", torch.eye(3).to_sparse())

        def get_extra_state(self):
            return {"step": 3, "by": object(), "with": torch.ones(2)}

        def set_extra_state(self, state):
            pass

        def forward(self, x):
            return self.relu(self.linear(x))

    dynamic = torch.ao.quantization.quantize_dynamic(network(), {nn.Linear})
    half = network().to(torch.bfloat16)
    for i, (net, given) in enumerate(
        [
            (WithExtraState(), inputs()),
            (dynamic, inputs()),
            (half, inputs()),
            (network(), inputs().numpy().astype(">f4")),
            (network(), inputs().numpy()[:, ::-1]),
        ]
    ):
        expected = nh.encode(net, given)
        for _ in range(2):  # written, and recognised
            assert nh.encode(net, given, out=tmp_path / str(i)) == expected


# -- what is refused -------------------------------------------------------------------------


class Kept(nn.Module):
    """A network that keeps something beside its weights."""

    def __init__(self, kept=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.kept = nn.Linear(20, 5), kept

    def forward(self, x):
        return torch.relu(self.linear(x) + self.kept)


class NotPersistent(Kept):
    def __init__(self, kept):
        super().__init__()
        del self.kept
        self.register_buffer("kept", torch.full((5,), kept), persistent=False)


class Listed(nn.Module):
    """A network whose layers are in a list that PyTorch does not know."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.layers = [nn.Linear(20, 5), nn.ReLU()]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def edited(forward):
    """Return a network whose forward was edited, as when a cell of a notebook is run again."""
    return type("Edited", (Kept,), {"forward": forward})()


def patched(forward):
    net = Kept()
    net.forward = forward.__get__(net)
    return net


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Kept(), Kept(100.0)),
        (NotPersistent(0.0), NotPersistent(100.0)),
        (Listed(1), Listed(2)),
        (
            edited(lambda self, x: torch.relu(self.linear(x))),
            edited(lambda self, x: torch.relu(-self.linear(x))),
        ),
        (Kept(), patched(lambda self, x: torch.relu(-self.linear(x)))),
    ],
    ids=["attribute", "buffer", "list", "edited forward", "patched forward"],
)
@pytest.mark.parametrize("suffix", ["", ".partial"])
def test_codes_of_what_the_network_was_are_not_taken_for_current(tmp_path, before, after, suffix):
    path = tmp_path / "codes"
    nh.encode(before, inputs(), batch_size=7, out=path)
    there = path.rename(tmp_path / f"codes{suffix}")
    content = there.read_bytes()
    with pytest.raises(FileExistsError, match=f"path: .*codes{suffix} is there"):
        nh.encode(after, inputs(), batch_size=7, out=path)
    assert there.read_bytes() == content


def test_codes_with_other_layers_are_not_taken_for_current(tmp_path):
    layers = [nn.Linear(20, 5), nn.ReLU()]
    net = Listed(0)
    net.layers = layers
    nh.encode(net, inputs(), out=tmp_path / "codes")
    net.layers = [*layers, nn.ReLU()]
    with pytest.raises(FileExistsError, match="codes is there, and was begun with layers .*, not"):
        nh.encode(net, inputs(), out=tmp_path / "codes")


def test_a_change_that_shows_in_the_last_batch_alone_is_seen(tmp_path):
    class Guarded(Kept):
        def forward(self, x):
            return torch.relu(self.linear(x) + self.kept * (x.sum(dim=1, keepdim=True) > 100))

    given = inputs()
    given[49] = 100.0
    nh.encode(Guarded(0.0), given, batch_size=7, out=tmp_path / "codes")
    with pytest.raises(FileExistsError, match="other codes for the inputs from 49 on"):
        nh.encode(Guarded(1e6), given, batch_size=7, out=tmp_path / "codes")


def test_random_codes_are_not_compared_in_silence(tmp_path):
    net = nn.Sequential(nn.Linear(20, 50), nn.Dropout(), nn.ReLU(), nn.Linear(50, 5), nn.ReLU())
    nh.encode(net, inputs(), out=tmp_path / "codes", train_mode=True)
    torch.manual_seed(1)
    with pytest.raises(FileExistsError, match="does it draw random numbers"):
        nh.encode(net, inputs(), out=tmp_path / "codes", train_mode=True)


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
    with pytest.raises(
        FileExistsError, match=r"begun with layers \{'a': \(2,\)\}, not \{'b': \(2,\)\}"
    ):
        again.append(codes.packed[2:], {"b": (2,)})
    again.append(codes.packed[2:], codes.layers)
    assert again.codes() == codes
