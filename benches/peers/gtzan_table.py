"""melgrad's `gtzan` table against GTZAN's published one, and against librosa as it is now.

    python gtzan_table.py features_30_sec.csv FILE.wav [FILE.wav …] [--melgrad PATH] [--librosa]

Runs `melgrad features FILE --kind gtzan` for each file (named as in the table's first column) and prints for each column
the median and the largest relative difference from the published row; with --librosa also from what the installed
librosa computes, and its processor time. The published table was made by an older librosa from files that were decoded
differently: what differs there and agrees here is its age.
"""
import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("table", type=Path)
parser.add_argument("files", type=Path, nargs="+")
parser.add_argument("--melgrad", default="target/release/melgrad")
parser.add_argument("--librosa", action="store_true")
args = parser.parse_args()


def ours(path, folder):
    out = Path(folder) / "row.npy"
    subprocess.run([args.melgrad, "features", str(path), "--kind", "gtzan", "--device", "cpu", "--out", str(out)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return np.load(out).ravel()


def theirs(path):
    import librosa

    F = librosa.feature
    y, sr = librosa.load(path)
    start = time.process_time()
    harmonic, percussive = librosa.effects.hpss(y)
    parts = [
        F.chroma_stft(y=y, sr=sr), F.rms(y=y), F.spectral_centroid(y=y, sr=sr), F.spectral_bandwidth(y=y, sr=sr),
        F.spectral_rolloff(y=y, sr=sr), F.zero_crossing_rate(y), harmonic, percussive,
    ]  # fmt: skip
    row = [len(y)] + [figure(part) for part in parts for figure in (np.mean, np.var)]
    row += [float(np.atleast_1d(librosa.beat.beat_track(y=y, sr=sr)[0])[0])]
    row += [figure(band) for band in F.mfcc(y=y, sr=sr) for figure in (np.mean, np.var)]
    return np.array(row, dtype=np.float64), time.process_time() - start


def difference(a, b):
    return float(abs(a - b) / max(abs(b), 1e-12))


def main():
    with open(args.table, newline="") as file:
        rows = {row["filename"]: row for row in csv.DictReader(file)}
    columns = [name for name in next(iter(rows.values())) if name not in ("filename", "label")]
    published = {name: [] for name in columns}
    current = {name: [] for name in columns}
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for path in args.files:
            row = ours(path, folder)
            if len(row) != len(columns):
                sys.exit(f"{path}: {len(row)} figures, the table has {len(columns)}")
            for name, value in zip(columns, row):
                published[name].append(difference(value, float(rows[path.name][name])))
            if args.librosa:
                expected, took = theirs(path)
                seconds.append(took)
                for name, value, other in zip(columns, row, expected):
                    current[name].append(difference(value, other))
    report = {}
    for name in columns:
        report[name] = {"published": [statistics.median(published[name]), max(published[name])]}
        if args.librosa:
            report[name]["librosa"] = [statistics.median(current[name]), max(current[name])]
        figures = "  ".join(f"{who} median {m:.1e} largest {x:.1e}" for who, (m, x) in report[name].items())
        print(f"{name:28} {figures}", file=sys.stderr)
    everything = [value for values in published.values() for value in values]
    summary = {"median_of_all": statistics.median(everything), "columns_above_1_percent": [n for n in columns if report[n]["published"][0] > 0.01]}
    if args.librosa:
        summary["librosa_median_of_all"] = statistics.median([v for values in current.values() for v in values])
        summary["librosa_processor_seconds_per_clip"] = statistics.median(seconds)
    print(summary, file=sys.stderr)
    json.dump({"files": [path.name for path in args.files], **summary, "columns": report}, sys.stdout, indent=1)
    print()


main()
