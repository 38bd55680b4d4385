"""Image folders: decoded once, kept in one file of the user's cache folder."""

import hashlib
import os
import warnings
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
import torch
from jaxtyping import Int64, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nhlib._files import replacing
from nhlib._progress import progress_bar
from nhlib.data import class_folders
from nhlib.data.class_folders import ClassFolders, printable
from nhlib.data.image_files import decode


class Labelled(NamedTuple):
    """Images as their files have them, and their classes."""

    images: UInt8[Tensor, "n channels height width"]
    labels: Int64[Tensor, "n"]


_SPLITS = ("train", "test")
# Part of what a cache file is recognised by: to be counted up when its contents change.
_FORMAT = "nhlib image folder 2"


def read(path: Path, seed: int) -> tuple[Labelled, Labelled, list[str]]:
    """Read the images in ``path/train/CLASS/`` and ``path/test/CLASS/``.

    Classes are numbered in the order of their names, images are RGB; see `class_folders.find`
    for which files count, and `image_files.decode` for what becomes of their pixels.

    Parameters
    ----------
    path : Path
        The folder.
    seed : int
        Seed of the shuffle of each split, which starts from the sorted files.

    Returns
    -------
    train, test : Labelled
        RGB images, and their labels.
    classes : list of str
        Names of the classes.

    Raises
    ------
    FileNotFoundError
        If the folder, its ``train`` or ``test``, or images in them are missing.
    ValueError
        If the splits have different classes, or the images different sizes, or a file is
        no readable image; if a link would have images counted twice.
    """
    path = path.expanduser().resolve()
    missing = [split for split in _SPLITS if not (path / split).is_dir()]
    if missing:
        raise FileNotFoundError(
            f"name: there is no folder {printable(path / missing[0])}; 'folder:PATH' needs "
            "PATH/train and PATH/test, each with one folder of images for every class"
        )
    folders = dict(
        zip(_SPLITS, class_folders.find([path / split for split in _SPLITS]), strict=True)
    )
    classes = folders["train"].classes
    if folders["test"].classes != classes:
        raise ValueError(
            f"name: {printable(path / 'train')} and {printable(path / 'test')} need folders of the "
            "same classes; only one of them has "
            f"{', '.join(sorted({*classes} ^ {*folders['test'].classes}))}"
        )
    fingerprint = _fingerprint(folders, seed)
    name = (
        f"{printable(path.name)}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.safetensors"
    )
    cache = platformdirs.user_cache_path("nhlib") / "folders" / name
    tensors = _read_cache(cache, fingerprint)
    if tensors is None:
        tensors = _decode(folders, seed)
        _write_cache(cache, fingerprint, tensors)
    train, test = (
        Labelled(tensors[f"{split} images"], tensors[f"{split} labels"]) for split in _SPLITS
    )
    return train, test, classes


def _fingerprint(folders: dict[str, ClassFolders], seed: int) -> str:
    digest = hashlib.sha256(f"{_FORMAT}, seed {seed}".encode())
    for folder in folders.values():
        for file, label in zip(folder.files, folder.labels, strict=True):
            try:
                stat = file.stat()
            except OSError as error:
                raise ValueError(f"name: {printable(file)} is no readable image: {error}") from None
            digest.update(b"\n%s\0" % os.fsencode(file))
            digest.update(f"{label}\0{stat.st_size}\0{stat.st_mtime_ns}".encode())
    return digest.hexdigest()


def _decode(folders: dict[str, ClassFolders], seed: int) -> dict[str, Tensor]:
    from PIL import Image

    n = sum(len(folder.files) for folder in folders.values())
    tensors = {}
    first: tuple[Path, tuple[int, ...]] | None = None
    with progress_bar("decode", n, "images") as bar, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for split, folder in folders.items():
            order = np.random.default_rng(seed).permutation(len(folder.files))
            images = None
            for i, file in enumerate(folder.files[j] for j in order):
                image = decode(file)
                first = first or (file, image.shape)
                if image.shape != first[1]:
                    raise ValueError(
                        f"name: all images need one size, but {printable(first[0])} has "
                        f"{_pixels(first[1])} and {printable(file)} has {_pixels(image.shape)}; "
                        "resize them first"
                    )
                if images is None:
                    images = np.empty((len(order), 3, *image.shape[:2]), np.uint8)
                images[i] = image.transpose(2, 0, 1)
                bar.update()
            tensors[f"{split} images"] = torch.from_numpy(images)
            tensors[f"{split} labels"] = torch.tensor(folder.labels)[torch.from_numpy(order)]
    return tensors


def _pixels(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]} pixels"


def _checksum(tensors: dict[str, Tensor]) -> str:
    return " ".join(str(zlib.crc32(tensors[name].numpy().data)) for name in sorted(tensors))


def _read_cache(cache: Path, fingerprint: str) -> dict[str, Tensor] | None:
    """Return what the cache file holds, if it is whole and belongs to these images."""
    try:
        with safe_open(cache, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("fingerprint") != fingerprint:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, UnicodeError):
        return None
    return tensors if metadata.get("checksum") == _checksum(tensors) else None


def _write_cache(cache: Path, fingerprint: str, tensors: dict[str, Tensor]) -> None:
    metadata = {"fingerprint": fingerprint, "checksum": _checksum(tensors)}
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with replacing(cache, "cache") as partial:
            save_file(tensors, partial, metadata)
    except (SafetensorError, OSError, UnicodeError) as error:
        warnings.warn(
            f"the decoded images could not be kept in {printable(cache)}, and will be decoded "
            f"again next time: {error}",
            stacklevel=2,
        )
