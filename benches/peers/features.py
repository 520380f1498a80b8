"""melgrad's features against librosa's, torchaudio's and pyAudioAnalysis's, on the same samples.

    python features.py FILE [FILE …] [--melgrad PATH] [--kinds K,K] [--seconds S] [--torchaudio] [--pyaudio DIR]

For each of four settings every file is brought to their rate by librosa and written as WAV of 32-bit floats, so that both
sides see the same samples: decoding and resampling are not compared here. Then for each kind `melgrad features FILE --kind
KIND … --out F.npy` runs beside the library. Prints a table in Markdown: the largest error over all files as a share of
full scale (the file's largest absolute value of that feature; of pyAudioAnalysis's, which have units of their own, of each
band), and the share of values beyond the kind's tolerance: 1e-4, or 1e-3 where constant-Q transforms or separations are
under it. Where values are decisions (a tempo, a period, a step of loudness; of beats, whether all of a clip's are the same)
the share is what counts, and at most 5 % may differ. Frames around which all is silent are left out: there a chromagram or
a centroid is rounding, blown up by a division. Exits with 1 where more differs.

--torchaudio adds its MelSpectrogram, AmplitudeToDB and MFCC against `--preset torchaudio`; --pyaudio the folder in which
pyAudioAnalysis 0.3.14's ShortTermFeatures.py lies.
"""
import argparse
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import librosa
import numpy as np
import soundfile

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("files", type=Path, nargs="+")
parser.add_argument("--melgrad", default="target/release/melgrad")
parser.add_argument("--kinds", help="only these, separated by commas")
parser.add_argument("--seconds", type=float, help="only so much of each file")
parser.add_argument("--torchaudio", action="store_true")
parser.add_argument("--pyaudio", type=Path, metavar="DIR")
args = parser.parse_args()

F = librosa.feature
# sr, n_fft, hop, n_mels
SETTINGS = [(22050, 2048, 512, 128), (22050, 1024, 256, 64), (16000, 512, 160, 40), (44100, 4096, 1000, 96)]
# Of the values, where they are decisions.
MAY_DIFFER = 0.05
# Of a file's peak: what does not reach this is silence.
SILENCE = 1e-7


def common(y, sr, n_fft, hop):
    return {"y": y, "sr": sr, "n_fft": n_fft, "hop_length": hop}


def mel(y, sr, n_fft, hop, mels):
    return F.melspectrogram(**common(y, sr, n_fft, hop), n_mels=mels)


def mfcc(y, sr, n_fft, hop, mels):
    return F.mfcc(**common(y, sr, n_fft, hop), n_mels=mels)


def deltas(*settings):
    m = mfcc(*settings)
    return np.concatenate([m, F.delta(m), F.delta(m, order=2)])


def onset(y, sr, n_fft, hop, mels, aggregate=np.mean):
    return librosa.onset.onset_strength(**common(y, sr, n_fft, hop), n_mels=mels, aggregate=aggregate)[None]


def tempo(*settings):
    return F.tempo(onset_envelope=onset(*settings, aggregate=np.median)[0], sr=settings[1], hop_length=settings[3])[None]


def beats(*settings):
    strengths = onset(*settings, aggregate=np.median)[0]
    return librosa.beat.beat_track(onset_envelope=strengths, sr=settings[1], hop_length=settings[3], sparse=False)[1][None]


def yin(y, sr, n_fft, hop, mels):
    return librosa.yin(y, fmin=librosa.note_to_hz("C2"), fmax=librosa.note_to_hz("C7"), sr=sr, frame_length=n_fft, hop_length=hop)[None]


def part(index):
    return lambda y, sr, n_fft, hop, mels: librosa.effects.hpss(y, n_fft=n_fft, hop_length=hop)[index][None]


def of(function):
    return lambda y, sr, n_fft, hop, mels: function(**common(y, sr, n_fft, hop))


def constant_q(function):
    return lambda y, sr, n_fft, hop, mels: np.abs(function(y=y, sr=sr, hop_length=hop))


# name in the table: kind and flags, librosa's function, tolerance, whether values are decisions
LIBROSA = {
    "stft": (["stft"], lambda y, sr, n_fft, hop, mels: np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop)) ** 2, 1e-4, False),
    "mel": (["mel"], mel, 1e-4, False),
    "logmel": (["logmel"], lambda *settings: librosa.power_to_db(mel(*settings), ref=np.max), 1e-4, False),
    "mfcc": (["mfcc"], mfcc, 1e-4, False),
    "mfcc+deltas": (["mfcc", "--deltas", "2"], deltas, 1e-4, False),
    "chroma": (["chroma"], of(F.chroma_stft), 1e-4, False),
    "spectral_centroid": (["spectral_centroid"], of(F.spectral_centroid), 1e-4, False),
    "spectral_bandwidth": (["spectral_bandwidth"], of(F.spectral_bandwidth), 1e-4, False),
    "spectral_rolloff": (["spectral_rolloff"], of(F.spectral_rolloff), 1e-4, True),
    "spectral_contrast": (["spectral_contrast"], of(F.spectral_contrast), 1e-4, False),
    "spectral_flatness": (["spectral_flatness"], lambda y, sr, n_fft, hop, mels: F.spectral_flatness(y=y, n_fft=n_fft, hop_length=hop), 1e-4, False),
    "poly_features": (["poly_features"], of(F.poly_features), 1e-4, False),
    "rms": (["rms"], lambda y, sr, n_fft, hop, mels: F.rms(y=y, frame_length=n_fft, hop_length=hop), 1e-4, False),
    "zero_crossing_rate": (["zero_crossing_rate"], lambda y, sr, n_fft, hop, mels: F.zero_crossing_rate(y, frame_length=n_fft, hop_length=hop), 1e-4, False),
    "onset_strength": (["onset_strength"], onset, 1e-4, False),
    "tempo": (["tempo"], tempo, 1e-3, True),
    "beats": (["beats"], beats, 1e-3, True),
    "harmonic": (["harmonic"], part(0), 1e-3, False),
    "percussive": (["percussive"], part(1), 1e-3, False),
    "cqt": (["cqt"], constant_q(librosa.cqt), 1e-3, False),
    "chroma_cqt": (["chroma_cqt"], constant_q(F.chroma_cqt), 1e-3, True),
    "chroma_cens": (["chroma_cens"], constant_q(F.chroma_cens), 1e-3, True),
    "tonnetz": (["tonnetz"], lambda y, sr, n_fft, hop, mels: F.tonnetz(y=y, sr=sr, hop_length=hop), 1e-3, True),
    "yin": (["yin"], yin, 1e-3, True),
}  # fmt: skip

CONSTANT_Q = ("cqt", "chroma_cqt", "chroma_cens", "tonnetz")


def torchaudio_kinds():
    import torch

    # A torchaudio whose CUDA is another than torch's refuses to load; nothing here runs on a GPU.
    torch.version.cuda = None
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
        "torchaudio mel": (["mel", *flags], transform(melspectrogram), 1e-4, False),
        "torchaudio logmel": (["logmel", *flags], transform(decibels), 1e-4, False),
        "torchaudio mfcc": (["mfcc", *flags], transform(cepstrum), 1e-4, False),
    }


def pyaudio_kinds(folder):
    # As it is, in today's NumPy and without its plots.
    np.int = int
    for name in ("matplotlib", "matplotlib.pyplot", "tqdm"):
        sys.modules.setdefault(name, types.ModuleType(name))
    if not hasattr(sys.modules["tqdm"], "tqdm"):
        sys.modules["tqdm"].tqdm = None
    sys.path.insert(0, str(folder))
    import ShortTermFeatures

    def features(y, sr, n_fft, hop, mels):
        # It wants integers of 16 bits, and divides by their range.
        return ShortTermFeatures.feature_extraction(y.astype(np.float64) * 2**15, sr, n_fft, hop)[0]

    return {"pyaudio": (["pyaudio"], features, 1e-4, True)}


def ours(path, kind, settings, folder):
    out = folder / "features.npy"
    flags = [word for pair in zip(("--sr", "--n-fft", "--hop", "--n-mels"), map(str, settings)) for word in pair]
    subprocess.run([args.melgrad, "features", str(path), "--kind", *kind, *flags, "--device", "cpu", "--no-cache", "--out", str(out)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return np.load(out)


def audible(y, hop, reach, frames):
    """Of each frame, whether there is sound within so many samples of its middle."""
    loud = np.flatnonzero(np.abs(y) > SILENCE * np.abs(y).max())
    middles = np.arange(frames) * hop
    return np.searchsorted(loud, middles - reach) < np.searchsorted(loud, middles + reach)


def compare(name, a, b, y, settings):
    b = np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(f"melgrad {a.shape}, the library {b.shape}")
    if name == "beats":  # A clip's beats agree or they don't.
        return np.array([not np.array_equal(a, b)], float)
    _, n_fft, hop, _ = settings
    if b.shape[-1] == 1 + len(y) // hop:
        # A constant-Q transform's frames are longer than n_fft; half of 8192 samples are those of its upper octaves.
        heard = audible(y, hop, 4096 if name in CONSTANT_Q else n_fft // 2, b.shape[-1])
        a, b = a[..., heard], b[..., heard]
    scale = np.abs(b).max(axis=1, keepdims=True) if name == "pyaudio" else np.abs(b).max()
    error = np.abs(a - b) / np.where(scale > 0, scale, 1.0)
    return np.where(np.isnan(error), np.inf, error)


def main():
    kinds = dict(LIBROSA)
    if args.torchaudio:
        kinds |= torchaudio_kinds()
    if args.pyaudio:
        kinds |= pyaudio_kinds(args.pyaudio)
    if args.kinds:
        kinds = {name: kinds[name] for name in args.kinds.split(",")}
    columns = [f"{n_fft} / {hop} / {mels} at {sr / 1000:g} kHz" for sr, n_fft, hop, mels in SETTINGS]
    files = ", ".join(path.name for path in args.files)
    print(f"Against librosa {librosa.__version__}, of {len(args.files)} files: {files}.\n")
    print("Largest error of full scale (share of values beyond the tolerance), at n_fft / hop / n_mels:\n")
    print("| feature | tolerance |", " | ".join(columns), "|")
    print("| --- | --- |", " --- |" * len(columns))
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        sounds = {}
        for rate in {settings[0] for settings in SETTINGS}:
            for i, path in enumerate(args.files):
                y, _ = librosa.load(path, sr=rate, mono=True, duration=args.seconds)
                copy = folder / f"{i}-{rate}.wav"
                soundfile.write(copy, y, rate, subtype="FLOAT")
                sounds.setdefault(rate, []).append((path, copy, y))
        for name, (kind, theirs, tolerance, decisions) in kinds.items():
            cells = []
            for settings in SETTINGS:
                errors, wrong = [], None
                for path, copy, y in sounds[settings[0]]:
                    try:
                        found = ours(copy, kind, settings, folder)
                        errors.append(compare(name, found, theirs(y, *settings), y, settings).ravel())
                    except subprocess.CalledProcessError as e:
                        wrong = f"{path.name}: {(e.stderr.strip().splitlines() or [e.returncode])[-1]}"
                    except ValueError as e:
                        wrong = f"{path.name}: {e}"
                if wrong:
                    cells.append("refused" if not errors else "differs")
                    failed.append(f"{name} {settings}: {wrong}")
                    continue
                errors = np.concatenate(errors)
                beyond = float((errors > tolerance).mean())
                if beyond > (MAY_DIFFER if decisions else 0):
                    failed.append(f"{name} {settings}: {errors.max():.1e}, {beyond:.2%} beyond {tolerance:g}")
                cells.append(f"{errors.max():.1e}" + (f" ({beyond:.2%})" if beyond else ""))
            may = f", {MAY_DIFFER:.0%} may differ" if decisions else ""
            print(f"| {name} | {tolerance:g}{may} |", " | ".join(cells), "|", flush=True)
    for line in failed:
        print("beyond:", line, file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
