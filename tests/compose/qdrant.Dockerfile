# Tests only: the image that stands in for qdrant/qdrant. The engine comes from the wheel that the local mode uses.
ARG BUILD_IMAGE=python:3.11-slim-bookworm
FROM ${BUILD_IMAGE}
COPY requirements-core.lock /requirements.lock
RUN pip install --no-cache-dir --require-hashes --no-deps -r /requirements.lock
COPY src/atoll /app/atoll
COPY --chmod=755 tests/compose/qdrant_stand_in.sh /qdrant/entrypoint.sh
COPY tests/compose/qdrant_stand_in.py /app/qdrant_stand_in.py
ENV PYTHONPATH=/app HOME=/tmp
RUN mkdir -p /qdrant/storage /qdrant/config && chown -R 1000:1000 /qdrant
WORKDIR /qdrant
USER 1000:1000
