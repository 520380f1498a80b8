"""Golden resampled sounds by librosa and torchaudio, against which tests/resample.rs holds ours.

    python make_resample.py

Writes resample.json beside itself: versions, and cases of
    filter  `Soxr`: librosa.resample's default; `Torchaudio`: torchaudio.transforms.Resample's default
    from, to, samples  the rates, and how many samples of `noise` below go in
    length  of the result
    values  every EVERY-th of its samples
"""

import json
import pathlib

import librosa
import numpy as np
import soxr
import torch
import torchaudio

EVERY = 7
RATES = [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]
PAIRS = [(a, b) for b in (16_000, 22_050) for a in RATES if a != b] + [(22_051, 22_050), (44_101, 22_050)]


def noise(count):
    """As the test makes it."""
    state, samples = 1, np.empty(count, np.float32)
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        samples[i] = (state >> 16) / 65536 - 0.5
    return samples


def case(name, rates, result):
    values = [round(float(v), 7) for v in result[::EVERY]]
    return dict(filter=name, **rates, length=len(result), values=values)


cases = []
for a, b in PAIRS:
    y = noise(1201)
    rates = {"from": a, "to": b, "samples": len(y)}
    cases.append(case("Soxr", rates, librosa.resample(y, orig_sr=a, target_sr=b)))
    if a <= 48_000 and a != 22_051 and a != 44_101:  # Its kernels of large fractions are many megabytes.
        resample = torchaudio.transforms.Resample(a, b)
        cases.append(case("Torchaudio", rates, resample(torch.from_numpy(y)).numpy()))
versions = {m.__name__: m.__version__ for m in (librosa, soxr, torchaudio, np)}
path = pathlib.Path(__file__).with_name("resample.json")
rows = ",\n".join(json.dumps(case) for case in cases)
path.write_text(f'{{"versions": {json.dumps(versions)},\n"every": {EVERY},\n"cases": [\n{rows}\n]}}\n')
