"""Golden features by librosa, against which tests/librosa.rs holds `audio::extract`.

    python make_librosa.py

writes, beside itself: librosa.json (versions, cases), one signal-NAME.wav per signal and one NAME.npy per case.
The cases' settings are `FeatureSettings` as serde reads them.
"""

import json
import pathlib
import platform

import librosa
import numpy as np
import scipy
import scipy.signal
import soundfile

HERE = pathlib.Path(__file__).parent
ESC10 = HERE.parent / "data" / "esc10"


def chirp(sample_rate, seconds):
    """A sine from 50 Hz to nearly half of the sample rate, with a click and noise 60 dB below."""
    t = np.arange(int(sample_rate * seconds)) / sample_rate
    sweep = 0.5 * scipy.signal.chirp(t, 50, seconds, 0.48 * sample_rate, method="logarithmic")
    noise = 5e-4 * np.random.default_rng(7).standard_normal(len(t))
    sweep[len(t) // 3] += 0.4
    return sweep + noise


SIGNALS = {
    "chirp": (chirp(22050, 0.5), 22050),
    "chirp16k": (chirp(16000, 0.4), 16000),
    "dog": (librosa.load(ESC10 / "dog_bark-1-59513-A.mp3", sr=None, duration=0.8)[0], 22050),
    "rooster": (librosa.load(ESC10 / "rooster-1-27724-A.mp3", sr=None, offset=1.0, duration=0.8)[0], 22050),
    "silence": (np.zeros(4000), 22050),
    "short": (chirp(22050, 0.5)[:100], 22050),
}

# name: signal, settings that are not the defaults
CASES = {
    "chirp-stft": ("chirp", {"kind": "stft"}),
    "chirp16k-stft-magnitude": ("chirp16k", {"kind": "stft", "sample_rate": 16000, "n_fft": 400, "hop": 160, "power": 1}),
    "chirp-stft-odd": ("chirp", {"kind": "stft", "n_fft": 255, "hop": 100}),
    "chirp-mel": ("chirp", {"kind": "mel"}),
    "dog-mel-ajufo": ("dog", {"kind": "mel", "hop": 1024}),
    "chirp16k-mel-band": (
        "chirp16k",
        {"kind": "mel", "sample_rate": 16000, "n_fft": 512, "hop": 160, "n_mels": 40, "fmin": 50.0, "fmax": 7600.0},
    ),
    "rooster-mel-magnitude": ("rooster", {"kind": "mel", "n_fft": 1024, "hop": 256, "n_mels": 64, "power": 1}),
    "chirp-logmel": ("chirp", {"kind": "logmel"}),
    "dog-logmel": ("dog", {"kind": "logmel"}),
    "rooster-logmel": ("rooster", {"kind": "logmel", "n_fft": 1024, "hop": 256, "n_mels": 64}),
    "rooster-logmel-absolute": ("rooster", {"kind": "logmel", "reference": 1.0, "top_db": 0.0, "n_mels": 96}),
    "dog-logmel-4096": ("dog", {"kind": "logmel", "n_fft": 4096, "hop": 441, "n_mels": 80, "fmin": 30.0, "amin": 1e-6}),
    "silence-logmel": ("silence", {"kind": "logmel"}),
    "short-logmel": ("short", {"kind": "logmel"}),
}

# The whole way from an MP3 file, decoder and all.
FILES = {
    "rooster-mp3-logmel": ("rooster-1-27724-A.mp3", {"kind": "logmel", "hop": 1024}),
    "dog-mp3-logmel": ("dog_bark-1-59513-A.mp3", {"kind": "logmel", "hop": 1024}),
}


def features(y, sr, s):
    n_fft, hop, power = s.get("n_fft", 2048), s.get("hop", 512), s.get("power", 2)
    if s["kind"] == "stft":
        return np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop)) ** power
    mel = librosa.feature.melspectrogram(
        y=y, sr=sr, n_fft=n_fft, hop_length=hop, n_mels=s.get("n_mels", 128), power=power,
        fmin=s.get("fmin", 0.0), fmax=s.get("fmax"),
    )  # fmt: skip
    if s["kind"] == "mel":
        return mel
    reference, top_db = s.get("reference", np.max), s.get("top_db", 80.0)
    return librosa.power_to_db(mel, ref=reference, amin=s.get("amin", 1e-10), top_db=top_db or None)


def save(name, array):
    np.save(HERE / f"{name}.npy", np.ascontiguousarray(array, dtype=np.float32))


cases = []
for name, (y, sr) in SIGNALS.items():
    soundfile.write(HERE / f"signal-{name}.wav", y, sr, subtype="PCM_16")
for name, (signal, settings) in CASES.items():
    # As it is read back: 16-bit samples, exact in float32.
    y, sr = soundfile.read(HERE / f"signal-{signal}.wav", dtype="float32")
    save(name, features(y, sr, settings))
    cases.append({"name": name, "file": f"goldens/signal-{signal}.wav", "settings": settings})
for name, (file, settings) in FILES.items():
    y, sr = librosa.load(ESC10 / file, sr=None)
    save(name, features(y, sr, settings))
    cases.append({"name": name, "file": f"data/esc10/{file}", "settings": settings, "samples": len(y)})

versions = {
    "python": platform.python_version(),
    "librosa": librosa.__version__,
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "soundfile": soundfile.__version__,
    "libsndfile": soundfile.__libsndfile_version__,
}
(HERE / "librosa.json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
