"""PyTorch's side of the kernels that issue most of a training step's work: matrix product, convolutions, pooling.

    python kernels.py --threads 2 --steps 10 [--only conv2d]

Convolutions are those of the papers' networks at their batch sizes, in each direction by itself (`forward` with bias and
relu as PyTorch runs them, one after the other; gradients through `convolution_backward` with one output wanted), and
with relu and max-pooling behind them as one (`conv2d_pool`, forward and the whole backward). Recurrent layers run forward
as in training, and forward and back (`_step`). Writes one JSON document to
stdout: {"kernels": {"conv2d/ajufo-2": {"median_ms", "min_ms", "cpu_ms"}}}, names as melgrad's cases have them.
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
parser.add_argument("--only", default="", help="names that begin so")
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(args.threads)

import torch
from torch.nn import functional as F

torch.set_num_threads(args.threads)

# name: x, outputs, padding, pooling window (none where batch norm stands in between)
CONVOLUTIONS = {
    "ajufo-1": ((20, 1, 128, 660), 32, 0, (2, 4)),
    "ajufo-2": ((20, 32, 63, 164), 64, 0, (2, 4)),
    "ajufo-crnn-1": ((20, 1, 128, 660), 64, 1, None),
    "ajufo-crnn-2": ((20, 64, 64, 330), 128, 1, None),
    "ajufo-crnn-3": ((20, 128, 16, 165), 128, 1, None),
    "ajufo-crnn-4": ((20, 128, 4, 82), 128, 1, None),
    "georgopoulos-1": ((32, 1, 128, 128), 32, 1, (2, 2)),
    "georgopoulos-2": ((32, 32, 64, 64), 64, 1, (2, 2)),
    "georgopoulos-3": ((32, 64, 32, 32), 128, 1, (2, 2)),
}

# name: layer, examples, steps, features, hidden
RECURRENT = {
    "gru/ajufo-crnn-1": (torch.nn.GRU, 20, 41, 128, 32),
    "gru/ajufo-crnn-2": (torch.nn.GRU, 20, 41, 32, 32),
    "lstm/dwivedi-crnn": (torch.nn.LSTM, 32, 76, 56, 96),
}


def work():
    """Names with functions to call."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    yield "matmul/square-1024", lambda: a @ b
    for name, (shape, outputs, padding, window) in CONVOLUTIONS.items():
        x, w, bias = torch.randn(shape), torch.randn(outputs, shape[1], 3, 3) * 0.1, torch.randn(outputs)
        y = F.conv2d(x, w, bias, padding=padding)
        dy = torch.randn(y.shape)

        def backward(mask):
            return torch.ops.aten.convolution_backward(
                dy, x, w, None, [1, 1], [padding, padding], [1, 1], False, [0, 0], 1, mask)

        yield f"conv2d/{name}", lambda: F.conv2d(x, w, bias, padding=padding).relu_()
        yield f"conv2d_weight_grad/{name}", lambda: backward([False, True, False])
        if shape[1] > 1:  # Nobody asks a first layer for its input's gradient.
            yield f"conv2d_input_grad/{name}", lambda: backward([True, False, False])
        if window:
            leaf = x.clone().requires_grad_(shape[1] > 1)
            ws, bs = w.clone().requires_grad_(), bias.clone().requires_grad_()

            def forward():
                return F.max_pool2d(F.conv2d(leaf, ws, bs, padding=padding).relu(), window)

            def both():
                forward().sum().backward()

            yield f"conv2d_pool/{name}", lambda: forward()
            yield f"conv2d_pool_step/{name}", both
    for name, (layer, n, t, features, hidden) in RECURRENT.items():
        net, x = layer(features, hidden, batch_first=True), torch.randn(n, t, features, requires_grad=True)
        dy = torch.randn(n, t, hidden)

        def step():
            net(x)[0].backward(dy)

        yield name, lambda: net(x)
        yield name.replace("/", "_step/"), step


def measure(run):
    times, busy = [], 0.0
    for step in range(args.warmup + args.steps):
        start, busy_before = time.perf_counter(), time.process_time()
        run()
        if step >= args.warmup:
            times.append((time.perf_counter() - start) * 1e3)
            busy += time.process_time() - busy_before
    return {"median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times), "cpu_ms": busy * 1e3 / args.steps}


def main():
    torch.manual_seed(0)
    rows = {name: measure(run) for name, run in work() if name.startswith(args.only)}
    json.dump({"peer": f"PyTorch {torch.__version__}", "python": platform.python_version(), "threads": args.threads, "kernels": rows}, sys.stdout)
    print()


main()
