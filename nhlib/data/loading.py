"""Data sets by name."""

import difflib
import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from nhlib._arguments import whole_number
from nhlib.data import downloads, image_folders
from nhlib.data.class_folders import printable
from nhlib.data.dataset import Dataset, Split
from nhlib.data.embedded import EMBEDDED, SEED
from nhlib.data.image_folders import Labelled


def load(
    name: str, train_size: int | None = None, root: str | os.PathLike[str] | None = None
) -> Dataset:
    """Load a data set.

    The names, and how many training and test examples they have:

    - ``"digits"``: 8×8 images of digits, part of scikit-learn [1]_; 1,437 and 360
    - ``"mnist"``: 28×28 images of digits [2]_; 60,000 and 10,000
    - ``"fashion-mnist"``: 28×28 images of clothes [3]_; 60,000 and 10,000
    - ``"cifar10"``: 32×32 colour photographs [4]_; 50,000 and 10,000
    - ``"svhn"``: 32×32 colour photographs of house numbers [5]_; 73,257 and 26,032
    - ``"moons"``: points near two half circles in the plane; 1,000 and 1,000
    - ``"spirals"``: points on two spiral arms in the plane; 1,000 and 1,000
    - ``"folder:PATH"``: images in PATH/train/CLASS and PATH/test/CLASS

    Digits are split 80/20, stratified by class. The images of a folder, in sorted order,
    are shuffled once. Both use the fixed seed 0, as do the toys' points. All other data
    sets keep their published order and split.

    Parameters
    ----------
    name : str
        One of the names above.
    train_size : int, optional
        Take only the first `train_size` training examples. The paper trains on the first
        48,000 of MNIST and the first 40,000 of CIFAR-10.
    root : path, optional
        Folder in which torchvision keeps, or will put, the data sets that need a download.
        By default the environment variable ``NHLIB_DATA``, else a cache folder of the user.
        A download is checked, and each of its files appears there complete or not at all.

    Returns
    -------
    Dataset
        Images are divided by 255 (digits by 16), so that they lie in [0, 1].

    Raises
    ------
    TypeError
        If `name` is not a text, or `train_size` not a whole number.
    ValueError
        If there is no such data set, `train_size` is not available, a file is damaged, the
        images of a folder differ in size, or a link would have them counted twice.
    FileNotFoundError
        If a data set is not there and cannot be downloaded, or the folder does not have
        the expected subfolders. The message says what to fetch and where to put it.

    Notes
    -----
    The images of a folder are decoded once, into a file of the user's cache folder; they
    are decoded again when the size or the time of a file of the folder has changed. In the
    folder of a class, folders are searched and links followed; names that begin with a dot
    are passed over. Greys of 16 bits are rounded to 8.

    The images are the work of others: whoever shows them names their authors, and keeps to
    their licences, which stand with the references.

    References
    ----------
    .. [1] E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI Machine
       Learning Repository, 1998 (its test set), https://doi.org/10.24432/C50P49. Licence:
       CC BY 4.0, which asks to name the authors.
    .. [2] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to
       document recognition", Proceedings of the IEEE 86, 1998. MNIST is by Y. LeCun and
       C. Cortes, made from data of NIST. Licence: CC BY-SA 3.0.
    .. [3] H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747, 2017. Licence:
       MIT, Zalando SE.
    .. [4] A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009. No
       licence is stated; who uses the images is asked to cite the report.
    .. [5] Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Ng, "Reading digits in
       natural images with unsupervised feature learning", NIPS workshop, 2011. For
       non-commercial use only.

    Examples
    --------
    >>> load("digits", train_size=1000).train
    Split(1,000 examples of shape (1, 8, 8))
    >>> load("moons").train.inputs.shape
    torch.Size([1000, 2])
    """
    if not isinstance(name, str):
        hint = f"; for the images in a folder pass 'folder:{name}'" * isinstance(name, os.PathLike)
        raise TypeError(f"name: a text such as 'digits' is needed, not {name!r:.60}{hint}")
    if name.startswith("folder:"):
        folder = Path(name.removeprefix("folder:"))
        data = _images(printable(name), *image_folders.read(folder, SEED))
    elif name in downloads.NAMES:
        data = _images(name, *downloads.read(name, root))
    elif name in EMBEDDED:
        data = EMBEDDED[name]()
    else:
        raise ValueError(_unknown(name))
    if train_size is None:
        return data
    return replace(
        data, train=data.train[: whole_number("train_size", train_size, 1, len(data.train))]
    )


def can_load(name: str) -> bool:
    """Tell whether `load` knows a data set, without loading it."""
    return name in EMBEDDED or name in downloads.NAMES or name.startswith("folder:")


def _unknown(name: str) -> str:
    names = [*EMBEDDED, *downloads.NAMES]
    text = f"name: no data set {name!r}"
    near = difflib.get_close_matches(name.lower(), names, n=1)
    if near:
        text += f", did you mean {near[0]!r}?"
    elif Path(name).expanduser().is_dir():
        text += f"; for the images in that folder pass 'folder:{name}'."
    return f"{text} There are {', '.join(names)} and folder:PATH"


def _images(name: str, train: Labelled, test: Labelled, classes: list[str]) -> Dataset:
    def split(images: Tensor, labels: Tensor) -> Split:
        return Split(images.to(torch.float32).div_(255), labels)

    return Dataset(name, split(*train), split(*test), len(classes), tuple(classes))
