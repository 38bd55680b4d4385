"""Image files in folders that are named after their classes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_IMAGES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class ClassFolders(NamedTuple):
    """Image files, and the number of the class of each."""

    classes: list[str]
    files: list[Path]
    labels: list[int]


def find(folders: list[Path]) -> list[ClassFolders]:
    """Find the image files below each of some folders, and the classes that they belong to.

    Classes are the folders inside, in the order of their names; all that is in them belongs to
    them, folders in folders included. Files and folders whose names begin with a dot are hidden,
    and passed over: editors, notebooks and computers put them there. Links are followed.

    Parameters
    ----------
    folders : list of Path
        Where the class folders are: a training and a test set, say.

    Returns
    -------
    list of ClassFolders
        One for each folder. Files are sorted.

    Raises
    ------
    FileNotFoundError
        If there are no class folders, or no images in one of them.
    ValueError
        If images would be counted twice, because a link leads to a folder that they are in.
    """
    found, known = [], _Known(folders)
    for folder in folders:
        classes = sorted(entry.name for entry in _visible(folder) if _is_folder(entry))
        if not classes:
            raise FileNotFoundError(
                f"name: there are no folders in {printable(folder)}; one for every class is needed"
            )
        files: list[Path] = []
        labels: list[int] = []
        for label, name in enumerate(classes):
            inside = sorted(_walk(folder / name, known), key=lambda pair: str(pair[0]))
            images = [path / image for path, images in inside for image in images]
            if not images:
                raise FileNotFoundError(
                    f"name: there are no images in {printable(folder / name)}; these are files "
                    f"whose names end in {', '.join(_IMAGES)}"
                )
            files += images
            labels += [label] * len(images)
        found.append(ClassFolders([printable(name) for name in classes], files, labels))
    return found


def printable(name: str | os.PathLike[str]) -> str:
    """Return a path as text that can be printed and stored, whatever bytes its name has."""
    return os.fsencode(name).decode("utf-8", "replace")


class _Known:
    """Where files and folders really are, so that no link leads to one a second time."""

    def __init__(self, folders: list[Path]) -> None:
        self._found: dict[str, Path] = {}
        self._above = {str(above) for folder in folders for above in folder.resolve().parents}
        for folder in folders:
            self.add(folder, os.path.realpath(folder))

    def add(self, path: Path, place: str) -> None:
        first = self._found.setdefault(place, path)
        if place in self._above:
            raise ValueError(
                f"name: the link {printable(path)} leads upwards, to {printable(place)}; remove it"
            )
        if first is not path:
            raise ValueError(
                f"name: {printable(first)} and {printable(path)} are the same on the disk, and "
                "images would be counted twice; remove the link"
            )


def _walk(folder: Path, known: _Known) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder from this one on, and the names of the images in it."""
    place = os.path.realpath(folder)
    known.add(folder, place)
    names, folders = [], []
    for entry in _visible(folder):
        if _is_folder(entry):
            folders.append(folder / entry.name)
        elif entry.name.lower().endswith(_IMAGES):
            names.append(entry.name)
            really = os.path.realpath(entry) if entry.is_symlink() else f"{place}/{entry.name}"
            known.add(folder / entry.name, really)
    yield folder, sorted(names)
    for inside in folders:
        yield from _walk(inside, known)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]
