# shellcheck shell=bash
# What builds and keeps images here: `docker` or `podman` if they run, else Debian's `buildah`, which needs no daemon.
# Sourced by the scripts beside it. IMAGE_STORE moves buildah's images, STORAGE_DRIVER chooses how they are kept.

find_engine() {
    local candidate
    for candidate in docker podman buildah; do
        if command -v "$candidate" > /dev/null && timeout 20 "$candidate" info > /dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "no engine runs here: install docker, podman or buildah" >&2
    return 1
}

# buildah for those who have neither a daemon nor namespaces: chroot isolation, and layers as plain copies if need be.
buildah_here() {
    local store=${IMAGE_STORE:-$HOME/.cache/emotone-images}
    buildah --root "$store" --runroot "$store/run" --storage-driver "$(storage_driver "$store")" "$@"
}

storage_driver() {
    local choice=$1/driver
    if [ ! -e "$choice" ]; then
        mkdir -p "$1/try/lower" "$1/try/upper" "$1/try/work" "$1/try/merged"
        local layers="lowerdir=$1/try/lower,upperdir=$1/try/upper,workdir=$1/try/work"
        if unshare --mount mount -t overlay overlay -o "$layers" "$1/try/merged" 2> /dev/null; then
            echo overlay > "$choice"
        else
            echo vfs > "$choice"
        fi
        rm -rf "$1/try"
    fi
    echo "${STORAGE_DRIVER:-$(cat "$choice")}"
}

# engine ENGINE ARGUMENTS...
engine() {
    local engine=$1
    shift
    case $engine in
        buildah) buildah_here "$@" ;;
        *) "$engine" "$@" ;;
    esac
}
