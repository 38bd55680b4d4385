"""Data sets: what `load` gives, what it says, and what a broken download leaves behind."""

import functools
import gc
import gzip
import hashlib
import http.server
import inspect
import json
import os
import re
import struct
import tarfile
import threading
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import torch
import torchvision
from safetensors import safe_open
from torch.utils.data import DataLoader

import nhlib as nh
from nhlib.data import downloads
from nhlib.data.dataset import Dataset, Split
from nhlib.data.embedded import EMBEDDED
from nhlib.data.loading import load


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Keep what would go to the user's cache folder in a temporary one."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: folder / name)
    return folder


# -- embedded data sets --------------------------------------------------------------------


def test_digits_are_scikit_learns_stratified():
    from sklearn.datasets import load_digits

    data, source = load("digits"), load_digits()
    assert data.input_shape == (1, 8, 8)
    assert (data.n_inputs, data.n_classes, data.box) == (64, 10, (0, 1))
    assert (len(data.train), len(data.test)) == (1437, 360)
    inputs = torch.cat([data.train.inputs, data.test.inputs])
    labels = torch.cat([data.train.labels, data.test.labels])
    assert inputs.dtype == torch.float32
    assert labels.dtype == torch.int64
    pairs = zip((inputs.flatten(1) * 16).tolist(), labels.tolist(), strict=True)
    expected = zip(source.data.tolist(), source.target.tolist(), strict=True)
    assert sorted(pairs) == sorted(expected)
    shares = torch.bincount(data.train.labels) / torch.bincount(labels)
    assert (shares - 0.8).abs().max() < 0.005


def test_digits_are_always_split_the_same_way():
    digest = hashlib.sha256(load("digits").train.inputs.numpy().tobytes()).hexdigest()
    assert digest[:16] == "42529fb6a655e9c0"


@pytest.mark.parametrize("name", ["moons", "spirals"])
def test_toys_are_seeded_points_in_their_box(name):
    data = load(name)
    assert data.train.inputs.shape == data.test.inputs.shape == (1000, 2)
    assert data.train.inputs.abs().max() <= 1
    assert data.test.inputs.abs().max() <= 1
    assert not torch.equal(data.train.inputs, data.test.inputs)
    assert torch.equal(data.train.inputs, load(name).train.inputs)
    assert 450 < data.train.labels.sum() < 550


@pytest.mark.parametrize("name", ["moons", "spirals"])
def test_toys_need_more_than_a_line_but_are_learnable(name):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    train, test = load(name).train, load(name).test
    for model, low, high in ((LogisticRegression(), 0.4, 0.93), (KNeighborsClassifier(), 0.98, 1)):
        score = model.fit(train.inputs, train.labels).score(test.inputs, test.labels)
        assert low < score <= high


# -- names and sizes -----------------------------------------------------------------------


def test_train_size_takes_the_first_examples():
    whole, part = load("digits"), load("digits", train_size=100)
    assert torch.equal(part.train.inputs, whole.train.inputs[:100])
    assert torch.equal(part.train.labels, whole.train.labels[:100])
    assert len(part.test) == len(whole.test)


def test_train_size_may_be_a_numpy_integer(unchecked):
    assert len(unchecked(load)("digits", train_size=np.int64(1437)).train) == 1437


@pytest.mark.parametrize(
    ("train_size", "error"),
    [(0, ValueError), (1438, ValueError), (-5, ValueError), (10.0, TypeError), (True, TypeError)],
)
def test_impossible_train_size_is_explained(unchecked, train_size, error):
    text = f"train_size: a whole number from 1 to 1437 is needed, not {train_size}"
    with pytest.raises(error, match=text):
        unchecked(load)("digits", train_size=train_size)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("digit", "no data set 'digit', did you mean 'digits'"),
        ("MNIST", "did you mean 'mnist'"),
        ("fashion_mnist", "did you mean 'fashion-mnist'"),
        (
            "zzz",
            "There are digits, moons, spirals, mnist, fashion-mnist, cifar10, svhn and f",
        ),
    ],
)
def test_unknown_name_lists_what_there_is(name, text):
    with pytest.raises(ValueError, match=text):
        load(name)


def test_bare_path_is_recognised(tmp_path):
    with pytest.raises(ValueError, match=f"in that folder pass 'folder:{tmp_path}'"):
        load(str(tmp_path))


# -- splits --------------------------------------------------------------------------------


def example_split(n: int = 6) -> Split:
    return Split(torch.arange(2.0 * n).reshape(n, 2), torch.arange(n) % 3)


def test_splits_are_sliced_and_iterated():
    split = example_split()
    assert len(split) == 6
    assert split[1:3].inputs.tolist() == [[2, 3], [4, 5]]
    assert split[split.labels == 2].labels.tolist() == [2, 2]
    assert split[[5, 0]].inputs.tolist() == [[10, 11], [0, 1]]
    inputs, label = split[4]
    assert (inputs.tolist(), label.item()) == ([8, 9], 1)
    assert [label.item() for _, label in split] == [0, 1, 2, 0, 1, 2]
    with pytest.raises(IndexError):
        split[6]


def test_data_loaders_take_splits():
    batches = list(DataLoader(example_split(), batch_size=4))
    assert [len(labels) for _, labels in batches] == [4, 2]
    assert torch.equal(torch.cat([x for x, _ in batches]), example_split().inputs)


def test_splits_say_what_they_are():
    assert repr(example_split()) == "Split(6 examples of shape (2,))"


@pytest.mark.parametrize(
    ("inputs", "labels", "error", "text"),
    [
        (np.zeros((3, 2)), torch.arange(3), TypeError, "inputs: a torch.float32 tensor .* ndarray"),
        (
            torch.zeros(3, 2).double(),
            torch.arange(3),
            TypeError,
            "not torch.float64; pass",
        ),
        (torch.zeros(3, 2), torch.zeros(3), TypeError, "labels: a torch.int64 tensor is needed"),
        (torch.zeros(3, 2), torch.arange(4), ValueError, r"not \(3, 2\) and \(4,\)"),
        (torch.zeros(3), torch.arange(3), ValueError, r"not \(3,\) and \(3,\)"),
    ],
)
def test_misfitting_splits_are_explained(unchecked, inputs, labels, error, text):
    with pytest.raises(error, match=text):
        unchecked(Split.__init__)(object.__new__(Split), inputs, labels)


BOX = (0.0, 20.0)


def test_misfitting_datasets_are_explained():
    split = example_split()
    flat = Split(torch.zeros(6, 4), split.labels)
    with pytest.raises(ValueError, match=r"train and test: .* not \(2,\) and \(4,\)"):
        Dataset("x", split, flat, 3, box=BOX)
    with pytest.raises(ValueError, match="train: with n_classes=2 labels run from 0 to 1, but"):
        Dataset("x", split, split, 2, box=BOX)
    with pytest.raises(ValueError, match="test: .* labels from -1 to 1"):
        Dataset("x", split, Split(split.inputs, split.labels - 1), 3, box=BOX)
    with pytest.raises(ValueError, match="class_names: 1 names for 3 classes"):
        Dataset("x", split, split, 3, class_names=("a",), box=BOX)


@pytest.mark.parametrize("white", [16, 255, 65535])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float32])
def test_pixels_that_are_not_from_0_to_1_are_refused_with_a_hint_that_works(white, dtype):
    if dtype == torch.uint8 and white > 255:
        return
    labels = torch.arange(4) % 3
    inputs = (torch.rand(4, 1, 5, 5) * white).round()
    inputs[0, 0, 0, :2] = torch.tensor([0, white])
    inputs = inputs.to(dtype)
    expected = inputs.float() / white
    names = {"inputs": inputs, "torch": torch}
    if dtype != torch.float32:
        with pytest.raises(TypeError, match="inputs: a torch.float32 tensor is needed") as caught:
            inspect.unwrap(Split.__init__)(object.__new__(Split), inputs, labels)
        hint = str(caught.value).split("; pass ")[1]
        assert torch.equal(eval(hint, names), expected)
    split, good = Split(inputs.float(), labels), Split(expected, labels)
    with pytest.raises(
        ValueError, match=f"train.inputs: numbers .* not from 0 to {white}"
    ) as caught:
        Dataset("mine", split, good, 3)
    by = float(str(caught.value).split("; divide them by ")[1])
    with pytest.raises(ValueError, match="test.inputs: numbers from 0 to 1 are needed"):
        Dataset("mine", good, split, 3)
    assert torch.equal(split.inputs / by, expected)
    data = Dataset("mine", Split(split.inputs / by, labels), good, 3)
    assert nh.random_inputs(data, 50).max() > 0.9
    assert Dataset("mine", split, split, 3, box=(0.0, float(white))).box[1] == white


@pytest.mark.parametrize(
    "box", [(1, 0), (0, 0), (0, float("nan")), (0, float("inf")), 5, (0, 1, 2)]
)
def test_boxes_that_are_none(unchecked, box):
    split = Split(torch.zeros(2, 3), torch.arange(2))
    with pytest.raises(ValueError, match="box: the least and the greatest number of inputs"):
        unchecked(Dataset.__init__)(object.__new__(Dataset), "x", split, split, 2, None, box)


def test_numbers_outside_a_box():
    points = Split(torch.tensor([[-1.5, 0.0], [0.5, 1.0]]), torch.arange(2))
    with pytest.raises(ValueError, match="not from -1.5 to 1; pass their range as box"):
        Dataset("x", points, points, 2, box=(-1.0, 1.0))
    with pytest.raises(ValueError, match="not from -1.5 to 1; pass their range as box"):
        Dataset("x", points, points, 2)
    nan = Split(torch.tensor([[torch.nan, 0.0], [0.5, 1.0]]), torch.arange(2))
    with pytest.raises(ValueError, match="numbers from 0 to 1 are needed, but some are nan"):
        Dataset("x", nan, nan, 2)
    rounded = Split(torch.tensor([[0.0], [1 + 1e-6]]), torch.arange(2))
    assert Dataset("x", rounded, rounded[:0], 2).box == (0, 1)


# -- downloads -----------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder where torchvision's servers would be."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def idx(array: np.ndarray) -> bytes:
    """Write an array in the format of MNIST's files."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def tiny_mnist(server, monkeypatch):
    """Serve a small data set in MNIST's format, with checksums of its own."""
    folder, address = server
    rng = np.random.default_rng(0)
    arrays, resources = {}, []
    for split, n in (("train", 7), ("t10k", 4)):
        arrays[f"{split}-images-idx3-ubyte"] = rng.integers(256, size=(n, 28, 28), dtype=np.uint8)
        arrays[f"{split}-labels-idx1-ubyte"] = rng.integers(10, size=n, dtype=np.uint8)
    for name, array in arrays.items():
        contents = gzip.compress(idx(array))
        (folder / f"{name}.gz").write_bytes(contents)
        resources.append((f"{name}.gz", hashlib.md5(contents).hexdigest()))
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [address])
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    return folder, arrays


def files_in(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_download_arrives_complete(tmp_path, tiny_mnist):
    root = tmp_path / "new" / "data"
    data = load("mnist", root=root)
    _, arrays = tiny_mnist
    assert (data.train.inputs[:, 0] * 255).round().numpy().tolist() == (
        arrays["train-images-idx3-ubyte"].tolist()
    )
    assert data.test.labels.tolist() == arrays["t10k-labels-idx1-ubyte"].tolist()
    assert files_in(root) == ["MNIST", "MNIST/raw", *(f"MNIST/raw/{n}" for n in sorted(arrays))]


def test_download_happens_once(tmp_path, tiny_mnist):
    folder, _ = tiny_mnist
    first = load("mnist", root=tmp_path / "data")
    for file in folder.iterdir():
        file.unlink()
    assert torch.equal(load("mnist", root=tmp_path / "data").train.inputs, first.train.inputs)


# torchvision drops an answer of 404 without closing it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("damage", ["checksum", "missing", "broken off"])
def test_broken_download_leaves_nothing_behind(tmp_path, tiny_mnist, damage, monkeypatch):
    folder, _ = tiny_mnist
    last = folder / "t10k-labels-idx1-ubyte.gz"
    if damage == "checksum":
        last.write_bytes(gzip.compress(b"something else"))
    elif damage == "missing":
        last.unlink()
    else:
        broken_off(monkeypatch, last.name)
    root = tmp_path / "data"
    root.mkdir()
    (root / "mine.txt").write_text("kept")
    with pytest.raises(FileNotFoundError, match="mnist is not in .* could not be downloaded"):
        load("mnist", root=root)
    gc.collect()
    assert files_in(root) == ["mine.txt"]


def broken_off(monkeypatch, name: str) -> None:
    """Let the server close the connection in the middle of a file."""
    original = http.server.SimpleHTTPRequestHandler.copyfile

    def copyfile(self, source, outputfile):
        if self.path.endswith(name):
            outputfile.write(source.read(10))
        else:
            original(self, source, outputfile)

    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "copyfile", copyfile)


def test_interrupted_download_leaves_nothing_behind(tmp_path, tiny_mnist, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(torchvision.datasets.mnist, "read_label_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load("mnist", root=tmp_path / "data")
    assert files_in(tmp_path / "data") == []


def test_damaged_files_are_downloaded_again(tmp_path, tiny_mnist):
    load("mnist", root=tmp_path)
    file = tmp_path / "MNIST/raw/train-images-idx3-ubyte"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert len(load("mnist", root=tmp_path).train) == 7
    assert file.read_bytes() == whole


def test_cifar10_keeps_channels_first(tmp_path, server, monkeypatch):
    import pickle

    folder, address = server
    rng = np.random.default_rng(0)
    cls, lists, expected = torchvision.datasets.CIFAR10, {"train_list": [], "test_list": []}, {}
    base = tmp_path / cls.base_folder
    base.mkdir()

    def write(name: str, contents: object) -> str:
        (base / name).write_bytes(pickle.dumps(contents))
        return hashlib.md5((base / name).read_bytes()).hexdigest()

    for split, name, n in (("train", "data_batch_1", 5), ("test", "test_batch", 3)):
        pixels = rng.integers(256, size=(n, 3072), dtype=np.uint8)
        expected[split] = pixels.reshape(n, 3, 32, 32)
        lists[f"{split}_list"].append([name, write(name, {"data": pixels, "labels": [1] * n})])
    names = [f"class {i}" for i in range(10)]
    md5 = write("batches.meta", {"label_names": names})
    with tarfile.open(folder / cls.filename, "w:gz") as archive:
        archive.add(base, cls.base_folder)
    monkeypatch.setattr(cls, "url", f"{address}{cls.filename}")
    archive_md5 = hashlib.md5((folder / cls.filename).read_bytes()).hexdigest()
    monkeypatch.setattr(cls, "tgz_md5", archive_md5)
    monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": md5})
    for name, entries in lists.items():
        monkeypatch.setattr(cls, name, entries)

    data = load("cifar10", root=tmp_path / "data")
    assert data.class_names == tuple(names)
    assert (data.train.inputs * 255).round().numpy().tolist() == expected["train"].tolist()
    assert (data.test.inputs * 255).round().numpy().tolist() == expected["test"].tolist()
    assert data.train.labels.tolist() == [1] * 5
    assert files_in(tmp_path / "data")[0] == cls.base_folder
    assert len(files_in(tmp_path / "data")) == 4  # the archive is gone


def test_svhn_keeps_its_digits(tmp_path, server, monkeypatch):
    from scipy.io import savemat

    folder, address = server
    rng, cls = np.random.default_rng(0), torchvision.datasets.SVHN
    split_list, images = dict(cls.split_list), {}
    for split, n in (("train", 5), ("test", 3)):
        images[split] = rng.integers(256, size=(32, 32, 3, n), dtype=np.uint8)
        labels = np.arange(10, 10 - n, -1, dtype=np.uint8)[:, None]  # 10 stands for 0
        name = f"{split}_32x32.mat"
        savemat(folder / name, {"X": images[split], "y": labels})
        md5 = hashlib.md5((folder / name).read_bytes()).hexdigest()
        split_list[split] = [f"{address}{name}", name, md5]
    monkeypatch.setattr(cls, "split_list", split_list)
    data = load("svhn", root=tmp_path / "data")
    assert data.input_shape == (3, 32, 32)
    assert data.train.labels.tolist() == [0, 9, 8, 7, 6]
    expected = images["test"].transpose(3, 2, 0, 1)
    assert (data.test.inputs * 255).round().numpy().tolist() == expected.tolist()
    assert data.class_names == tuple("0123456789")


@pytest.fixture
def unreachable(monkeypatch) -> str:
    """Point torchvision at an address where nothing answers."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as closed:
        address = f"http://127.0.0.1:{closed.server_port}/"
    sets = torchvision.datasets
    for cls in (sets.MNIST, sets.FashionMNIST):
        monkeypatch.setattr(cls, "mirrors", [address])
    monkeypatch.setattr(sets.CIFAR10, "url", f"{address}cifar-10-python.tar.gz")
    split_list = {
        split: [f"{address}{name}", name, md5]
        for split, (_, name, md5) in sets.SVHN.split_list.items()
    }
    monkeypatch.setattr(sets.SVHN, "split_list", split_list)
    return address


@pytest.mark.parametrize(
    ("name", "file", "place"),
    [
        ("mnist", "train-images-idx3-ubyte.gz", "unpack them into {root}/MNIST/raw"),
        ("fashion-mnist", "t10k-labels-idx1-ubyte.gz", "unpack them into {root}/FashionMNIST/raw"),
        ("cifar10", "cifar-10-python.tar.gz", "unpack it into {root}, where it makes cifar-10-b"),
        ("svhn", "test_32x32.mat", "put them into {root}"),
    ],
)
def test_offline_error_says_what_to_do(tmp_path, unreachable, name, file, place):
    root = tmp_path / "data"
    with pytest.raises(FileNotFoundError) as caught:
        load(name, root=root)
    text = str(caught.value).replace(os.sep, "/")
    assert f"{name} is not in {root.as_posix()}" in text
    assert "refused" in text
    assert f"{unreachable}{file}" in text
    assert place.format(root=root.as_posix()) in text
    assert "root= or by the environment variable NHLIB_DATA" in text
    assert text.endswith('load("digits") needs no download.')
    assert files_in(root) == []


def test_root_comes_from_argument_then_variable_then_cache(
    tmp_path, cache, unreachable, monkeypatch
):
    def looked_in(**options) -> str:
        with pytest.raises(FileNotFoundError) as caught:
            load("mnist", **options)
        return str(caught.value).split(" is not in ")[1].split(", or is damaged")[0]

    monkeypatch.delenv("NHLIB_DATA", raising=False)
    assert looked_in() == str(cache / "nhlib")
    monkeypatch.setenv("NHLIB_DATA", str(tmp_path / "variable"))
    assert looked_in() == str(tmp_path / "variable")
    assert looked_in(root=str(tmp_path / "argument")) == str(tmp_path / "argument")


def test_cifar_as_images_is_pointed_out(tmp_path, unreachable):
    def hint() -> str:
        with pytest.raises(FileNotFoundError) as caught:
            load("cifar10", root=tmp_path)
        return str(caught.value)

    assert "folder:" not in hint()
    (tmp_path / "cifar10-jpeg.tar.xz").touch()
    assert f"{tmp_path / 'cifar10-jpeg.tar.xz'} is an archive" in hint()
    assert '"folder:PATH"' in hint()
    for split in ("train", "test"):
        (tmp_path / "CIFAR-jpeg" / split).mkdir(parents=True)
    assert f'load("folder:{tmp_path / "CIFAR-jpeg"}")' in hint()


@pytest.mark.skipif(
    not (Path(os.environ.get("NHLIB_DATA", "")) / "MNIST/raw/train-images-idx3-ubyte").is_file(),
    reason="MNIST is not in the folder that NHLIB_DATA names",
)
def test_mnist_is_the_original():
    data = load("mnist", train_size=48_000)
    assert data.input_shape == (1, 28, 28)
    assert (len(data.train), len(data.test), data.n_classes) == (48_000, 10_000, 10)
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.class_names == tuple("0123456789")
    pixels = (data.test.inputs * 255).round().to(torch.uint8).numpy()
    raw = (Path(os.environ["NHLIB_DATA"]) / "MNIST/raw/t10k-images-idx3-ubyte").read_bytes()
    assert pixels.tobytes() == raw[16:]


# -- whose images they are -----------------------------------------------------------------

ROOT = Path(__file__).parents[2]
LICENCE = (ROOT / "LICENSE-CC-BY-4.0").read_text("utf-8")


@pytest.mark.parametrize(
    ("authors", "terms"),
    [
        ("Alpaydin", "CC BY 4.0"),
        ("LeCun", "CC BY-SA 3.0"),
        ("Xiao", "MIT"),
        ("Krizhevsky", "No licence is stated"),
        ("Netzer", "non-commercial use only"),
    ],
)
def test_the_authors_of_images_and_their_terms_are_named(authors, terms):
    """Where a data set is loaded, and where the licence of the figures stands."""
    for text in (LICENCE, inspect.getdoc(load)):
        told = " ".join(text.split())
        assert authors in told
        assert terms in told[told.index(authors) :]


def test_the_licence_names_every_data_set():
    for name in (*EMBEDDED, *downloads.NAMES):
        assert f"`{name}`" in LICENCE


@pytest.mark.parametrize("path", sorted(ROOT.glob("nhlib/weights/*")), ids=lambda path: path.stem)
def test_the_licence_names_the_data_behind_weights(path):
    with safe_open(path, "np") as file:
        data = json.loads(file.metadata()["about"])["data"]
    (entry,) = (entry for entry in LICENCE.split("\n* ") if path.name in entry)
    assert re.match(r"[A-Z0-9-]+", data)[0] in entry
