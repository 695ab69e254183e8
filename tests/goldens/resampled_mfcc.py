#!/usr/bin/env python3
"""Writes resampled_mfcc.json: librosa's MFCC of resampled recordings, for tests/audio_mfcc.rs.

Made with librosa 0.11.0, soxr 1.1.0 and numpy 2.4.6; run it again with `python3 tests/goldens/resampled_mfcc.py`.
"""
import json
import wave
from pathlib import Path

import librosa
import numpy as np

HERE = Path(__file__).parent
RECORDINGS = HERE.parent / "fixtures" / "audio"


def cepstrum(name):
    with wave.open(str(RECORDINGS / name)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels)[:, 0]
    low = librosa.resample((samples / 32768).astype("f4"), orig_sr=rate, target_sr=8000, res_type="soxr_hq")
    mfcc = librosa.feature.mfcc(y=low, sr=8000, n_mfcc=20, n_fft=256, hop_length=128, n_mels=48, fmin=60, fmax=3900)
    return {"recording": name, "mfcc": [[round(float(value), 4) for value in frame] for frame in mfcc.T]}


goldens = [cepstrum(name) for name in ("stereo16k.wav", "mono24414.wav")]
(HERE / "resampled_mfcc.json").write_text(json.dumps(goldens, separators=(",", ":")).replace("],[", "],\n[") + "\n")
