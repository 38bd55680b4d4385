"""`Layout` against what it promises: every number has one place, and every unit its member."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nhlib.training.stacked_layout import Layout


@st.composite
def populations(draw):
    depth = draw(st.integers(1, 3))
    size = st.integers(1, 5)
    widths = draw(
        st.lists(
            st.lists(size, min_size=depth, max_size=depth).map(lambda hidden: [*hidden, 3]),
            min_size=1,
            max_size=5,
        )
    )
    n_streams = draw(st.integers(1, len(widths)))
    stream_of = draw(st.permutations([k % n_streams for k in range(len(widths))]))
    return draw(size), widths, stream_of, draw(st.booleans())


@given(populations())
@settings(max_examples=60)
def test_every_number_has_a_place_of_its_own(population):
    n_inputs, widths, _, batch_norm = population
    layout = Layout(*population)
    parameters, averages = torch.cat(layout.parameters), torch.cat(layout.averages)
    for places, n in ((parameters, layout.n_parameters), (averages, layout.n_averages)):
        assert len(places.unique()) == len(places) <= n
        assert not len(places) or (places.min() >= 0 and places.max() < n)
    for k, sizes in enumerate(widths):
        before, n_hidden = [n_inputs, *sizes[:-1]], sum(sizes[:-1])
        affine = sum(n * m + n for n, m in zip(sizes, before, strict=True))
        assert len(layout.parameters[k]) == affine + 2 * n_hidden * batch_norm
        assert len(layout.averages[k]) == 2 * n_hidden * batch_norm


@given(populations())
@settings(max_examples=60)
def test_blocks_hold_the_members(population):
    """Numbers written for a member come back in its rows and columns, in its order."""
    n_inputs, widths, stream_of, batch_norm = population
    layout = Layout(*population)
    vector = torch.full((layout.n_parameters,), -1.0)
    for k in range(len(widths)):
        n = len(layout.parameters[k])
        vector[layout.parameters[k]] = 1000 * k + torch.arange(n, dtype=torch.float32)
    blocks = layout.blocks(vector)
    used = [0] * len(widths)
    for k, sizes in enumerate(widths):
        n = 0
        for i, (size, before) in enumerate(zip(sizes, [n_inputs, *sizes[:-1]], strict=True)):
            row, first = (stream_of[k], used[stream_of[k]]) if i == 0 else (k, 0)
            units = slice(first, first + size)
            own = [blocks.weights[i][row, units, :before], blocks.biases[i][row, units]]
            if batch_norm and i < len(sizes) - 1:
                own += [blocks.scales[i][row, units], blocks.shifts[i][row, units]]
            for part in own:
                expected = 1000 * k + n + torch.arange(part.numel(), dtype=torch.float32)
                assert torch.equal(part.flatten(), expected)
                n += part.numel()
        used[stream_of[k]] += sizes[0]
    # What has no member stays apart, such as the last unit of every stream.
    assert (blocks.weights[0][:, -1] == -1).all()
    n_hidden = sum(block.numel() for block in blocks.weights[:-1])
    assert layout.n_hidden == n_hidden
    assert torch.equal(vector[:n_hidden], torch.cat([b.flatten() for b in blocks.weights[:-1]]))


@given(populations())
@settings(max_examples=60)
def test_the_first_layer_goes_from_streams_to_members_and_back(population):
    _, widths, stream_of, _ = population
    layout = Layout(*population)
    biases = layout.blocks(torch.zeros(layout.n_parameters)).biases[0]
    units = torch.arange(1, biases.numel() + 1).view_as(biases)
    units[:, -1] = 0  # it pads
    members = units.flatten()[layout.to_members].view(len(widths), -1)
    used = [0] * len(widths)
    for k, sizes in enumerate(widths):
        stream, first = stream_of[k], used[stream_of[k]]
        assert torch.equal(members[k, : sizes[0]], units[stream, first : first + sizes[0]])
        assert not members[k, sizes[0] :].any()
        used[stream] += sizes[0]
    back = members.flatten()[layout.to_streams].view_as(units)
    for stream in range(max(stream_of) + 1):
        assert torch.equal(back[stream, : used[stream]], units[stream, : used[stream]])
