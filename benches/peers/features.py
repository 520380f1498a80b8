"""melgrad's features against librosa's, on the same file.

    python features.py FILE.wav [FILE.wav …] [--melgrad PATH]

For each kind: runs `melgrad features FILE --kind KIND --preset librosa --out F.npy`, computes the same with
librosa's defaults (22 050 Hz, n_fft 2048, hop 512, 128 mels, power 2, decibels below the maximum, at most 80)
and prints the largest error as a share of librosa's full scale (maximum minus minimum).
Give WAVs at 22 050 Hz: then decoding and resampling, which are other libraries' work, do not differ.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import librosa
import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("files", type=Path, nargs="+")
parser.add_argument("--melgrad", default="target/release/melgrad")
parser.add_argument("--tolerance", type=float, default=1e-4, help="share of full scale above which the exit status is 1")
args = parser.parse_args()


def stft(y, sr):
    return np.abs(librosa.stft(y)) ** 2


def mel(y, sr):
    return librosa.feature.melspectrogram(y=y, sr=sr)


def logmel(y, sr):
    return librosa.power_to_db(mel(y, sr), ref=np.max)


def ours(path, kind, folder):
    out = Path(folder) / f"{kind}.npy"
    subprocess.run([args.melgrad, "features", str(path), "--kind", kind, "--preset", "librosa", "--out", str(out)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return np.load(out)


def main():
    rows, worst = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for path in args.files:
            y, sr = librosa.load(path, sr=22050, mono=True)
            for kind, theirs in (("stft", stft), ("mel", mel), ("logmel", logmel)):
                row = {"file": path.name, "kind": kind}
                try:
                    a, b = ours(path, kind, folder), theirs(y, sr)
                    if a.shape != b.shape:
                        row["error"] = f"shapes: melgrad {a.shape}, librosa {b.shape}"
                    else:
                        scale = float(b.max() - b.min()) or 1.0
                        row["max_error"] = float(np.abs(a - b).max())
                        row["of_full_scale"] = row["max_error"] / scale
                        worst = max(worst, row["of_full_scale"])
                except subprocess.CalledProcessError as e:
                    row["error"] = e.stderr.strip().splitlines()[-1] if e.stderr.strip() else f"exit {e.returncode}"
                if "error" in row:
                    worst = np.inf
                rows.append(row)
                print(f"{row['file']:40} {kind:8} {row.get('error') or format(row['of_full_scale'], '.2e')}", file=sys.stderr)
    json.dump({"peer": f"librosa {librosa.__version__}", "tolerance": args.tolerance, "rows": rows}, sys.stdout, indent=1)
    print()
    sys.exit(0 if worst <= args.tolerance else 1)


main()
