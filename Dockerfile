# All images of our own, one target each: gateway, ingestion, parser, embeddings, colpali.
#
#   docker compose build                                          # connected: packages from where pip finds them
#   docker compose build --build-arg TORCH=torch==2.13.0+cu130    # CUDA; the default takes what pip finds
#   docker compose build --build-arg BAKE_MODELS=1                # models of models.lock.json inside, in /opt/models
#
# Without a network: fill vendor/wheels on a connected machine (`make wheels`) and bring it along; as soon as a wheel
# lies there, no index is asked. Every package but torch is checked against the hashes of its lock.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# Where packages are installed; another one only if it carries wheels that the final image shall not.
ARG BUILD_IMAGE=${PYTHON_IMAGE}
ARG BAKE_MODELS=0

# --- packages, each role's from its own lock -------------------------------------------------------------------------

FROM ${BUILD_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_ONLY_BINARY=:all:
COPY --chmod=755 scripts/install_locked.sh /usr/local/bin/install-locked

# Less what nothing of ours imports: a compiler's front end, test tools, random numbers, web sockets, time zones the
# system has. Bytecode comes further below.
FROM packages AS gateway-packages
RUN --mount=type=bind,source=vendor/wheels,target=/wheels \
    --mount=type=bind,source=gateway/requirements.lock,target=/requirements.lock install-locked --no-compile \
 && cd /install/lib/python*/site-packages \
 && rm -rf numpy/f2py numpy/distutils numpy/testing numpy/random pytz/zoneinfo aiohttp/_websocket/*.so

FROM packages AS ingestion-packages
RUN --mount=type=bind,source=vendor/wheels,target=/wheels \
    --mount=type=bind,source=services/ingestion/requirements.lock,target=/requirements.lock install-locked

FROM packages AS parser-packages
RUN --mount=type=bind,source=vendor/wheels,target=/wheels \
    --mount=type=bind,source=services/parser/requirements.lock,target=/requirements.lock install-locked

# The languages in which the parser reads pictures: from vendor/tessdata, or from Debian where a network is there.
FROM packages AS tessdata
RUN --mount=type=bind,source=vendor/tessdata,target=/tessdata \
    mkdir -p /data && cp /tessdata/*.traineddata /data/ 2>/dev/null \
 || { apt-get -qq update && apt-get -qq install -y --no-install-recommends \
        tesseract-ocr-eng tesseract-ocr-osd tesseract-ocr-deu tesseract-ocr-fra tesseract-ocr-spa >/dev/null \
      && cp /usr/share/tesseract-ocr/5/tessdata/*.traineddata /data/; } \
 || echo "no language data: this image will read no pictures; run make wheels first" >&2

FROM packages AS torch-packages
ARG TORCH=torch==2.13.0
RUN --mount=type=bind,source=vendor/wheels,target=/wheels TORCH="${TORCH}" install-locked

FROM packages AS embeddings-packages
RUN --mount=type=bind,source=vendor/wheels,target=/wheels \
    --mount=type=bind,source=services/embeddings/requirements.lock,target=/requirements.lock install-locked

FROM packages AS colpali-packages
RUN --mount=type=bind,source=vendor/wheels,target=/wheels \
    --mount=type=bind,source=services/colpali/requirements.lock,target=/requirements.lock install-locked

# --- the browser screen ----------------------------------------------------------------------------------------------

# The one in vendor/wheels if it was made of these sources, else one built with Node; without either the gateway says so.
FROM packages AS screen
COPY scripts/screen.py /atoll/scripts/
COPY web /atoll/web
RUN --mount=type=bind,source=vendor/wheels,target=/atoll/vendor/wheels \
    python /atoll/scripts/screen.py build --optional && mkdir -p /atoll/web/dist

# --- models, only if they are asked for ------------------------------------------------------------------------------

FROM packages AS models-0
RUN mkdir -p /opt/models

FROM packages AS models-1
COPY models /opt/models

FROM models-${BAKE_MODELS} AS models

# --- what every image of ours is: Python, no installer, no index, nobody's user --------------------------------------

FROM ${PYTHON_IMAGE} AS runtime
RUN pip uninstall --quiet --yes --root-user-action=ignore setuptools wheel pip && rm -rf /etc/pip.conf /root/.cache \
 && mkdir -p /app /data /run/atoll && chown 65532:65532 /data /run/atoll
# Nothing may look for a network or tell anybody anything, however the image is started. Time zones are the system's.
ENV HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1 DISABLE_TELEMETRY=1 \
    DO_NOT_TRACK=1 HF_HUB_DISABLE_UPDATE_CHECK=1 HF_HUB_DISABLE_XET=1 HF_HUB_DISABLE_IMPLICIT_TOKEN=1 \
    ANONYMIZED_TELEMETRY=false OTEL_SDK_DISABLED=true PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_OFFLINE=1 \
    PYTHONPATH=/app PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1 PYTHONDONTWRITEBYTECODE=1 \
    OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0 PYTZ_TZDATADIR=/usr/share/zoneinfo HOME=/tmp ATOLL_DATA_DIR=/data
WORKDIR /app
USER 65532:65532
STOPSIGNAL SIGTERM
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Atoll" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"

FROM runtime AS runtime-torch
COPY --from=torch-packages /install /usr/local

# --- the images ------------------------------------------------------------------------------------------------------

FROM runtime AS gateway
COPY --from=gateway-packages /install /usr/local
COPY src/atoll /app/atoll
COPY gateway/gateway /app/gateway
COPY --from=screen /atoll/web/dist /app/gateway/screen
# Bytecode of what a start imports, ours included, and of nothing else: that of all packages would be 10 MB more.
USER 0
RUN PYTHONDONTWRITEBYTECODE= python -c "import gateway.__main__, anyio._backends._asyncio, celery.worker, httpcore, \
uvicorn.lifespan.on, uvicorn.protocols.http.h11_impl" \
 && find /usr/local/lib/python3* -name '*.pyc' -not -path '*/site-packages/*' -delete
USER 65532:65532
ENV ATOLL_GATEWAY__HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=90s --retries=6 \
    CMD ["python", "-m", "atoll.ops.health", "http://127.0.0.1:8000/health/ready"]
CMD ["python", "-m", "gateway"]

FROM runtime AS ingestion
COPY --from=ingestion-packages /install /usr/local
COPY src/atoll /app/atoll
COPY services/ingestion/ingestion /app/ingestion
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=6 \
    CMD ["python", "-m", "atoll.ops.health", "--heartbeat", "/tmp/worker.alive"]
ENV ATOLL_WORKER__HEARTBEAT_FILE=/tmp/worker.alive
CMD ["python", "-m", "ingestion"]

FROM runtime AS parser
COPY --from=parser-packages /install /usr/local
COPY --from=tessdata /data /usr/share/tesseract-ocr/5/tessdata
COPY src/atoll /app/atoll
COPY services/parser/parser /app/parser
ENV ATOLL_PARSER__SOCKET=/run/atoll/parser.sock
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-m", "parser.health", "/run/atoll/parser.sock"]
CMD ["python", "-m", "parser"]

FROM runtime-torch AS embeddings
COPY --from=embeddings-packages /install /usr/local
COPY --from=models /opt/models /opt/models
COPY src/atoll /app/atoll
COPY services/embeddings/embeddings /app/embeddings
ENV ATOLL_EMBEDDINGS__HOST=0.0.0.0
EXPOSE 8081
HEALTHCHECK --interval=5s --timeout=5s --start-period=300s --retries=6 \
    CMD ["python", "-m", "atoll.ops.health", "http://127.0.0.1:8081/ready", "--token-file", "/run/secrets/embeddings_token"]
CMD ["python", "-m", "embeddings"]

FROM runtime-torch AS colpali
COPY --from=colpali-packages /install /usr/local
COPY --from=models /opt/models /opt/models
COPY src/atoll /app/atoll
COPY services/colpali/colpali /app/colpali
ENV ATOLL_PAGES__HOST=0.0.0.0
EXPOSE 8082
HEALTHCHECK --interval=5s --timeout=5s --start-period=600s --retries=6 \
    CMD ["python", "-m", "atoll.ops.health", "http://127.0.0.1:8082/ready", "--token-file", "/run/secrets/colpali_token"]
CMD ["python", "-m", "colpali"]
