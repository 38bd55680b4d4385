"""The stored tables of chapters 7 and 8: complete, consistent, and measured again where cheap."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
import torch

import nhlib as nh

RESULTS = Path(__file__).parents[2] / "book" / "results"
LAYERS, FEW, CHANNELS = (
    pd.read_csv(RESULTS / f"deep_{name}.csv") for name in ("layers", "few_bits", "channels")
)
WORK = {
    name: pd.read_csv(RESULTS / f"work_{name}.csv")
    for name in ("retrieval", "shifts", "copies", "wrong_labels", "steps")
}
NETWORKS = {
    "ResNet-20": ("resnet20-cifar10", nh.resnet20()),
    "small VGG": ("vgg-cifar10", nh.vgg([[32, 32], [64, 64], [128, 128]], hidden=[128])),
}
SHARES = "redundancy|kmeans|knn|logreg|accuracy|^on$|^precision$|auroc|recall|found|flipped"


@pytest.mark.parametrize("script", ["deep_codes", "codes_at_work"])
def test_provenance_says_how_to_repeat_them(script):
    provenance = json.loads((RESULTS / f"{script}.json").read_text())
    assert provenance["command"].startswith(f"python book/results/{script}.py")
    assert (RESULTS / f"{script}.py").is_file()
    for key in ("data", "device", "machine", "python", "torch", "scikit-learn", "date"):
        assert provenance[key]


@pytest.mark.parametrize(
    "table", [LAYERS, FEW, CHANNELS, *WORK.values()], ids=["layers", "few", "channels", *WORK]
)
def test_shares_are_shares(table):
    shares = table.filter(regex=SHARES)
    assert shares.shape[1]
    assert ((shares >= 0) & (shares <= 1) | shares.isna()).all(axis=None)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("state", ["trained", "untrained"])
def test_every_layer_has_a_row(name, state):
    codes = nh.encode(NETWORKS[name][1], torch.zeros(1, 3, 32, 32))
    rows = LAYERS.query("network == @name and state == @state")
    assert rows["layer"].tolist() == ["all", *codes.layers]
    assert rows["bits"].tolist() == [codes.n_bits, *(codes[x].n_bits for x in codes.layers)]
    assert rows["place"].tolist() == list(range(len(rows)))
    # What parts differ in, the whole differs in.
    redundancy = rows.filter(regex="redundancy")
    assert (redundancy.iloc[1:] >= redundancy.iloc[0] - 1e-9).all(axis=None)
    assert (rows["redundancy_train_10000"] <= rows["redundancy_train"] + 1e-9).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_accuracies_of_the_networks_are_those_of_their_logs(name):
    last = nh.training_log(NETWORKS[name][0])["test_accuracy"].iloc[-1]
    row = LAYERS.query("network == @name and state == 'trained' and layer == 'all'")
    assert row["accuracy"].item() == pytest.approx(last, abs=1e-3)


def test_random_bits_are_drawn_three_times():
    keys = ["state", "source", "n_bits"]
    assert set(FEW.groupby(keys)["draw"].agg(tuple)) == {(0, 1, 2)}
    sizes = FEW.groupby(keys[:2])["n_bits"].agg(lambda column: tuple(sorted(set(column))))
    assert len(sizes) == 4
    assert len(set(sizes)) == 1
    # All bits of the last layer: whatever the draw, the same.
    last = NETWORKS["ResNet-20"][1]
    layer = list(nh.encode(last, torch.zeros(1, 3, 32, 32)).layers)[-1]
    every = FEW[(FEW["source"] == layer) & (FEW["n_bits"] == 4096)]
    of_layer = (LAYERS["layer"] == layer) & (LAYERS["state"] == "trained")
    (row,) = LAYERS[of_layer].to_dict("records")
    assert set(every["knn"].round(5)) == {round(row["knn"], 5)}


def test_the_features_are_what_recall_refers_to():
    retrieval = WORK["retrieval"].set_index("way")
    assert retrieval.loc["features", "recall"] == 1
    assert retrieval.loc["code, last layer", "bytes"] == 4096 // 8
    assert retrieval.loc["raw pixels", "bytes"] == 4 * 3 * 32 * 32


def test_every_shift_is_measured_by_every_score():
    shifts = WORK["shifts"]
    assert not shifts.duplicated(["network", "shift", "score"]).any()
    assert len(shifts) == 2 * 6 * 9


def test_longer_steps_flip_more():
    whole = WORK["steps"].groupby(["direction", "length"])["flipped"].mean()
    for direction in ("uphill", "random"):
        assert whole[direction].is_monotonic_increasing
    uphill = WORK["steps"].groupby(["direction", "length"])["accuracy"].first().loc["uphill"]
    assert uphill.is_monotonic_decreasing


@pytest.mark.skipif("NHLIB_DATA" not in os.environ, reason="needs MNIST in NHLIB_DATA")
def test_noise_on_mnist_looks_as_strange_again():
    """Of the tables, what takes seconds: two scores of the CNN."""
    from sklearn.metrics import roc_auc_score

    data, network = nh.load("mnist"), nh.load_trained("cnn-mnist")
    noise = nh.random_inputs(data, 2000, seed=0)
    with torch.no_grad():
        scores = torch.cat([network(x) for x in (data.test.inputs[:2000], noise)])
    truth = [0] * 2000 + [1] * 2000
    found = {
        "max-softmax": -scores.softmax(dim=1).amax(dim=1),
        "energy": -scores.logsumexp(dim=1),
    }
    rows = WORK["shifts"].query("network == 'CNN, MNIST' and shift == 'uniform noise'")
    for score, values in found.items():
        stored = rows.set_index("score").loc[score, "auroc"]
        assert roc_auc_score(truth, values) == pytest.approx(stored, abs=2e-3)
