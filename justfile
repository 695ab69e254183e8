# `just` lists the recipes. Nothing here is needed: each line can be typed as it stands.

default:
    @just --list

# Serve with the model that is compiled in.
serve:
    cargo run --release

# The whole test suite.
test:
    cargo test --workspace

# Everything that a change must pass.
check:
    .ci/run

# Write openapi.yaml anew.
generate:
    cargo run -- openapi > openapi.new && mv openapi.new openapi.yaml

# Draw the README's example, a chirp, anew.
pictures:
    cargo run -p emotone-trainer -- plot --chirp --out docs/pictures

# Known vulnerabilities and licences (needs cargo-deny).
deny:
    cargo deny check

# Build the image `emotone`, with docker, podman or buildah.
image:
    deploy/image/build.sh

# Build the image and run it: size, memory, exit statuses, health, a clip.
docker-test:
    deploy/image/test.sh

# Render the manifests and hold them against the schemas of a cluster.
manifests:
    cargo test --test deployment -- --nocapture

# What the program is made of, as CycloneDX (needs cargo-cyclonedx): emotone.cdx.json.
sbom:
    cargo cyclonedx --manifest-path Cargo.toml --format json --all --target all
