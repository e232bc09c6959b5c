#!/bin/sh
# Checks a bundle and, only if nothing whatever is wrong with it, loads it: images into the container engine, everything
# else into a folder. Needs openssl 3, sha256sum and docker.
#
#   sh load.sh PUBLIC_KEY FOLDER        check, load, and make FOLDER ready for `docker compose up --wait`
#   sh load.sh --verify PUBLIC_KEY      check only; anybody may who can read the bundle
#
# PUBLIC_KEY must have come another way than the bundle. This file came with the bundle too: docs/operate.md has the
# two lines to type by hand that say whether it may be trusted.
# Exit codes: 0 done, 1 failed, 2 wrong usage, 3 signature, 4 checksum, 6 no space.
set -eu

say() { printf '%s\n' "$*"; }
refuse() { # exit code, then what is wrong
    code=$1
    shift
    say "bundle refused, nothing was loaded: $*" >&2
    exit "$code"
}
usage() {
    say "usage: sh load.sh [--bundle DIR] PUBLIC_KEY FOLDER | sh load.sh [--bundle DIR] --verify PUBLIC_KEY" >&2
    exit 2
}

bundle=$(dirname "$0") verify_only=
while [ $# -gt 0 ]; do
    case $1 in
        --bundle) [ $# -ge 2 ] || usage; bundle=$2; shift 2 ;;
        --verify) verify_only=1; shift ;;
        -*) usage ;;
        *) break ;;
    esac
done
if [ -n "$verify_only" ]; then [ $# = 1 ] || usage; else [ $# = 2 ] || usage; fi
[ -f "$1" ] || { say "load.sh: there is no public key at $1" >&2; exit 2; }
key=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
if [ -z "$verify_only" ]; then
    umask 022
    mkdir -p "$2"
    folder=$(cd "$2" && pwd)
fi
cd "$bundle" || usage
notes=$(mktemp -d)
trap 'rm -rf "$notes"' EXIT
trap 'exit 1' HUP INT TERM

# --- check: the signature, then that exactly what was signed is here --------------------------------------------------

for file in SHA256SUMS SHA256SUMS.sig; do
    [ -f "$file" ] || refuse 3 "$file is missing"
done
openssl pkeyutl -verify -rawin -pubin -inkey "$key" -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1 ||
    refuse 3 "SHA256SUMS.sig is no signature of SHA256SUMS by the owner of $key"
find . ! -type f ! -type d >"$notes/odd"
[ ! -s "$notes/odd" ] || refuse 4 "neither file nor folder: $(tr '\n' ' ' <"$notes/odd")"
find . -type f ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | sed 's|^\./||' | LC_ALL=C sort >"$notes/here"
sed 's/^[0-9a-f]*  //' SHA256SUMS | LC_ALL=C sort >"$notes/signed"
LC_ALL=C comm -13 "$notes/here" "$notes/signed" >"$notes/missing"
[ ! -s "$notes/missing" ] || refuse 4 "missing: $(tr '\n' ' ' <"$notes/missing")"
LC_ALL=C comm -23 "$notes/here" "$notes/signed" >"$notes/extra"
[ ! -s "$notes/extra" ] || refuse 4 "not part of it: $(tr '\n' ' ' <"$notes/extra")"
say "checking $(wc -l <SHA256SUMS) files"
sha256sum --strict --quiet -c SHA256SUMS >"$notes/changed" 2>/dev/null ||
    refuse 4 "changed: $(sed 's/: [^:]*$//' "$notes/changed" | tr '\n' ' ')"
say "the bundle is whole and signed by the owner of $key"
[ -z "$verify_only" ] || exit 0

# --- load -------------------------------------------------------------------------------------------------------------

docker info >/dev/null 2>&1 || { say "load.sh: no container engine answers; nothing was loaded" >&2; exit 1; }
room() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 {print $4}'; }
kib() { du -sk "$@" 2>/dev/null | awk '{sum += $1} END {print sum + 0}'; }
enough() { # place, KiB that are needed there, what for
    free=$(room "$1")
    [ -z "$free" ] || [ "$free" -ge "$2" ] ||
        refuse 6 "$1 has $((free / 1024)) MiB free, $3 need $(($2 / 1024)) MiB"
}
enough "$(docker info -f '{{.DockerRootDir}}')" "$(kib images.tar)" "the images"
enough "$folder" "$(kib compose models wheels)" "models and packages"

docker load -q -i images.tar
while read -r image; do
    docker image inspect "$image" >/dev/null || { say "load.sh: the engine does not have $image" >&2; exit 1; }
done <images.txt
cp -R compose/. "$folder"
for part in models wheels; do
    [ ! -d "$part" ] || cp -R "$part" "$folder"
done
# Secrets, the owner's key and .env; what exists is kept. As whoever runs this, so that they belong to the operator.
docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
    --user "$(id -u):$(id -g)" -v "$folder:/site" -w /site -e ATOLL_DATA_DIR=/site/.atoll \
    "$(grep '^atoll/gateway:' images.txt)" \
    python -m atoll.cli.main init --compose --offline >/dev/null
say "loaded into $folder; go on with: cd $folder && docker compose up --wait"
