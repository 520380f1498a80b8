#!/usr/bin/env bash
# melgrad and its peers on the same work, in turn, on this machine, in one go.
#
#   benches/peers/compare.sh VENV MP3_FOLDER [THREADS] [ROUNDS]
#
# VENV is a Python environment (3.12 or newer) with requirements.txt. Each round runs, one after the other, PyTorch's and
# melgrad's training step of every recipe (each in a process of its own, whose peak of memory is kept), both sides' answers
# about one window, both sides' kernels, librosa's extraction and melgrad's; the first round also burn and candle
# (frameworks/, built from crates.io), whose steps take seconds, and the last one the way from process start to a genre.
# Medians over the rounds, their ratios and geometric means go to benches/results/compare-DATE.json, by the clock and
# in processor time (which other programs on the machine hardly disturb).
# All of it uses THREADS (default: all cores) but extraction, which uses one core on both sides.
#
#   PARTS="train_step infer frameworks kernels extract start"   what to measure
#   RECIPES="ajufo-cnn …"  the networks     INFER="ajufo-cnn ajufo-crnn"  those that answer
#   STEPS=5                steps a round    FRAMEWORK_STEPS=3             those of burn and candle
#   BACKENDS="burn-flex burn-ndarray candle"    CLIP=FILE.mp3 MODEL=FILE  for `start`, see start.py
#   OUT=FILE               the file to write
# In seconds: PARTS="train_step infer" RECIPES=georgopoulos-cnn INFER=ajufo-cnn STEPS=1 OUT=/tmp/try.json compare.sh VENV . 2 1
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
usage="usage: compare.sh VENV MP3_FOLDER [THREADS] [ROUNDS]"
python=$(cd "${1:?$usage}" && pwd)/bin/python # Not realpath: a virtual environment's python is a link.
clips=$(realpath "${2:?$usage}")
threads=${3:-$(nproc)}
rounds=${4:-3}
parts=${PARTS:-train_step infer frameworks kernels extract start}
steps=${STEPS:-5}
out=$(realpath -m "${OUT:-$root/benches/results/compare-$(date -u +%Y-%m-%d).json}")

cd "$root"
wanted() { [[ " $parts " == *" $1 "* ]]; }
cargo build --locked --release --quiet --bin melgrad --example peer
target=$(realpath "${CARGO_TARGET_DIR:-target}")
peer=$target/release/examples/peer
if wanted frameworks; then
    echo "building burn and candle" >&2
    CARGO_TARGET_DIR=$target/frameworks cargo build --locked --release --quiet --manifest-path "$here/frameworks/Cargo.toml" ||
        echo "warning: burn and candle do not build: left out" >&2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

measure() { # measure NAME COMMAND…: its JSON goes to NAME.json; what fails is told and left out, on both sides.
    local name=$1
    shift
    "$@" >"$work/$name.json" || { echo "warning: $name failed: left out" >&2 && rm -f "$work/$name.json"; }
}

for round in $(seq "$rounds"); do
    for recipe in ${RECIPES:-ajufo-cnn ajufo-crnn georgopoulos-cnn northrop-cnn amin-cnn}; do
        wanted train_step || break
        echo "round $round of $rounds: training step of $recipe" >&2
        measure "peer-step-$recipe-$round" "$python" "$here/train_step.py" --threads "$threads" --steps "$steps" --only "$recipe"
        measure "melgrad-step-$recipe-$round" "$peer" train_step --threads "$threads" --steps "$steps" --only "$recipe"
        wanted frameworks && [ "$round" = 1 ] || continue
        for backend in ${BACKENDS:-burn-flex burn-ndarray candle}; do
            echo "round $round of $rounds: $recipe in $backend" >&2
            RAYON_NUM_THREADS=$threads measure "$backend-step-$recipe-$round" \
                "$target/frameworks/release/frameworks" "$backend" "models/recipes/$recipe.toml" --steps "${FRAMEWORK_STEPS:-3}"
        done
    done
    for recipe in ${INFER:-ajufo-cnn ajufo-crnn}; do
        wanted infer || break
        echo "round $round of $rounds: an answer of $recipe" >&2
        measure "peer-infer-$recipe-$round" "$python" "$here/train_step.py" --infer --threads "$threads" --steps $((10 * steps)) --only "$recipe"
        measure "melgrad-infer-$recipe-$round" "$peer" infer --threads "$threads" --steps $((10 * steps)) --only "$recipe"
    done
    if wanted kernels; then
        echo "round $round of $rounds: kernels" >&2
        measure "peer-kernels-$round" "$python" "$here/kernels.py" --threads "$threads" --steps "$steps"
        measure "melgrad-kernels-$round" "$peer" kernels --threads "$threads" --steps "$steps"
    fi
    if wanted extract; then
        echo "round $round of $rounds: extraction" >&2
        measure "peer-extract-$round" "$python" "$here/extract.py" "$clips" --rounds 3
        measure "melgrad-extract-$round" "$peer" extract "$clips" --threads 1 --rounds 3
    fi
done
if wanted start; then
    echo "from process start to a genre" >&2
    measure start "$python" "$here/start.py" --melgrad "$target/release/melgrad" --threads "$threads" ${CLIP:+--clip "$CLIP"} ${MODEL:+--model "$MODEL"}
fi

"$python" "$here/summarise.py" "$work" "$out" --threads "$threads"
echo "$out" >&2
