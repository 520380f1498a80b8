#!/usr/bin/env bash
# What a machine with a GPU can tell: every proof on the real adapter, then the whole bench, every rung.
#
#   benches/gpu.sh [--quick] [--software]
#
# Writes benches/results/CARD.json, named after the card, and says which adapter was used: tests and bench take the best
# one of this machine, hardware before software. --quick proves the kernels alone and takes a short look at each;
# --software accepts an adapter that is no card, to try the script: it benches softmax alone, the rest would take hours.
# Where the card has matrix units, the rungs on them are proved and benched too, into CARD-matrices-*.json.
# Needs a Rust toolchain and the card's Vulkan (or Metal, DirectX 12) driver; the rest is in the repository.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=() software=no
for argument in "$@"; do
    case $argument in
        --quick) quick=(--quick) ;;
        --software) software=yes ;;
        *) echo "error: $argument: the flags are --quick and --software" >&2 && exit 2 ;;
    esac
done

say() { echo "== $*" >&2; }
field() { # field NAME FILE: a field of the report's head.
    sed -n "s/^  \"$1\": \"\{0,1\}\(.*[^\",]\)\"\{0,1\},\{0,1\}\$/\1/p" "$2" | head -n 1
}

say "building"
cargo build --locked --release --quiet --bin melgrad
melgrad=$(realpath "${CARGO_TARGET_DIR:-target}")/release/melgrad
look=$(mktemp)
trap 'rm -f "$look"' EXIT
"$melgrad" bench peak_copy --quick --device gpu --json "$look" >/dev/null
card=$(field device "$look")
say "adapter: $card ($(field driver "$look")); software: $(field software "$look")"
if [ "$(field software "$look")" = true ] && [ $software = no ]; then
    echo "error: $card is a software adapter: there is no GPU with a driver here" >&2
    echo "hint: \`$melgrad doctor\` lists the adapters; --software goes on all the same" >&2
    exit 1
fi

prove() { # The proofs, on the adapter at hand.
    if [ ${#quick[@]} -gt 0 ]; then
        cargo test --locked --quiet -p melgrad-kernels --test proof
    else
        cargo test --locked --quiet -p melgrad-kernels
        cargo test --locked --quiet -p melgrad-engine --test all
        cargo test --locked --quiet -p melgrad-models --lib -- front_end augment
        cargo test --locked --quiet -p melgrad-models --test training
        cargo test --locked --quiet -p melgrad --test parity
    fi
}
say "proofs on $card"
prove

only=()
[ "$(field software "$look")" = true ] && only=(softmax)
name=$(echo "$card" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9]\{1,\}/-/g; s/^-//; s/-$//')
[ "$(field software "$look")" = true ] && name=software-$name
out=benches/results/$name.json
say "bench on $card: $out"
"$melgrad" bench ${only[@]+"${only[@]}"} --device gpu --rung all ${quick[@]+"${quick[@]}"} --json "$out"

if "$melgrad" doctor --json | grep '"cooperative-matrix"' >/dev/null; then
    export MELGRAD_MATRICES=1
    say "proofs with matrix units"
    prove
    kernels=(matmul conv2d/)
    [ ${#only[@]} -gt 0 ] && kernels=(matmul/recurrent-input) quick=() # A quick look has another case.
    for kernel in "${kernels[@]}"; do
        out=benches/results/$name-matrices-${kernel%%/*}.json
        say "bench with matrix units: $out"
        "$melgrad" bench "$kernel" --device gpu --rung all ${quick[@]+"${quick[@]}"} --json "$out"
    done
fi
say "done; \`cargo run --example ladders\` puts it into docs/kernels.md"
