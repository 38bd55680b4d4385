"""What chapter 1 says of its runs; the names are those of the notebook."""

from comparison import near

assert nh.serra_bound(2, [48]) == nh.zaslavsky_bound(48, 2)

assert exact.n_linear_regions == exact.n_regions
assert 900 < exact.n_regions < 1100
assert 0.9 < seen[4] / exact.n_regions < 0.98
assert seen[-1] < exact.n_regions
assert np.median(smallest) < 4e-4
assert smallest[0] < 4e-7
assert film.loc[0, "regions"] == 108
assert 6 <= film.loc[1, "regions"] / 108 < 7.5
assert film["regions"][1:].max() < 1.5 * film["regions"][1:].min()
boundary_pieces = film["segments of the boundary"]
assert boundary_pieces[0] == 0
assert boundary_pieces[100] > 48
assert film.loc[100, "test accuracy"] > 0.98
assert broken_accuracy < 0.7
assert switches == apart
assert path.n_regions > 14
assert (inner > 0).all()
assert 1.5 < in_plane["untrained"] / in_plane["trained"] < 2.2
means = between.groupby(["layers", "epoch"]).mean()
assert 8 < means.loc[(2, 0), "nearest"] < 12
assert means.loc[(2, 0), "nearest, in one region"] < 0.01
means = means.drop(columns="seed")
assert (means.xs(30, level=1) < means.xs(0, level=1))[kinds].all(axis=None)
assert (means["nearest"] < means["same class"]).all()
assert (means["same class"] < means["different classes"]).all()
assert 0.05 < means.loc[(1, 30), "nearest, in one region"] < 0.15
assert 0.01 < means.loc[(2, 30), "nearest, in one region"] < 0.03
assert means.loc[(3, 30), "nearest, in one region"] < 0.01
assert means.loc[(1, 30), "fullest region"] > 24
assert means.loc[(3, 30), "redundancy"] < 0.02
assert means.loc[(2, 30), "redundancy"] < 0.08
assert means.loc[(1, 30), "redundancy"] > 0.2
assert random_starts["trained"].max() < 1152
growth = random_starts.groupby("hidden units")[["untrained", "trained"]].mean()
growth = (growth["trained"] / growth["untrained"])[["24 + 24", "16 + 16 + 16"]]
by_seed = random_starts.groupby("hidden units")["untrained"].mean()
assert by_seed["16 + 16 + 16"] < by_seed["48"]
assert growth.between(1.5, 3.5).all()
assert n_activation > 2 * n_linear


def explored(widths=(8, 8), epochs=300, n=100, rate=0.01):
    moons = nh.load("moons", train_size=n)
    net = nh.mlp(2, widths, 2, seed=0)
    recipe = nh.Recipe(epochs=epochs, batch_size=n, learning_rate=rate)
    nh.fit(net, moons, recipe, progress=False)
    with torch.no_grad():
        right = net(moons.train.inputs).argmax(dim=1) == moons.train.labels
    n_codes = nh.encode(net, moons.train.inputs).n_distinct
    return nh.partition(net).n_regions, n_codes, right.double().mean()


near(explored()[:2], (89, 28), 0)
assert explored(epochs=0)[0] == 30
near(explored([16])[0], 69, 0)
near(explored([24, 24])[1], 59, 0)
assert explored([2, 2])[1] == 3
near(explored(n=20)[1], 13, 0)
_, n_codes, right = explored(rate=1.0)
assert n_codes <= 3
assert 0.7 < right < 0.85
