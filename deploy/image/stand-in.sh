#!/usr/bin/env bash
# Where buildah reaches no registry of images: a stand-in for the Dockerfile's Rust image, under the same name, made of a
# Debian that debootstrap installs and of this machine's toolchain. Does nothing if the image is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
source deploy/image/engine.sh

image=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' Dockerfile)
if buildah_here inspect "$image" > /dev/null 2>&1; then
    exit
fi
if buildah_here pull --quiet "$image" > /dev/null 2>&1; then
    exit
fi
echo "no registry gives $image: a stand-in is made of Debian and of the toolchain here" >&2

# shellcheck disable=SC2001
version=$(sed 's/.*rust:\([0-9.]*\).*/\1/' <<< "$image")
toolchain=$(rustc "+$version" --print sysroot 2> /dev/null || rustc --print sysroot)
"$toolchain/bin/rustc" --version | grep --quiet --fixed-strings "$version" || {
    echo "the toolchain here is $("$toolchain/bin/rustc" --version), the image's is $version" >&2
    exit 1
}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=gcc,libc6-dev,ca-certificates bookworm "$root" > "$root.log" 2>&1 || {
    tail -n 5 "$root.log" >&2
    exit 1
}
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root.log"
mkdir -p "$root/usr/local/cargo/bin" "$root/usr/local/rustup/toolchains/$version"
tar --directory "$toolchain" --exclude ./share --create . | tar --directory "$root/usr/local/rustup/toolchains/$version" --extract
for program in cargo rustc; do
    ln -s "../../rustup/toolchains/$version/bin/$program" "$root/usr/local/cargo/bin/$program"
done
# Whom this machine trusts: crates may come through a proxy of its own.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

container=$(buildah_here from scratch)
buildah_here add --quiet "$container" "$root" / > /dev/null
buildah_here config --env CARGO_HOME=/usr/local/cargo --env RUSTUP_HOME=/usr/local/rustup \
    --env PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah_here commit --quiet --rm "$container" "$image" > /dev/null
