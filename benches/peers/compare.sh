#!/usr/bin/env bash
# melgrad and its peers on the same work, in turn, on this machine, in one go.
#
#   benches/peers/compare.sh VENV MP3_FOLDER [THREADS] [ROUNDS]
#
# VENV is a Python environment with requirements.txt. Each round runs PyTorch's training steps, melgrad's, both sides'
# kernels (matrix product, convolutions in each direction), librosa's extraction, melgrad's; the medians over the rounds and their ratios go to benches/results/compare-DATE.json, by the
# clock and in processor time (which other programs on the machine hardly disturb).
# Training steps and kernels use THREADS (default: all); extraction uses one core on both sides.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$(realpath "${1:?usage: compare.sh VENV MP3_FOLDER [THREADS] [ROUNDS]}")
clips=$(realpath "${2:?usage: compare.sh VENV MP3_FOLDER [THREADS] [ROUNDS]}")
threads=${3:-$(nproc)}
rounds=${4:-3}
steps=5

cd "$root"
cargo build --release --quiet --bin melgrad --example peer
target=$(realpath "${CARGO_TARGET_DIR:-target}")/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for round in $(seq "$rounds"); do
    echo "round $round of $rounds" >&2
    "$venv/bin/python" "$here/train_step.py" --threads "$threads" --steps "$steps" >"$work/step-peer-$round.json"
    "$target/examples/peer" train_step --threads "$threads" --steps "$steps" >"$work/step-melgrad-$round.json"
    "$venv/bin/python" "$here/kernels.py" --threads "$threads" --steps "$steps" >"$work/kernels-peer-$round.json"
    "$target/examples/peer" kernels --threads "$threads" --steps "$steps" >"$work/kernels-melgrad-$round.json"
    "$venv/bin/python" "$here/extract.py" "$clips" >"$work/extract-peer-$round.json"
    "$target/examples/peer" extract "$clips" --threads 1 >"$work/extract-melgrad-$round.json"
done

out=benches/results/compare-$(date -u +%Y-%m-%d).json
"$venv/bin/python" "$here/summarise.py" "$work" "$out"
echo "$out" >&2
