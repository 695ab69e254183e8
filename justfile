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

# Write openapi.yaml and the other generated files anew.
generate:
    cargo run -- openapi > openapi.yaml

# Draw the README's example, a chirp, anew.
pictures:
    cargo run -p emotone-trainer -- plot --chirp --out docs/pictures

# Known vulnerabilities, licences and doubled dependencies (needs cargo-deny).
deny:
    cargo deny check
