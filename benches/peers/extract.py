"""librosa's way from a folder of MP3s to log-mel, on one core.

    python extract.py DIR [--limit N] [--rounds N]

Each clip: load (decode, mono, 22 050 Hz), mel spectrogram (n_fft 2048, hop 512, 128 bands), power_to_db (ref max).
Decoding and features are timed apart; the best round counts. One JSON document to stdout.
"""
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import json
import sys
import time
from pathlib import Path

import librosa
import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", type=Path)
parser.add_argument("--limit", type=int, help="only so many files")
parser.add_argument("--rounds", type=int, default=1)
args = parser.parse_args()


def decode(path):
    return librosa.load(path, sr=22050, mono=True)


def logmel(samples, rate):
    mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=2048, hop_length=512, n_mels=128)
    return librosa.power_to_db(mel, ref=np.max)


def main():
    files = sorted(args.folder.rglob("*.mp3"))[: args.limit]
    if not files:
        parser.error(f"{args.folder}: no MP3 files")
    logmel(*decode(files[0]))  # Imports, mel filters and FFT plans are made before the clock runs.
    rounds = []
    for _ in range(args.rounds):
        wall, cpu, sound = [0.0, 0.0], [0.0, 0.0], 0.0
        for path in files:
            t0, c0 = time.perf_counter(), time.process_time()
            samples, rate = decode(path)
            t1, c1 = time.perf_counter(), time.process_time()
            logmel(samples, rate)
            t2, c2 = time.perf_counter(), time.process_time()
            wall, cpu = [wall[0] + t1 - t0, wall[1] + t2 - t1], [cpu[0] + c1 - c0, cpu[1] + c2 - c1]
            sound += len(samples) / rate
        rounds.append((sum(wall), wall, cpu))
    total, wall, cpu = min(rounds)
    json.dump({"peer": f"librosa {librosa.__version__}", "threads": 1, "clips": len(files), "seconds_of_sound": sound,
               "seconds": total, "decode_seconds": wall[0], "mel_seconds": wall[1], "ms_per_clip": total / len(files) * 1e3,
               "cpu_ms_per_clip": sum(cpu) / len(files) * 1e3, "decode_cpu_seconds": cpu[0], "mel_cpu_seconds": cpu[1]}, sys.stdout)
    print()


main()
