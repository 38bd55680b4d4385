"""What the first minibatches do to codes: MNIST, protocol A with minibatches of 128."""

from collections.abc import Iterator

import pandas as pd

from ledger import Trial, claim
from runs import stored

SCOPE = (
    "MNIST, all 60,000 training images, Adam at 0.001 on minibatches of 128, widths 40, 50 and 60, "
    "seeds 3 to 10; the page shows seeds 0 to 2"
)


def courses() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of every network that the page does not show, by minibatch."""
    table = stored("mnist_first_epoch").query("seed >= 3")
    table = table.assign(minibatch=469 * table["epoch"] + table["step"])
    for (width, seed), rows in table.groupby(["widths", "seed"]):
        yield f"width {width}, seed {seed}", rows.set_index("minibatch").sort_index()


@claim(SCOPE, reads=("mnist_first_epoch",), cheap=True)
def redundancy_peaks_inside_the_first_epoch() -> Iterator[Trial]:
    """a network; by how much the largest ratio of the test images within the first epoch, after 50
    to 200 minibatches, exceeds both the ratio before training and that at the end of the epoch."""
    for trial, rows in courses():
        ratio = rows["redundancy_test"]
        yield trial, ratio.loc[50:200].max() - max(ratio.loc[0], ratio.loc[469])


@claim(SCOPE, reads=("mnist_first_epoch",), cheap=True)
def neighbours_vote_worse_while_codes_merge() -> Iterator[Trial]:
    """a network; by how much K-NN on codes is lower at its lowest, after 25 to 150 minibatches,
    than before training."""
    for trial, rows in courses():
        yield trial, rows["knn"].loc[0] - rows["knn"].loc[25:150].min()


@claim(SCOPE, reads=("mnist_first_epoch",), cheap=True)
def neighbours_vote_better_while_codes_separate() -> Iterator[Trial]:
    """a network; by how much K-NN on codes is higher at the end of the first epoch than at the peak
    of the ratio, less how much the ratio failed to fall meanwhile."""
    for trial, rows in courses():
        peak = rows["redundancy_test"].loc[25:300].idxmax()
        rise = rows["knn"].loc[469] - rows["knn"].loc[peak]
        fall = rows["redundancy_test"].loc[peak] - rows["redundancy_test"].loc[469]
        yield trial, min(rise, fall)


@claim(
    SCOPE,
    reads=("mnist_first_epoch",),
    cheap=True,
    believed="In the first epoch training merges images into fewer codes, and the fewer codes know "
    "the class better.",
)
def fewer_codes_know_the_class_better() -> Iterator[Trial]:
    """a network; by how much K-NN on codes is higher at the peak of the ratio, where codes are
    fewest, than before training."""
    for trial, rows in courses():
        peak = rows["redundancy_test"].loc[0:469].idxmax()
        yield trial, rows["knn"].loc[peak] - rows["knn"].loc[0]
