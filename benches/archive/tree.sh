#!/usr/bin/env bash
# A tree of COUNT recordings, hard links to those below SOURCE, over and over: tree.sh SOURCE TREE COUNT
set -euo pipefail
source=$(realpath "$1") tree=$2 count=$3
mapfile -t files < <(find "$source" -type f \( -name '*.wav' -o -name '*.flac' \) | sort)
mkdir -p "$tree"
made=0 round=0
while [ "$made" -lt "$count" ]; do
    part=("${files[@]:0:$((count - made))}")
    printf '%s\n' "${part[@]#"$source"/}" | rsync --archive --link-dest="$source" --files-from=- "$source/" "$tree/round-$round/"
    made=$((made + ${#part[@]})) round=$((round + 1))
done
find "$tree" -type f | wc -l
