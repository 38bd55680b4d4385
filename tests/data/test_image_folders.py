"""Folders of images: which files count, what becomes of their pixels, and what is refused."""

import os
import shutil
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import torch
from PIL import Image

from nhlib.data import image_folders
from nhlib.data.loading import load


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Keep what would go to the user's cache folder in a temporary one."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: folder / name)
    return folder


def write_images(root: Path, mode: str = "RGB", sizes=((6, 5),)) -> dict[bytes, str]:
    """Write random images in folders, and return the class of each by its pixels."""
    rng, classes = np.random.default_rng(0), {}
    for split, n in (("train", 8), ("test", 3)):
        for label in ("dog", "cat", "bee"):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(n):
                width, height = sizes[i % len(sizes)]
                shape = (height, width, 3) if mode == "RGB" else (height, width)
                pixels = rng.integers(256, size=shape, dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i:02}.png")
                rgb = pixels if mode == "RGB" else np.stack([pixels] * 3, axis=2)
                classes[rgb.transpose(2, 0, 1).tobytes()] = label
    return classes


def test_folder_has_every_image_with_its_class(tmp_path, cache):
    classes = write_images(tmp_path / "pets")
    data = load(f"folder:{tmp_path / 'pets'}")
    assert data.class_names == ("bee", "cat", "dog")
    assert data.input_shape == (3, 5, 6)
    assert (len(data.train), len(data.test)) == (24, 9)
    for split in (data.train, data.test):
        for image, label in split:
            pixels = (image * 255).round().to(torch.uint8).numpy().tobytes()
            assert classes.pop(pixels) == data.class_names[label]
    assert not classes


def test_folder_is_shuffled_once_and_for_all(tmp_path, cache):
    write_images(tmp_path / "pets")
    data = load(f"folder:{tmp_path / 'pets'}")
    order = np.random.default_rng(0).permutation(24)
    assert data.train.labels.tolist() == np.repeat([0, 1, 2], 8)[order].tolist()
    assert len(set(load(f"folder:{tmp_path / 'pets'}", train_size=8).train.labels.tolist())) == 3


def test_grey_images_get_three_channels(tmp_path, cache):
    classes = write_images(tmp_path / "pets", mode="L")
    data = load(f"folder:{tmp_path / 'pets'}")
    pixels = (data.train.inputs[0] * 255).round().to(torch.uint8).numpy().tobytes()
    assert classes[pixels] == data.class_names[data.train.labels[0]]


@pytest.fixture
def decoded(monkeypatch) -> list[Path]:
    """List the files that get decoded."""
    files, original = [], image_folders.decode

    def decode(path):
        files.append(path)
        return original(path)

    monkeypatch.setattr(image_folders, "decode", decode)
    return files


def test_folder_is_decoded_once(tmp_path, cache, decoded):
    write_images(tmp_path / "pets")
    name = f"folder:{tmp_path / 'pets'}"
    first = load(name)
    assert len(decoded) == 33
    second = load(name)
    assert len(decoded) == 33
    assert torch.equal(first.train.inputs, second.train.inputs)
    assert torch.equal(first.test.labels, second.test.labels)
    assert len(list(cache.rglob("*.*"))) == 1


def test_changed_folder_is_decoded_again(tmp_path, cache, decoded):
    write_images(tmp_path / "pets")
    name = f"folder:{tmp_path / 'pets'}"
    load(name)
    (tmp_path / "pets/train/dog/00.png").unlink()
    assert len(load(name).train) == 23
    assert len(decoded) == 33 + 32
    changed = tmp_path / "pets/train/dog/01.png"
    stat = changed.stat()
    os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    load(name)
    assert len(decoded) == 33 + 32 + 32
    assert len(list(cache.rglob("*.*"))) == 1  # the old one is replaced


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_damaged_cache_is_decoded_again(tmp_path, cache, decoded, damage):
    write_images(tmp_path / "pets")
    name = f"folder:{tmp_path / 'pets'}"
    first = load(name)
    (file,) = cache.rglob("*.safetensors")
    contents = bytearray(file.read_bytes())
    if damage == "flip":
        contents[-100] ^= 1
    file.write_bytes(
        {"cut": contents[:-50], "flip": contents, "empty": b"", "other": b"not tensors"}[damage]
    )
    assert torch.equal(load(name).train.inputs, first.train.inputs)
    assert len(decoded) == 66
    load(name)
    assert len(decoded) == 66


def test_unwritable_cache_is_a_warning(tmp_path, cache):
    write_images(tmp_path / "pets")
    cache.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="could not be kept in .* decoded again next time"):
        data = load(f"folder:{tmp_path / 'pets'}")
    assert len(data.train) == 24


def test_unusable_folders_are_explained(tmp_path, cache):
    def refused(error, text):
        with pytest.raises(error, match=text):
            load(f"folder:{tmp_path / 'pets'}")
        assert not cache.exists()

    refused(FileNotFoundError, "there is no folder .*train; 'folder:PATH' needs PATH/train and")
    write_images(tmp_path / "pets", sizes=((6, 5), (6, 7)))
    refused(ValueError, "all images need one size, but .* has 6×[57] pixels and .* resize them")
    (tmp_path / "pets/test/dog").rename(tmp_path / "pets/test/wolf")
    refused(ValueError, "need folders of the same classes; only one of them has dog, wolf")
    for file in (tmp_path / "pets/test/wolf").iterdir():
        file.unlink()
    refused(FileNotFoundError, "wolf")


def test_unreadable_images_are_named(tmp_path, cache):
    write_images(tmp_path / "pets")
    (tmp_path / "pets/test/dog/01.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"dog.01\.png is no readable image"):
        load(f"folder:{tmp_path / 'pets'}")
    assert not cache.exists()


# -- which files count -----------------------------------------------------------------------


def grey(value: int, size=(6, 5)) -> Image.Image:
    return Image.new("L", size, value)


@pytest.fixture
def pets(tmp_path, cache) -> Path:
    """Write one image of cats and one of dogs for training, and as many for testing."""
    for value, place in enumerate(("train/cat", "train/dog", "test/cat", "test/dog")):
        folder = tmp_path / "pets" / place
        folder.mkdir(parents=True)
        grey(10 * (1 + value)).save(folder / "a.png")
    return tmp_path / "pets"


def loaded(pets: Path):
    return load(f"folder:{pets}")


def test_hidden_files_and_folders_are_passed_over(pets):
    before = loaded(pets)
    for hidden in ("train/.ipynb_checkpoints", "test/.thumbnails", "train/cat/.cache"):
        (pets / hidden).mkdir()
        grey(0).save(pets / hidden / "a-checkpoint.png")
    (pets / "train/dog/._a.png").write_bytes(b"a computer's notes")
    (pets / "train/notes.txt").write_text("no folder")
    (pets / "train/dog/notes.txt").write_text("no image")
    after = loaded(pets)
    assert after.class_names == before.class_names == ("cat", "dog")
    assert (len(after.train), len(after.test)) == (2, 2)
    assert torch.equal(after.train.inputs, before.train.inputs)


def test_folders_in_folders_and_links_to_elsewhere_are_followed(pets, tmp_path):
    (pets / "train/cat/more/still more").mkdir(parents=True)
    grey(1).save(pets / "train/cat/more/still more/b.PNG")
    (tmp_path / "elsewhere").mkdir()
    grey(2).save(tmp_path / "elsewhere/c.png")
    (pets / "train/dog/linked").symlink_to(tmp_path / "elsewhere")
    grey(3).save(tmp_path / "d.png")
    (pets / "train/dog/d.png").symlink_to(tmp_path / "d.png")
    data = loaded(pets)
    greys = (data.train.inputs[:, 0, 0, 0] * 255).round().int().tolist()
    expected = {10: 0, 20: 1, 1: 0, 2: 1, 3: 1}
    assert dict(zip(greys, data.train.labels.tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    ("link", "target", "text"),
    [
        ("train/cat/up", "..", "train and .*up are the same on the disk, .*counted twice"),
        ("train/cat/up", "../..", "the link .*up leads upwards, to .*pets; remove it"),
        ("train/cat/up", "/", "the link .*up leads upwards, to /; remove it"),
        ("train/up", "..", "the link .*up leads upwards"),
        ("train/cat/again", "../dog", "again and .*dog are the same on the disk"),
        ("test/cat/more", "../../train/cat", "train/cat and .*more are the same"),
        ("test/cat/b.png", "../../train/cat/a.png", "train/cat/a.png and .*b.png are the same"),
        ("train/cat/b.png", "a.png", "a.png and .*b.png are the same"),
    ],
)
def test_links_that_count_images_twice(pets, link, target, text):
    (pets / link).symlink_to(target)
    if link == "train/up":
        (pets / "test/up").mkdir()
    with pytest.raises(ValueError, match=f"name: .*{text}"):
        loaded(pets)


def test_one_folder_for_both_splits(pets):
    shutil.rmtree(pets / "test")
    (pets / "test").symlink_to("train")
    with pytest.raises(ValueError, match="train and .*test are the same on the disk"):
        loaded(pets)


@pytest.mark.parametrize("target", ["nowhere.png", "a loop.png"])
def test_links_to_nothing_are_named(pets, target):
    (pets / "train/cat/a loop.png").symlink_to(target)
    with pytest.raises(ValueError, match=r"cat/a loop.png is no readable image"):
        loaded(pets)


def test_classes_without_folders_or_images(pets):
    (pets / "train/wolf").mkdir()
    with pytest.raises(FileNotFoundError, match=r"there are no images in .*wolf.* end in \.jpg"):
        loaded(pets)
    for split in ("train", "test"):
        shutil.rmtree(pets / split)
        (pets / split).mkdir()
    with pytest.raises(FileNotFoundError, match="there are no folders in .*train; one for every"):
        loaded(pets)


def test_names_that_are_not_utf_8(tmp_path, pets, cache):
    """A zip archive of another system may bring names in Latin-1."""
    latin = os.fsdecode(b"caf\xe9")
    try:
        (pets / "train/cat/a.png").rename(pets / f"train/cat/{latin}.png")
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    for split in ("train", "test"):
        (pets / split / "dog").rename(pets / split / latin)
    place = pets.rename(tmp_path / f"the {latin}")
    for _ in range(2):  # decoded, and from the cache
        data = loaded(place)
        assert data.class_names == ("caf\ufffd", "cat")
        assert len(data.train) == 2
        repr(data).encode()
    assert len(list(cache.rglob("*.safetensors"))) == 1
    (place / f"train/cat/{latin}.png").write_bytes(b"")
    with pytest.raises(ValueError, match="caf\ufffd.png is no readable image") as caught:
        loaded(place)
    str(caught.value).encode()


# -- odd files, each with its end ------------------------------------------------------------


def chunk(kind: bytes, contents: bytes) -> bytes:
    crc = zlib.crc32(kind + contents)
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", crc)


def png(width: int, height: int, bits: int, color: int, *chunks: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def rows(array: np.ndarray) -> bytes:
    """Compress the rows of a PNG file, none of them filtered."""
    return chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in array)))


BYTES = np.arange(30, dtype=np.uint8).reshape(5, 6) * 8
WIDE = (np.arange(30, dtype=np.uint16).reshape(5, 6) * 2259)[::-1]  # up to 65,511
GOOD = png(6, 5, 8, 0, rows(BYTES))


def saved(tmp_path: Path, picture: Image.Image, ending: str, **options) -> bytes:
    path = tmp_path / f"picture.{ending}"
    picture.save(path, **options)
    return path.read_bytes()


def palette(tmp_path: Path) -> bytes:
    picture = Image.fromarray(BYTES).convert("P")
    return saved(tmp_path, picture, "png", transparency=bytes(range(256)))


RIGHT = {
    "8 bits": ("png", lambda _: GOOD, BYTES),
    "16 bits": ("png", lambda _: png(6, 5, 16, 0, rows(WIDE.astype(">u2"))), WIDE / 257),
    "16 bits, TIFF": ("tif", lambda path: saved(path, Image.fromarray(WIDE), "tif"), WIDE / 257),
    "16 bits, text": (
        "pgm",
        lambda _: b"P2 6 5 65535 " + " ".join(map(str, WIDE.ravel())).encode(),
        WIDE / 257,
    ),
    "12 bits, text": (
        "pgm",
        lambda _: b"P2 6 5 4095 " + " ".join(map(str, WIDE.ravel() // 16)).encode(),
        WIDE / 257,
    ),
    "transparent palette": ("png", palette, BYTES),
    "transparent": (
        "png",
        lambda path: saved(path, Image.merge("LA", (Image.fromarray(BYTES), grey(0))), "png"),
        BYTES,
    ),
    "black and white": (
        "png",
        lambda path: saved(path, Image.fromarray(BYTES > 100), "png"),
        255 * (BYTES > 100),
    ),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_odd_files_with_the_right_pixels(pets, tmp_path, kind):
    ending, contents, expected = RIGHT[kind]
    (pets / "test/cat/a.png").unlink()
    (pets / f"test/cat/b.{ending}").write_bytes(contents(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = loaded(pets)
    image = data.test.inputs[data.test.labels == 0][0]
    assert (image[0] == image[1]).all()
    assert np.abs((image[0] * 255).numpy() - expected).max() < 1


def floats(tmp_path: Path) -> bytes:
    return saved(tmp_path, Image.fromarray(BYTES.astype(np.float32) / 255), "tif")


WRONG = {
    "bomb": ("png", lambda _: png(40_000, 40_000, 8, 2, rows(BYTES)), "exceeds limit"),
    "small bomb": ("png", lambda _: png(10_000, 10_000, 8, 2, rows(BYTES)), "exceeds limit"),
    "large text": (
        "png",
        lambda _: png(
            *(6, 5, 8, 0),
            chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(3_000_000))),
            rows(BYTES),
        ),
        "too large",
    ),
    "broken chunk": (
        "png",
        lambda _: GOOD[:33] + struct.pack(">I", 5) + GOOD[37:46] + bytes(4) + GOOD[46:],
        "broken PNG",
    ),
    "no header": ("png", lambda _: b"\x89PNG\r\n\x1a\n", ""),
    "broken token": ("ppm", lambda _: b"P3\n6 5\n255\n1 2 abc", "abc"),
    "cut": ("png", lambda _: GOOD[:50], ""),
    "empty": ("png", lambda _: b"", "cannot identify"),
    "text": ("jpg", lambda _: b"a text", "cannot identify"),
    "floats": ("tif", floats, "32 bits, and nothing says what white is"),
    "32 bits": (
        "tif",
        lambda path: saved(path, Image.fromarray(BYTES.astype(np.int32)), "tif"),
        "32 bits, and nothing says what white is",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_odd_files_that_are_named(pets, tmp_path, cache, kind):
    ending, contents, cause = WRONG[kind]
    (pets / f"train/dog/odd.{ending}").write_bytes(contents(tmp_path))
    text = rf"name: .*train/dog/odd\.{ending} is no readable image: .*{cause}"
    with pytest.raises(ValueError, match=text):
        loaded(pets)
    assert not list(cache.rglob("*.safetensors"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(pets):
    os.mkfifo(pets / "train/dog/odd.png")
    with pytest.raises(ValueError, match=r"odd\.png is no readable image: there is no such file"):
        loaded(pets)
