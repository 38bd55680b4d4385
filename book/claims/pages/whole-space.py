"""What the appendix on the whole space says of its runs; the names are those of the notebook."""

from comparison import near

per_network = around.groupby(["hidden units", "network", "seed", "inputs"])
neighbours = per_network["neighbours"].mean().unstack("inputs")
assert (neighbours.loc["50"] == 50).all(axis=None)
deep = neighbours.loc["17 + 17 + 16"].groupby("network").mean().mean(axis=1)
near(deep["trained"], 45, 2)
near(deep["untrained"], 34, 2)
assert (
    neighbours.loc["17 + 17 + 16", "trained"] > neighbours.loc["17 + 17 + 16", "untrained"]
).all(axis=None)
# Training and test digits differ by less than networks do.
apart = (neighbours["training"] - neighbours["test"]).loc["17 + 17 + 16"].abs()
assert apart.mean() < neighbours["test"].loc["17 + 17 + 16", "untrained"].std()
balls = around["radius"].xs("trained", level="network").groupby(["hidden units", "inputs"]).median()
balls = balls.unstack("inputs")
assert (balls["noise"] > balls[["training", "test"]].max(axis=1)).all()
digits_only = around.drop("noise", level="inputs")
assert digits_only.groupby(["hidden units", "network", "inputs"])["nearest"].median().max() < 0.03
assert (digits_only["nearest"] < digits_only["radius"]).mean() > 0.95
near(digits_only["radius"].median(), 0.2, 0.03)
nearest_digit = torch.cdist(digits.test.inputs.flatten(1), digits.train.inputs.flatten(1))
near(nearest_digit.amin(dim=1).median(), 1, 0.1)

assert (whole["neighbours"] <= whole["bound 2d"]).all()
assert (whole["most neighbours"] > whole["bound 2d"]).all()
most = whole["regions"].str.split("–").str[-1].astype(int)
one_layer = whole["hidden units"] == "12"
assert (most == whole["at most"])[one_layer].all()
assert (most < whole["at most"] / 2)[~one_layer].all()
near(whole.loc[0, "neighbours"], 2 * 12 * 12 / 79, 1e-9)

found = sides_of.mean()
near(found["hold a training point"] - found["all"], 0.5, 0.07)
near(found["hit by darts"] - found["hold a training point"], 0, 0.12)

small_ones = learnt[learnt["hidden units"] == "8 + 8"]
large_ones = learnt[learnt["hidden units"] == "32 + 32"]
assert (large_ones.query("epoch >= 100")[["islands", "holes in the sea"]] == 4).all(axis=None)
near(learnt.query("epoch == 10")["accuracy"].mean(), 0.7, 0.05)
ended = small_ones.query("epoch == 300")
assert sorted(ended["islands"]) == [3] + [4] * 8
near(ended.set_index("islands").loc[3, "accuracy"], 0.91, 0.01)
none_yet = learnt.query("islands == 0 and epoch > 0").groupby("hidden units")["regions"].mean()
untrained = learnt.query("epoch == 0").groupby("hidden units")["regions"].mean()
assert (none_yet > 1.5 * untrained).all()
near(seen / through.n_regions, 0.8, 0.02)
