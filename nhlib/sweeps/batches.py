"""Pieces of a sweep: networks that are trained together."""

from collections.abc import Iterator

from nhlib.sweeps.grid import Configuration, Grid


def together(
    missing: dict[Configuration, list[int]], grid: Grid, most: int
) -> Iterator[dict[Configuration, list[int]]]:
    """Cut what is to do into pieces: what shares minibatches together, and not too much."""
    order = sorted(
        missing,
        key=lambda c: (
            c.data,
            c.train_size,
            c.label_noise,
            c.protocol,
            c.seed,
            c.dropout,
            c.batch_norm,
            c.l2,
            # Those that end together: nothing is trained on for the sake of another.
            max(missing[c]),
            c.widths,
        ),
    )
    batch: dict[Configuration, list[int]] = {}
    shown = 0
    for configuration in order:
        here = examples_shown(configuration, missing[configuration], grid)
        new_data = any(configuration.data != c.data for c in batch)
        if batch and (shown + here > most or new_data):
            yield batch
            batch, shown = {}, 0
        batch[configuration] = missing[configuration]
        shown += here
    if batch:
        yield batch


def examples_shown(configuration: Configuration, late: list[int], grid: Grid) -> int:
    """Count the examples that a training shows."""
    return max(late) * len(grid.data[configuration.data].train)
