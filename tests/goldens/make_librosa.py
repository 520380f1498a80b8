"""Golden arrays from SciPy and librosa, in float64: the DCT and the inverse STFT.

    python tests/goldens/make_librosa.py      # writes transforms.safetensors beside this script
"""
import json
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
from safetensors.numpy import save_file

HERE = Path(__file__).parent


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


if __name__ == "__main__":
    transforms()
