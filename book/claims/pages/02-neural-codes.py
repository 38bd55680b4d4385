"""What chapter 2 says of its runs; the names are those of the notebook."""

from comparison import near


def nine_nearest(codes):
    _, near = nh.nearest_codes(codes, codes, 10)
    own = near == np.arange(len(codes))[:, None]
    own[~own.any(axis=1), -1] = True
    near = data.train.labels.numpy()[near[~own].reshape(-1, 9)]
    votes = [(near == c).sum(axis=1) for c in range(10)]
    return (np.argmax(votes, axis=0) == data.train.labels.numpy()).mean()


plain = explorer.codes(protocol="A")
share = plain.bits().mean(axis=0)
near((share == 0).sum(), 8, 0)
near((share == 1).sum(), 1, 0)
near(explorer.codes(protocol="A", epoch=0).n_distinct, 1375, 0)
near(plain.n_distinct, 780, 10)
deep = {"network": "16-16-16", "protocol": "B"}
for layer, n, right in [
    ("relu1", 870, 0.88),
    ("relu2", 540, 0.93),
    ("relu3", 480, 0.97),
]:
    of_layer = explorer.codes(layer=layer, **deep)
    near(of_layer.n_distinct, n, 10)
    near(nine_nearest(of_layer), right, 0.006)
near(explorer.codes(network="6", protocol="B").n_distinct, 58, 0)

near(train_codes.n_distinct, 1435, 5)
near(untrained.n_distinct, 1375, 2)
for column, bits in zip(training.columns[2:], [(9, 15), (13, 26)], strict=True):
    near(training.loc[[0, 30], column], bits, 0.5)

assert path.n_distinct <= flips + 1
