# Two images. The last stage, the default, holds the embedded engines and needs nothing:
#
#   docker build -t rtc-server .
#   docker run --init --network host --cap-drop ALL --read-only --tmpfs /tmp \
#     --security-opt no-new-privileges -e RTC_API_KEY=choose-sixteen-or-more rtc-server
#
# Neither was run where this was written (docs/operations.md says what was). A base is named by tag; to
# pin what you have tried, take the digest that `docker buildx imagetools inspect python:3.11-slim` shows.
#
# The target gpu adds Canary and Silero (driver 580 or later, NVIDIA container toolkit). Weights stay
# outside, in a folder that is mounted; nothing is downloaded while serving:
#
#   docker build --target gpu -t rtc-server:gpu .
#   docker run --rm -v rtc-models:/models rtc-server:gpu models fetch canary-1b-v2 v5_5_ru v3_en
#   docker run --init --network host --gpus all --cap-drop ALL --read-only --tmpfs /tmp \
#     --security-opt no-new-privileges -v rtc-models:/models -e RTC_API_KEY=choose-sixteen-or-more rtc-server:gpu
#
# The server listens on every address of the container, so it wants a key: without RTC_API_KEY it
# refuses to start and says so. Media is UDP straight to the client. With --network host nothing
# else is needed; behind Docker's own network, publish a range and say which address is reached:
#
#   docker run --init -p 8000:8000 -p 50000-50099:50000-50099/udp --cap-drop ALL --read-only --tmpfs /tmp \
#     --security-opt no-new-privileges -e RTC_API_KEY=choose-sixteen-or-more \
#     -e RTC_UDP_PORT_FIRST=50000 -e RTC_UDP_PORT_LAST=50099 \
#     -e RTC_PUBLIC_ADDRESS=203.0.113.7 rtc-server

# What both images are built from.
FROM scratch AS source
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE NOTICE ./
COPY rtc_server rtc_server
COPY rtc_phrasebook rtc_phrasebook
COPY static static
COPY models/silero_vad/weights.npz models/silero_vad/LICENSE.txt models/silero_vad/
COPY models/catalog.toml models/catalog.toml
COPY scripts/constraints.txt scripts/constraints.txt
COPY docs/openapi.yaml docs/events.schema.json docs/

# The GPU stages use this Python, the one of Ubuntu 24.04; torch brings its own CUDA 13 libraries, the
# base only what lets the driver in.
FROM nvidia/cuda:13.0.2-base-ubuntu24.04 AS gpu-python
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3.12 python3.12-venv \
    && rm -rf /var/lib/apt/lists/*

FROM gpu-python AS gpu-build
# A compiler: PocketSphinx has no wheel for Python 3.12.
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential python3.12-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3.12 -m venv /venv
WORKDIR /source
COPY deploy/lock/gpu.txt ./
RUN /venv/bin/pip install --require-hashes -r gpu.txt
COPY --from=source / ./
RUN /venv/bin/pip install --no-deps .

FROM gpu-python AS gpu
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin rtc \
    && install -d -o rtc /models
COPY --from=gpu-build /venv /venv
COPY LICENSE NOTICE /usr/share/doc/rtc-server/
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 RTC_HOST=0.0.0.0 RTC_PORT=8000 \
    RTC_AST=canary RTC_TTS=silero RTC_MODELS_DIR=/models
# Libraries beneath NeMo write caches when they are imported.
ENV HOME=/tmp NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib
USER rtc
VOLUME /models
EXPOSE 8000/tcp
# Loading 2 GB of weights and capturing the graphs takes its time.
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['RTC_PORT']}/readyz\", timeout=2)"]
ENTRYPOINT ["rtc-server"]
CMD ["serve"]

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
WORKDIR /source
# Dependencies change rarely: installed before the code, their layer is reused.
COPY deploy/lock/cpu.txt ./
RUN /venv/bin/pip install --require-hashes -r cpu.txt
COPY --from=source / ./
RUN /venv/bin/pip install --no-deps .

FROM python:3.11-slim AS cpu
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin rtc
COPY --from=build /venv /venv
COPY LICENSE NOTICE /usr/share/doc/rtc-server/
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 RTC_HOST=0.0.0.0 RTC_PORT=8000
USER rtc
EXPOSE 8000/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['RTC_PORT']}/readyz\", timeout=2)"]
ENTRYPOINT ["rtc-server"]
CMD ["serve"]
