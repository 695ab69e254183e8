#!/usr/bin/env bash
# Trains the paper's CNN+LSTM here and in Keras in turn, on the same cores, and prints the ratio of wall times.
#
#   benches/training/against_keras.sh TESS [ROUNDS]     # TESS: the corpus; PYTHON has keras and tensorflow-cpu
#
# Both train 30 epochs of the same number of examples in batches of 32. Features are computed before, and not counted.
set -euo pipefail
cd "$(dirname "$0")/../.."

data=$1 rounds=${2:-3} python=${PYTHON:-python3}
train=${EMOTONE_TRAIN:-${CARGO_TARGET_DIR:-target}/release/emotone-train}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fit() { "$train" fit --data "$data" --arch cnn-lstm --recipe paper --split random --out "$work" "$@" 2>"$work/log"; }

fit --epochs 1 >"$work/first" # computes the features
read -r examples validation < <(sed -nE 's/^([0-9]+) clips train, ([0-9]+) validate.*/\1 \2/p' "$work/log")
echo "$examples examples, $validation to validate, 30 epochs, batches of 32, $(nproc) cores"
for round in $(seq "$rounds"); do
    start=$(date +%s.%N)
    fit >"$work/said"
    end=$(date +%s.%N)
    ours=$("$python" -c 'import json, sys; print(sum(e["seconds"] for m in json.load(open(sys.argv[1]))["history"] for e in m["epochs"]))' "$work/figures.json")
    read -r keras first epoch < <("$python" benches/training/keras_fit.py "$examples" "$validation")
    awk -v round="$round" -v ours="$ours" -v whole="$(awk "BEGIN { print $end - $start }")" -v keras="$keras" -v first="$first" -v epoch="$epoch" 'BEGIN {
        printf "round %d: emotone-train %.1f s (%.1f s with start, test, export and pictures), Keras %.1f s (first epoch %.1f s, median %.2f s): ratio %.2f\n",
            round, ours, whole, keras, first, epoch, ours / keras }'
done
