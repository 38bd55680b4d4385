"""MLPs of one depth as one tensor program: forward, backward, and a step of Adam for all."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from nhlib.training.mlp_layers import Member, buffers_of, parameters_of
from nhlib.training.randomness import epoch_order
from nhlib.training.recipe import Recipe
from nhlib.training.stacked_layout import Layout

# Examples that all members see at once where no gradients are needed.
_EVALUATION_BATCH = 1024

# Called after every minibatch with how many of the epoch there were.
StepDone = Callable[[int], None]


class State(NamedTuple):
    """All weights of a program, and all running averages of batch norms."""

    weights: Float[Tensor, " n"]
    running: Float[Tensor, " k"]
    steps: int


class Program:
    """Members of one depth, recipe and number of examples, as tensors.

    `Layout` says where each of them is. Examples of a minibatch are the last dimension throughout.
    """

    def __init__(self, members: list[Member], recipe: Recipe) -> None:
        self.members, self.recipe = members, recipe
        self._steps = 0
        self._gather_data()
        weight = members[0].layers[0].linear.weight.detach()
        widths = [[layer.linear.out_features for layer in member.layers] for member in members]
        self._norms = members[0].layers[0].norm is not None
        layout = Layout(weight.shape[1], widths, self._stream_of.tolist(), self._norms)
        self._weights = weight.new_zeros(layout.n_parameters)
        self._gradient = torch.zeros_like(self._weights)
        self._running = weight.new_zeros(layout.n_averages)
        self._values, self._slopes = layout.blocks(self._weights), layout.blocks(self._gradient)
        self._averages = layout.running(self._running)
        self._own = [places.to(weight.device) for places in layout.parameters]
        self._own_running = [places.to(weight.device) for places in layout.averages]
        self._to_members = layout.to_members.to(weight.device)
        self._to_streams = layout.to_streams.to(weight.device)
        for k, member in enumerate(members):
            self._weights[self._own[k]] = _flat(parameters_of(member), self._weights)
            self._running[self._own_running[k]] = _flat(buffers_of(member), self._running)
        # One vector of what the penalty runs over, and one of the rest, on the same memory.
        sizes = [layout.n_hidden, layout.n_parameters - layout.n_hidden]
        self._vectors = [nn.Parameter(part) for part in self._weights.split(sizes)]
        for vector, gradient in zip(self._vectors, self._gradient.split(sizes), strict=True):
            vector.grad = gradient
        self._optimizer = torch.optim.Adam(
            [
                {"params": [vector], "weight_decay": decay}
                for vector, decay in zip(self._vectors, (2 * recipe.l2, 0.0), strict=True)
            ],
            eps=recipe.epsilon,
            fused=True,
        )

    def _gather_data(self) -> None:
        """Find the data sets, and the streams: a data set, in the order of a seed."""
        weight = self.members[0].layers[0].linear.weight
        keys = [(id(member.data), member.seed) for member in self.members]
        streams = list(dict.fromkeys(keys))
        sets = {id(member.data): member.data for member in self.members}
        self._stream_of = torch.tensor([streams.index(key) for key in keys], device=weight.device)
        self._seeds = [seed for _, seed in streams]
        self._set_of = [list(sets).index(of) for of, _ in streams]
        self._train, self._test = (
            [
                (part.inputs.flatten(1).to(weight), part.labels.to(weight.device))
                for part in (getattr(data, name) for data in sets.values())
            ]
            for name in ("train", "test")
        )

    # -- weights in and out ------------------------------------------------------------------

    def state(self) -> State:
        """Return a copy of everything that training changes in the networks."""
        return State(self._weights.clone(), self._running.clone(), self._steps)

    def write(self, k: int, state: State) -> None:
        """Write a state into the k-th network."""
        member = self.members[k]
        with torch.no_grad():
            for tensors, numbers in (
                (parameters_of(member), state.weights[self._own[k]]),
                (buffers_of(member), state.running[self._own_running[k]]),
            ):
                parts = numbers.split([tensor.numel() for tensor in tensors])
                for tensor, part in zip(tensors, parts, strict=True):
                    tensor.copy_(part.view_as(tensor))
            for layer in member.layers:
                if layer.norm is not None and layer.norm.num_batches_tracked is not None:
                    layer.norm.num_batches_tracked.fill_(layer.seen + state.steps)

    def of(self, going_on: list[int]) -> "Program":
        """Return a program of some members, who go on where they are."""
        state = self.state()
        for k in going_on:
            self.write(k, state)
        other = Program([self.members[k] for k in going_on], self.recipe)
        other._steps = self._steps
        for name in ("exp_avg", "exp_avg_sq"):
            ours = torch.cat([self._optimizer.state[vector][name] for vector in self._vectors])
            theirs = torch.zeros_like(other._weights)
            for k, here in enumerate(going_on):
                theirs[other._own[k]] = ours[self._own[here]]
            for vector, part in zip(
                other._vectors, theirs.split([len(v) for v in other._vectors]), strict=True
            ):
                other._optimizer.state[vector][name] = part.clone()
        for mine, vector in zip(self._vectors, other._vectors, strict=True):
            step = self._optimizer.state[mine]["step"]
            other._optimizer.state[vector]["step"] = step.clone()
        return other

    # -- training ------------------------------------------------------------------------------

    def epoch(self, epoch: int, step_done: StepDone) -> tuple[list[float], list[float], list[bool]]:
        """Train for one epoch; return every member's loss, accuracy, and whether all is finite."""
        for group in self._optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate_in(epoch)
        n = len(self._train[0][0])
        orders = torch.stack([epoch_order(n, seed, epoch) for seed in self._seeds])
        losses, hits, sizes = [], [], []
        for batch in orders.to(self._weights.device).split(self.recipe.batch_size, dim=1):
            inputs, labels = self._minibatch(batch)
            loss, right = self._step(inputs, labels)
            # They stay on the device: to ask for a number would make a GPU wait in every step.
            losses.append(loss)
            hits.append(right)
            sizes.append(batch.shape[1])
            step_done(len(sizes))
        weight = torch.tensor(sizes, dtype=torch.float64) / n
        table = torch.stack(losses).double().cpu()
        finite = table.isfinite().all(dim=0)
        for k, own in enumerate(self._own):
            finite[k] &= bool(self._weights[own].isfinite().all())
        accuracies = torch.stack(hits).sum(dim=0).double().cpu() / n
        return (weight @ table).tolist(), accuracies.tolist(), finite.tolist()

    def _minibatch(
        self, batch: Int64[Tensor, "streams b"]
    ) -> tuple[Float[Tensor, "streams b n"], Int64[Tensor, "members b"]]:
        sets = [self._train[i] for i in self._set_of]
        inputs = torch.stack([x.index_select(0, i) for (x, _), i in zip(sets, batch, strict=True)])
        labels = torch.stack([y.index_select(0, i) for (_, y), i in zip(sets, batch, strict=True)])
        return inputs, labels.index_select(0, self._stream_of)

    @torch.no_grad()
    def _step(
        self, inputs: Float[Tensor, "streams b n"], labels: Int64[Tensor, "members b"]
    ) -> tuple[Float[Tensor, " members"], Int64[Tensor, " members"]]:
        tape: list[_Tape] = []
        output = self._forward(inputs, tape)
        log_probabilities = F.log_softmax(output, dim=1)
        loss = -log_probabilities.gather(1, labels[:, None]).mean(dim=(1, 2))
        if self.recipe.l2:
            loss = loss + self.recipe.l2 * self._squares()
        hits = (_decisions(output) == labels).sum(dim=1)
        slope = log_probabilities.exp_()
        slope.scatter_add_(1, labels[:, None], slope.new_full((), -1).expand_as(labels[:, None]))
        self._backward(slope.div_(labels.shape[1]), tape)
        self._steps += 1
        self._optimizer.step()
        return loss, hits

    def _squares(self) -> Float[Tensor, " members"]:
        """Return every member's sum of the squares of its hidden layers' weights."""
        units = self._by_member(self._values.weights[0].square().sum(dim=2, keepdim=True))
        total = units.sum(dim=(1, 2))
        for weights in self._values.weights[1:-1]:
            total = total + weights.square().sum(dim=(1, 2))
        return total

    def _forward(
        self, inputs: Float[Tensor, "streams b n"], tape: "list[_Tape] | None" = None
    ) -> Float[Tensor, "members classes b"]:
        """Return the outputs; with a tape also what the way back needs, and in train mode."""
        before = inputs.transpose(1, 2)
        *hidden, last = zip(self._values.weights, self._values.biases, strict=True)
        for i, (w, b) in enumerate(hidden):
            z = torch.baddbmm(b[..., None], w, before)
            normalized = spread = None
            if self._norms:
                z, normalized, spread = self._normalize(i, z, train=tape is not None)
            h = z.clamp_(min=0)
            if tape is not None:
                tape.append(_Tape(before, h, normalized, spread))
            before = self._by_member(h) if i == 0 else h
        if tape is not None:
            tape.append(_Tape(before, before, None, None))
        w, b = last
        return torch.baddbmm(b[..., None], w, before)

    def _backward(self, slope: Float[Tensor, "members classes b"], tape: "list[_Tape]") -> None:
        """Write the gradient, given the loss' derivative by the outputs."""
        for i in reversed(range(len(self._values.weights))):
            taped = tape[i]
            if i < len(self._values.weights) - 1:
                slope = torch.ops.aten.threshold_backward(slope, taped.after, 0)
                if taped.normalized is not None and taped.spread is not None:
                    slope = self._normalize_back(i, slope, taped.normalized, taped.spread)
            torch.bmm(slope, taped.before.transpose(1, 2), out=self._slopes.weights[i])
            torch.sum(slope, dim=2, out=self._slopes.biases[i])
            if i:
                slope = torch.bmm(self._values.weights[i].transpose(1, 2), slope)
                if i == 1:
                    slope = self._by_stream(slope)

    def _by_member(
        self, units: Float[Tensor, "streams units b"]
    ) -> Float[Tensor, "members width b"]:
        flat = units.flatten(0, 1).index_select(0, self._to_members)
        return flat.view(len(self.members), -1, flat.shape[1])

    def _by_stream(
        self, units: Float[Tensor, "members width b"]
    ) -> Float[Tensor, "streams units b"]:
        flat = units.flatten(0, 1).index_select(0, self._to_streams)
        return flat.view(*self._values.biases[0].shape, flat.shape[1])

    def _normalize(
        self, i: int, z: Float[Tensor, "k units b"], train: bool
    ) -> tuple[Float[Tensor, "k units b"], Float[Tensor, "k units b"], Float[Tensor, "k units"]]:
        norm = self.members[0].layers[i].norm
        assert norm is not None
        assert norm.momentum is not None
        if train:
            # Two passes: faster here than torch.var_mean, and as exact.
            n = z.shape[2]
            mean = z.mean(dim=2)
            z.sub_(mean[..., None])
            var = z.square().mean(dim=2)
            self._averages.means[i].lerp_(mean, norm.momentum)
            self._averages.variances[i].lerp_(var * (n / (n - 1)), norm.momentum)
        else:
            z.sub_(self._averages.means[i][..., None])
            var = self._averages.variances[i]
        spread = (var + norm.eps).rsqrt_()
        normalized = z.mul_(spread[..., None])
        scaled = (normalized * self._values.scales[i][..., None]).add_(
            self._values.shifts[i][..., None]
        )
        return scaled, normalized, spread

    def _normalize_back(
        self,
        i: int,
        slope: Float[Tensor, "k units b"],
        normalized: Float[Tensor, "k units b"],
        spread: Float[Tensor, "k units"],
    ) -> Float[Tensor, "k units b"]:
        n = slope.shape[2]
        torch.sum(slope, dim=2, out=self._slopes.shifts[i])
        torch.sum(slope * normalized, dim=2, out=self._slopes.scales[i])
        centred = slope - (self._slopes.shifts[i] / n)[..., None]
        centred.addcmul_(normalized, (self._slopes.scales[i] / -n)[..., None])
        return centred.mul_((self._values.scales[i] * spread)[..., None])

    # -- the test set --------------------------------------------------------------------------

    @torch.no_grad()
    def test_accuracies(self) -> list[float]:
        """Return every member's share of test examples that it gets right."""
        n = len(self._test[0][0])
        hits = torch.zeros(len(self.members), device=self._weights.device, dtype=torch.int64)
        for start in range(0, n, _EVALUATION_BATCH):
            block = slice(start, start + _EVALUATION_BATCH)
            inputs = torch.stack([self._test[i][0][block] for i in self._set_of])
            labels = torch.stack([self._test[i][1][block] for i in self._set_of])
            output = self._forward(inputs)
            hits += (_decisions(output) == labels[self._stream_of]).sum(dim=1)
        return (hits.double() / n).tolist()


class _Tape(NamedTuple):
    """What the way back through a layer needs."""

    before: Tensor
    after: Tensor
    normalized: Tensor | None
    spread: Tensor | None


def _flat(tensors: list[Tensor], like: Tensor) -> Float[Tensor, " n"]:
    return torch.cat([like.new_empty(0), *(tensor.flatten() for tensor in tensors)])


def _decisions(output: Float[Tensor, "members classes b"]) -> Int64[Tensor, "members b"]:
    # What argmax gives, but argmax is slow along a dimension that is not the last.
    return output.max(dim=1).indices
