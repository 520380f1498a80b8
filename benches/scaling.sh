#!/usr/bin/env bash
# Whether ten times the clips take ten times as long and no more memory, on synthetic music.
#
#   benches/scaling.sh [CLIPS…]            # default: 100 1000 10000; a look in seconds: benches/scaling.sh 20 40
#
# For each number of clips: `synth` makes them, one training computes their features into an empty cache and learns for
# one epoch, one finds the features there and learns for EPOCHS. Extraction is what the first takes beyond an epoch and
# what a start with a full cache takes; training is the median epoch after the first. Peaks are the processes' largest
# resident sets.
#
#   SECONDS_EACH=2   length of a clip     RECIPE=demo   the network     EPOCHS=4     THREADS=2 (default: all cores)
#   OUT=FILE         default: benches/results/scaling-DATE.json
# Needs GNU time (Debian's package `time`), and 90 KB of temporary disk a second of sound at the sizes above.
set -euo pipefail
cd "$(dirname "$0")/.."

sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(100 1000 10000)
each=${SECONDS_EACH:-2} recipe=${RECIPE:-demo} epochs=${EPOCHS:-4} threads=${THREADS:-$(nproc)}
out=${OUT:-benches/results/scaling-$(date -u +%Y-%m-%d).json}
gnu_time=$(type -P time) || { echo "error: GNU time is missing" >&2 && echo "hint: apt-get install time" >&2 && exit 1; }
[ "$epochs" -ge 2 ] || { echo "error: EPOCHS=$epochs: at least 2" >&2 && exit 2; }

cargo build --locked --release --quiet --bin melgrad
melgrad=$(realpath "${CARGO_TARGET_DIR:-target}")/release/melgrad
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache

timed() { # timed NAME COMMAND…: seconds and peak (KiB) to NAME; what the command says is shown only where it fails.
    local name=$1
    shift
    "$gnu_time" -f '%e %M' -o "$work/$name" "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2 && exit 1; }
    read -r seconds peak <<<"$(tail -n 1 "$work/$name")"
}
train() { # train NAME EPOCHS
    timed "$1" "$melgrad" train --data "$work/music" --recipe "$recipe" --seconds "$each" --epochs "$2" \
        --device cpu --threads "$threads" --out "$work/$1-run"
}
number() { awk "BEGIN { printf \"%.$1f\", $2 }"; } # number DIGITS EXPRESSION

rows=()
printf '%8s %22s %20s %22s %20s\n' clips 'extraction, ms a clip' 'training, ms a clip' 'peak extracting, MiB' 'peak training, MiB' >&2
for clips in "${sizes[@]}"; do
    rm -rf "$work/music" "$work/cache" "$work"/*-run
    timed synth "$melgrad" synth --out "$work/music" --clips "$clips" --seconds "$each" --threads "$threads"
    train cold 1
    cold=$seconds cold_peak=$peak
    train start 1
    start=$seconds
    train warm "$epochs"
    warm_peak=$peak
    epoch=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") c = i } NR > 2 { print $c }' "$work/warm-run/history.csv" |
        sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }')
    row=("$clips" "$(number 3 "1000 * ($cold - $start) / $clips")" "$(number 4 "1000 * $epoch / $clips")"
        "$(number 1 "$cold_peak / 1024")" "$(number 1 "$warm_peak / 1024")")
    printf '%8s %22s %20s %22s %20s\n' "${row[@]}" >&2
    rows+=("$(printf '{"clips": %s, "extraction_ms_per_clip": %s, "training_ms_per_clip": %s, "peak_extracting_mib": %s, "peak_training_mib": %s}' "${row[@]}")")
done

joined=$(printf ',\n  %s' "${rows[@]}")
mkdir -p "$(dirname "$out")"
printf '{"recipe": "%s", "seconds_each": %s, "threads": %s, "rows": [%s\n]}\n' "$recipe" "$each" "$threads" "${joined:1}" >"$out.part"
mv "$out.part" "$out"
echo "$out" >&2
