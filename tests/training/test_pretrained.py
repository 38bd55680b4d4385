"""Networks that come with the package: what they are, how good they are, and their files."""

import copy
import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import nhlib
import nhlib as nh
from nhlib.networks import ResNet
from nhlib.training.pretrained import load_trained, save_trained, training_log

NAMES = sorted(path.stem for path in Path(nhlib.__file__).parent.glob("weights/*"))
SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
ARCHIVE = Path(os.environ.get("NHLIB_DATA", "")) / "cifar10-jpeg.tar.xz"
MNIST = Path(os.environ.get("NHLIB_DATA", "")) / "MNIST/raw/t10k-images-idx3-ubyte"


def same(one: nn.Module, other: nn.Module) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return list(weights) == list(others) and all(
        torch.equal(weights[name], others[name]) for name in weights
    )


# -- those of the package ------------------------------------------------------------------


def test_the_documentation_names_them_all():
    assert NAMES
    for name in NAMES:
        assert f'``"{name}"``' in load_trained.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_networks_are_ready_to_use(name):
    before = torch.get_rng_state()
    network = load_trained(name)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in network.modules())
    for weight in network.parameters():
        assert (weight.device.type, weight.dtype) == ("cpu", torch.float32)
        assert weight.isfinite().all()
        assert weight.requires_grad
    shape = SHAPES[name.split("-")[1]]
    images = torch.rand(3, *shape)
    assert network(images).shape == (3, 10)
    # A number of layers whose codes tell inputs apart.
    codes = nh.encode(network, images)
    assert len(codes.layers) > 2
    assert len(np.unique(codes.bits(), axis=0)) == 3


def test_every_call_makes_another_network():
    one, other = load_trained(NAMES[0]), load_trained(NAMES[0])
    with torch.no_grad():
        next(one.parameters()).zero_()
    assert not same(one, other)
    assert same(other, load_trained(NAMES[0]))


def test_builders_are_those_of_the_library():
    assert isinstance(load_trained("resnet20-cifar10"), ResNet)
    expected = list(nh.resnet20().state_dict())
    assert list(load_trained("resnet20-cifar10").state_dict()) == expected


@pytest.mark.parametrize("name", NAMES)
def test_logs_tell_how_a_network_was_trained(name):
    log = training_log(name)
    columns = ["epoch", "learning_rate", "train_loss", "train_accuracy", "test_accuracy"]
    assert list(log.columns) == columns
    assert set(log.attrs) == {"data", "recipe", "seed", "date", "machine", "versions"}
    recipe = eval(log.attrs["recipe"], {"Recipe": nh.Recipe, "Augmentation": nh.Augmentation})
    assert log["epoch"].tolist() == list(range(1, recipe.epochs + 1))
    rates = [recipe.learning_rate_in(epoch) for epoch in log["epoch"]]
    assert log["learning_rate"].tolist() == pytest.approx(rates, rel=1e-4)
    assert log["train_loss"].iloc[-1] < log["train_loss"].iloc[0]
    for column in columns[3:]:
        assert log[column].between(0, 1).all()
        assert log[column].iloc[-1] > 0.8
    assert "for training" in log.attrs["data"]
    assert "nhlib" in log.attrs["versions"]


def accuracy(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        found = torch.cat([network(some).argmax(1) for some in images.split(500)])
    return (found == labels).double().mean().item()


@pytest.mark.skipif(not MNIST.is_file(), reason="MNIST is not in the folder that NHLIB_DATA names")
def test_accuracy_on_mnist_is_that_of_the_log():
    test = nh.load("mnist").test
    reached = accuracy(load_trained("cnn-mnist"), test.inputs, test.labels)
    # On another machine rounding may decide otherwise for an image or two.
    assert reached == pytest.approx(training_log("cnn-mnist")["test_accuracy"].iloc[-1], abs=2e-4)


@pytest.fixture(scope="module")
def photographs() -> tuple[torch.Tensor, torch.Tensor]:
    """The test images of CIFAR-10 (JPEG), in the order of their names, and their labels."""
    found = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            split, label, file = Path(member.name).parts[-3:] if member.isfile() else [None] * 3
            if split == "test":
                pixels = np.asarray(Image.open(io.BytesIO(archive.extractfile(member).read())))
                found[label, file] = pixels
    classes = sorted({label for label, _ in found})
    labels = torch.tensor([classes.index(label) for label, _ in sorted(found)])
    pixels = np.stack([found[key] for key in sorted(found)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, labels


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="NHLIB_DATA names no folder with CIFAR-10 (JPEG)")
@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("cifar10")])
def test_accuracy_on_cifar10_is_that_of_the_log(name, photographs):
    images, labels = photographs
    assert images.shape == (10_000, 3, 32, 32)
    expected = training_log(name)["test_accuracy"].iloc[-1]
    assert accuracy(load_trained(name), images, labels) == pytest.approx(expected, abs=2e-4)


# -- files ---------------------------------------------------------------------------------


ARGUMENTS = {"blocks": [[3], [4]], "hidden": [5], "n_classes": 3, "image_size": 6}


@pytest.fixture(scope="module")
def trained() -> tuple[nn.Module, nh.History]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(20, 3, 6, 6, generator=generator)
    split = nh.Split(images, torch.arange(20) % 3)
    network = nh.vgg(**ARGUMENTS)
    data = nh.Dataset("few", split, split[:7], 3)
    return network, nh.fit(network, data, nh.Recipe.modern(epochs=4, batch_size=8))


@pytest.fixture
def file(trained, tmp_path) -> Path:
    network, history = trained
    path = tmp_path / "mine.safetensors"
    save_trained(path, network, "vgg", ARGUMENTS, history, {"data": "few", "seed": 0})
    return path


@pytest.mark.parametrize("kind", [Path, str])
def test_saved_networks_come_back(trained, file, kind):
    network, history = trained
    assert [path.name for path in file.parent.iterdir()] == ["mine.safetensors"]
    loaded = load_trained(kind(file))
    assert same(loaded, network)
    assert not loaded.training
    images = torch.rand(4, 3, 6, 6)
    torch.testing.assert_close(loaded(images), network(images))
    log, table = training_log(kind(file)), history.table()
    assert log.attrs == {"data": "few", "seed": 0, "recipe": repr(history.recipe)}
    assert list(log.columns) == list(table.columns)
    np.testing.assert_allclose(log, table, rtol=1e-4)


def test_files_hold_no_pickle_and_say_what_they_are(file):
    with safe_open(file, framework="pt") as opened:
        about = opened.metadata()
    assert about["format"] == "nhlib network 1"
    assert about["builder"] == "vgg"
    assert json.loads(about["arguments"]) == ARGUMENTS


def test_a_copy_with_less_precision_comes_back_in_float32(trained, tmp_path):
    _, history = trained
    half = nh.vgg(**ARGUMENTS).half()
    save_trained(tmp_path / "half", half, "vgg", ARGUMENTS, history, {})
    assert same(load_trained(tmp_path / "half"), half.float())


def test_saving_replaces_a_file(trained, file):
    other = nh.vgg(**ARGUMENTS, seed=1)
    save_trained(file, other, "vgg", ARGUMENTS, trained[1], {})
    assert same(load_trained(file), other)


# -- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("resnet20-cifar", "no trained network 'resnet20-cifar', did you mean 'resnet20-cifar10'?"),
        ("zzz", "name: no trained network 'zzz'. There are cnn-mnist, "),
        ("", "name: no trained network ''. There are "),
    ],
)
def test_unknown_names_list_what_there_is(name, text):
    for read in (load_trained, training_log):
        with pytest.raises(ValueError, match="name: ") as caught:
            read(name)
        assert text in str(caught.value)
        assert str(caught.value).endswith(", ".join(NAMES))


@pytest.mark.parametrize("share", [0, 1e-3, 0.1, 0.5, 0.999])
def test_files_that_are_cut_short_are_refused(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    for read in (load_trained, training_log):
        with pytest.raises(ValueError, match=f"name: {file} is cut short or is no file of a netw"):
            read(file)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("epoch,loss\n1,0.5\n" * 20)
    with pytest.raises(ValueError, match="is cut short or is no file of a network"):
        load_trained(path)
    for metadata in (None, {"format": "pt"}):
        save_file({"weight": torch.zeros(3)}, tmp_path / "other", metadata)
        with pytest.raises(ValueError, match="is a safetensors file, but holds no network of nhli"):
            load_trained(tmp_path / "other")


@pytest.mark.parametrize(
    ("builder", "arguments", "text"),
    [
        ("resnet18", {}, "builder: there are resnet20, vgg, not 'resnet18'"),
        ("resnet20", {}, "network: resnet20 with arguments {} builds another one"),
        ("vgg", {**ARGUMENTS, "hidden": [6]}, r"network: vgg with arguments .*\[6\].* another one"),
    ],
)
def test_a_network_that_its_builder_does_not_build_is_refused(
    trained, tmp_path, builder, arguments, text
):
    network, history = trained
    with pytest.raises(ValueError, match=text):
        save_trained(tmp_path / "mine", network, builder, arguments, history, {})
    assert list(tmp_path.iterdir()) == []


def test_a_network_with_the_same_weights_and_another_activation_is_refused(trained, tmp_path):
    network, history = trained
    leaky = copy.deepcopy(network)
    leaky.relu1 = torch.nn.LeakyReLU(0.5)
    with pytest.raises(ValueError, match="network: vgg with arguments .* builds another one"):
        save_trained(tmp_path / "mine", leaky, "vgg", ARGUMENTS, history, {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(trained, tmp_path):
    network, history = trained
    with pytest.raises(FileNotFoundError, match="there is no folder .*missing to write mine"):
        save_trained(tmp_path / "missing" / "mine", network, "vgg", ARGUMENTS, history, {})


def test_what_json_cannot_hold_leaves_no_file(trained, tmp_path):
    network, history = trained
    with pytest.raises(TypeError, match="JSON"):
        save_trained(tmp_path / "mine", network, "vgg", ARGUMENTS, history, {"data": torch.ones(1)})
    assert list(tmp_path.iterdir()) == []
