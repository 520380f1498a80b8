"""What PyTorch and librosa reach with `georgopoulos-cnn` on ESC-10: the figure melgrad is held against.

Folds 1 to 3 train (a stratified part of their sources validates), fold 4 tests.
Each clip's log-mel (22 050 Hz, n_fft 2048, hop 512, 128 bands) becomes one 1x128x128 picture
(`--view whole`: frames averaged down to 128) or windows of 128 frames (`--view windows`: hop 64 in
training, probabilities averaged in testing). The epoch with the best validation loss is tested.

    python esc10_reference.py DATA --seeds 0 1 2
"""
import argparse, glob, json, os, sys, time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("data", help="folder with one folder of <fold>-<clip>-<take>.mp3 per class")
p.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
p.add_argument("--epochs", type=int, default=30)
p.add_argument("--batch", type=int, default=32)
p.add_argument("--lr", type=float, default=1e-3)
p.add_argument("--l2", type=float, default=0.0, help="Adam's weight_decay")
p.add_argument("--ref", choices=["max", "one"], default="max", help="power_to_db's reference")
p.add_argument("--top-db", type=float, default=80.0, help="0: no clipping")
p.add_argument("--norm", choices=["dataset", "band", "clip", "minmax"], default="dataset")
p.add_argument("--view", choices=["whole", "windows"], default="whole")
p.add_argument("--validation", type=float, default=0.2, help="share of the sources of folds 1 to 3")
p.add_argument("--patience", type=int, default=0, help="stop after so many epochs without gain; 0: never")
p.add_argument("--select", choices=["loss", "accuracy", "last"], default="loss")
p.add_argument("--no-class-weights", action="store_true")
p.add_argument("--init", choices=["torch", "kaiming", "glorot"], default="torch", help="torch: its own default; kaiming: normal(0, sqrt(2/fan_in)), zero biases; glorot: uniform, zero biases (Keras)")
p.add_argument("--mixed-shift", type=int, default=0, help="training: roll pictures by up to so many frames")
p.add_argument("--threads", type=int, default=1)
p.add_argument("--cache", help=".npz with the features of an earlier call")
p.add_argument("--verbose", action="store_true")
a = p.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(a.threads)

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(a.threads)


def load():
    if a.cache and os.path.exists(a.cache):
        z = np.load(a.cache, allow_pickle=True)
        return list(z["power"]), z["y"], z["fold"], z["group"], list(z["labels"])
    import librosa
    files = sorted(glob.glob(os.path.join(a.data, "*", "*.mp3")))
    labels = sorted({f.split(os.sep)[-2] for f in files})
    power, y, fold, group = [], [], [], []
    for f in files:
        samples, sr = librosa.load(f, sr=22050)
        power.append(librosa.feature.melspectrogram(y=samples, sr=sr, n_fft=2048, hop_length=512, n_mels=128))
        stem = os.path.basename(f).split("-")
        y.append(labels.index(f.split(os.sep)[-2]))
        fold.append(int(stem[0]))
        group.append("-".join(stem[:2]))
    if a.cache:
        table = np.empty(len(power), dtype=object)
        table[:] = power
        np.savez(a.cache, power=table, y=y, fold=fold, group=group, labels=labels)
    return power, np.array(y), np.array(fold), np.array(group), labels


def decibels(m):
    import math
    m = np.asarray(m, dtype=np.float32)
    ref = float(m.max()) if a.ref == "max" else 1.0
    db = 10 * np.log10(np.maximum(1e-10, m)) - 10 * math.log10(max(1e-10, ref))
    return np.maximum(db, db.max() - a.top_db) if a.top_db else db


def whole(db):
    return [F.adaptive_avg_pool1d(torch.tensor(db)[None], 128)[0].numpy() if db.shape[1] >= 128
            else F.interpolate(torch.tensor(db)[None], size=128, mode="linear")[0].numpy()]


def windows(db, hop=64):
    if db.shape[1] < 128:
        db = np.pad(db, ((0, 0), (0, 128 - db.shape[1])), constant_values=db.min())
    return [db[:, s:s + 128] for s in range(0, db.shape[1] - 127, hop)]


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(128 * 16 * 16, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, classes))
        for m in self.net:
            if isinstance(m, (nn.Conv2d, nn.Linear)) and a.init != "torch":
                (nn.init.kaiming_normal_ if a.init == "kaiming" else nn.init.xavier_uniform_)(m.weight, **({"nonlinearity": "relu"} if a.init == "kaiming" else {}))
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.net(x)


def split(y, fold, group, seed):
    """Validation: whole sources, per class, until the share is reached."""
    rng = np.random.default_rng(seed)
    val = np.zeros(len(y), bool)
    for c in np.unique(y):
        here = (y == c) & (fold < 4)
        target = a.validation * here.sum()
        for g in rng.permutation(np.unique(group[here])):
            n = (here & (group == g)).sum()
            if (val & here).sum() + n <= target + 0.5:
                val |= here & (group == g)
    return (fold < 4) & ~val, val, fold == 4


def train(seed, power, y, fold, group, labels):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    cut = whole if a.view == "whole" else windows
    clips = [cut(decibels(m)) for m in power]
    tr, va, te = split(y, fold, group, seed)

    def table(mask):
        xs = [w for i in np.flatnonzero(mask) for w in clips[i]]
        ys = [y[i] for i in np.flatnonzero(mask) for _ in clips[i]]
        ids = [i for i in np.flatnonzero(mask) for _ in clips[i]]
        return np.stack(xs)[:, None], torch.tensor(np.array(ys)), np.array(ids)

    (xt, yt, _), (xv, yv, iv), (xe, ye, ie) = table(tr), table(va), table(te)
    if a.norm == "clip":
        f = lambda x: (x - x.mean((2, 3), keepdims=True)) / (x.std((2, 3), keepdims=True) + 1e-6)
    elif a.norm == "minmax":
        lo, hi = xt.min(), xt.max()
        f = lambda x: (x - lo) / (hi - lo)
    else:
        axes = (0, 1, 3) if a.norm == "band" else (0, 1, 2, 3)
        mean, std = xt.mean(axes, keepdims=True), xt.std(axes, keepdims=True)
        f = lambda x: (x - mean) / (std + 1e-6)
    xt, xv, xe = (torch.tensor(f(x), dtype=torch.float32) for x in (xt, xv, xe))

    net = Net(len(labels))
    count = torch.bincount(yt, minlength=len(labels)).float()
    weight = None if a.no_class_weights else count.sum() / (len(labels) * count)
    opt = torch.optim.Adam(net.parameters(), lr=a.lr, weight_decay=a.l2)

    def predict(x, ids):
        net.eval()
        with torch.no_grad():
            prob = torch.cat([F.softmax(net(b), 1) for b in x.split(64)])
        clip_ids = np.unique(ids)
        return torch.stack([prob[ids == i].mean(0) for i in clip_ids]), torch.tensor(y[clip_ids])

    best, state, since, history = None, None, 0, []
    for epoch in range(a.epochs):
        net.train()
        order, total = rng.permutation(len(xt)), 0.0
        for s in range(0, len(order), a.batch):
            idx = order[s:s + a.batch]
            x = xt[idx]
            if a.mixed_shift:
                x = torch.stack([torch.roll(r, int(rng.integers(-a.mixed_shift, a.mixed_shift + 1)), 2) for r in x])
            opt.zero_grad()
            loss = F.cross_entropy(net(x), yt[idx], weight=weight)
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        prob, truth = predict(xv, iv)
        vl = F.nll_loss(prob.clamp_min(1e-9).log(), truth).item()
        vacc = (prob.argmax(1) == truth).float().mean().item()
        tp, tt = predict(xe, ie)
        tacc = (tp.argmax(1) == tt).float().mean().item()
        key = {"loss": -vl, "accuracy": vacc - 1e-3 * vl, "last": epoch}[a.select]
        history.append((total / len(xt), vl, vacc, tacc))
        if a.verbose:
            print(f"  seed {seed} epoch {epoch + 1}: train {total / len(xt):.3f} val {vl:.3f} {vacc:.3f} test {tacc:.3f}", file=sys.stderr)
        if best is None or key > best[0]:
            best, since = (key, epoch + 1, vacc, tacc), 0
        else:
            since += 1
            if a.patience and since >= a.patience:
                break
    return {"seed": seed, "epoch": best[1], "validation": round(best[2], 4), "test": round(best[3], 4),
            "last_test": round(history[-1][3], 4), "train": len(xt), "clips": [int(tr.sum()), int(va.sum()), int(te.sum())]}


data = load()
start = time.time()
runs = [train(s, *data) for s in a.seeds]
test = np.array([r["test"] for r in runs])
json.dump({"settings": {k: v for k, v in vars(a).items() if k not in ("data", "cache", "verbose")}, "torch": torch.__version__,
           "runs": runs, "mean": round(float(test.mean()), 4), "std": round(float(test.std()), 4),
           "mean_last": round(float(np.mean([r["last_test"] for r in runs])), 4), "seconds": round(time.time() - start, 1)}, sys.stdout)
print()
