"""melgrad's features against librosa's, on the same files.

    python features.py FILE.wav [FILE.wav …] [--melgrad PATH] [--kinds K,K] [--torchaudio]

For each kind, each of three settings and each file: runs `melgrad features FILE --kind KIND … --out F.npy`, computes the
same with librosa and prints the largest error over all files as a share of librosa's full scale (the file's largest
absolute value of that feature) and, where a value can only jump (a bin, a decision), the share of values that differ.
With --torchaudio also its MelSpectrogram, AmplitudeToDB and MFCC against `--preset torchaudio`.
Files are read at their own rate: decoding and resampling, which are other libraries' work, do not differ.
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
parser.add_argument("--kinds", help="only these, separated by commas")
parser.add_argument("--torchaudio", action="store_true")
parser.add_argument("--tolerance", type=float, default=1e-4, help="share of full scale above which the exit status is 1")
args = parser.parse_args()

F = librosa.feature
# n_fft, hop, n_mels
SETTINGS = [(2048, 512, 128), (1024, 256, 64), (4096, 1000, 96)]


def common(y, sr, n_fft, hop):
    return {"y": y, "sr": sr, "n_fft": n_fft, "hop_length": hop}


def mel(y, sr, n_fft, hop, mels):
    return F.melspectrogram(**common(y, sr, n_fft, hop), n_mels=mels)


def mfcc(y, sr, n_fft, hop, mels):
    return F.mfcc(**common(y, sr, n_fft, hop), n_mels=mels)


def deltas(*settings):
    m = mfcc(*settings)
    return np.concatenate([m, F.delta(m), F.delta(m, order=2)])


def of(function):
    return lambda y, sr, n_fft, hop, mels: function(**common(y, sr, n_fft, hop))


# name in the table: kind and flags, librosa's function
LIBROSA = {
    "stft": (["stft"], lambda y, sr, n_fft, hop, mels: np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop)) ** 2),
    "mel": (["mel"], mel),
    "logmel": (["logmel"], lambda *settings: librosa.power_to_db(mel(*settings), ref=np.max)),
    "mfcc": (["mfcc"], mfcc),
    "mfcc+deltas": (["mfcc", "--deltas", "2"], deltas),
    "chroma": (["chroma"], of(F.chroma_stft)),
    "spectral_centroid": (["spectral_centroid"], of(F.spectral_centroid)),
    "spectral_bandwidth": (["spectral_bandwidth"], of(F.spectral_bandwidth)),
    "spectral_rolloff": (["spectral_rolloff"], of(F.spectral_rolloff)),
    "spectral_contrast": (["spectral_contrast"], of(F.spectral_contrast)),
    "spectral_flatness": (["spectral_flatness"], lambda y, sr, n_fft, hop, mels: F.spectral_flatness(y=y, n_fft=n_fft, hop_length=hop)),
    "poly_features": (["poly_features"], of(F.poly_features)),
    "rms": (["rms"], lambda y, sr, n_fft, hop, mels: F.rms(y=y, frame_length=n_fft, hop_length=hop)),
    "zero_crossing_rate": (["zero_crossing_rate"], lambda y, sr, n_fft, hop, mels: F.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop)),
}  # fmt: skip


def torchaudio_kinds():
    import torch
    import torchaudio.transforms as T

    def melspectrogram(sr, n_fft, hop, mels):
        return T.MelSpectrogram(sr, n_fft=n_fft, hop_length=hop, n_mels=mels)

    def transform(make):
        return lambda y, *settings: make(*settings)(torch.from_numpy(y)).numpy()

    def decibels(*settings):
        return torch.nn.Sequential(melspectrogram(*settings), T.AmplitudeToDB("power", top_db=80))

    def cepstrum(sr, n_fft, hop, mels):
        return T.MFCC(sr, n_mfcc=40, melkwargs={"n_fft": n_fft, "hop_length": hop, "n_mels": mels})

    flags = ["--preset", "torchaudio"]
    return {
        "torchaudio mel": (["mel", *flags], transform(melspectrogram)),
        "torchaudio logmel": (["logmel", *flags], transform(decibels)),
        "torchaudio mfcc": (["mfcc", *flags], transform(cepstrum)),
    }


def ours(path, kind, sr, n_fft, hop, mels, folder):
    out = Path(folder) / "features.npy"
    flags = ["--sr", str(sr), "--n-fft", str(n_fft), "--hop", str(hop), "--n-mels", str(mels), "--device", "cpu"]
    subprocess.run([args.melgrad, "features", str(path), "--kind", *kind, *flags, "--out", str(out)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return np.load(out)


def main():
    kinds = dict(LIBROSA, **(torchaudio_kinds() if args.torchaudio else {}))
    if args.kinds:
        kinds = {name: kinds[name] for name in args.kinds.split(",")}
    rows, worst = [], 0.0
    sounds = [(path, *librosa.load(path, sr=None, mono=True)) for path in args.files]
    with tempfile.TemporaryDirectory() as folder:
        for name, (kind, theirs) in kinds.items():
            for settings in SETTINGS:
                row = {"kind": name, "n_fft": settings[0], "hop": settings[1], "n_mels": settings[2], "of_full_scale": 0.0, "beyond_tolerance": 0.0}
                values = 0
                for path, y, sr in sounds:
                    try:
                        a, b = ours(path, kind, sr, *settings, folder), theirs(y, sr, *settings)
                        if a.shape != b.shape:
                            raise ValueError(f"{path.name}: melgrad {a.shape}, librosa {b.shape}")
                        error = np.abs(a - b) / (np.abs(b).max() or 1.0)
                        row["of_full_scale"] = max(row["of_full_scale"], float(error.max()))
                        row["beyond_tolerance"] += int((error > args.tolerance).sum())
                        values += error.size
                    except subprocess.CalledProcessError as e:
                        row["error"] = e.stderr.strip().splitlines()[-1] if e.stderr.strip() else f"exit {e.returncode}"
                    except ValueError as e:
                        row["error"] = str(e)
                row["beyond_tolerance"] /= max(values, 1)
                worst = np.inf if "error" in row else max(worst, row["of_full_scale"])
                rows.append(row)
                figures = row.get("error") or f"{row['of_full_scale']:.1e}  {row['beyond_tolerance']:.1e} of the values beyond"
                print(f"{name:20} n_fft {settings[0]:4}  {figures}", file=sys.stderr)
    json.dump({"peer": f"librosa {librosa.__version__}", "files": [path.name for path in args.files], "tolerance": args.tolerance, "rows": rows},
              sys.stdout, indent=1)
    print()
    sys.exit(0 if worst <= args.tolerance else 1)


main()
