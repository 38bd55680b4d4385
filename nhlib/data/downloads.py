"""Published data sets through torchvision: found on the disk, or else downloaded whole."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
import torch

from nhlib.data.image_folders import Labelled

# The name that `load` knows a data set by, and torchvision's class.
NAMES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10", "svhn": "SVHN"}

# What torchvision raises when files are missing, damaged or cut short.
_UNREADABLE = (RuntimeError, AssertionError, ValueError, EOFError, OSError)
# A server silent for so many seconds is taken for unreachable.
_TIMEOUT = 30.0


def read(name: str, root: str | os.PathLike[str] | None) -> tuple[Labelled, Labelled, list[str]]:
    """Read a data set, after downloading it if it is not in its folder.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    root : path, optional
        See `nhlib.load`.

    Returns
    -------
    train, test : Labelled
        Images and labels, in the published order.
    classes : list of str
        Names of the classes.

    Raises
    ------
    FileNotFoundError
        If it is not there, and cannot be downloaded.
    """
    folder = Path(root or os.environ.get("NHLIB_DATA") or platformdirs.user_cache_path("nhlib"))
    folder = folder.expanduser().absolute()
    try:
        train, test = _open(name, folder)
    except _UNREADABLE:
        _download(name, folder)
        train, test = _open(name, folder)
    classes = getattr(train, "classes", map(str, range(10)))
    # torchvision calls MNIST's classes "0 - zero" and so on.
    return (
        _images_and_labels(train),
        _images_and_labels(test),
        [label.split(" - ")[0] for label in classes],
    )


def _class(name: str) -> Any:
    import torchvision

    return getattr(torchvision.datasets, NAMES[name])


def _open(name: str, folder: Path, download: bool = False) -> list[Any]:
    splits = ("train", "test")
    which = [{"split": s} if name == "svhn" else {"train": s == "train"} for s in splits]
    return [_class(name)(folder, download=download, **split) for split in which]


def _images_and_labels(dataset: Any) -> Labelled:
    images = torch.as_tensor(dataset.data)
    if images.ndim == 3:  # MNIST and its kin have no axis for channels
        images = images.unsqueeze(1)
    elif images.shape[-1] == 3:  # CIFAR-10 has it last
        images = images.permute(0, 3, 1, 2).contiguous()
    labels = dataset.labels if hasattr(dataset, "labels") else dataset.targets
    return Labelled(images, torch.as_tensor(labels))


def _download(name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Beside its final place, so that moving it there is renaming, which never leaves half.
        with (
            _timeout(),
            tempfile.TemporaryDirectory(
                prefix=f".{name}-", dir=folder, ignore_cleanup_errors=True
            ) as partial,
        ):
            _open(name, Path(partial), download=True)
            for path in sorted(Path(partial).rglob("*")):
                if path.is_file() and path.suffix != ".gz":  # archives, unpacked by now
                    target = folder / path.relative_to(partial)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(target)
    except Exception as error:  # whatever goes wrong between here and a far server
        raise FileNotFoundError(_instructions(name, folder, error)) from error


@contextmanager
def _timeout() -> Iterator[None]:
    # torchvision offers no other way to set it.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _instructions(name: str, folder: Path, error: Exception) -> str:
    cls = _class(name)
    if name == "cifar10":
        addresses, place = [cls.url], f"unpack it into {folder}, where it makes {cls.base_folder}"
    elif name == "svhn":
        addresses = [cls.split_list[split][0] for split in ("train", "test")]
        place = f"put them into {folder}"
    else:
        addresses = [cls.mirrors[0] + file for file, _ in cls.resources]
        place = f"unpack them into {folder / cls.__name__ / 'raw'}"
    lines = [
        f"{name} is not in {folder}, or is damaged, and could not be downloaded: {error}",
        f"Fetch {' and '.join(addresses)} on a machine with internet access, and {place}. ",
        "Another folder is named by root= or by the environment variable NHLIB_DATA.",
        *(_jpeg_hints(folder) if name == "cifar10" else []),
        'load("digits") needs no download.',
    ]
    return "\n".join(line.strip() for line in lines)


def _jpeg_hints(folder: Path) -> Iterator[str]:
    candidates = [folder, *sorted(folder.glob("[cC][iI][fF][aA][rR]*"))] if folder.is_dir() else []
    for path in candidates:
        if (path / "train").is_dir() and (path / "test").is_dir():
            yield f'There are images in folders, which load("folder:{path}") reads.'
        elif path.name.endswith((".tar", ".tar.gz", ".tar.xz", ".zip")):
            yield (
                f"If {path} is an archive of images in train/ and test/, unpack it and pass "
                '"folder:PATH" with the folder that you unpacked it to.'
            )
