"""One training step in PyTorch (forward, cross-entropy, backward, Adam) of the papers' small networks.

    python train_step.py --threads 2 --steps 10 [--only ajufo-cnn] [--channels-last]

Writes one JSON document to stdout: the median of the steps after the warm-up, in milliseconds.
"""
import argparse
import json
import os
import platform
import statistics
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--warmup", type=int, default=2)
parser.add_argument("--only", help="one recipe instead of both")
parser.add_argument("--channels-last", action="store_true", help="PyTorch's other memory format")
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(args.threads)

import torch
from torch import nn

torch.set_num_threads(args.threads)


def ajufo_cnn(classes=10):
    """Batch 20 of 1x128x660."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d((2, 4)),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d((2, 4)),
        nn.Flatten(), nn.LazyLinear(64), nn.ReLU(), nn.Linear(64, classes)), (20, 1, 128, 660)


def georgopoulos_cnn(classes=5):
    """Batch 32 of 1x128x128."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.LazyLinear(256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, classes)), (32, 1, 128, 128)


def measure(build):
    torch.manual_seed(0)
    net, shape = build()
    x = torch.randn(shape)
    net(x)  # Gives the lazy layer its size before the optimizer sees it.
    if args.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    label = torch.randint(net[-1].out_features, (shape[0],))
    adam, loss_of = torch.optim.Adam(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()
    times, busy = [], 0.0
    for step in range(args.warmup + args.steps):
        start, busy_before = time.perf_counter(), time.process_time()
        adam.zero_grad()
        loss = loss_of(net(x), label)
        loss.backward()
        adam.step()
        loss.item()
        if step >= args.warmup:
            times.append((time.perf_counter() - start) * 1e3)
            busy += time.process_time() - busy_before
    return {"input": list(shape), "parameters": sum(p.numel() for p in net.parameters()), "steps": args.steps,
            "median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times), "cpu_ms": busy * 1e3 / args.steps}


def main():
    table = {"ajufo-cnn": ajufo_cnn, "georgopoulos-cnn": georgopoulos_cnn}
    if args.only and args.only not in table:
        parser.error(f"--only: one of {', '.join(table)}")
    rows = {name: measure(build) for name, build in table.items() if args.only in (None, name)}
    json.dump({"peer": f"PyTorch {torch.__version__}", "python": platform.python_version(), "threads": args.threads,
               "channels_last": args.channels_last, "train_step": rows}, sys.stdout)
    print()


main()
