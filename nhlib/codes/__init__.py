"""Neural codes: how a network's are read, packed, kept in files, and compared."""

from nhlib.codes.activation_watch import ActivationWatch, wanted_layers
from nhlib.codes.activations import hidden_activations
from nhlib.codes.constant_bits import drop_constant_bits
from nhlib.codes.encoding import encode
from nhlib.codes.neighbours import nearest_codes
from nhlib.codes.neural_codes import NeuralCodes, check_codes, check_same_layers

__all__ = [
    "ActivationWatch",
    "NeuralCodes",
    "check_codes",
    "check_same_layers",
    "drop_constant_bits",
    "encode",
    "hidden_activations",
    "nearest_codes",
    "wanted_layers",
]
