#!/usr/bin/env bash
# Builds the image `emotone` (or $1) from the Dockerfile, with version, revision and model in its labels.
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/image/engine.sh
engine=$(find_engine)

# The first version of Cargo.toml is the workspace's. The program names the model that is compiled in; a model's card stands in
# its file as plain text.
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
default=$(sed -n 's/.*include_bytes!("..\/..\/\(.*\)").*/\1/p' src/commands/load.rs)
card=$(grep --text --only-matching '{"name":"[^"]*","version":"[^"]*"' "$default" | head -n 1)
# shellcheck disable=SC2001 # Two groups are more than ${card//} can do.
model=$(sed 's/{"name":"\(.*\)","version":"\(.*\)"/\1 \2/' <<< "$card")
revision=$(git describe --always --abbrev=40 --exclude '*' --dirty 2> /dev/null || echo unknown)
created=$(git log -1 --format=%cI 2> /dev/null || echo 1970-01-01T00:00:00Z)
labels=(--build-arg "VERSION=$version" --build-arg "MODEL=$model" --build-arg "REVISION=$revision" --build-arg "CREATED=$created")

case $engine in
    docker) DOCKER_BUILDKIT=1 docker build "${labels[@]}" --tag "${1:-emotone}" . ;;
    podman) podman build --format docker "${labels[@]}" --tag "${1:-emotone}" . ;;
    buildah)
        deploy/image/stand-in.sh
        # The format is Docker's, for OCI's knows no health check.
        buildah_here build --format docker --isolation chroot --layers --pull=false "${labels[@]}" --tag "${1:-emotone}" .
        ;;
esac
