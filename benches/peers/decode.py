"""Every sound file below some folders, decoded by melgrad and by libsndfile: lengths, and the largest difference.

    python benches/peers/decode.py target/release/melgrad FOLDER…

Needs soundfile and numpy. Differences are in least bits of 16 (1/32768). MP3 by mpg123 inside libsndfile begins where
its own rules say; where only one of the two reads a file, what the other said is shown.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

ENDINGS = {".wav", ".mp3", ".au", ".flac", ".ogg", ".aif", ".aiff", ".aifc", ".bit"}


def ours(binary, path, rate, folder):
    out = Path(folder) / "x.npy"
    command = [binary, "features", path, "--kind", "waveform", "--sr", str(rate), "--no-cache", "--device", "cpu"]
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
        return " ".join(errors) or f"exit {done.returncode}: {done.stderr.strip()}"
    return np.load(out).ravel()


def theirs(path):
    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
        return samples.mean(axis=1), rate
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        return str(error).splitlines()[0], 22050


def main(binary, *folders):
    with tempfile.TemporaryDirectory() as scratch:
        for folder in folders:
            for path in sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in ENDINGS):
                reference, rate = theirs(path)
                samples = ours(binary, path, rate, scratch)
                if isinstance(samples, str) or isinstance(reference, str):
                    a, b = (x if isinstance(x, str) else f"{len(x)} samples" for x in (samples, reference))
                    print(f"{path.name}: ours: {a} | theirs: {b}")
                    continue
                n = min(len(samples), len(reference))
                worst = np.abs(samples[:n] - reference[:n]).max(initial=0) * 32768
                print(f"{path.name}: {len(samples)} and {len(reference)} samples, differ by {worst:.3f} least bits")


if __name__ == "__main__":
    main(*sys.argv[1:])
