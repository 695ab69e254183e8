#!/usr/bin/env bash
# Shows how little memory grows with the corpus, whose features stay on the disk: peak resident memory of
# `emotone-train fit` on more and more clips. Seen on two cores, development build: 45 MiB for 1000, 45 for 10 000, 48 for
# 100 000. What grows are lists: names that keep only what differs from the one before, and a few numbers a clip.
#
#   benches/training/memory.sh [CLIPS...]     # 1000 10000 100000 by default; needs python3 and GNU time
#
# 700 different synthetic clips of half a second stand under as many names as are asked for (hard links).
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
for index in range(count):
    emotion = emotions[index % 7]
    path = f"{root}/{emotion}/clip-{index}.wav"
    if index < 700:
        os.makedirs(f"{root}/{emotion}", exist_ok=True)
        pitch = 100 + 40 * (index % 7) + random.random() * 20
        samples = array.array("h", (int(9000 * math.sin(2 * math.pi * pitch * t / 8000) + random.gauss(0, 300))
                                    for t in range(4000)))
        with wave.open(path, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(samples.tobytes())
    else:
        original = index % 700
        os.link(f"{root}/{emotion}/clip-{original}.wav", path)
PYTHON
    /usr/bin/time -f '%M %e' "$train" fit --data "$work/$count" --arch cnn-lstm --recipe paper --split random \
        --epochs 1 --out "$work/out-$count" >/dev/null 2>"$work/log"
    tail -n 1 "$work/log" | awk -v clips="$count" '{ printf "%d clips: peak %.0f MiB, %.0f s\n", clips, $1 / 1024, $2 }'
    rm -rf "${work:?}/$count" "$work/out-$count"
done
