#!/bin/sh
# Measures Jeton and node-oidc-provider in turn: same cores, same load, several rounds. Prints medians and ratios.
#
# Usage: bench/compare/run.sh [options of `jeton bench`, for both]
#   JETON         the binary to measure; without it, a release build is made
#   ROUNDS        how often both are measured, in turn (3)
#   SERVER_CORES  cores of the measured server (0)
#   CLIENT_CORES  cores of the load generator (1)
#   PORT          where node-oidc-provider listens (3999)
#   RESULTS       directory for the JSON of each round (results, next to this file)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
results=${RESULTS:-$here/results}
rounds=${ROUNDS:-3}
port=${PORT:-3999}

if [ -z "${JETON:-}" ]; then
    cargo build --release --package jeton --manifest-path "$here/../../Cargo.toml"
    target=${CARGO_TARGET_DIR:-$here/../../target}
    JETON=$target/release/jeton
fi
if [ ! -d "$here/node_modules/oidc-provider" ]; then
    (cd "$here" && npm ci)
fi

mkdir -p "$results"
rm -f "$results"/*.json

measure() {
    name=$1
    shift
    # A measurement with wrong answers is kept: the table shows its errors.
    "$JETON" bench --json --server-cores "${SERVER_CORES:-0}" --client-cores "${CLIENT_CORES:-1}" "$@" \
        > "$results/$name.json" || echo "$name: see the errors" >&2
}

round=1
while [ "$round" -le "$rounds" ]; do
    echo "== round $round of $rounds: jeton" >&2
    measure "jeton-$round" "$@"
    echo "== round $round of $rounds: node-oidc-provider" >&2
    NODE_ENV=production measure "peer-$round" "$@" --issuer "http://127.0.0.1:$port" \
        --fixture "$here/peer.json" -- node "$here/peer.mjs" "$port"
    round=$((round + 1))
done

node "$here/table.mjs" "$results"
