"""Golden onsets, beats, pitches and separated sounds by librosa, against which tests/rhythm.rs holds ours.

    python make_rhythm.py

writes rhythm.json beside itself: versions, and cases of
    sound   an MP3 of ../data/esc10, or `drums BEAT`, which `drums` below makes, sample for sample as the test does
    what    the function and its options, as the test understands them
    every   which of the results are kept: every n-th
    shape   of the whole result
    values  of those kept, row by row
"""

import json
import pathlib
import platform

import librosa
import numpy as np
import scipy

HERE = pathlib.Path(__file__).parent
RATE = 22050


def drums(beat, seconds=10):
    """Noise that dies away, every `beat` samples, every second time softly; a saw-tooth of 220.5 Hz below it."""
    state, noise = 1, np.empty(RATE * seconds, np.float32)
    for i in range(len(noise)):
        state = (state * 1664525 + 1013904223) % 2**32
        noise[i] = (state >> 16) / 32768 - 1
    i = np.arange(len(noise))
    decay = np.maximum(np.float32(1) - (i % beat).astype(np.float32) / np.float32(2000), np.float32(0))
    loud = np.where(i // beat % 2 == 0, np.float32(0.5), np.float32(0.25))
    saw = ((i % 100).astype(np.float32) / np.float32(50) - np.float32(1)) * np.float32(0.125)
    return noise * decay * loud + saw


def sound(name):
    if name.startswith("drums "):
        return drums(int(name.split()[1]))
    return librosa.load(HERE.parent / "data" / "esc10" / name, sr=None)[0]


def onset(y, aggregate, hop=512):
    return librosa.onset.onset_strength(y=y, sr=RATE, hop_length=hop, aggregate=aggregate)


WHAT = {
    "harmonic": lambda y: librosa.effects.hpss(y)[0],
    "percussive": lambda y: librosa.effects.hpss(y)[1],
    "harmonic 512 128": lambda y: librosa.effects.hpss(y, n_fft=512, hop_length=128)[0],
    "onset mean": lambda y: onset(y, np.mean),
    "onset median": lambda y: onset(y, np.median),
    "onset median 256": lambda y: onset(y, np.median, 256),
    "tempo": lambda y: librosa.feature.tempo(onset_envelope=onset(y, np.median), sr=RATE),
    "beats": lambda y: librosa.beat.beat_track(y=y, sr=RATE)[1],
}

DOG, ROOSTER = "dog_bark-1-59513-A.mp3", "rooster-1-27724-A.mp3"

# what: sounds, every
CASES = {
    "harmonic": ([DOG, ROOSTER, "drums 14700"], 101),
    "percussive": ([DOG, "drums 14700"], 101),
    "harmonic 512 128": ([ROOSTER], 101),
    "onset mean": ([DOG, ROOSTER, "drums 10336"], 1),
    "onset median": ([DOG, ROOSTER], 1),
    "onset median 256": ([ROOSTER], 1),
    "tempo": ([DOG, ROOSTER, "drums 14700", "drums 10336", "drums 8820"], 1),
    "beats": ([DOG, ROOSTER, "drums 14700", "drums 10336", "drums 8820"], 1),
}

cases = []
for what, (sounds, every) in CASES.items():
    for name in sounds:
        result = np.asarray(WHAT[what](sound(name)))
        values = [float(f"{v:.7g}") for v in result.ravel()[::every]]
        cases.append({"sound": name, "what": what, "every": every, "shape": result.shape, "values": values})

versions = {
    "python": platform.python_version(),
    "librosa": librosa.__version__,
    "numpy": np.__version__,
    "scipy": scipy.__version__,
}
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(HERE / "rhythm.json").write_text(f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')
