"""Where a training stands, in a file: so that it can be killed at any moment, and go on."""

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nhlib._files import check_folder, replacing
from nhlib.data import Dataset
from nhlib.training.history import History, Moment
from nhlib.training.recipe import Recipe

FORMAT = "nhlib training 1"


class Checkpoint:
    """A training's file: weights, optimizer, record, snapshots and random state after an epoch.

    Parameters
    ----------
    path : path
        The file. Its folder has to exist.
    network, data, recipe, snapshots, seed
        What `nhlib.fit` was given: the file has to come from the same training.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the folder does not exist, or is read-only.
    ValueError
        If the file is there, but is cut short, something else, or of another training.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        network: nn.Module,
        data: Dataset,
        recipe: Recipe,
        snapshots: Sequence[Moment],
        seed: int,
    ) -> None:
        self.path = Path(path)
        weights = network.state_dict()
        self.run = {
            "recipe": repr(recipe),
            "seed": seed,
            "data": repr(data),
            "snapshots": list(snapshots),
            # The layers too, for dropout and the like leave no trace in the weights.
            "network": [repr(network), *(f"{k}: {w.dtype} {w.shape}" for k, w in weights.items())],
        }
        check_folder(self.path, "checkpoint")
        self.saved: dict[str, Any] | None = self._read() if self.path.exists() else None

    def _read(self) -> dict[str, Any]:
        with self.path.open("rb") as file:
            try:
                saved = torch.load(file, map_location="cpu", weights_only=True)
            except Exception as error:  # what is no pickle fails in many ways
                raise ValueError(
                    f"checkpoint: {self.path} is cut short or is no file of a training; "
                    "remove it to start anew"
                ) from error
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise ValueError(f"checkpoint: {self.path} is no file of a training by this nhlib")
        for name, mine in self.run.items():
            if saved["run"][name] != mine:
                theirs = saved["run"][name]
                differ = "" if name == "network" else f": {theirs} there, {mine} here"
                raise ValueError(
                    f"checkpoint: {self.path} comes from another training; {name} differs"
                    f"{differ}. Remove the file, or name another one"
                )
        return saved

    def weights(self) -> dict[int, dict[str, Tensor]]:
        """Return what the network is in the file, by how many epochs it was trained; or nothing."""
        if self.saved is None:
            return {}
        return {len(self.saved["history"]["train_loss"]): self.saved["network"]}

    def restore(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, history: History
    ) -> None:
        """Put everything back as it was when the file was written, if there is one."""
        if self.saved is None:
            return
        device = next(network.parameters()).device
        snapshots = {}
        for moment, state in self.saved["snapshots"].items():
            snapshots[moment] = copy.deepcopy(network).eval()
            snapshots[moment].load_state_dict(state)
        history.resume(self.saved["history"], snapshots)
        network.load_state_dict(self.saved["network"])
        optimizer.load_state_dict({**optimizer.state_dict(), "state": self.saved["optimizer"]})
        torch.set_rng_state(self.saved["random"])
        if device.type == "cuda" and "random_cuda" in self.saved:
            torch.cuda.set_rng_state(self.saved["random_cuda"], device)
        self.saved = None  # it may be large

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, history: History) -> None:
        """Write where the training stands."""
        names = ("train_loss", "train_accuracy", "test_accuracy", "stopped_early")
        state: dict[str, Any] = {
            "format": FORMAT,
            "run": self.run,
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict()["state"],  # its settings follow from the recipe
            "history": {name: getattr(history, name) for name in names},
            "snapshots": {m: taken.state_dict() for m, taken in history.snapshots.items()},
            "random": torch.get_rng_state(),
        }
        device = next(network.parameters()).device
        if device.type == "cuda":
            state["random_cuda"] = torch.cuda.get_rng_state(device)
        # Opened here: given a path, PyTorch refuses names such as .name without another dot.
        with replacing(self.path, "checkpoint") as partial, partial.open("wb") as file:
            torch.save(state, file)
