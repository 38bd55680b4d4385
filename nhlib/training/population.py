"""Many MLPs trained as one tensor program, each as `nhlib.fit` would train it alone."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

from nhlib._arguments import is_number, seed_number, torch_device, true_or_false
from nhlib._interrupts import interrupts_held_back
from nhlib._progress import progress_bar
from nhlib._threads import threads_for
from nhlib.data import Dataset, Split
from nhlib.training.endings import Stopped
from nhlib.training.history import History, Moment
from nhlib.training.loop import products_in_a_step
from nhlib.training.mlp_layers import Member, layers_of
from nhlib.training.preconditions import check_stop, check_training, snapshot_moments
from nhlib.training.recipe import Recipe
from nhlib.training.stacked_mlps import Program, State


class Population:
    """MLPs of different widths, depths, seeds, data and recipes, trained together.

    Members that have as many hidden layers, examples and the same recipe run as one tensor
    program. Those that also share data and seed see the same minibatches, so that their first
    layers are one matrix product; elsewhere products are batched.

    Parameters
    ----------
    networks : sequence of torch.nn.Module
        One for every member: MLPs as `nhlib.mlp` builds them, with or without batch norm. They
        are trained in place.
    data : Dataset, or a sequence of them
        What each member learns; one for all, or one a member.
    recipes : Recipe, or a sequence of them, optional
        Likewise; by default protocol A.
    seeds : int, or a sequence of them, default 0
        Likewise: the order of the examples, as `nhlib.fit` takes it.
    snapshots : iterable of int or of (int, int), optional
        Epochs, or epochs and minibatches after them, at which every member is kept, for
        ``histories[i].network(epoch)``; every recipe has to reach them.
    device : str or torch.device, optional
        Where to train; the networks are moved there. By default where they are.

    Attributes
    ----------
    histories : list of History
        What happened to each member until now.
    failed : dict of int to str
        Members whose loss or weights were not finite at the end of an epoch, and what happened;
        they stop there with the weights of the last complete epoch, and leave the others alone.

    Raises
    ------
    TypeError, ValueError
        If a network is no such MLP, or `nhlib.fit` would refuse an argument; nothing is trained.

    Notes
    -----
    Forward and backward passes are written out, since automatic differentiation of small
    operations costs more than they do. Units of narrower networks are padded with units whose
    weights are zero and stay zero. Adam is PyTorch's, on one vector of all weights. At the default
    ε, members agree with `nhlib.fit` to 1e-9 in float64; in float32 rounding differs, and grows
    with training. Most of all it moves biases before a batch norm, which subtracts them again:
    their gradient is 0 but for rounding, and Adam divides it by its own size plus ε.

    Examples
    --------
    >>> import nhlib as nh
    >>> data = nh.load("digits")
    >>> networks = [nh.mlp(data.n_inputs, [width], data.n_classes) for width in (10, 30, 50)]
    >>> population = nh.Population(networks, data, nh.Recipe(epochs=3), snapshots=(0, 3))
    >>> population.fit()
    >>> [round(history.test_accuracy[-1], 1) for history in population.histories]
    [0.2, 0.6, 0.7]
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        data: Dataset | Sequence[Dataset],
        recipes: Recipe | Sequence[Recipe] = Recipe(),  # noqa: B008 (it cannot be changed)
        seeds: int | Sequence[int] = 0,
        *,
        snapshots: Iterable[Moment] = (),
        device: str | torch.device | None = None,
    ) -> None:
        if isinstance(networks, nn.Module):
            raise TypeError("networks: a list of them is needed, even if there is only one")
        networks = list(networks)
        if not networks:
            raise ValueError("networks: at least one is needed")
        n = len(networks)
        self.histories: list[History] = []
        self.failed: dict[int, str] = {}
        self._wanted = snapshot_moments(snapshots)
        of_each = _for_each("data", data, Dataset, n)
        recipe_of = _for_each("recipes", recipes, Recipe, n)
        seed_of = _for_each("seeds", seeds, int, n)
        for recipe in recipe_of:
            if recipe.optimizer != "adam" or recipe.schedule != "steps" or recipe.augmentation:
                raise ValueError(
                    "recipes: a population trains with Adam, learning rates in steps and no "
                    f"augmentation, not with {recipe}; use nhlib.fit"
                )
        members = []
        for i, (network, of, seed) in enumerate(zip(networks, of_each, seed_of, strict=True)):
            try:
                check_training(network, of, recipe_of[i], self._wanted)
                member = Member(i, network, layers_of(network, i), of, seed_number(seed))
            except (TypeError, ValueError) as error:
                error.add_note(f"That is networks[{i}].")
                raise
            members.append(member)
            self.histories.append(History(recipe_of[i]))
        device = None if device is None else torch_device("device", device)
        weights = [id(weight) for network in networks for weight in network.parameters()]
        if len(set(weights)) < len(weights):
            raise ValueError(
                "networks: one of them is there twice, or two share weights; every member needs "
                "its own"
            )
        groups: dict[Any, list[Member]] = {}
        for member, recipe in zip(members, recipe_of, strict=True):
            layers, of = member.layers, member.data
            weight = next(member.network.to(device).parameters())
            norms = [(layer.norm.eps, layer.norm.momentum) for layer in layers if layer.norm]
            kind = (recipe, len(layers), *norms, len(of.train), len(of.test), of.n_inputs)
            kind += (layers[-1].linear.out_features, weight.dtype, weight.device)
            groups.setdefault(kind, []).append(member)
        self._groups = {key: (key[0], members) for key, members in groups.items()}
        self._networks = networks

    def __len__(self) -> int:
        return len(self._networks)

    def __repr__(self) -> str:
        done = sum(history.epochs for history in self.histories)
        return f"Population({len(self)} networks, {done:,} epochs trained)"

    def fit(self, progress: bool = True, stop: Callable[[], bool] | None = None) -> None:
        """Train all members.

        However it ends, every network is as it was after the last epoch in its history.

        Parameters
        ----------
        progress : bool, default True
            Show a progress bar when it takes longer than two seconds.
        stop : callable, optional
            Asked without arguments after every minibatch; when it returns True, the training of
            all members ends with `Stopped`.

        Raises
        ------
        Stopped
            When `stop` returned True.
        RuntimeError
            If the population was trained already.
        """
        check_stop(stop)
        true_or_false("progress", progress)
        if any(history.epochs for history in self.histories):
            raise RuntimeError("this population was trained already; make another one")
        steps = sum(
            recipe.epochs * -(-len(members[0].data.train) // recipe.batch_size) * len(members)
            for recipe, members in self._groups.values()
        )
        for network in self._networks:
            network.eval()
            network.zero_grad()
        with progress_bar("population", steps, "steps", progress) as bar:

            def members_done(n_members: int) -> None:
                bar.update(n_members)
                if stop is not None and stop():
                    raise Stopped("the training of a population was stopped", self.histories)

            for recipe, members in self._groups.values():
                self._fit(recipe, members, members_done)

    def _fit(
        self, recipe: Recipe, members: list[Member], members_done: Callable[[int], None]
    ) -> None:
        n_products = sum(products_in_a_step(member.network, recipe) for member in members)
        with (
            interrupts_held_back() as interrupts,
            threads_for(n_products),
            torch.enable_grad(),  # whatever is switched off inside
            interrupts.let_through(),
        ):
            if 0 in self._wanted:
                for member in members:
                    self.histories[member.number].take_snapshot(0, member.network)
            program: Program | None = Program(members, recipe)
            while program is not None:
                program = self._train(program, members_done)

    def _train(self, program: Program, members_done: Callable[[int], None]) -> Program | None:
        """Train until some members end; return a program of the others, or None."""
        recipe = program.recipe
        histories = [self.histories[member.number] for member in program.members]
        epoch = histories[0].epochs
        # By the epoch after which they are, so that no interrupt comes between weights and history.
        complete = {epoch: program.state()}
        going_on = list(range(len(histories)))
        within: dict[Moment, State] = {}  # the epoch that runs

        def step_done(step: int) -> None:
            if (epoch - 1, step) in self._wanted:
                within[epoch - 1, step] = program.state()
            members_done(len(program.members))

        def write_back() -> None:
            for k, history in enumerate(histories):
                program.write(k, complete[history.epochs])

        try:
            while epoch < recipe.epochs and len(going_on) == len(histories):
                epoch += 1
                losses, hits, finite = program.epoch(epoch, step_done)
                accuracies = program.test_accuracies()
                complete = {epoch - 1: complete[epoch - 1], epoch: program.state()}
                for k, member in enumerate(program.members):
                    if not finite[k]:
                        self.failed[member.number] = (
                            f"not finite in epoch {epoch}, at a learning rate of "
                            f"{recipe.learning_rate_in(epoch):g}"
                        )
                        continue
                    for moment, state in within.items():
                        program.write(k, state)
                        histories[k].take_snapshot(moment, member.network)
                    snapshot_of = None
                    if epoch in self._wanted:
                        program.write(k, complete[epoch])
                        snapshot_of = member.network
                    histories[k].record(losses[k], hits[k], accuracies[k], snapshot_of)
                within.clear()
                going_on = [
                    k
                    for k, history in enumerate(histories)
                    if history.epochs == epoch and not history.stopped_early
                ]
            write_back()
            return program.of(going_on) if going_on and epoch < recipe.epochs else None
        except BaseException:
            write_back()
            raise


def _for_each(name: str, given: Any, kind: type, n: int) -> list[Any]:
    if is_number(given) if kind is int else isinstance(given, kind):
        return [given] * n
    if isinstance(given, (str, Split)) or not isinstance(given, Iterable):
        raise TypeError(f"{name}: one {kind.__name__}, or one for each network, not {given!r}")
    each = list(given)
    if len(each) != n:
        raise ValueError(f"{name}: one for each of the {n} networks is needed, not {len(each)}")
    return each
