# shellcheck shell=bash
# Runs the image as a cluster would: 64 MiB of memory, a read-only root, no privileges. Sourced by test.sh.
#
# buildah has no engine to run what it built. Its stand-in is the image's root, mounted read-only in namespaces of its own,
# the image's own user, environment and program by chroot, and a memory control group if this machine grants one.
#
# shellcheck disable=SC2154,SC2034 # test.sh sets `engine`, `image` and `scratch`, and reads `address` and `status`.

MEMORY_MIB=64

# Starts the server; `ask` then reaches it.
start() {
    case $engine in
        docker | podman)
            server=$("$engine" run --detach --read-only --memory "${MEMORY_MIB}m" --memory-swap "${MEMORY_MIB}m" --cap-drop ALL \
                --security-opt no-new-privileges --publish 127.0.0.1::8080 "$image" "$@")
            address=$("$engine" port "$server" 8080 | head -n 1)
            ;;
        buildah)
            in_root "$@" 2> "$scratch/log" &
            server=$!
            address=127.0.0.1:8080
            ;;
    esac
}

# A command of the image's program, in a container of its own or beside the server.
once() {
    case $engine in
        docker | podman) "$engine" run --rm --read-only "$image" "$@" ;;
        buildah) in_root "$@" ;;
    esac
}

# The image's own health check.
health() {
    case $engine in
        docker | podman) "$engine" exec "$server" /emotone health ;;
        buildah) in_root health ;;
    esac
}

# Asks it to end; `status` is then its exit status.
stop() {
    case $engine in
        docker | podman)
            "$engine" stop --time 40 "$server" > /dev/null
            status=$("$engine" inspect --format '{{.State.ExitCode}}' "$server")
            "$engine" rm "$server" > /dev/null
            ;;
        buildah)
            kill -TERM "$server"
            status=0
            wait "$server" || status=$?
            ;;
    esac
}

log() {
    case $engine in
        docker | podman) "$engine" logs "$server" 2>&1 ;;
        buildah) cat "$scratch/log" ;;
    esac
}

process() {
    case $engine in
        docker | podman) "$engine" inspect --format '{{.State.Pid}}' "$server" ;;
        buildah) echo "$server" ;;
    esac
}

# For buildah: what follows happens in namespaces of its own, with the image's root mounted read-only.
enter() {
    [ "$engine" = buildah ] || return 0
    if [ -z "${ROOT:-}" ]; then
        local container status=0
        container=$(buildah_here from --pull=false "$image")
        mkdir -p "$(buildah_here mount "$container")"/{proc,dev}
        ROOT=$(buildah_here mount "$container") unshare --mount --net --fork "$0" "$@" || status=$?
        buildah_here rm "$container" > /dev/null
        exit "$status"
    fi
    mount --bind "$ROOT" "$ROOT"
    mount -o remount,bind,ro "$ROOT"
    mount -t proc proc "$ROOT/proc"
    # The devices that every engine grants.
    mount -t tmpfs -o size=64k,mode=755 tmpfs "$ROOT/dev"
    local device
    for device in null zero random urandom; do
        touch "$ROOT/dev/$device"
        mount --bind "/dev/$device" "$ROOT/dev/$device"
    done
    mount -o remount,ro "$ROOT/dev"
    ip link set lo up
    group=
    for hierarchy in /sys/fs/cgroup/memory /sys/fs/cgroup; do
        if mkdir "$hierarchy/emotone-$$" 2> /dev/null; then
            group=$hierarchy/emotone-$$
            local limit
            for limit in memory.limit_in_bytes memory.memsw.limit_in_bytes memory.max; do
                [ ! -e "$group/$limit" ] || echo $((MEMORY_MIB << 20)) > "$group/$limit" || true
            done
            break
        fi
    done
    user=$(buildah_here inspect --type image --format '{{.OCIv1.Config.User}}' "$image")
    mapfile -t environment < <(buildah_here inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$image" | grep '=')
    mapfile -t program < <(buildah_here inspect --type image --format '{{range .OCIv1.Config.Entrypoint}}{{println .}}{{end}}' "$image" | grep .)
    local memory="NOT LIMITED, for there is no control group"
    [ -z "$group" ] || memory="limited to $MEMORY_MIB MiB"
    echo "stand-in for a container: chroot as $user, read-only root, memory $memory"
}

leave() {
    # A test that failed has a server left.
    if [ -n "${server:-}" ]; then
        case $engine in
            docker | podman) "$engine" rm --force "$server" > /dev/null 2>&1 || true ;;
            buildah) kill "$server" 2> /dev/null && wait "$server" || true ;;
        esac
    fi
    rm -rf "$scratch"
    # A control group goes when its last process has.
    [ -z "${group:-}" ] || rmdir "$group" 2> /dev/null || true
}

# The image's program with these arguments; replaces the shell that runs it, so that signals reach it.
in_root() {
    # shellcheck disable=SC2016 # $0 and $@ are the inner shell's.
    exec_line='[ -z "$0" ] || echo $$ > "$0/cgroup.procs"; exec "$@"'
    local line=(setpriv --no-new-privs chroot --userspec="$user" --groups= "$ROOT" "${program[@]}" "$@")
    if [ "${BASHPID}" != $$ ]; then
        exec env -i "${environment[@]}" PATH="$PATH" bash -c "$exec_line" "$group" "${line[@]}"
    fi
    env -i "${environment[@]}" PATH="$PATH" bash -c "$exec_line" "$group" "${line[@]}"
}
