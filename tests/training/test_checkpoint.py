"""`fit` with a checkpoint: killed anywhere, it goes on as if it had never stopped."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nhlib.data.dataset import Dataset, Split
from nhlib.data.loading import load
from nhlib.networks.convolutional import vgg
from nhlib.networks.fully_connected import mlp
from nhlib.training.augmentation import Augmentation
from nhlib.training.checkpoint import Checkpoint
from nhlib.training.history import History
from nhlib.training.loop import fit
from nhlib.training.recipe import Recipe


class Killed(Exception):
    """What no training catches."""


def small_data(name: str = "small", n: int = 20) -> Dataset:
    generator = torch.Generator().manual_seed(0)

    def split(size: int) -> Split:
        labels = torch.randint(3, (size,), generator=generator)
        return Split(torch.rand(size, 2, 6, 6, generator=generator), labels)

    return Dataset(name, split(n), split(7), 3)


DATA = small_data()
STEPS = 3  # an epoch of 20 examples in minibatches of 8

# Dropout draws random numbers; batch normalization has an average; both have to go on.
CASES = {
    "adam, steps": (
        lambda seed: mlp(72, [6, 5], 3, batch_norm=True, seed=seed, dropout=0.4),
        Recipe(epochs=5, batch_size=8, decay=0.5, decay_every=2, l2=1e-3),
    ),
    "sgd, one cycle, augmentation": (
        lambda seed: vgg([[4], [5]], [6], 3, in_channels=2, image_size=6, seed=seed),
        Recipe.modern(epochs=5, batch_size=8, augmentation=Augmentation(2, rotation=20.0)),
    ),
    "float64": (
        lambda seed: mlp(72, [6], 3, seed=seed).double(),
        Recipe(epochs=5, batch_size=8, optimizer="sgd", learning_rate=0.1),
    ),
}


def is_step(module: nn.Module, inputs: tuple) -> bool:
    """Tell a step of the training from the test set, and from the two examples tried first."""
    return module.training and len(inputs[0]) > 2


def killed_at(step: int, network: nn.Module, *args, error=Killed, **options) -> None:
    """Train until the forward pass of a step, counted from 1."""
    steps = []

    def count(module: nn.Module, inputs: tuple) -> None:
        steps.append(is_step(module, inputs))
        if sum(steps) == step:
            raise error

    handle = network.register_forward_pre_hook(count)
    with pytest.raises(error):
        fit(network, *args, **options)
    handle.remove()


def same(one: nn.Module, other: nn.Module) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return list(weights) == list(others) and all(
        torch.equal(weights[name], others[name]) and weights[name].dtype == others[name].dtype
        for name in weights
    )


def same_history(one: History, other: History) -> bool:
    names = ("recipe", "train_loss", "train_accuracy", "test_accuracy", "stopped_early")
    return (
        all(getattr(one, name) == getattr(other, name) for name in names)
        and list(one.snapshots) == list(other.snapshots)
        and all(same(one.network(epoch), other.network(epoch)) for epoch in one.snapshots)
    )


# -- killed, and going on ------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("steps", [[1], [STEPS + 2], [2 * STEPS + 1], [STEPS + 1, 1, STEPS + 3]])
def test_a_resumed_training_is_the_same_to_the_last_bit(tmp_path, case, steps):
    build, recipe = CASES[case]
    whole = build(0)
    expected = fit(whole, DATA, recipe, snapshots=(0, 1, 3, 5), seed=4)
    options = {"snapshots": (0, 1, 3, 5), "seed": 4, "checkpoint": tmp_path / "run.pt"}
    for seed, step in enumerate(steps):
        # Only the first network's own weights count, where there is no file yet.
        killed_at(step, build(seed), DATA, recipe, **options)
    torch.rand(3)
    before = torch.get_rng_state()
    resumed = build(9 if (tmp_path / "run.pt").exists() else 0)
    history = fit(resumed, DATA, recipe, **options)
    assert torch.equal(torch.get_rng_state(), before)
    assert same(resumed, whole)
    assert same_history(history, expected)
    assert not resumed.training
    assert all(weight.grad is None and weight.requires_grad for weight in resumed.parameters())
    assert not any(
        module.training for one in history.snapshots.values() for module in one.modules()
    )


def test_a_checkpoint_does_not_change_the_training(tmp_path):
    for build, recipe in CASES.values():
        one, other = build(0), build(0)
        history = fit(one, DATA, recipe, snapshots=(0, 2))
        path = tmp_path / str(len(list(tmp_path.iterdir())))
        assert same_history(fit(other, DATA, recipe, snapshots=(0, 2), checkpoint=path), history)
        assert same(one, other)


def test_the_epochs_before_are_not_trained_again(tmp_path):
    build, recipe = CASES["adam, steps"]
    killed_at(2 * STEPS + 3, build(0), DATA, recipe, checkpoint=tmp_path / "run.pt")
    network, modes = build(0), []
    network.register_forward_pre_hook(lambda module, inputs: modes.append(is_step(module, inputs)))
    fit(network, DATA, recipe, checkpoint=tmp_path / "run.pt")
    assert sum(modes) == 3 * STEPS


def test_interrupted_from_the_keyboard_it_goes_on_as_well(tmp_path):
    build, recipe = CASES["sgd, one cycle, augmentation"]
    whole, resumed = build(0), build(1)
    expected = fit(whole, DATA, recipe)
    path = tmp_path / "run.pt"
    killed_at(STEPS + 2, build(0), DATA, recipe, checkpoint=path, error=KeyboardInterrupt)
    assert same_history(fit(resumed, DATA, recipe, checkpoint=path), expected)
    assert same(resumed, whole)


def test_early_stopping_counts_the_epochs_before(tmp_path):
    # So large a learning rate makes the loss jump.
    data, recipe = load("digits", train_size=200), Recipe(learning_rate=0.3, patience=3, epochs=60)
    whole, resumed = mlp(64, [10], 10), mlp(64, [10], 10)
    expected = fit(whole, data, recipe)
    assert expected.stopped_early
    path = tmp_path / "run.pt"
    killed_at(4 * (expected.epochs - 1) + 2, mlp(64, [10], 10), data, recipe, checkpoint=path)
    for _ in range(2):  # to the end, and once more when all is done
        assert same_history(fit(resumed, data, recipe, checkpoint=path), expected)
        assert same(resumed, whole)
        resumed = mlp(64, [10], 10, seed=5)


CHILD = """
import sys, time
import nhlib as nh

network = nh.mlp(64, [10], 10, batch_norm=True, dropout=0.3)
modes = []

def stop(module, inputs):
    modes.append(module.training and len(inputs[0]) > 2)
    if sum(modes) == 10:  # in the third epoch of four steps each
        print("now", flush=True)
        time.sleep(100)

network.register_forward_pre_hook(stop)
data = nh.load("digits", train_size=200)
nh.fit(network, data, nh.Recipe(epochs=5), snapshots=range(6), seed=2, checkpoint=sys.argv[1])
"""


def test_a_process_that_is_killed_leaves_a_file_to_go_on_from(tmp_path):
    path = tmp_path / "run.pt"
    with subprocess.Popen([sys.executable, "-c", CHILD, path], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline().strip() == b"now"
        child.kill()
    assert child.returncode
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]
    data, recipe = load("digits", train_size=200), Recipe(epochs=5)
    whole, resumed = (mlp(64, [10], 10, batch_norm=True, dropout=0.3, seed=s) for s in (0, 1))
    expected = fit(whole, data, recipe, snapshots=range(6), seed=2)
    history = fit(resumed, data, recipe, snapshots=range(6), seed=2, checkpoint=path)
    assert same(resumed, whole)
    assert same_history(history, expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_goes_on_as_well(tmp_path):
    build, recipe = CASES["adam, steps"]
    whole, resumed = build(0), build(1)
    expected = fit(whole, DATA, recipe, snapshots=(0, 1), device="cuda")
    options = {"snapshots": (0, 1), "device": "cuda", "checkpoint": tmp_path / "run.pt"}
    killed_at(STEPS + 2, build(0), DATA, recipe, **options)
    assert same_history(fit(resumed, DATA, recipe, **options), expected)
    assert same(resumed, whole)
    assert next(resumed.parameters()).is_cuda
    # Weights are not bound to where they were trained.
    here = build(2)
    fit(here, DATA, recipe, snapshots=(0, 1), checkpoint=tmp_path / "run.pt")
    assert same(here, whole.cpu())


# -- the file ------------------------------------------------------------------------------


def test_when_training_is_over_the_file_stays_and_answers(tmp_path):
    build, recipe = CASES["adam, steps"]
    path = tmp_path / "run.pt"
    network = build(0)
    history = fit(network, DATA, recipe, snapshots=(0, 5), checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]
    written = path.read_bytes()
    again, modes = build(1), []
    again.register_forward_pre_hook(lambda module, inputs: modes.append(is_step(module, inputs)))
    assert same_history(fit(again, DATA, recipe, snapshots=(0, 5), checkpoint=path), history)
    assert same(again, network)
    assert not any(modes)
    assert path.read_bytes() == written


def test_stopped_while_it_writes_it_has_the_file_of_the_epoch_before(tmp_path, monkeypatch):
    build, recipe = CASES["adam, steps"]
    path, save = tmp_path / "run.pt", torch.save

    def half(state, file):
        if len(state["history"]["train_loss"]) == 3:
            file.write(b"PK half of it")
            raise Killed
        save(state, file)

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(Killed):
        fit(build(0), DATA, recipe, checkpoint=path)
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]
    assert len(torch.load(path)["history"]["train_loss"]) == 2
    whole, resumed = build(0), build(1)
    assert same_history(fit(resumed, DATA, recipe, checkpoint=path), fit(whole, DATA, recipe))
    assert same(resumed, whole)


@pytest.mark.parametrize("name", ["run", "run.of.today.pt", ".run", "läuft"])
def test_any_name_will_do(tmp_path, name):
    fit(mlp(72, [3], 3), DATA, Recipe(epochs=1), checkpoint=str(tmp_path / name))
    assert [file.name for file in tmp_path.iterdir()] == [name]
    fit(mlp(72, [3], 3), DATA, Recipe(epochs=1), checkpoint=tmp_path / name)


def test_no_epochs_write_no_file(tmp_path):
    fit(mlp(72, [3], 3), DATA, Recipe(epochs=0), checkpoint=tmp_path / "run.pt")
    assert list(tmp_path.iterdir()) == []


def test_divergence_leaves_the_last_complete_epoch(tmp_path):
    data, path = load("digits", train_size=200), tmp_path / "run.pt"
    recipe = Recipe(epochs=5, decay=1e33, decay_every=2)
    reference = mlp(64, [10], 10, batch_norm=True)
    history = fit(reference, data, Recipe(epochs=2))
    for seed in (0, 1):  # from the start, and from the file
        network = mlp(64, [10], 10, batch_norm=True, seed=seed)
        with pytest.raises(FloatingPointError, match="not finite in epoch 3") as caught:
            fit(network, data, recipe, checkpoint=path)
        assert same(network, reference)
        assert caught.value.history.train_loss == history.train_loss
        assert caught.value.history.test_accuracy == history.test_accuracy


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": np.float64(0.01)},
        {"patience": np.int64(1), "l2": np.float64(1e-3)},
    ],
)
def test_settings_may_be_numbers_of_numpy(tmp_path, unchecked, changes):
    # What goes into the file has to come out again, and NumPy's numbers do not.
    recipe = object.__new__(Recipe)
    unchecked(Recipe.__init__)(recipe, epochs=3, **changes)
    path = tmp_path / "run.pt"
    network, again = mlp(72, [3], 3), mlp(72, [3], 3, seed=1)
    history = fit(network, DATA, recipe, checkpoint=path)
    assert same_history(fit(again, DATA, recipe, checkpoint=path), history)
    assert same(again, network)


def test_seeds_may_be_numbers_of_numpy(tmp_path, unchecked):
    path = tmp_path / "run.pt"
    network, again = mlp(72, [3], 3), mlp(72, [3], 3, seed=1)
    unchecked(fit)(network, DATA, Recipe(epochs=1), seed=np.int64(3), checkpoint=path)
    fit(again, DATA, Recipe(epochs=1), seed=3, checkpoint=path)
    assert same(again, network)


# -- what goes wrong -----------------------------------------------------------------------


BEFORE = {
    "network": lambda: mlp(72, [3], 3, dropout=0.5),
    "data": DATA,
    "recipe": Recipe(epochs=2),
    "snapshots": (1,),
    "seed": 2,
}


def refuse(path: Path, error: type, text: str, **changes) -> None:
    given = {**BEFORE, **changes}
    network = given.pop("network")()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    written = path.read_bytes() if path.is_file() else None
    with pytest.raises(error, match=text):
        fit(network, **given, checkpoint=path)
    assert network.training
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    # A file that does not fit may be the work of days: it stays.
    assert (path.read_bytes() if path.is_file() else None) == written


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seed": 3}, "seed differs: 2 there, 3 here"),
        ({"recipe": Recipe(epochs=3)}, r"recipe differs: Recipe\(epochs=2, .* here"),
        ({"recipe": Recipe(epochs=2, optimizer="sgd")}, "recipe differs: .*'adam'.*'sgd'"),
        ({"recipe": Recipe(epochs=2, augmentation=Augmentation())}, "recipe differs: .*shift=4"),
        ({"data": small_data("large")}, r"data differs: Dataset\(small.* Dataset\(large"),
        ({"data": small_data(n=21)}, "data differs: .* 20 train, .* 21 train"),
        ({"snapshots": (0, 1)}, r"snapshots differs: \[1\] there, \[0, 1\] here"),
        ({"network": lambda: mlp(72, [4], 3, dropout=0.5)}, r"network differs\. Remove"),
        ({"network": lambda: mlp(72, [3], 3, batch_norm=True, dropout=0.5)}, "network differs"),
        ({"network": lambda: mlp(72, [3], 3, dropout=0.25)}, "network differs"),
        ({"network": lambda: mlp(72, [3], 3, dropout=0.5).double()}, "network differs"),
    ],
)
def test_another_training_is_refused_by_what_differs(tmp_path, changes, text):
    path = tmp_path / "run.pt"
    fit(**{**BEFORE, "network": BEFORE["network"]()}, checkpoint=path)
    refuse(path, ValueError, f"checkpoint: .*run.pt comes from another training; {text}", **changes)
    fit(**{**BEFORE, "network": BEFORE["network"]()}, checkpoint=path)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "run.pt"
    fit(**{**BEFORE, "network": BEFORE["network"]()}, checkpoint=path)
    return path.read_bytes()


@pytest.mark.parametrize("share", [0, 1e-3, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_short_is_refused_and_stays(tmp_path, written, share):
    path = tmp_path / "run.pt"
    path.write_bytes(written[: math.floor(share * len(written))])
    refuse(path, ValueError, f"checkpoint: {path} is cut short or is no .* remove it to start anew")


@pytest.mark.parametrize(
    "content",
    [b"epoch,loss\n1,0.5\n", b"PK\x03\x04", b"\x80\x02.", b"0.", b"\x80\x02X\x01\0\0\0\xff."],
)
def test_another_file_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    refuse(path, ValueError, "checkpoint: .* is cut short or is no file of a training")


@pytest.mark.parametrize("content", [{"weight": torch.zeros(3)}, [1, 2], {"format": "other"}])
def test_another_file_of_pytorch_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "run.pt"
    torch.save(content, path)
    refuse(path, ValueError, f"checkpoint: {path} is no file of a training by this nhlib")


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "run.pt"
    refuse(path, FileNotFoundError, f"checkpoint: there is no folder {path.parent}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_checkpoint(tmp_path):
    refuse(tmp_path, OSError, tmp_path.name)


def test_what_a_checkpoint_says_of_its_network_has_no_weights_in_it(tmp_path):
    network = mlp(72, [3], 3)
    checkpoint = Checkpoint(tmp_path / "run.pt", network, DATA, Recipe(), [], 0)
    assert checkpoint.saved is None
    assert checkpoint.run["network"][1:3] == [
        "linear1.weight: torch.float32 torch.Size([3, 72])",
        "linear1.bias: torch.float32 torch.Size([3])",
    ]
