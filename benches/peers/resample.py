"""Resampling of sound files beside librosa's: numbers and speed.

    python resample.py MELGRAD

MELGRAD is the program. Noise and a sweep of two seconds at each rate go through `melgrad features --kind waveform --sr RATE`
and `librosa.load(sr=RATE)`: largest difference of full scale, and largest difference in dB of spectra (1024 samples) where
librosa's is above -60 dB of its loudest. Then log-mel at 22 050 Hz of WAV and MP3 files of 30 s at 44.1 kHz (MP3: by `lame`,
where it is installed), both sides in turn, the median of five rounds.
"""

import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import librosa
import numpy as np
import soundfile

MELGRAD = sys.argv[1]
RATES = [8_000, 16_000, 22_050, 22_051, 24_000, 32_000, 44_100, 44_101, 48_000, 96_000]


def features(files, out, *flags):
    command = [MELGRAD, "features", *map(str, files), *flags, "--no-cache", "--device", "cpu", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return np.load(out)


def noise_and_sweep(rate, seconds=2.0):
    t = np.arange(int(rate * seconds)) / rate
    sweep = np.sin(2 * np.pi * (50 * t + (rate / 2 - 100) / (2 * t[-1]) * t * t))
    noise = np.random.default_rng(0).standard_normal(len(t)).clip(-3, 3)
    return (0.25 * sweep + 0.1 * noise).astype(np.float32)


def accuracy(folder):
    print("| from | to | samples | largest difference | above -60 dB |\n| --- | --- | --- | --- | --- |")
    for rate in RATES:
        path = folder / f"{rate}.wav"
        soundfile.write(path, noise_and_sweep(rate), rate, subtype="FLOAT")
        for to in (16_000, 22_050):
            if rate == to:
                continue
            ours = features([path], folder / "o.npy", "--kind", "waveform", "--sr", str(to)).ravel()
            theirs, _ = librosa.load(path, sr=to)
            assert len(ours) == len(theirs), (rate, to, len(ours), len(theirs))
            spectra = [np.abs(librosa.stft(y, n_fft=1024)) for y in (ours, theirs)]
            heard = spectra[1] > 1e-3 * spectra[1].max()
            db = np.abs(20 * np.log10(spectra[0][heard] / spectra[1][heard])).max()
            print(f"| {rate} | {to} | {len(ours)} | {np.abs(ours - theirs).max():.1e} | {db:.4f} dB |")


def logmel(path):
    y, sr = librosa.load(path, sr=22_050)
    return librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr), ref=np.max)


def speed(folder):
    print("\n| 30 s at 44.1 kHz to log-mel at 22 050 Hz | librosa | melgrad | |\n| --- | --- | --- | --- |")
    files = {"WAV": [], "MP3": []}
    for i in range(8):
        noise = np.random.default_rng(i).standard_normal(44_100 * 30).cumsum()
        noise -= np.convolve(noise, np.ones(2000) / 2000, "same")
        wav = folder / f"long{i}.wav"
        soundfile.write(wav, 0.5 * noise / np.abs(noise).max(), 44_100, subtype="PCM_16")
        files["WAV"].append(wav)
        if shutil.which("lame"):
            subprocess.run(["lame", "--quiet", "-b", "128", wav, wav.with_suffix(".mp3")], check=True)
            files["MP3"].append(wav.with_suffix(".mp3"))
    for kind, paths in files.items():
        if not paths:
            continue
        logmel(paths[0])
        theirs, ours = [], []
        for _ in range(5):
            start = time.perf_counter()
            for path in paths * 3:
                logmel(path)
            middle = time.perf_counter()
            features(paths * 3, folder / "o.npy", "--sr", "22050")
            theirs.append(middle - start)
            ours.append(time.perf_counter() - middle)
        each = [1e3 * statistics.median(times) / len(paths * 3) for times in (theirs, ours)]
        print(f"| {kind} | {each[0]:.1f} ms | {each[1]:.1f} ms | {each[0] / each[1]:.2f} × |")


warnings.filterwarnings("ignore")
with tempfile.TemporaryDirectory() as name:
    print(f"librosa {librosa.__version__}, soxr {__import__('soxr').__version__}\n")
    accuracy(pathlib.Path(name))
    speed(pathlib.Path(name))
