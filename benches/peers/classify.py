"""What `melgrad classify` does, with PyTorch and librosa: an MP3's log-mel through `ajufo-cnn`, the likeliest genre printed.

    python classify.py CLIP.mp3 --weights FILE.pt [--threads N] [--make]     # --make: writes weights that know nothing
"""
import argparse
import os

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip")
parser.add_argument("--weights", required=True)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--make", action="store_true")
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(args.threads)

import librosa
import numpy as np
import torch

from networks import network

GENRES = "blues classical country disco hiphop jazz metal pop reggae rock".split()

torch.set_num_threads(args.threads)
net, (_, _, bands, frames) = network("ajufo-cnn")
if args.make:
    torch.save(net.state_dict(), args.weights)
net.load_state_dict(torch.load(args.weights))
samples, rate = librosa.load(args.clip, sr=22050, mono=True)
mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=2048, hop_length=1024, n_mels=bands)
x = torch.from_numpy(librosa.util.fix_length(librosa.power_to_db(mel, ref=np.max), size=frames, axis=1)).float()
with torch.inference_mode():
    answer = torch.softmax(net.eval()(((x - x.mean()) / x.std())[None, None])[0], 0)
best = int(answer.argmax())
print(f"{args.clip}\t{GENRES[best]} {100 * answer[best]:.1f} %")
