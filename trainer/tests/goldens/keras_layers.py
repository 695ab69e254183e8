"""Writes keras_layers.json: small layers of Keras 3 with their weights, an input and what they answer.

    python3 keras_layers.py        # needs keras 3 and any of its backends; made with keras 3 on TensorFlow

Each case names a layer as the trainer's architecture spells it, and lists the weights in the order of Keras'
`get_weights()`, row-major.
"""
import json
from pathlib import Path

import keras
import numpy as np
from keras import layers, regularizers

random = np.random.default_rng(20240711)
cases = []


def numbers(*shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


def plain(array):
    return {"shape": list(array.shape), "values": [float(f"{value:.8g}") for value in np.asarray(array).ravel()]}


def case(name, spec, layer, shape, training=False, draw_weights=True):
    x = numbers(*shape)
    layer.build((None, *shape[1:]))
    if draw_weights:
        layer.set_weights([np.abs(numbers(*w.shape, scale=0.5)) + 0.1 if "variance" in v.name else numbers(*w.shape, scale=0.5)
                           for w, v in zip(layer.get_weights(), layer.weights)])
    weights = [plain(w) for w in layer.get_weights()]
    y = np.asarray(layer(x, training=True) if training else layer(x))
    entry = {"name": name, "layer": spec, "training": training, "weights": weights, "input": plain(x), "output": plain(y)}
    if training:
        entry["weights_after"] = [plain(w) for w in layer.get_weights()]
    if layer.losses:
        entry["penalty"] = float(sum(layer.losses))
    cases.append(entry)


def lstm(units, sequences):
    return {"layer": "lstm", "units": units, "sequences": sequences, "both_directions": False, "dropout": 0.0, "recurrent_dropout": 0.0}


case("convolution 3 wide", {"layer": "conv", "filters": 4, "width": 3, "relu": True},
     layers.Conv1D(4, 3, padding="same", activation="relu"), (2, 7, 5))
case("convolution 4 wide", {"layer": "conv", "filters": 3, "width": 4, "relu": False},
     layers.Conv1D(3, 4, padding="same"), (2, 6, 2))
case("maximum of an odd length", {"layer": "max_pool", "size": 2}, layers.MaxPooling1D(2, padding="same"), (2, 7, 3))
case("batch normalization at rest", {"layer": "batch_norm"}, layers.BatchNormalization(), (2, 5, 4))
case("batch normalization in training", {"layer": "batch_norm"}, layers.BatchNormalization(), (3, 5, 4), training=True)
case("memory, every state", lstm(4, True), layers.LSTM(4, return_sequences=True), (3, 6, 5))
case("memory, last state", lstm(3, False), layers.LSTM(3), (2, 8, 4))
case("memory in both directions", {**lstm(3, True), "both_directions": True},
     layers.Bidirectional(layers.LSTM(3, return_sequences=True)), (2, 5, 4))
case("dense, cut at zero", {"layer": "dense", "units": 6, "relu": True, "l1": 5e-3, "l2": 1e-3},
     layers.Dense(6, activation="relu", kernel_regularizer=regularizers.L1L2(5e-3, 1e-3)), (2, 1, 8))
case("dense", {"layer": "dense", "units": 3, "relu": False, "l1": 0.0, "l2": 0.0}, layers.Dense(3), (2, 1, 8))


def parameters(name, *stack):
    model = keras.Sequential([layers.Input((100, 40)), *stack, layers.Dense(7, activation="softmax")])
    return {"name": name, "parameters": model.count_params()}


def block():
    return layers.Conv1D(32, 3, padding="same", activation="relu"), layers.MaxPooling1D(2, padding="same"), layers.BatchNormalization()


networks = [
    parameters("cnn", *block(), *block(), layers.Flatten(), layers.Dropout(0.3), layers.Dense(128), layers.Dense(64)),
    parameters("lstm", layers.LSTM(64, return_sequences=True), layers.LSTM(32), layers.Dense(20)),
    parameters("cnn-lstm", *block(), layers.LSTM(64), layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(64)),
]
made_with = f"keras {keras.__version__} on {keras.backend.backend()}, numpy {np.__version__}"
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"made_with": made_with, "cases": cases, "networks": networks}, separators=(",", ":")) + "\n")
print(path, made_with, len(cases), "cases")
