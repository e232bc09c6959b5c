#!/usr/bin/env bash
# The tests of the container stack, from nothing: an engine, the images that cannot be had made from packages, the tests.
# Where an engine answers it is used as it is. Otherwise ../shared/tools/container-engine, if that is there, starts one
# for as long as the tests run; what it keeps on disk makes the next run quicker. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=../shared/tools/container-engine
log=/var/log/atoll-test-dockerd.log

image_of() { # the repository whose pinned tag docker-compose.yml names
    sed -n "s|^ *image: \($1:[^ ]*\)$|\1|p" docker-compose.yml | head -n 1
}

stop_engine() {
    kill "$(cat "$log.pid")"
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 || return 0
        sleep 1
    done
}

if [ -x "$tool" ] && [ "$(id -u)" = 0 ]; then
    if ! docker info >/dev/null 2>&1; then
        trap stop_engine EXIT
    fi
    export CE_LOG=$log
    CE_NGINX_TAG=$(image_of nginxinc/nginx-unprivileged) CE_VALKEY_TAG=$(image_of valkey/valkey) \
        CE_LLAMA_TAG=$(image_of ghcr.io/ggml-org/llama.cpp) CE_NEO4J_TAG=$(image_of neo4j) \
        "$tool" --stand-ins
    # Packages are installed where torch's wheel lies; our images start from a base that does not carry it.
    CE_WHEELS= CE_PYTHON_TAG=python:3.11-nowheels "$tool" | sed -n '/nowheels/p'
    export ATOLL_COMPOSE__PYTHON_IMAGE=python:3.11-nowheels
fi
.venv/bin/python scripts/check_compose.py --require
.venv/bin/python -m pytest --timeout=900 -m "not soak" -s "${@:-tests/compose}"
