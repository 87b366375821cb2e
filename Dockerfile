# Dragon as its one executable on slim Debian.
# Build: docker build -t dragon .
# Run:   docker run -p 127.0.0.1:8400:8400 -v dragon:/var/lib/dragon dragon
FROM oven/bun:1.4.5-slim AS build

# The build starts PostgreSQL once, to make the empty cluster it packs.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libstdc++6 ca-certificates \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /build
COPY package.json bun.lock bunfig.toml tsconfig.json ./
COPY .patches .patches
RUN bun install --frozen-lockfile --ignore-scripts
COPY LICENSE README.md ./
COPY src src
COPY views views
COPY static static
COPY migrations migrations
RUN bun src/build.ts --here && mv dist/dragon-linux-* /dragon

FROM debian:12-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends libstdc++6 ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --home-dir /var/lib/dragon --shell /usr/sbin/nologin dragon \
 && install -d -o dragon -g dragon -m 0700 /var/lib/dragon

COPY --from=build /dragon /usr/local/bin/dragon

USER dragon
ENV DRAGON_DATA_DIR=/var/lib/dragon DRAGON_HOST=0.0.0.0
VOLUME /var/lib/dragon
EXPOSE 8400
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=20s --start-period=30s CMD ["dragon", "doctor"]
CMD ["dragon", "serve"]
