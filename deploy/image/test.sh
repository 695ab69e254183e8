#!/usr/bin/env bash
# Builds the image from the Dockerfile as it stands, runs it within its limits, and asks it what matters.
# NO_BUILD=1 tests the image that is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/image/engine.sh
source deploy/image/run.sh
image=emotone
largest_megabytes=25
engine=$(find_engine)

if [ -z "${ROOT:-}" ]; then
    echo "engine: $engine"
    [ -n "${NO_BUILD:-}" ] || deploy/image/build.sh "$image"
fi
enter "$@"
scratch=$(mktemp -d)
trap leave EXIT

fail() {
    echo "FAILED: $1" >&2
    log >&2 || true
    exit 1
}

inspect() {
    case $engine in
        docker | podman) "$engine" image inspect --format "{{index .Config.Labels \"$1\"}}" "$image" ;;
        buildah) buildah_here inspect --type image --format "{{index .OCIv1.Config.Labels \"$1\"}}" "$image" ;;
    esac
}

# Content of the image as it lies on a disk, and packed as a registry would have it.
tree() {
    case $engine in
        docker | podman) "$engine" export "$("$engine" create "$image")" ;;
        buildah) tar --directory "$ROOT" --create --exclude ./proc --exclude ./dev . ;;
    esac
}
bytes=$(tree | wc --bytes)
packed=$(tree | gzip | wc --bytes)
awk -v b="$bytes" -v p="$packed" 'BEGIN { printf "image: %.1f MB, packed %.1f MB\n", b / 1e6, p / 1e6 }'
[ "$bytes" -le $((largest_megabytes * 1000000)) ] || fail "the image is larger than $largest_megabytes MB"

# A bad option: one sentence, exit status 2.
status=0
once serve --max-upload-mib plenty 2> "$scratch/said" || status=$?
sed 's/^/  /' "$scratch/said"
{ [ "$status" = 2 ] && grep --quiet max-upload-mib "$scratch/said"; } || fail "a bad option gave exit status $status"
echo "a bad option: exit status 2"

# Labels tell what the program tells.
said=$(once --version)
told="emotone $(inspect org.opencontainers.image.version) (revision $(inspect org.opencontainers.image.revision), model $(inspect org.emotone.model))"
echo "$said"
[ "$said" = "$told" ] || fail "labels tell: $told"

start serve
for _ in $(seq 100); do
    if health 2> /dev/null; then ready=1 && break; fi
    sleep 0.1
done
[ -n "${ready:-}" ] || fail "it is not ready"
echo "healthy, by its own health check"

answer=$(curl --silent --show-error --fail --data-binary @examples/caller.wav "http://$address/classify") || fail "no answer"
echo "$answer"
grep --quiet '"status":"ok"' <<< "$answer" || fail "the clip was not judged"
for _ in $(seq 200); do
    curl --silent --fail --output /dev/null --data-binary @examples/caller.wav "http://$address/classify" || fail "a later clip failed"
done
pid=$(process)
awk '/^VmHWM/ { printf "200 more clips; largest resident memory %.1f MiB of 64\n", $2 / 1024 }' "/proc/$pid/status"
awk '/^(Uid|CapEff|NoNewPrivs)/' "/proc/$pid/status" | tr '\n' ';' | tr '\t' ' ' && echo
if [ "$engine" = buildah ] && touch "$ROOT/written" 2> /dev/null; then fail "the root can be written to"; fi

stop
[ "$status" = 0 ] || fail "SIGTERM gave exit status $status"
echo "ended by SIGTERM: exit status 0"
echo "the image passed"
