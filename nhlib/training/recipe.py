"""How a network is trained: the settings."""

from dataclasses import dataclass
from typing import Any, Literal

from nhlib._arguments import real_number, true_or_false, whole_number
from nhlib.training.augmentation import Augmentation


@dataclass(frozen=True)
class Recipe:
    """How a network is trained on minibatches to minimize the cross-entropy.

    The defaults are *protocol A*, which comes closest to the published curves on MNIST:
    Adam [1]_ at a constant learning rate, no penalty, no early stopping. `Recipe.code` is
    *protocol B*, the settings of the authors' published code; `Recipe.code_cnn` those for
    their convolutional networks, and `Recipe.modern` trains such networks in few epochs.

    Parameters
    ----------
    epochs : int, default 20
        Passes over the training data, at most.
    batch_size : int, default 64
        Examples in a minibatch; the last one of an epoch may be smaller.
    learning_rate : float, default 1e-3
        Step size in the first epoch; with ``schedule="one cycle"`` the largest one.
    decay : float, default 1
        Factor by which the learning rate is multiplied every `decay_every` epochs.
    decay_every : int, optional
        Epochs between two such multiplications; none by default.
    l2 : float, default 0
        The penalty ``l2 · Σ w²`` is added to the loss, so that its gradient is
        ``2 · l2 · w``. It runs over the weights of all linear and convolutional layers but
        the last that the network lists, and neither over biases nor over batch normalization.
    patience : int, optional
        Stop early once the training loss has not fallen below its lowest value for this
        many epochs. By default all epochs are run.
    epsilon : float, default 1e-7
        Adam's ε, at Keras' default, not at PyTorch's 1e-8. PyTorch adds it to the
        bias-corrected root of the second moment, Keras to the uncorrected one.
    optimizer : {"adam", "sgd"}, default "adam"
        ``"sgd"`` is stochastic gradient descent with Nesterov's momentum of 0.9.
    schedule : {"steps", "one cycle"}, default "steps"
        ``"steps"`` divides as `decay` says. ``"one cycle"`` [2]_ changes the rate in every
        step: straight up from 1/25 of `learning_rate` to all of it in the first three tenths
        of the training, then straight down to 0.
    augmentation : Augmentation, optional
        How images are changed in every epoch; by default they are seen as they are.
    bfloat16 : bool, default False
        Where training runs on CUDA, multiply with 16 bits (bfloat16); weights, normalization
        and loss keep their precision. Codes are never read that way.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number of the right kind or size, or two do not go together.

    Notes
    -----
    Adam's β₁ and β₂ are 0.9 and 0.999. Batch normalization is a property of the network,
    not of the recipe: the authors' code has it, ``mlp(..., batch_norm=True)``, and the
    published curves come closest without it.

    References
    ----------
    .. [1] D. Kingma, J. Ba, "Adam: A method for stochastic optimization", ICLR 2015.
    .. [2] L. Smith, N. Topin, "Super-convergence: Very fast training of neural networks using
       large learning rates", arXiv:1708.07120, 2017.

    Examples
    --------
    >>> Recipe(epochs=5).learning_rate
    0.001
    >>> [round(Recipe.code().learning_rate_in(epoch), 6) for epoch in (1, 20, 21, 41)]
    [0.01, 0.01, 0.001, 0.0001]
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    decay: float = 1.0
    decay_every: int | None = None
    l2: float = 0.0
    patience: int | None = None
    epsilon: float = 1e-7
    optimizer: Literal["adam", "sgd"] = "adam"
    schedule: Literal["steps", "one cycle"] = "steps"
    augmentation: Augmentation | None = None
    bfloat16: bool = False

    def __post_init__(self) -> None:
        whole_number("epochs", self.epochs, 0)
        whole_number("batch_size", self.batch_size, 1)
        for name in ("decay_every", "patience"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), 1)
        for name in ("learning_rate", "decay", "epsilon", "l2"):
            given = getattr(self, name)
            number = real_number(name, given, 0, without=None if name == "l2" else 0)
            if not isinstance(given, (int, float)):  # whose text tells recipes apart
                object.__setattr__(self, name, number)
        if (self.decay == 1) != (self.decay_every is None):
            raise ValueError(
                f"decay={self.decay} and decay_every={self.decay_every}: give both or none; "
                "decay=0.1, decay_every=20 divides the learning rate by 10 every 20 epochs"
            )
        choices = {"optimizer": ("adam", "sgd"), "schedule": ("steps", "one cycle")}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                both = " and ".join(map(repr, known))
                raise ValueError(f"{name}: there are {both}, not {getattr(self, name)!r}")
        if self.schedule == "one cycle" and self.decay_every:
            raise ValueError(
                f"schedule: one cycle has its own learning rates; leave decay={self.decay} and "
                f"decay_every={self.decay_every} out"
            )
        if not isinstance(self.augmentation, (Augmentation, type(None))):
            raise TypeError(
                f"augmentation: an nhlib.Augmentation is needed, or None; not {self.augmentation!r}"
            )
        true_or_false("bfloat16", self.bfloat16)

    @classmethod
    def code(cls, **changes: Any) -> "Recipe":
        """Protocol B, the settings of the authors' published code.

        A learning rate of 1e-2, divided by 10 every 20 epochs; an L2 penalty of 1e-6; at
        most 200 epochs, and a patience of 10 on the training loss. It goes with batch
        normalization: ``mlp(..., batch_norm=True)``.

        Parameters
        ----------
        **changes
            Settings to be different from that.

        Examples
        --------
        >>> Recipe.code(epochs=60, patience=None)
        Recipe(epochs=60, batch_size=64, learning_rate=0.01, decay=0.1, decay_every=20,
               l2=1e-06, patience=None, epsilon=1e-07, optimizer='adam', schedule='steps',
               augmentation=None, bfloat16=False)
        """
        settings = {
            "epochs": 200,
            "learning_rate": 1e-2,
            "decay": 0.1,
            "decay_every": 20,
            "l2": 1e-6,
            "patience": 10,
        }
        return cls(**{**settings, **changes})

    @classmethod
    def code_cnn(cls, **changes: Any) -> "Recipe":
        """Protocol B for convolutional networks, as in the authors' published code.

        A learning rate of 1e-2, divided by 10 every 50 epochs, for 200 epochs; an L2 penalty of
        5e-6; images shifted, mirrored and turned. How far, and the 128 examples of a minibatch,
        are choices of this package.

        Parameters
        ----------
        **changes
            Settings to be different from that.

        Examples
        --------
        >>> Recipe.code_cnn().augmentation
        Augmentation(shift=3, flip=True, rotation=15.0)
        """
        settings = {
            "epochs": 200,
            "batch_size": 128,
            "learning_rate": 1e-2,
            "decay": 0.1,
            "decay_every": 50,
            "l2": 5e-6,
            "augmentation": Augmentation(shift=3, rotation=15.0),
        }
        return cls(**{**settings, **changes})

    @classmethod
    def modern(cls, **changes: Any) -> "Recipe":
        """Train a convolutional network in few epochs: momentum and one cycle.

        Stochastic gradient descent on minibatches of 128, one cycle of 20 epochs up to a
        learning rate of 0.1, an L2 penalty of 2.5e-4; images shifted and mirrored.

        Parameters
        ----------
        **changes
            Settings to be different from that.

        Examples
        --------
        >>> recipe = Recipe.modern(epochs=10)
        >>> [round(recipe.learning_rate_in(epoch), 3) for epoch in (1, 4, 10)]
        [0.004, 0.1, 0.014]
        """
        settings = {
            "batch_size": 128,
            "learning_rate": 0.1,
            "l2": 2.5e-4,
            "optimizer": "sgd",
            "schedule": "one cycle",
            "augmentation": Augmentation(),
            "bfloat16": True,
        }
        return cls(**{**settings, **changes})

    def learning_rate_in(self, epoch: int, done: float = 0.0) -> float:
        """Return the learning rate in an epoch, of which a share is done; the first is epoch 1."""
        whole_number("epoch", epoch, 1, self.epochs if self.schedule == "one cycle" else None)
        if self.schedule == "one cycle":
            share = (epoch - 1 + done) / self.epochs
            rise, start = 0.3, 1 / 25
            up = start + (1 - start) * share / rise
            return self.learning_rate * min(up, (1 - share) / (1 - rise))
        decays = (epoch - 1) // self.decay_every if self.decay_every else 0
        return self.learning_rate * self.decay**decays
