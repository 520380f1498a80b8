"""Makes the files beside it: python make.py, with soundfile 0.14 (libsndfile 1.2).

Lossless ones hold the 16-bit samples (i * 37) % 20001 - 10000 for i below 4000, at 8 kHz; the stereo ones
have them negated and halved (rounded down) on the right. The Ogg holds half of a 440 Hz sine, 0.4 s at 22 050 Hz.
"""

from pathlib import Path

import numpy as np
import soundfile

here = Path(__file__).parent
left = ((np.arange(4000) * 37) % 20001 - 10000).astype(np.int16)
stereo = np.stack([left, (-left.astype(np.int32) // 2).astype(np.int16)], axis=1)
soundfile.write(here / "mono.flac", left, 8000, subtype="PCM_16")
soundfile.write(here / "stereo.flac", stereo, 8000, subtype="PCM_16")
soundfile.write(here / "stereo24.flac", stereo.astype(np.int32) << 16, 8000, subtype="PCM_24")
soundfile.write(here / "stereo.aiff", stereo, 8000, subtype="PCM_16")
soundfile.write(here / "float.aifc", left.astype(np.float32) / 32768, 8000, format="AIFF", subtype="FLOAT")
sine = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8820) / 22050)
soundfile.write(here / "sine.ogg", sine, 22050, subtype="VORBIS")
soundfile.write(here / "stereo.au", stereo, 8000, subtype="PCM_16")
soundfile.write(here / "law.au", left, 8000, subtype="ULAW")
