#!/bin/sh
# llama.cpp's server, its command put together from ATOLL_CHAT__*. The key comes from a file, so that neither the
# command line nor the environment shows it.
set -eu

model=/models/${CHAT_MODEL_FILE:-}
if [ ! -f "$model" ]; then
    echo "chat: the model file $model is absent; put a .gguf into ATOLL_COMPOSE__MODELS_DIR and name it in ATOLL_CHAT__MODEL_FILE" >&2
    exit 1
fi
set -- --model "$model" --alias "$CHAT_MODEL"
set -- "$@" --host 0.0.0.0 --port 8080               # its only network is internal
set -- "$@" --api-key-file /run/secrets/chat_api_key
slots=2                                              # questions answered at a time
set -- "$@" --parallel "$slots"
set -- "$@" --ctx-size $((CHAT_CONTEXT_TOKENS * slots))  # it is divided among them, and each must hold a whole question
set -- "$@" --threads "$CHAT_THREADS"
set -- "$@" --n-gpu-layers "$CHAT_GPU_LAYERS"
set -- "$@" --cache-ram 256                          # MiB for prompts seen before; the default is 8 GiB
set -- "$@" --offline --no-ui                        # nothing is fetched; people use Atoll's own pages
set -- "$@" --metrics
case $CHAT_MLOCK in 1 | true | True) set -- "$@" --load-mode mmap+mlock ;; esac
exec /app/llama-server "$@"
