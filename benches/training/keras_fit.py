"""Trains the paper's CNN+LSTM in Keras 3 on TensorFlow, and prints the seconds that `fit` took.

    python3 keras_fit.py EXAMPLES VALIDATION [EPOCHS]     # needs keras 3 and tensorflow-cpu

The numbers it learns are noise of the right shape, (100 frames, 40 coefficients): the time does not depend on them.
Everything else is what `emotone-train fit --arch cnn-lstm --recipe paper` does: Adam, batches of 32, one-hot labels,
ReduceLROnPlateau, and the best epoch kept on disk. The first epoch, which compiles the graph, is given apart too.
"""
import os
import sys
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers, regularizers

examples, validation = int(sys.argv[1]), int(sys.argv[2])
epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 30

random = np.random.default_rng(1)


def part(count):
    x = random.standard_normal((count, 100, 40)).astype(np.float32)
    return x, keras.utils.to_categorical(random.integers(0, 7, count), 7)


keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((100, 40)),
    layers.Conv1D(32, 3, padding="same", activation="relu"),
    layers.MaxPooling1D(2, padding="same"),
    layers.BatchNormalization(),
    layers.LSTM(64, dropout=0.1, recurrent_dropout=0.2),
    layers.BatchNormalization(),
    layers.Dropout(0.3),
    layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L1L2(5e-3, 1e-3)),
    layers.Dense(7, activation="softmax"),
])
model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds.append(time.perf_counter() - self.start)


seconds = []
with tempfile.TemporaryDirectory() as folder:
    kept = keras.callbacks.ModelCheckpoint(f"{folder}/best.keras", monitor="val_accuracy", save_best_only=True)
    plateau = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=3, min_lr=1e-5)
    x, y = part(examples)
    start = time.perf_counter()
    model.fit(x, y, batch_size=32, epochs=epochs, validation_data=part(validation), verbose=0,
              callbacks=[Clock(), kept, plateau])
    whole = time.perf_counter() - start
print(f"{whole:.2f} {seconds[0]:.2f} {sorted(seconds)[len(seconds) // 2]:.3f}")
