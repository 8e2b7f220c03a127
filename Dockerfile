# CPU image with the embedded engines.
#
#   docker build -t rtc-server .
#   docker run --init --network host -e RTC_API_KEY=choose-one rtc-server
#
# The server listens on every address of the container, so it wants a key: without RTC_API_KEY it
# refuses to start and says so. Media is UDP straight to the client. With --network host nothing
# else is needed; behind Docker's own network, publish a range and say which address is reached:
#
#   docker run --init -p 8000:8000 -p 50000-50099:50000-50099/udp -e RTC_API_KEY=choose-one \
#     -e RTC_UDP_PORT_FIRST=50000 -e RTC_UDP_PORT_LAST=50099 \
#     -e RTC_PUBLIC_ADDRESS=203.0.113.7 rtc-server

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
WORKDIR /source
# Dependencies change rarely: installed before the code, their layer is reused.
COPY pyproject.toml scripts/no-deps.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > dependencies.txt \
    && /venv/bin/pip install -r dependencies.txt \
    && /venv/bin/pip install --no-deps -r no-deps.txt
COPY setup.py MANIFEST.in README.md LICENSE NOTICE ./
COPY rtc_server rtc_server
COPY static static
COPY models/phrasebook models/phrasebook
COPY models/catalog.toml models/catalog.toml
RUN /venv/bin/pip install --no-deps .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin rtc
COPY --from=build /venv /venv
COPY LICENSE NOTICE /usr/share/doc/rtc-server/
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 RTC_HOST=0.0.0.0 RTC_PORT=8000
USER rtc
EXPOSE 8000/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['RTC_PORT']}/readyz\", timeout=2)"]
ENTRYPOINT ["rtc-server"]
CMD ["serve"]
