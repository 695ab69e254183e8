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

# Seconds on the wall and of processor time of a command, beginning to end; what it says of itself is kept.
timed() {
    local TIMEFORMAT='%R %U %S'
    { time "$@" > "$scratch/answers" 2> "$scratch/said"; } 2>&1 | awk '{ print $1, $2 + $3 }'
}

find "$tree" -type f -exec cat {} + > /dev/null # Neither is to pay for the disk.
for round in $(seq "$rounds"); do
    ours=$(timed taskset -c "$cores" "$emotone" classify "$tree" --json --model "$model")
    echo "round $round, emotone: $ours s; $(tail -n 1 "$scratch/said")"
    lines=$(wc --lines < "$scratch/answers")
    theirs=$(timed taskset -c "$cores" "$python" benches/archive/peer.py "$pipeline" "$model" "$tree" 2)
    echo "round $round, python:  $theirs s; $(tail -n 1 "$scratch/said")"
    [ "$lines" = "$(wc --lines < "$scratch/answers")" ] || echo "they did not answer the same number of files" >&2
    echo "$ours $theirs" >> "$scratch/all"
done
awk '{ a += $1; b += $3; c += $2; d += $4 }
    END { printf "emotone is %.2f times as fast, and takes %.2f times less processor time\n", b / a, d / c }' "$scratch/all"
uptime
