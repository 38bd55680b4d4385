"""Networks for ImageNet, from torchvision."""

import difflib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import nn


def imagenet_network(name: str, weights: Any = None, **options: Any) -> nn.Module:
    """Build a network for ImageNet with torchvision, trained if its weights can be had.

    Parameters
    ----------
    name : str
        One that ``torchvision.models.list_models()`` lists; the paper took ``"resnet50"``,
        ``"resnext50_32x4d"``, ``"wide_resnet50_2"`` and ``"vgg19"``.
    weights : str or torchvision weights, optional
        ``"DEFAULT"``, ``"IMAGENET1K_V1"``, …; by default none, so that the weights are random
        numbers from the global random state, those of a backbone too. Torchvision downloads them
        once.
    **options
        What the builder of this network takes besides.

    Returns
    -------
    torch.nn.Module
        In training mode; `encode` runs it in eval mode.

    Raises
    ------
    ValueError
        If there is no such network, or no such weights for it.
    FileNotFoundError
        If the weights are not there and cannot be downloaded. The message says what to fetch
        and where to put it.

    Examples
    --------
    >>> network = imagenet_network("resnet18")
    >>> network(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 1000])
    """
    from torchvision import models

    try:
        builder: Callable[..., nn.Module] = models.get_model_builder(name)
    except ValueError:
        near = difflib.get_close_matches(name, models.list_models(), n=1)
        hint = f", did you mean {near[0]!r}?" if near else "."
        raise ValueError(
            f"name: torchvision has no network {name!r}{hint} "
            "torchvision.models.list_models() lists them"
        ) from None
    if weights is None and "weights_backbone" in inspect.signature(builder).parameters:
        options = {"weights_backbone": None, **options}  # torchvision's default is a trained one
    try:
        return builder(weights=weights, **options)
    except KeyError:
        known = ", ".join(models.get_model_weights(name).__members__)
        raise ValueError(
            f"weights: for {name} there are {known} and None; not {weights!r}"
        ) from None
    except (URLError, OSError) as error:
        url = models.get_model_weights(name).verify(weights).url
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise FileNotFoundError(
            f"weights: those of {name} are not on this machine and cannot be downloaded "
            f"({error}). Fetch {url} elsewhere and put it into {folder}, or pass weights=None"
        ) from error
