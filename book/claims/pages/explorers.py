"""What the page of explorers says of the tables that it shows."""

from comparison import near

settings = ["train_size", "widths", "protocol", "batch_norm", "l2", "dropout", "label_noise"]
near(len(sweeps.drop_duplicates([*settings, "seed"])), 600, 60)
near(len(sweeps.drop_duplicates([*settings, "seed", "epoch"])), 5000, 500)
