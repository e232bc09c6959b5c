#!/usr/bin/env bash
# Compile one hash-pinned lock per layer, without any index address in it. Run on a connected machine.
# torch stays outside: it comes from pip's own find-links or index, as the CPU or the CUDA build of torch_version.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
export UV_FIND_LINKS="${PIP_FIND_LINKS:-}"
torch_version=2.13.0
compile() { # layer, then further arguments; lock=FILE writes elsewhere
    local layer=$1
    shift
    "$uv" pip compile --quiet pyproject.toml "$@" --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --no-emit-package torch --python-version 3.11 \
        --constraint <(echo "torch==$torch_version") --output-file "${lock:-requirements-$layer.lock}"
}
compile core
for layer in nlp embeddings dev; do
    compile "$layer" --extra "$layer" --constraint requirements-core.lock
done
lock=tests/requirements-clients.lock compile clients --extra clients --constraint requirements-dev.lock \
    --constraint requirements-embeddings.lock
for clients in requirements requirements-llama-index; do
    "$uv" pip compile --quiet "tests/clients/$clients.in" --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --python-version 3.11 --output-file "tests/clients/$clients.lock"
done
"$uv" pip compile --quiet tests/open_webui/requirements.in --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --no-emit-package torch --constraint <(echo "torch==$torch_version") \
    --python-version 3.11 --output-file tests/open_webui/requirements.lock
compile colpali --extra colpali --constraint requirements-embeddings.lock

# What goes into each image: the versions of a layer's lock, less what the role does not import.
compile_image() { # folder, group, the layer whose versions it takes, then further arguments
    local folder=$1 group=$2 layer=$3
    shift 3
    "$uv" pip compile --quiet --group "pyproject.toml:$group" --constraint "requirements-$layer.lock" --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-package torch \
        --python-version 3.11 --constraint <(echo "torch==$torch_version") --output-file "$folder/requirements.lock" "$@"
}
# Celery's interactive shell stays out of the gateway, which only sends, and so does HTTP/2, which nobody here speaks.
compile_image gateway gateway core --no-emit-package click-repl --no-emit-package prompt-toolkit \
    --no-emit-package wcwidth --no-emit-package h2 --no-emit-package hpack --no-emit-package hyperframe
compile_image services/ingestion ingestion nlp
compile_image services/parser parser core
compile_image services/embeddings embeddings embeddings
compile_image services/colpali colpali colpali
