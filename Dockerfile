# A container with the program alone, written where no docker was at hand and not built yet: docker build -t hardy . && docker run --rm -v "$PWD:/data" -w /data hardy check scans
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev meson ninja-build pkg-config \
    libcjson-dev zlib1g-dev libpng-dev libfftw3-dev libcyaml-dev libyaml-dev
COPY . /source
RUN meson setup /build /source --buildtype=release -Dtests=false -Dweb=disabled && ninja -C /build hardy

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 libcjson1 zlib1g libpng16-16 libfftw3-single3 libcyaml1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/hardy /usr/local/bin/hardy
ENTRYPOINT ["hardy"]
