"""Golden arrays from librosa's defaults: STFT power, mel filters, mel, decibels, for preset `librosa`.

    python tests/goldens/make_librosa.py      # writes librosa.safetensors beside this script

The sounds are made here and kept in the file (float32); librosa computes in float32 as its users see it.
"""
import json
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
from safetensors.numpy import save_file

HERE = Path(__file__).parent
RATE = 22050


def sounds():
    """A sweep under noise, too short a sound, an impulse, and silence."""
    t = np.arange(6000) / RATE
    noise = np.random.default_rng(20261120).standard_normal(len(t))
    sweep = 0.5 * np.sin(2 * np.pi * (200 * t + 12000 * t * t)) + 0.01 * noise
    impulse = np.zeros(1500)
    impulse[700] = 1.0
    return {"sweep": sweep, "short": sweep[:300], "impulse": impulse, "silence": np.zeros(2048)}


def transforms():
    """SciPy's DCT-II along the last axis, and librosa's inverse STFT of spectra that no signal has, in float64."""
    random = np.random.default_rng(20261121)
    arrays, cases = {}, {}
    for case, (rows, n, kept, norm) in {"mfcc": (5, 40, 13, "ortho"), "all": (3, 7, 7, "ortho"), "plain": (2, 9, 4, None), "one": (4, 1, 1, "ortho")}.items():
        x = random.standard_normal((rows, n)).astype(np.float32)
        arrays |= {f"dct_{case}/x": x, f"dct_{case}/y": scipy.fft.dct(x.astype(np.float64), type=2, norm=norm)[:, :kept]}
        cases[f"dct_{case}"] = {"kept": kept, "ortho": norm == "ortho"}
    table = {"default": (64, 16, 9, True, None), "cut": (64, 16, 9, True, 100), "padded": (64, 16, 9, True, 150), "left": (64, 32, 5, False, None),
             "sparse": (32, 24, 6, False, None), "odd": (30, 7, 8, True, None), "gap": (16, 20, 4, False, None)}
    for case, (n_fft, hop, frames, center, length) in table.items():
        re, im = random.standard_normal((2, 1 + n_fft // 2, frames)).astype(np.float32)
        window = librosa.filters.get_window("hann", n_fft, fftbins=True).astype(np.float32)
        y = librosa.istft(re.astype(np.float64) + 1j * im, hop_length=hop, n_fft=n_fft, window=window.astype(np.float64), center=center, length=length, dtype=np.float64)
        arrays |= {f"istft_{case}/re": re.T, f"istft_{case}/im": im.T, f"istft_{case}/window": window, f"istft_{case}/y": y}
        cases[f"istft_{case}"] = {"n_fft": n_fft, "hop": hop, "center": center}
    out = {k: np.ascontiguousarray(v.astype(np.float32)) for k, v in arrays.items()}
    meta = {"golden": json.dumps({"format": 1, "scipy": scipy.__version__, "librosa": librosa.__version__, "cases": cases})}
    save_file(out, HERE / "transforms.safetensors", metadata=meta)


def main():
    arrays, cases = {}, {}
    settings = {
        "default": {"n_fft": 2048, "hop_length": 512, "n_mels": 128},
        "small": {"n_fft": 512, "hop_length": 160, "n_mels": 40, "fmin": 100.0, "fmax": 8000.0},
        "odd": {"n_fft": 600, "hop_length": 211, "n_mels": 23},
    }
    for name, s in settings.items():
        s = {"fmin": 0.0, "fmax": RATE / 2, **s}
        filters = librosa.filters.mel(sr=RATE, n_fft=s["n_fft"], n_mels=s["n_mels"], fmin=s["fmin"], fmax=s["fmax"])
        band, bin = np.nonzero(filters)
        # The filters are nearly all zero: only what is not zero is kept, with its place in [n_mels, n_fft/2 + 1].
        arrays |= {f"{name}/filter_place": (band * filters.shape[1] + bin).astype(np.int32), f"{name}/filter_value": filters[band, bin]}
        cases[name] = {"sample_rate": RATE, **s, "power": 2.0, "top_db": 80.0}
        for sound, samples in sounds().items():
            y = samples.astype(np.float32)
            arrays[f"sound/{sound}"] = y
            stft = np.abs(librosa.stft(y, n_fft=s["n_fft"], hop_length=s["hop_length"])) ** 2
            mel = librosa.feature.melspectrogram(y=y, sr=RATE, power=2.0, **s)
            key = f"{name}/{sound}"
            # The power spectrum is large: every 3rd frame of it.
            arrays |= {f"{key}/stft_power_every_3rd_frame": stft[:, ::3], f"{key}/mel": mel,
                       f"{key}/db_ref_max": librosa.power_to_db(mel, ref=np.max), f"{key}/db_ref_1": librosa.power_to_db(mel)}
    out = {k: np.ascontiguousarray(v if v.dtype == np.int32 else v.astype(np.float32)) for k, v in arrays.items()}
    meta = {"golden": json.dumps({"format": 1, "librosa": librosa.__version__, "numpy": np.__version__, "cases": cases})}
    save_file(out, HERE / "librosa.safetensors", metadata=meta)
    print((HERE / "librosa.safetensors").stat().st_size, "librosa.safetensors")


if __name__ == "__main__":
    main()
    transforms()
