"""A training step (forward, cross-entropy, backward, Adam) of the papers' networks in PyTorch, or their answers.

    python train_step.py --threads 2 --steps 10 [--only ajufo-cnn,amin-cnn] [--infer] [--channels-last]

The networks come from models/recipes, at the recipes' batch sizes; --infer answers about one window, from features to
probabilities. Writes one JSON document to stdout: the median of the steps after the warm-up, in milliseconds, and the
most memory that the process ever held (with one recipe a process, that recipe's).
"""
import argparse
import json
import os
import platform
import statistics
import sys
import time

RECIPES = "ajufo-cnn,ajufo-crnn,georgopoulos-cnn,northrop-cnn,amin-cnn"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--warmup", type=int, default=2)
parser.add_argument("--only", default=RECIPES, help="recipes, separated by commas")
parser.add_argument("--infer", action="store_true", help="one window through the network instead of a training step")
parser.add_argument("--channels-last", action="store_true", help="PyTorch's other memory format")
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(args.threads)

import torch
from torch import nn

from networks import CLASSES, network

torch.set_num_threads(args.threads)


def memory(field):
    """A field of /proc/self/status in MiB; None where there is no such file."""
    try:
        lines = open("/proc/self/status").read().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field + ":")), None)


def training(net, shape):
    """A function that does one step."""
    x, label = torch.randn(shape), torch.randint(CLASSES, (shape[0],))
    if args.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    adam, loss_of = torch.optim.Adam(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step():
        adam.zero_grad()
        loss = loss_of(net(x), label)
        loss.backward()
        adam.step()
        loss.item()

    return step


def answering(net, shape):
    """A function that answers about one window."""
    x, net = torch.randn(1, *shape[1:]), net.eval()

    def answer():
        with torch.inference_mode():
            torch.softmax(net(x), 1).sum().item()

    return answer


def measure(name):
    torch.manual_seed(0)
    before = memory("VmRSS")
    net, shape = network(name)
    run = answering(net, shape) if args.infer else training(net, shape)
    times, busy = [], 0.0
    for step in range(args.warmup + args.steps):
        start, busy_before = time.perf_counter(), time.process_time()
        run()
        if step >= args.warmup:
            times.append((time.perf_counter() - start) * 1e3)
            busy += time.process_time() - busy_before
    return {"input": [1 if args.infer else shape[0], *shape[1:]], "parameters": sum(p.numel() for p in net.parameters()),
            "steps": args.steps, "median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times),
            "cpu_ms": busy * 1e3 / args.steps, "peak_mib": memory("VmHWM"), "mib_before": before}


def main():
    rows = {name: measure(name) for name in args.only.split(",")}
    json.dump({"peer": f"PyTorch {torch.__version__}", "python": platform.python_version(), "threads": args.threads,
               "channels_last": args.channels_last, "infer" if args.infer else "train_step": rows}, sys.stdout)
    print()


main()
