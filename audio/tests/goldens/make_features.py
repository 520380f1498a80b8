"""Golden features beyond spectrograms, by librosa and torchaudio: tests/librosa.rs holds `audio::extract` against them.

    python make_features.py

reads the signals that make_librosa.py wrote; writes features.json (versions, cases) and one NAME.npy per case.

HTK's own numbers come from torchaudio.compliance.kaldi, which computes them under `htk_compat`, magnitudes instead of
powers, no dither and no removal of the mean: HCopy's defaults.
"""

import json
import pathlib
import platform

import librosa
import numpy as np
import scipy
import soundfile
import torch
import torchaudio
from torchaudio.compliance import kaldi

HERE = pathlib.Path(__file__).parent
F = librosa.feature


def mfcc(y, sr, n_fft, hop, n_mfcc=20, n_mels=128, lifter=0):
    return F.mfcc(y=y, sr=sr, n_fft=n_fft, hop_length=hop, n_mfcc=n_mfcc, n_mels=n_mels, lifter=lifter)


def mfcc_deltas(y, sr, n_fft, hop, n_mfcc=20):
    m = mfcc(y, sr, n_fft, hop, n_mfcc)
    return np.concatenate([m, F.delta(m), F.delta(m, order=2)])


def mfcc_statistics(y, sr, n_fft, hop):
    m = mfcc(y, sr, n_fft, hop)
    figures = [np.mean, np.std, scipy.stats.skew, scipy.stats.kurtosis, np.median, np.min, np.max]
    return np.concatenate([figure(m, axis=1) for figure in figures])[:, None]


def of(function):
    return lambda y, sr, n_fft, hop: function(y=y, sr=sr, n_fft=n_fft, hop_length=hop)


LIBROSA = {
    "mfcc": mfcc,
    "spectral_centroid": of(F.spectral_centroid),
    "spectral_bandwidth": of(F.spectral_bandwidth),
    "spectral_rolloff": of(F.spectral_rolloff),
    "spectral_contrast": of(F.spectral_contrast),
    "poly_features": of(F.poly_features),
    "chroma": of(F.chroma_stft),
    "spectral_flatness": lambda y, sr, n_fft, hop: F.spectral_flatness(y=y, n_fft=n_fft, hop_length=hop),
    "rms": lambda y, sr, n_fft, hop: F.rms(y=y, frame_length=n_fft, hop_length=hop),
    "zero_crossing_rate": lambda y, sr, n_fft, hop: F.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop),
}  # fmt: skip


def torchaudio_features(y, sr, s):
    common = dict(n_fft=s.get("n_fft", 400), win_length=s.get("window"), hop_length=s.get("hop", 200), n_mels=s.get("n_mels", 128))
    y = torch.from_numpy(y)
    if s["kind"] == "mfcc":
        m = torchaudio.transforms.MFCC(sr, n_mfcc=s.get("n_mfcc", 40), melkwargs=common)(y)
        parts = [m]
        for _ in range(s.get("deltas", 0)):
            parts.append(torchaudio.functional.compute_deltas(parts[-1]))
        return torch.cat(parts).numpy()
    mel = torchaudio.transforms.MelSpectrogram(sr, **common)(y)
    if s["kind"] == "logmel":
        mel = torchaudio.transforms.AmplitudeToDB("power", top_db=80)(mel)
    return mel.numpy()


def htk_features(y, sr, s):
    bands, kept, lifter = s.get("n_mels", 26), s.get("n_mfcc", 13), s.get("lifter", 22)
    bank = kaldi.fbank(
        torch.from_numpy(y)[None] * 32768, sample_frequency=sr, frame_length=25, frame_shift=10, num_mel_bins=bands,
        low_freq=0, high_freq=0, dither=0, htk_compat=True, use_energy=False, window_type="hamming",
        preemphasis_coefficient=0.97, remove_dc_offset=False, use_power=False, use_log_fbank=s["kind"] != "mel",
    )  # fmt: skip
    if s["kind"] != "mfcc":
        return bank.numpy().T
    cepstrum = bank @ kaldi._get_dct_matrix(kept, bands) * kaldi._get_lifter_coeffs(kept, lifter)
    return torch.roll(cepstrum * torch.tensor([2**0.5] + [1.0] * (kept - 1)), -1, dims=1).numpy().T


OTHERS = {
    "torchaudio-mel": ("chirp16k", {"preset": "torchaudio", "kind": "mel", "n_mels": 64}),
    "torchaudio-logmel": ("chirp16k", {"preset": "torchaudio", "kind": "logmel", "n_mels": 64}),
    "torchaudio-mfcc": ("chirp16k", {"preset": "torchaudio", "kind": "mfcc", "n_mels": 64, "n_mfcc": 20, "deltas": 2}),
    "torchaudio-mfcc-dog": ("dog", {"preset": "torchaudio", "kind": "mfcc", "sample_rate": 22050, "n_fft": 1024, "window": 800, "hop": 512, "n_mels": 40, "n_mfcc": 13}),
    "htk-mel": ("chirp16k", {"preset": "htk", "kind": "mel"}),
    "htk-logmel": ("chirp16k", {"preset": "htk", "kind": "logmel"}),
    "htk-mfcc": ("chirp16k", {"preset": "htk", "kind": "mfcc"}),
}  # fmt: skip


def read(signal):
    return soundfile.read(HERE / f"signal-{signal}.wav", dtype="float32")


cases = []


def save(name, signal, settings, array):
    np.save(HERE / f"{name}.npy", np.ascontiguousarray(array, dtype=np.float32))
    cases.append({"name": name, "file": f"goldens/signal-{signal}.wav", "settings": settings})


for signal, n_fft, hop in [("dog", 2048, 512), ("rooster", 1024, 400), ("silence", 512, 512)]:
    y, sr = read(signal)
    for kind, function in LIBROSA.items():
        save(f"{signal}-{kind}", signal, {"kind": kind, "n_fft": n_fft, "hop": hop}, function(y, sr, n_fft, hop))
y, sr = read("rooster")
save("rooster-deltas", "rooster", {"kind": "mfcc", "n_mfcc": 13, "deltas": 2}, mfcc_deltas(y, sr, 2048, 512, 13))
save("rooster-lifter", "rooster", {"kind": "mfcc", "n_mels": 40, "lifter": 22}, mfcc(y, sr, 2048, 512, n_mels=40, lifter=22))
names = ["mean", "std", "skew", "kurtosis", "median", "min", "max"]
save("dog-statistics", "dog", {"kind": "mfcc", "statistics": names}, mfcc_statistics(*read("dog"), 2048, 512))
mel = F.melspectrogram(y=y, sr=sr, n_fft=2048, win_length=1200, hop_length=512, n_mels=64)
save("rooster-window", "rooster", {"kind": "mel", "window": 1200, "n_mels": 64}, mel)
for name, (signal, settings) in OTHERS.items():
    function = {"torchaudio": torchaudio_features, "htk": htk_features}[settings["preset"]]
    save(name, signal, settings, function(*read(signal), settings))

versions = {
    "python": platform.python_version(),
    "librosa": librosa.__version__,
    "torchaudio": torchaudio.__version__,
    "torch": torch.__version__,
    "numpy": np.__version__,
    "scipy": scipy.__version__,
}
(HERE / "features.json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
