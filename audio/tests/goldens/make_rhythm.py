"""Golden onsets, beats, pitches and separated sounds by librosa, against which tests/rhythm.rs holds ours.

    python make_rhythm.py [PYAUDIOANALYSIS]

PYAUDIOANALYSIS is the folder in which version 0.3.14's ShortTermFeatures.py lies (its source on PyPI; the package wants
libraries that these features do not). Without it its cases are kept as they are. Writes rhythm.json beside itself: versions, and cases of
    sound   an MP3 of ../data/esc10, or `drums BEAT`, which `drums` below makes, sample for sample as the test does
    what    the function and its options, as the test understands them
    every   which of the results are kept: every n-th
    shape   of the whole result
    values  of those kept, row by row
"""

import json
import pathlib
import platform
import sys
import types

import librosa
import numpy as np
import scipy
import scipy.stats

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


def pyaudio(y, window, step):
    """pyAudioAnalysis as it is, in today's NumPy and without its plots."""
    np.int = int
    for name in ("matplotlib", "matplotlib.pyplot", "tqdm"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["tqdm"].tqdm = None
    sys.path.insert(0, sys.argv[1])
    import ShortTermFeatures

    # It wants integers of 16 bits, and divides by their range.
    return ShortTermFeatures.feature_extraction(y.astype(np.float64) * 2**15, RATE, window, step)[0]


def fma(y, rate):
    """The row that FMA's features.py gives: kinds and statistics by name."""
    cqt = np.abs(librosa.cqt(y, sr=rate, hop_length=512, bins_per_octave=12, n_bins=84, tuning=None))
    cens = librosa.feature.chroma_cens(C=cqt, n_chroma=12, n_octaves=7, bins_per_octave=12)
    stft = np.abs(librosa.stft(y, n_fft=2048, hop_length=512))
    mel = librosa.feature.melspectrogram(sr=rate, S=stft**2)
    kinds = {
        "chroma_cens": cens,
        "chroma_cqt": librosa.feature.chroma_cqt(C=cqt, n_chroma=12, n_octaves=7, bins_per_octave=12),
        "chroma_stft": librosa.feature.chroma_stft(S=stft**2, n_chroma=12),
        "mfcc": librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
        "rmse": np.sqrt(np.mean(stft**2, axis=0, keepdims=True)),  # What it was in librosa 0.5.
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(S=stft),
        "spectral_centroid": librosa.feature.spectral_centroid(S=stft),
        "spectral_contrast": librosa.feature.spectral_contrast(S=stft, n_bands=6),
        "spectral_rolloff": librosa.feature.spectral_rolloff(S=stft),
        "tonnetz": librosa.feature.tonnetz(chroma=cens),
        "zcr": librosa.feature.zero_crossing_rate(y, frame_length=2048, hop_length=512),
    }
    statistics = {
        "kurtosis": scipy.stats.kurtosis, "max": np.max, "mean": np.mean, "median": np.median, "min": np.min,
        "skew": scipy.stats.skew, "std": np.std,
    }  # fmt: skip
    return np.concatenate([f(kinds[k].astype(np.float64), axis=1) for k in sorted(kinds) for f in statistics.values()])


WHAT = {
    "harmonic": lambda y: librosa.effects.hpss(y)[0],
    "percussive": lambda y: librosa.effects.hpss(y)[1],
    "harmonic 512 128": lambda y: librosa.effects.hpss(y, n_fft=512, hop_length=128)[0],
    "onset mean": lambda y: onset(y, np.mean),
    "onset median": lambda y: onset(y, np.median),
    "onset median 256": lambda y: onset(y, np.median, 256),
    "tempo": lambda y: librosa.feature.tempo(onset_envelope=onset(y, np.median), sr=RATE),
    "beats": lambda y: librosa.beat.beat_track(y=y, sr=RATE)[1],
    "cqt": lambda y: np.abs(librosa.cqt(y, sr=RATE)),
    "cqt 441": lambda y: np.abs(librosa.cqt(y, sr=RATE, hop_length=441)),
    "cqt 4096": lambda y: np.abs(librosa.cqt(y, sr=RATE, hop_length=4096)),
    "chroma_cqt": lambda y: librosa.feature.chroma_cqt(y=y, sr=RATE),
    "chroma_cens": lambda y: librosa.feature.chroma_cens(y=y, sr=RATE),
    "tonnetz": lambda y: librosa.feature.tonnetz(y=y, sr=RATE),
    "yin": lambda y: librosa.yin(y, sr=RATE, fmin=librosa.note_to_hz("C2"), fmax=librosa.note_to_hz("C7")),
    "pyaudio 1102 1102": lambda y: pyaudio(y, 1102, 1102),
    "pyaudio 2048 3000": lambda y: pyaudio(y, 2048, 3000),
    "fma 22050": lambda y: fma(y, RATE),
    "fma 44100": lambda y: fma(y, 44100),
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
    "cqt": ([DOG, ROOSTER, "drums 14700"], 23),
    "cqt 441": ([ROOSTER], 23),
    "cqt 4096": ([ROOSTER], 3),
    "chroma_cqt": ([DOG, "drums 14700"], 5),
    "chroma_cens": ([DOG, "drums 14700"], 5),
    "tonnetz": ([DOG, "drums 14700"], 5),
    "yin": ([DOG, ROOSTER, "drums 14700"], 1),
    "pyaudio 1102 1102": ([DOG, ROOSTER], 5),
    "pyaudio 2048 3000": (["drums 14700"], 5),
    "fma 22050": ([DOG], 1),
    "fma 44100": ([DOG], 1),
}

kept = []
if len(sys.argv) < 2:
    kept = [case for case in json.loads((HERE / "rhythm.json").read_text())["cases"] if case["what"].startswith("pyaudio")]
    CASES = {what: case for what, case in CASES.items() if not what.startswith("pyaudio")}

cases = kept
for what, (sounds, every) in CASES.items():
    for name in sounds:
        result = np.asarray(WHAT[what](sound(name)))
        values = [float(f"{v:.6g}") for v in result.ravel()[::every]]
        cases.append({"sound": name, "what": what, "every": every, "shape": result.shape, "values": values})

versions = {
    "python": platform.python_version(),
    "librosa": librosa.__version__,
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "pyAudioAnalysis": "0.3.14",
}
assert not any(np.isnan(case["values"]).any() for case in cases)
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(HERE / "rhythm.json").write_text(f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n')
