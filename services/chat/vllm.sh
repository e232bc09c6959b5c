#!/bin/sh
# vLLM's server, its command put together from ATOLL_CHAT__*. vLLM takes its key from the environment of its own process
# only; the container's does not hold it.
set -eu

model=/models/${CHAT_MODEL_FILE:-}
if [ -z "${CHAT_MODEL_FILE:-}" ] || [ ! -d "$model" ]; then
    echo "chat: the model folder $model is absent; copy it into ATOLL_COMPOSE__MODELS_DIR and name it in ATOLL_CHAT__MODEL_FILE" >&2
    exit 1
fi
VLLM_API_KEY=$(cat /run/secrets/chat_api_key)
export VLLM_API_KEY
set -- "$model" --served-model-name "$CHAT_MODEL"    # a path, never a repository's name
set -- "$@" --host 0.0.0.0 --port 8080               # its only network is internal
set -- "$@" --max-model-len "$CHAT_CONTEXT_TOKENS"
set -- "$@" --gpu-memory-utilization "$CHAT_GPU_MEMORY_UTILIZATION"  # embeddings and pages need the rest
set -- "$@" --dtype "$CHAT_DTYPE"
set -- "$@" --max-num-seqs 64                        # far below the default, which a few questions could fill
exec vllm serve "$@"
