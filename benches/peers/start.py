"""From process start to a printed genre for one MP3 of 30 s: melgrad's command, and the same in Python.

    python start.py [--melgrad target/release/melgrad] [--model RUN/best.safetensors] [--clip FILE.mp3] [--times 10]

Runs, in turn: `melgrad classify CLIP --model MODEL`; `melgrad classify CLIP` on the model that ships inside, where one
does; `classify.py CLIP` (import PyTorch and librosa, load, predict). Without --model a small training on synthetic music
makes one of `ajufo-cnn`, the network that classify.py has too; without --clip the synthesiser makes 30 s, as MP3.
One JSON document to stdout: {"start": {NAME: {"median_ms", "min_ms", "max_ms", "printed"}}}. One run before the clock.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--melgrad", default="target/release/melgrad")
parser.add_argument("--model", help="a model file of melgrad's")
parser.add_argument("--clip", help="the sound to be named")
parser.add_argument("--times", type=int, default=10)
parser.add_argument("--threads", type=int, default=os.cpu_count())
args = parser.parse_args()


def quiet(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def thirty_seconds(folder):
    """Synthetic music as an MP3."""
    import soundfile

    quiet(args.melgrad, "synth", "--out", f"{folder}/one", "--clips", "1", "--seconds", "30")
    samples, rate = soundfile.read(next(Path(folder, "one").rglob("*.wav")))
    soundfile.write(f"{folder}/clip.mp3", samples, rate, format="MP3")
    return f"{folder}/clip.mp3"


def some_model(folder):
    """A model that knows nothing, but of the right size."""
    quiet(args.melgrad, "synth", "--out", f"{folder}/music", "--clips", "60", "--seconds", "3")
    quiet(args.melgrad, "train", "--data", f"{folder}/music", "--recipe", "ajufo-cnn", "--epochs", "1", "--device", "cpu",
          "--no-cache", "--out", f"{folder}/run")
    return f"{folder}/run/best.safetensors"


def timed(commands):
    """Every command in turn, again and again; those that fail at first are left out."""
    times, printed = {}, {}
    for turn in range(args.times + 1):
        for name, command in commands.items():
            if turn and name not in times:
                continue
            start = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True)
            took = (time.perf_counter() - start) * 1e3
            if done.returncode:
                said = next((line for line in done.stderr.splitlines() if "rror" in line), f"exit {done.returncode}")
                print(f"{name}: left out: {said}", file=sys.stderr)
                times.pop(name, None)
                continue
            times.setdefault(name, [])
            printed[name] = done.stdout.strip().split("\t")[-1]
            if turn:
                times[name].append(took)
    return {name: {"median_ms": statistics.median(t), "min_ms": min(t), "max_ms": max(t), "printed": printed[name]} for name, t in times.items()}


def main():
    with tempfile.TemporaryDirectory() as folder:
        clip = args.clip or thirty_seconds(folder)
        model, weights, threads = args.model or some_model(folder), f"{folder}/weights.pt", str(args.threads)
        classify = [args.melgrad, "classify", clip, "--device", "cpu", "--threads", threads]
        python = [sys.executable, str(HERE / "classify.py"), clip, "--weights", weights, "--threads", threads]
        quiet(*python, "--make")
        rows = timed({"melgrad --model": [*classify, "--model", model], "melgrad, shipped model": classify, "PyTorch and librosa": python})
        json.dump({"peer": "PyTorch and librosa", "threads": args.threads, "times": args.times, "start": rows}, sys.stdout)
        print()


main()
