#!/usr/bin/env bash
# Shows how little memory grows with the corpus, whose features stay on the disk: peak resident memory of
# `emotone-train fit` on more and more clips. Seen on two cores, release build: 33 MiB for 1000 and for 10 000, 36 for
# 100 000. What grows are lists: names that keep only what differs from the one before, and a few numbers a clip.
#
#   benches/training/memory.sh [CLIPS...]     # 1000 10000 100000 by default; needs python3 and GNU time
#
# 700 synthetic clips of half a second, as often as are asked for, each time with another number in its first two samples: copies
# would be left out.
set -euo pipefail
cd "$(dirname "$0")/../.."

train=${EMOTONE_TRAIN:-${CARGO_TARGET_DIR:-target}/release/emotone-train}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ $# -gt 0 ] || set -- 1000 10000 100000
for count in "$@"; do
    python3 - "$work/$count" "$count" <<'PYTHON'
import array, math, os, random, sys, wave

root, count = sys.argv[1], int(sys.argv[2])
emotions = ["angry", "disgust", "fear", "happy", "neutral", "pleasant_surprise", "sad"]
random.seed(1)
kinds = []
for index in range(min(count, 700)):
    pitch = 100 + 40 * (index % 7) + random.random() * 20
    kinds.append(array.array("h", (int(9000 * math.sin(2 * math.pi * pitch * t / 8000) + random.gauss(0, 300))
                                   for t in range(4000))))
for emotion in emotions:
    os.makedirs(f"{root}/{emotion}")
for index in range(count):
    samples = kinds[index % 700]
    samples[0], samples[1] = index % 10000, index // 10000
    with wave.open(f"{root}/{emotions[index % 7]}/clip-{index}.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
PYTHON
    /usr/bin/time -f '%M %e' "$train" fit --data "$work/$count" --arch cnn-lstm --recipe paper --split random \
        --epochs 1 --out "$work/out-$count" >/dev/null 2>"$work/log"
    tail -n 1 "$work/log" | awk -v clips="$count" '{ printf "%d clips: peak %.0f MiB, %.0f s\n", clips, $1 / 1024, $2 }'
    rm -rf "${work:?}/$count" "$work/out-$count"
done
