#!/usr/bin/env bash
# Bring to vendor/wheels what images and the mode without containers install: for machines without a package index.
# Run on a connected machine of the same kind. TORCH names torch as pip is to be asked for it.
set -euo pipefail
cd "$(dirname "$0")/.."
pip=(.venv/bin/python -m pip --disable-pip-version-check -q)
into=vendor/wheels

for layer in core nlp ocr embeddings colpali; do
    echo "wheels of requirements-$layer.lock"
    "${pip[@]}" download --no-deps --only-binary=:all: --require-hashes -d "$into" -r "requirements-$layer.lock"
done
echo "wheels of ${TORCH:=torch==2.13.0}"
# shellcheck disable=SC2086 - TORCH may hold several words, among them options of pip
"${pip[@]}" download --no-deps --only-binary=:all: -d "$into" $TORCH
rm -f "$into"/atoll-*.whl
"${pip[@]}" wheel --no-deps --no-build-isolation -w "$into" .
du -sh "$into"
