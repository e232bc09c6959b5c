#!/usr/bin/env bash
# The tests of the container stack, from nothing: an engine, the images that cannot be had made from packages, the tests.
# Where an engine answers it is used as it is. Otherwise ../shared/tools/container-engine, if that is there, starts one
# for as long as the tests run; what it keeps on disk (CE_DATA) makes the next run quicker. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=../shared/tools/container-engine
log=${CE_LOG:-/var/log/atoll-test-dockerd.log}
#: What the next run may find in the build cache; a run that starts from nothing leaves about this.
cache=6GB
SECONDS=0 since=0

stage() { # name, then seconds since the stage before it
    printf '\n== %-44s %4d s\n' "$1" $((SECONDS - since))
    since=$SECONDS
}

image_of() { # the repository whose pinned tag docker-compose.yml names
    sed -n "s|^ *image: \($1:[^ ]*\)$|\1|p" docker-compose.yml | head -n 1
}

answers() { docker info >/dev/null 2>&1; }

leave() { # bounds what stays on disk and ends the engine that was started here
    status=$?
    kill "$wheels" 2>/dev/null || true
    rm -rf "$checkout"
    if [ -n "$ours" ]; then
        docker image prune -f >/dev/null 2>&1 || true
        docker builder prune -f --keep-storage "$cache" >/dev/null 2>&1 || true
        engine=$(cat "$log.pid")
        kill "$engine" 2>/dev/null || true
        # It stops to answer long before it lets go of its data, which the next run starts an engine on.
        for _ in $(seq 60); do
            kill -0 "$engine" 2>/dev/null || break
            sleep 1
        done
        stage "engine stopped"
    fi
    echo "make test-compose: $((SECONDS / 60)) min $((SECONDS % 60)) s, exit code $status"
    exit "$status"
}

if ! answers && ! { [ -x "$tool" ] && [ "$(id -u)" = 0 ]; }; then
    echo "make test-compose: no container engine answers; start Docker 25.0.5 or newer with Compose 2.24.4 or newer" \
        "(where $tool is, root may run this without one)" >&2
    [ -n "${CI:-}" ] && exit 1
    echo "skipped: no container engine"
    exit 0
fi
ours='' wheels='' checkout=$(mktemp -d /var/tmp/atoll-checkout.XXXXXX)
trap leave EXIT
# Packages arrive while the engine's images are made.
.venv/bin/python -m tests.compose.built "$checkout/atoll" >"$checkout/log" 2>&1 &
wheels=$!
if [ -x "$tool" ] && [ "$(id -u)" = 0 ]; then
    answers || ours=1
    export CE_LOG=$log
    CE_NGINX_TAG=$(image_of nginxinc/nginx-unprivileged) CE_VALKEY_TAG=$(image_of valkey/valkey) \
        CE_LLAMA_TAG=$(image_of ghcr.io/ggml-org/llama.cpp) CE_NEO4J_TAG=$(image_of neo4j) \
        "$tool" --stand-ins
    # Packages are installed where torch's wheel lies; our images start from a base that does not carry it.
    CE_WHEELS= CE_PYTHON_TAG=python:3.11-nowheels "$tool" | sed -n '/nowheels/p'
    export ATOLL_COMPOSE__PYTHON_IMAGE=python:3.11-nowheels
    stage "engine and stand-ins"
fi
.venv/bin/python scripts/check_compose.py --require
wait "$wheels" || { cat "$checkout/log" && exit 1; }
cat "$checkout/log"
stage "static checks, and the rest of the wheels"
case ${1:-} in -* | '') set -- tests/compose "$@" ;; esac
COMPOSE_TEST_CHECKOUT=$checkout/atoll .venv/bin/python -m pytest --timeout=900 --durations=20 -m "not soak" -s "$@"
stage "images and tests"
