"""The network of recipe ajufo-crnn as a PyTorch module: its state dict's names and shapes, and its logits.

    python tests/goldens/make_state_dict.py                 # writes ajufo_crnn.safetensors beside this script
    python tests/goldens/make_state_dict.py weights.safetensors      # the state dict, for `melgrad import`
    python tests/goldens/make_state_dict.py --check exported.safetensors   # one that `melgrad export` wrote: loads, same logits

Weights and input come from a formula (`numbers`), which the test in models/src/exchange.rs knows too: 2 MB that need not
be kept. Arrays are numbered as PyTorch lists them. PyTorch computes in float64.
"""
import json
import math
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = Path(__file__).parent
INPUT = (2, 1, 128, 660)


def numbers(which, shape, scale, offset=0.0):
    """Numbers in offset ± scale, float32: integers mixed by multiplications and shifts."""
    x = np.arange(math.prod(shape), dtype=np.uint32) + np.uint32(which * 1_000_003)
    for _ in range(2):
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    x ^= x >> np.uint32(16)
    unit = x.astype(np.float64) / 2.0**31 - 1.0
    return torch.from_numpy((offset + scale * unit).astype(np.float32).reshape(shape))


class Sequence(nn.Module):
    """[n, c, 1, t] to [n, t, c]."""

    def forward(self, x):
        return x.permute(0, 3, 1, 2).flatten(2)


class Whole(nn.GRU):
    def forward(self, x):
        return super().forward(x)[0]


class Last(nn.GRU):
    def forward(self, x):
        return super().forward(x)[1][-1]


def network(labels=10):
    layers, channels = OrderedDict(), 1
    for i, (out, pool) in enumerate([(64, (2, 2)), (128, (4, 2)), (128, (4, 2)), (128, (4, 2))], 1):
        layers[f"conv{i}"] = nn.Conv2d(channels, out, 3, padding="same")
        layers[f"elu{i}"] = nn.ELU()
        layers[f"norm{i}"] = nn.BatchNorm2d(out)
        layers[f"pool{i}"] = nn.MaxPool2d(pool)
        layers[f"dropout{i}"] = nn.Dropout(0.1)
        channels = out
    layers["sequence"] = Sequence()
    layers["gru1"] = Whole(128, 32, batch_first=True)
    layers["gru2"] = Last(32, 32, batch_first=True)
    layers["dropout5"] = nn.Dropout(0.3)
    layers["linear1"] = nn.Linear(32, labels)
    return nn.Sequential(layers)


def state_dict(net):
    """Every array by the formula: variances and scales around 1, weights within 2 / sqrt(fan-in)."""
    state = OrderedDict()
    for which, (name, array) in enumerate(net.state_dict().items()):
        if not array.is_floating_point():
            state[name] = array  # num_batches_tracked
            continue
        fan_in = max(math.prod(array.shape[1:]), 1)
        around_1 = name.startswith("norm") and name.endswith(("weight", "running_var"))
        scale, offset = (0.5, 1.0) if around_1 else (2.0 / math.sqrt(fan_in) if array.dim() > 1 else 0.25, 0.0)
        state[name] = numbers(which, array.shape, scale, offset)
    return state


def logits(net):
    with torch.no_grad():
        return net.double().eval()(numbers(1000, INPUT, 2.0).double())


def main():
    net = network()
    state = state_dict(net)
    net.load_state_dict(state)
    if len(sys.argv) == 2:
        return save_file(state, sys.argv[1], metadata={"format": "pt"})
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        other = network()
        other.load_state_dict(load_file(sys.argv[2]), strict=True)
        return print("largest difference of logits:", (logits(other) - logits(net)).abs().max().item())
    arrays = [{"name": name, "shape": list(array.shape)} for name, array in state.items()]
    meta = {"golden": json.dumps({"format": 1, "torch": torch.__version__, "cases": {"ajufo_crnn": {"arrays": arrays}}})}
    save_file({"ajufo_crnn/logits": logits(net).float()}, HERE / "ajufo_crnn.safetensors", metadata=meta)


main()
