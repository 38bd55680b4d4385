"""Trained networks that come with the package, each with the record of its training."""

import difflib
import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from nhlib._files import replacing
from nhlib.networks import resnet20, vgg
from nhlib.training.history import History

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "nhlib network 1"
_FOLDER = Path(__file__).parents[1] / "weights"
_BUILDERS: dict[str, Callable[..., nn.Module]] = {"resnet20": resnet20, "vgg": vgg}


def load_trained(name: str | os.PathLike[str]) -> nn.Module:
    """Return a trained network that comes with the package.

    - ``"resnet20-cifar10"``: `resnet20`, trained on the first 40,000 images of CIFAR-10 (JPEG)
    - ``"vgg-cifar10"``: `vgg` of six convolutions, trained on the same
    - ``"cnn-mnist"``: `vgg` of four convolutions, trained on the first 48,000 images of MNIST

    CIFAR-10 (JPEG) is CIFAR-10 as a public source has compressed it: its pixels differ slightly
    from the original's, and its images come in another order.

    Parameters
    ----------
    name : str or path
        One of the names above, or a file that `save_trained` wrote.

    Returns
    -------
    torch.nn.Module
        On the CPU, in float32, in eval mode.

    Raises
    ------
    TypeError
        If `name` is neither a text nor a path.
    ValueError
        If there is no network of this name, or the file is cut short or something else.

    See Also
    --------
    training_log : how it was trained.

    Examples
    --------
    >>> import torch
    >>> network = load_trained("cnn-mnist")
    >>> network(torch.zeros(1, 1, 28, 28)).shape
    torch.Size([1, 10])
    """
    with _open_file(name) as file:
        about = file.metadata()
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    network = _BUILDERS[about["builder"]](**json.loads(about["arguments"]))
    network.load_state_dict(weights)
    return network.eval()


def training_log(name: str | os.PathLike[str]) -> "pd.DataFrame":
    """Return the record of the training of a network that comes with the package.

    Parameters
    ----------
    name : str or path
        As for `load_trained`.

    Returns
    -------
    DataFrame
        A row for every epoch, as `History.table` has it; ``attrs`` tells the data, recipe,
        seed, versions and machine.

    Raises
    ------
    TypeError, ValueError
        As `load_trained` does.

    Examples
    --------
    >>> log = training_log("cnn-mnist")
    >>> log.attrs["data"]
    'MNIST, 48,000 for training'
    """
    import pandas as pd

    with _open_file(name) as file:
        about = file.metadata()
    table = pd.read_csv(io.StringIO(about["log"]))
    table.attrs = json.loads(about["about"])
    return table


def save_trained(
    path: str | os.PathLike[str],
    network: nn.Module,
    builder: str,
    arguments: Mapping[str, Any],
    history: History,
    about: Mapping[str, Any],
) -> None:
    """Write a trained network and its record to a file that `load_trained` reads.

    The file (safetensors: no pickle) appears complete or not at all.

    Parameters
    ----------
    path : path
        Where to; the folder has to exist.
    network : torch.nn.Module
        What ``builder(**arguments)`` made, trained.
    builder : {"resnet20", "vgg"}
        Which function of nhlib built it.
    arguments : mapping
        Its arguments, as JSON can hold them.
    history : History
        The record that `nhlib.fit` returned.
    about : mapping of str
        What else there is to know: data, seed, versions, machine.

    Raises
    ------
    ValueError
        If the builder is unknown, or builds another network than this.
    FileNotFoundError
        If the folder does not exist.
    """
    if builder not in _BUILDERS:
        raise ValueError(f"builder: there are {', '.join(_BUILDERS)}, not {builder!r}")
    try:
        built = _BUILDERS[builder](**arguments)
        built.load_state_dict(network.state_dict())
        other = str(built) != str(network)  # what has no weights: activations, pools
    except RuntimeError:
        other = True
    if other:
        raise ValueError(f"network: {builder} with arguments {dict(arguments)} builds another one")
    metadata = {
        "format": FORMAT,
        "builder": builder,
        "arguments": json.dumps(dict(arguments)),
        "about": json.dumps({**about, "recipe": repr(history.recipe)}),
        "log": history.table().to_csv(index=False, float_format="%.5g"),
    }
    weights = {name: w.detach().cpu().contiguous() for name, w in network.state_dict().items()}
    with replacing(Path(path)) as partial:
        save_file(weights, partial, metadata)


def _open_file(name: Any) -> Any:
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"name: a text or a path is needed, not {name!r:.60}")
    path = _FOLDER / f"{os.fspath(name)}.safetensors"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        known = sorted(file.stem for file in _FOLDER.glob("*.safetensors"))
        near = difflib.get_close_matches(os.fspath(name), known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else "."
        raise ValueError(
            f"name: no trained network {os.fspath(name)!r}{hint} There are {', '.join(known)}"
        )
    try:
        file = safe_open(path, framework="pt")
    except SafetensorError as error:
        raise ValueError(
            f"name: {path} is cut short or is no file of a network ({error})"
        ) from None
    if (file.metadata() or {}).get("format") != FORMAT:
        raise ValueError(f"name: {path} is a safetensors file, but holds no network of nhlib")
    return file
