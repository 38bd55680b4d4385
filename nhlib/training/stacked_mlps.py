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

# Examples that all members see at once where no gradients are needed.
_EVALUATION_BATCH = 1024

# Called after every minibatch with the number of members that it trained.
StepDone = Callable[[int], None]


class State(NamedTuple):
    """All weights of a program, and all running averages of batch norms."""

    weights: Float[Tensor, " n"]
    running: Float[Tensor, " k"]
    steps: int


class Program:
    """Members of one depth, recipe and number of examples, as tensors.

    The first layer holds the units of a *stream*, the members that see the same minibatches, side
    by side: (streams, units, inputs). Later layers hold members padded to one size: (members,
    units, units before). Examples of a minibatch are the last dimension throughout.
    """

    def __init__(self, members: list[Member], recipe: Recipe) -> None:
        self.members, self.recipe = members, recipe
        self._steps = 0
        self._gather_data()
        self._lay_out()
        for k, member in enumerate(members):
            self._weights[self._own[k]] = torch.cat([p.flatten() for p in parameters_of(member)])
            if self._norms:
                self._running[self._own_running[k]] = torch.cat(
                    [buffer.flatten() for buffer in buffers_of(member)]
                )
        # One vector of what the penalty runs over, and one of the rest, on the same memory.
        self._vectors = [
            nn.Parameter(part)
            for part in self._weights.split([self._n_hidden, len(self._weights) - self._n_hidden])
        ]
        self._optimizer = torch.optim.Adam(
            [
                {"params": [vector], "weight_decay": decay}
                for vector, decay in zip(self._vectors, (2 * recipe.l2, 0.0), strict=True)
            ],
            eps=recipe.epsilon,
            fused=True,
        )
        for vector, gradient in zip(
            self._vectors, self._gradient.split([len(v) for v in self._vectors]), strict=True
        ):
            vector.grad = gradient

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

    def _lay_out(self) -> None:
        """Give every member its place in the tensors."""
        members, weight = self.members, self.members[0].layers[0].linear.weight
        self._norms = members[0].layers[0].norm is not None
        widths = [[layer.linear.out_features for layer in member.layers] for member in members]
        largest = [max(sizes) for sizes in zip(*widths, strict=True)]
        first_unit, used = [], [0] * len(self._seeds)
        for k, stream in enumerate(self._stream_of.tolist()):
            first_unit.append(used[stream])
            used[stream] += widths[k][0]
        # A stream has one unit more than its members: its weights are 0, and stay so, and it lends
        # its 0 to all units that pad a member.
        rows = [(len(used), max(used) + 1), *((len(members), size) for size in largest[1:])]
        before = [weight.shape[1], *largest[:-1]]
        matrices = [(*row, n) for row, n in zip(rows, before, strict=True)]
        hidden = rows[:-1] if self._norms else []
        shapes = [*matrices, *rows, *hidden, *hidden]
        sizes = [torch.Size(shape).numel() for shape in shapes]

        def views(flat: Tensor) -> list[list[Tensor]]:
            parts = [p.view(s) for p, s in zip(flat.split(sizes), shapes, strict=True)]
            n, h = len(rows), len(hidden)
            return [parts[:n], parts[n : 2 * n], parts[2 * n : 2 * n + h], parts[2 * n + h :]]

        def running_views(flat: Tensor) -> list[list[Tensor]]:
            each = [torch.Size(row).numel() for row in hidden] * 2
            parts = [p.view(s) for p, s in zip(flat.split(each), hidden * 2, strict=True)]
            return [parts[: len(hidden)], parts[len(hidden) :]]

        self._n_hidden = sum(sizes[: len(rows) - 1])
        self._weights = weight.detach().new_zeros(sum(sizes))
        self._gradient = torch.zeros_like(self._weights)
        self._running = weight.detach().new_zeros(
            2 * sum(torch.Size(row).numel() for row in hidden)
        )
        self._w, self._b, self._scale, self._shift = views(self._weights)
        self._dw, self._db, self._dscale, self._dshift = views(self._gradient)
        self._mean, self._var = running_views(self._running)

        # Where each number of a member is in the vectors, in the order of its parameters.
        places = views(torch.arange(len(self._weights), device=weight.device))
        running = running_views(torch.arange(len(self._running), device=weight.device))
        self._own, self._own_running, taken = [], [], []
        for k, (sizes_of, stream) in enumerate(zip(widths, self._stream_of.tolist(), strict=True)):
            row = [(stream, slice(first_unit[k], first_unit[k] + sizes_of[0]))]
            row += [(k, slice(size)) for size in sizes_of[1:]]
            columns = [slice(None), *(slice(size) for size in sizes_of[:-1])]
            own, own_running = [], []
            for i, at in enumerate(row):
                own += [places[0][i][at][:, columns[i]], places[1][i][at]]
                if self._norms and i < len(row) - 1:
                    own += [places[2][i][at], places[3][i][at]]
                    own_running += [running[0][i][at], running[1][i][at]]
            self._own.append(torch.cat([part.flatten() for part in own]))
            self._own_running += [torch.cat(own_running)] if self._norms else []
            taken.append(
                torch.arange(first_unit[k], first_unit[k] + sizes_of[0]) + stream * rows[0][1]
            )
        # From the units of the streams to those of members, padded, and back. Where a unit has no
        # member its slope does not matter: it is off.
        n_units = rows[0][0] * rows[0][1]
        padded = nn.utils.rnn.pad_sequence(taken, batch_first=True, padding_value=n_units - 1)
        self._to_members = padded.flatten().to(weight.device)
        back = torch.zeros(n_units, dtype=torch.int64)
        back[padded.flatten()] = torch.arange(padded.numel())
        self._to_streams = back.to(weight.device)

    # -- weights in and out ------------------------------------------------------------------

    def state(self) -> State:
        """Return a copy of everything that training changes in the networks."""
        return State(self._weights.clone(), self._running.clone(), self._steps)

    def write(self, k: int, state: State) -> None:
        """Write a state into the k-th network."""
        member = self.members[k]
        with torch.no_grad():
            parameters = parameters_of(member)
            parts = state.weights[self._own[k]].split([p.numel() for p in parameters])
            for parameter, part in zip(parameters, parts, strict=True):
                parameter.copy_(part.view_as(parameter))
            if self._norms:
                buffers = buffers_of(member)
                parts = state.running[self._own_running[k]].split([b.numel() for b in buffers])
                for buffer, part in zip(buffers, parts, strict=True):
                    buffer.copy_(part)
                for layer in member.layers[:-1]:
                    assert layer.norm is not None
                    assert layer.norm.num_batches_tracked is not None
                    layer.norm.num_batches_tracked.fill_(layer.seen + state.steps)

    def of(self, kept: list[int]) -> "Program":
        """Return a program of some members, who go on where they are."""
        state = self.state()
        for k in kept:
            self.write(k, state)
        other = Program([self.members[k] for k in kept], self.recipe)
        other._steps = self._steps
        for name in ("exp_avg", "exp_avg_sq"):
            ours = torch.cat([self._optimizer.state[vector][name] for vector in self._vectors])
            theirs = torch.zeros_like(other._weights)
            for k, here in enumerate(kept):
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
            step_done(len(self.members))
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
        tape: list[_Taped] = []
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
        units = self._by_member(self._w[0].square().sum(dim=2, keepdim=True))
        total = units.sum(dim=(1, 2))
        for weights in self._w[1:-1]:
            total = total + weights.square().sum(dim=(1, 2))
        return total

    def _forward(
        self, inputs: Float[Tensor, "streams b n"], tape: "list[_Taped] | None" = None
    ) -> Float[Tensor, "members classes b"]:
        """Return the outputs; with a tape also what the way back needs, and in train mode."""
        before = inputs.transpose(1, 2)
        for i, (w, b) in enumerate(zip(self._w[:-1], self._b[:-1], strict=True)):
            z = torch.baddbmm(b[..., None], w, before)
            normalized = spread = None
            if self._norms:
                z, normalized, spread = self._normalize(i, z, train=tape is not None)
            h = z.clamp_(min=0)
            if tape is not None:
                tape.append(_Taped(before, h, normalized, spread))
            before = self._by_member(h) if i == 0 else h
        if tape is not None:
            tape.append(_Taped(before, before, None, None))
        return torch.baddbmm(self._b[-1][..., None], self._w[-1], before)

    def _backward(self, slope: Float[Tensor, "members classes b"], tape: "list[_Taped]") -> None:
        """Write the gradient, given the loss' derivative by the outputs."""
        for i in reversed(range(len(self._w))):
            taped = tape[i]
            if i < len(self._w) - 1:
                slope = torch.ops.aten.threshold_backward(slope, taped.after, 0)
                if taped.normalized is not None and taped.spread is not None:
                    slope = self._normalize_back(i, slope, taped.normalized, taped.spread)
            torch.bmm(slope, taped.before.transpose(1, 2), out=self._dw[i])
            torch.sum(slope, dim=2, out=self._db[i])
            if i:
                slope = torch.bmm(self._w[i].transpose(1, 2), slope)
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
        return flat.view(*self._b[0].shape, flat.shape[1])

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
            self._mean[i].lerp_(mean, norm.momentum)
            self._var[i].lerp_(var * (n / (n - 1)), norm.momentum)
        else:
            z.sub_(self._mean[i][..., None])
            var = self._var[i]
        spread = (var + norm.eps).rsqrt_()
        normalized = z.mul_(spread[..., None])
        scaled = (normalized * self._scale[i][..., None]).add_(self._shift[i][..., None])
        return scaled, normalized, spread

    def _normalize_back(
        self,
        i: int,
        slope: Float[Tensor, "k units b"],
        normalized: Float[Tensor, "k units b"],
        spread: Float[Tensor, "k units"],
    ) -> Float[Tensor, "k units b"]:
        n = slope.shape[2]
        torch.sum(slope, dim=2, out=self._dshift[i])
        torch.sum(slope * normalized, dim=2, out=self._dscale[i])
        centred = slope - (self._dshift[i] / n)[..., None]
        centred.addcmul_(normalized, (self._dscale[i] / -n)[..., None])
        return centred.mul_((self._scale[i] * spread)[..., None])

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


class _Taped(NamedTuple):
    """What the way back through a layer needs."""

    before: Tensor
    after: Tensor
    normalized: Tensor | None
    spread: Tensor | None


def _decisions(output: Float[Tensor, "members classes b"]) -> Int64[Tensor, "members b"]:
    # What argmax gives, but argmax is slow along a dimension that is not the last.
    return output.max(dim=1).indices
