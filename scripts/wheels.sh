#!/usr/bin/env bash
# Bring to vendor/wheels what images and the mode without containers install: for machines without a package index.
# Run on a connected machine of the same kind. TORCH names torch as pip is to be asked for it. What lies there for these
# locks already is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."
pip=(.venv/bin/python -m pip --disable-pip-version-check -q)
into=vendor/wheels
: "${TORCH:=torch==2.13.0}"

wanted() { # a hash of what is asked for and of what lies there
    { cat requirements-*.lock && echo "$TORCH" && find "$into" -name '*.whl' ! -name 'atoll-*' | sort; } | sha256sum
}

if [ "$(cat "$into/.complete" 2>/dev/null)" != "$(wanted)" ]; then
    for layer in core nlp embeddings colpali; do
        echo "wheels of requirements-$layer.lock"
        "${pip[@]}" download --no-deps --only-binary=:all: --require-hashes -d "$into" -r "requirements-$layer.lock"
    done
    echo "wheels of $TORCH"
    # shellcheck disable=SC2086 - TORCH may hold several words, among them options of pip
    "${pip[@]}" download --no-deps --only-binary=:all: -d "$into" $TORCH
    wanted >"$into/.complete"
fi
rm -f "$into"/atoll-*.whl
"${pip[@]}" wheel --no-deps --no-build-isolation -w "$into" .
du -sh "$into"
