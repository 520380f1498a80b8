"""Golden stretched and shifted sounds by librosa, against which tests/augment.rs holds ours.

    python make_augment.py

Writes augment.json beside itself: versions, and cases of
    sound   an MP3 of ../data/esc10
    what    `stretch RATE`, or `shift STEPS OF`
    every   which samples are kept: every n-th
    length  of the whole result
    values  of those kept
librosa computes in double precision here: it adds up phases as they come, and single precision would be its error, not
ours. How far apart its own two precisions are is printed.
"""

import json
import pathlib
import platform

import librosa
import numpy as np
import scipy
import soxr

HERE = pathlib.Path(__file__).parent
EVERY = 101


def change(y, rate, what):
    kind, *amounts = what.split()
    if kind == "stretch":
        return librosa.effects.time_stretch(y, rate=float(amounts[0]))
    return librosa.effects.pitch_shift(y, sr=rate, n_steps=float(amounts[0]), bins_per_octave=int(amounts[1]))


DOG, ROOSTER = "dog_bark-1-59513-A.mp3", "rooster-1-27724-A.mp3"
CASES = [
    (DOG, "stretch 0.5"),
    (DOG, "stretch 0.8"),
    (DOG, "stretch 1.25"),
    (ROOSTER, "stretch 0.9"),
    (ROOSTER, "stretch 1.1"),
    (ROOSTER, "stretch 2"),
    (ROOSTER, "stretch 3.7"),
    (DOG, "shift 2 12"),
    (ROOSTER, "shift -3 12"),
    (ROOSTER, "shift 12 12"),
    (DOG, "shift -1 24"),
]

cases = []
for sound, what in CASES:
    y, rate = librosa.load(HERE.parent / "data" / "esc10" / sound, sr=None)
    result = change(y.astype(np.float64), rate, what)
    single = change(y, rate, what)
    print(f"{what:12} of {sound}: single precision is {np.max(np.abs(single - result)) / np.max(np.abs(result)):.1e} of full scale away")
    values = [float(f"{v:.6g}") for v in result[::EVERY]]
    cases.append({"sound": sound, "what": what, "every": EVERY, "length": len(result), "values": values})

versions = {
    "python": platform.python_version(),
    "librosa": librosa.__version__,
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "soxr": soxr.__version__,
}
assert not any(np.isnan(case["values"]).any() for case in cases)
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(HERE / "augment.json").write_text(f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')
