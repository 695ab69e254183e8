#!/usr/bin/env bash
# `emotone classify` on a folder tree against a Python pipeline in two processes, in turn, on the same two cores.
#
#   benches/archive/compare.sh TREE PIPELINE [ROUNDS]
#
# PIPELINE: see peer.py; EMOTONE and PYTHON name the programs, CORES the two cores, MODEL the model of both.
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=$1 pipeline=$2 rounds=${3:-3}
emotone=${EMOTONE:-target/release/emotone} python=${PYTHON:-python3} cores=${CORES:-0,1}
model=${MODEL:-models/emotone-cnn-lstm.onnx}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Wall-clock seconds of a command, beginning to end, with what it says of itself above.
timed() {
    local began=$EPOCHREALTIME
    "$@" > "$scratch/answers" 2> "$scratch/said"
    awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }'
}

find "$tree" -type f -exec cat {} + > /dev/null # Neither is to pay for the disk.
total_ours=0 total_theirs=0
for round in $(seq "$rounds"); do
    ours=$(timed taskset -c "$cores" "$emotone" classify "$tree" --json --model "$model")
    echo "round $round, emotone: $ours s; $(tail -n 1 "$scratch/said")"
    lines=$(wc --lines < "$scratch/answers")
    theirs=$(timed taskset -c "$cores" "$python" benches/archive/peer.py "$pipeline" "$model" "$tree" 2)
    echo "round $round, python:  $theirs s; $(tail -n 1 "$scratch/said")"
    [ "$lines" = "$(wc --lines < "$scratch/answers")" ] || echo "they did not answer the same number of files" >&2
    total_ours=$(awk "BEGIN { print $total_ours + $ours }") total_theirs=$(awk "BEGIN { print $total_theirs + $theirs }")
done
awk -v a="$total_ours" -v b="$total_theirs" 'BEGIN { printf "emotone is %.2f times as fast\n", b / a }'
uptime
