#!/bin/sh
# In an image build: install /requirements.lock, or the package named in TORCH, into /install. Wheels that were brought
# along in /wheels are taken, and then no index is asked; otherwise pip's own configuration says where packages are.
# Arguments are further options of pip.
set -eu

wheels=$(find /wheels -name '*.whl' | head -n 1)
set -- --prefix=/install --ignore-installed --no-warn-script-location "$@"
[ -z "$wheels" ] || set -- "$@" --no-index --find-links=/wheels

if [ -n "${TORCH:-}" ]; then
    # A CUDA build needs libraries that are packages of their own, a CPU build none: as wheels' own metadata says.
    # shellcheck disable=SC2086 - TORCH may hold several words, among them options of pip
    pip install "$@" --no-deps $TORCH
    site=$(find /install -type d -name site-packages)
    if find "$site/torch/lib" -name 'libtorch_cuda*.so' | grep -q .; then
        # shellcheck disable=SC2086
        pip install "$@" $TORCH
    fi
    # Headers, build files and test programs: for those who compile against torch.
    rm -rf "$site/torch/include" "$site/torch/share"
    find "$site/torch/bin" -type f ! -name torch_shm_manager -delete
else
    pip install "$@" --no-deps --require-hashes -r /requirements.lock
fi

# Nobody compiles against the packages here, type-checks them or runs their own tests.
find /install \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.h' -o -name '*.c' -o -name '*.a' \) -delete
find /install -type d \( -name tests -o -name test \) -path '*/site-packages/*' -prune -exec rm -rf {} +
find /install -path '*/numpy/_core/*' \( -name '*_tests.*.so' -o -name '_simd.*.so' \) -delete
# What an installer would need to take a package away again; there is none in the final image.
find /install -path '*.dist-info/RECORD' -delete
