"""Writes librosa.json and librosa.f32: signals and librosa's values for them, stage by stage.

    pip install librosa==0.11.0 && python tests/goldens/librosa_goldens.py

Signals are float32 and so is what pre-emphasis makes of them; everything after that librosa computes in double precision. `librosa.f32` holds little-endian float32 values one after the
other; `librosa.json` says where each array begins and how many values it has. Arrays are frame-major.
"""

import json
from pathlib import Path

import librosa
import numpy as np

SECONDS = 0.25
SETTINGS = {
    "librosa-defaults": dict(sample_rate=22050, pre_emphasis=0.0, n_fft=2048, hop=512, n_mels=128, fmin=0.0, fmax=11025.0, n_mfcc=40, top_db=80.0),
    "16-khz": dict(sample_rate=16000, pre_emphasis=0.0, n_fft=512, hop=256, n_mels=64, fmin=0.0, fmax=8000.0, n_mfcc=20, top_db=None),
    "8-khz-telephone": dict(sample_rate=8000, pre_emphasis=0.0, n_fft=256, hop=128, n_mels=48, fmin=60.0, fmax=3900.0, n_mfcc=40, top_db=60.0),
    "pre-emphasis": dict(sample_rate=16000, pre_emphasis=0.97, n_fft=400, hop=160, n_mels=40, fmin=20.0, fmax=7600.0, n_mfcc=13, top_db=80.0),
}


def signals(rate):
    time = np.arange(round(SECONDS * rate)) / rate
    dice = np.random.default_rng(5)
    phase = 2 * np.pi * np.cumsum(140 * (1 + 0.2 * np.sin(2 * np.pi * 4 * time))) / rate
    voice = sum(np.sin(k * phase) * np.exp(-0.5 * ((k * 140 - centre) / 130) ** 2) for k in range(1, 25) for centre in (500, 1500, 2500))
    return {
        "tones": 0.4 * np.sin(2 * np.pi * 440 * time) + 0.1 * np.sin(2 * np.pi * 1234.5 * time),
        "chirp": 0.5 * np.sin(2 * np.pi * (100 * time + (0.45 * rate - 100) * time**2 / (2 * SECONDS))),
        "noise": 0.1 * dice.standard_normal(len(time)),
        "voice": 0.3 * voice / np.max(np.abs(voice)) + 0.0005 * dice.standard_normal(len(time)),
    }


def stages(signal, s):
    if s["pre_emphasis"]:
        signal = librosa.effects.preemphasis(signal, coef=s["pre_emphasis"], zi=[0.0])  # float32, as its signal is
    signal = signal.astype(np.float64)
    power = np.abs(librosa.stft(signal, n_fft=s["n_fft"], hop_length=s["hop"], window="hann", center=True, pad_mode="constant")) ** 2
    bank = librosa.filters.mel(sr=s["sample_rate"], n_fft=s["n_fft"], n_mels=s["n_mels"], fmin=s["fmin"], fmax=s["fmax"], dtype=np.float64)
    mel = bank @ power
    decibel = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=s["top_db"])
    mfcc = librosa.feature.mfcc(S=decibel, n_mfcc=s["n_mfcc"], dct_type=2, norm="ortho")
    return {"power": power.T, "mel": mel.T, "mfcc": mfcc.T}


def main():
    folder, blob, index, at = Path(__file__).parent, [], [], 0
    for name, setting in SETTINGS.items():
        for kind, signal in signals(setting["sample_rate"]).items():
            signal = signal.astype(np.float32)
            arrays = {}
            for stage, values in {"signal": signal, **stages(signal, setting)}.items():
                if stage == "power":
                    values = values[::8]  # every eighth frame: the spectrum is by far the largest
                values = np.ascontiguousarray(values, "<f4")
                arrays[stage] = [at, values.size]
                blob.append(values.tobytes())
                at += values.size
            index.append({"setting": name, "signal": kind, "features": setting, "arrays": arrays})
    (folder / "librosa.f32").write_bytes(b"".join(blob))
    (folder / "librosa.json").write_text(json.dumps({"librosa": librosa.__version__, "power_every": 8, "cases": index}, indent=1) + "\n")


main()
