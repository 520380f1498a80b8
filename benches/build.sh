#!/usr/bin/env bash
# How long builds take from clean, and what the smallest classifier weighs.
#
#   benches/build.sh [all|library|classifier …]      # default: all three
#
#   all          `cargo build --release` of the whole                    at most 240 s on 2 cores
#   library      the CPU-only library (no default features)              at most  60 s
#   classifier   examples/classify.rs, CPU only, stripped, for size      at most   3 MB, without and with the model that ships
#
# Each in a new target folder that is removed again; what has to be downloaded is fetched before the clock runs. JOBS=2
# sets cargo's jobs (default: all cores). One JSON document on standard output.
set -euo pipefail
shopt -s inherit_errexit # A build that fails ends the script from within $(…) too.
cd "$(dirname "$0")/.."

what=("$@")
[ ${#what[@]} -gt 0 ] || what=(all library classifier)
lean=(--no-default-features)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target CARGO_INCREMENTAL=0 ${JOBS:+CARGO_BUILD_JOBS=$JOBS}
cargo fetch --locked --quiet

seconds() { # seconds COMMAND…: from clean
    local start
    rm -rf "$CARGO_TARGET_DIR"
    start=$(date +%s.%N)
    "$@" >&2
    awk "BEGIN { printf \"%.1f\", $(date +%s.%N) - $start }"
}
# For size: one code unit, no unwinding, optimised for bytes; `opt-level = 3` is faster and larger.
small() { # small FEATURES
    cargo build --locked --release --quiet --no-default-features --features "$1" --example classify \
        --config 'profile.release.opt-level="s"' --config 'profile.release.lto="fat"' --config profile.release.codegen-units=1 \
        --config 'profile.release.panic="abort"' --config profile.release.strip=true
}

fields=()
for one in "${what[@]}"; do
    case $one in
        all)
            took=$(seconds cargo build --locked --release --quiet)
            fields+=("\"all_seconds\": $took")
            ;;
        library)
            took=$(seconds cargo build --locked --release --quiet --lib "${lean[@]}")
            fields+=("\"library_seconds\": $took")
            ;;
        classifier)
            took=$(seconds small "")
            bytes=$(stat -c %s "$CARGO_TARGET_DIR/release/examples/classify")
            small shipped
            shipped=$(stat -c %s "$CARGO_TARGET_DIR/release/examples/classify")
            fields+=("\"classifier_bytes\": $bytes, \"classifier_with_model_bytes\": $shipped, \"classifier_seconds\": $took")
            ;;
        *) echo "error: $one: all, library or classifier" >&2 && exit 2 ;;
    esac
    echo "${fields[-1]}" >&2
done
joined=$(printf ', %s' "${fields[@]}")
echo "{\"jobs\": ${JOBS:-$(nproc)}, \"rustc\": \"$(rustc --version | cut -d' ' -f2)\", ${joined:2}}"
