# Dragon from source on slim Debian. The bundled PostgreSQL needs libstdc++; curl and Node are not
# needed. Build: docker build -t dragon .   Run: docker run -p 127.0.0.1:8400:8400 -v dragon:/var/lib/dragon dragon
FROM oven/bun:1.4.5-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends libstdc++6 ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --home-dir /var/lib/dragon --shell /usr/sbin/nologin dragon \
 && install -d -o dragon -g dragon -m 0700 /var/lib/dragon

WORKDIR /app
COPY package.json bun.lock ./
RUN bun install --production --frozen-lockfile --ignore-scripts
COPY tsconfig.json LICENSE README.md ./
COPY src src
COPY views views
COPY static static
COPY migrations migrations
RUN bun src/adapters/ccxt/generate.ts

USER dragon
ENV DRAGON_DATA_DIR=/var/lib/dragon DRAGON_HOST=0.0.0.0
VOLUME /var/lib/dragon
EXPOSE 8400
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=20s --start-period=30s CMD ["bun", "src/main.ts", "doctor"]
CMD ["bun", "src/main.ts", "serve"]
