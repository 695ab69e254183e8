# One static program in an empty image. `just image` builds it with version and revision in its labels.
# It takes a builder that knows `RUN --mount`: Docker with BuildKit, Podman, or Buildah.

FROM docker.io/library/rust:1.95.0-slim-bookworm AS build
WORKDIR /build
# No library is left to be found at run time: whoever finds a hole in this program finds no other program beside it.
# Relocations are packed, which saves 1.7 MB, and equal functions are kept once.
ENV RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all"

# The libraries first, with empty crates in place of ours: a layer that lasts until Cargo.lock changes.
COPY Cargo.toml Cargo.lock deploy/image/small.toml ./
COPY trainer/Cargo.toml trainer/
# Parts of Swagger UI that our page does not load: empty files take their place.
ENV SWAGGER_UI_OVERWRITE_FOLDER=/build/unused
RUN mkdir unused && cd unused \
    && touch swagger-ui-es-bundle.js swagger-ui-es-bundle-core.js swagger-ui-standalone-preset.js swagger-ui.js
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    mkdir -p src trainer/src \
    && touch src/lib.rs trainer/src/lib.rs \
    && echo 'fn main() {}' | tee build.rs src/main.rs > trainer/src/main.rs \
    && cargo build --release --config small.toml --locked --package emotone --target "$(rustc --print host-tuple)"

COPY build.rs ./
COPY models models
COPY src src
ARG REVISION=unknown
# What is copied may be older than the empty crates were.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    touch build.rs src/lib.rs src/main.rs \
    && EMOTONE_GIT_REVISION="$REVISION" \
        cargo build --release --config small.toml --locked --package emotone --target "$(rustc --print host-tuple)" \
    && cp target/*/release/emotone /emotone

FROM scratch
COPY --from=build /emotone /emotone
# For webhooks by https.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY LICENSE-MIT LICENSE-APACHE models/README.md /licences/

ENV EMOTONE_LISTEN=0.0.0.0:8080 EMOTONE_LOG_FORMAT=json
EXPOSE 8080
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/emotone", "health"]
ENTRYPOINT ["/emotone"]

ARG REVISION=unknown
ARG VERSION=unknown
ARG MODEL=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="emotone" \
    org.opencontainers.image.description="Hears the emotion in a voice: audio in, probabilities over seven emotions out" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.created="$CREATED" \
    org.opencontainers.image.licenses="(MIT OR Apache-2.0) AND CC-BY-NC-ND-4.0 AND CC-BY-NC-SA-4.0" \
    org.emotone.model="$MODEL"
