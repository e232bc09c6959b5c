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
# The languages in which the parser reads pictures, as this machine has them or as Debian gives them.
languages=(eng osd deu fra spa)
tessdata=vendor/tessdata
for language in "${languages[@]}"; do
    file=$language.traineddata
    [ ! -e "$tessdata/$file" ] || continue
    if [ -e "/usr/share/tesseract-ocr/5/tessdata/$file" ]; then
        cp "/usr/share/tesseract-ocr/5/tessdata/$file" "$tessdata/"
    else
        folder=$(mktemp -d)
        (cd "$folder" && apt-get -qq download "tesseract-ocr-$language" && dpkg-deb -x ./*.deb .) 2>/dev/null &&
            cp "$folder"/usr/share/tesseract-ocr/*/tessdata/"$file" "$tessdata/" ||
            echo "tesseract-ocr-$language cannot be had: images will not read pictures in it"
        rm -rf "$folder"
    fi
done
rm -f "$into"/atoll-*.whl
"${pip[@]}" wheel --no-deps --no-build-isolation -w "$into" .
du -sh "$into"
