#!/usr/bin/env bash
# kreuzberg 4.10.4: a <br> between two values of a Markdown file leaves nothing behind, not even a space, in a paragraph and in
# a cell of a table, where it is the only way to begin a new line.
# Guess: a line break, or white space.
# "1<br>2" comes out as "12", one number that stands nowhere in the file.
# Exits 1 when this changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check 'kreuzberg==4.10.4'
cd "$here" && venv/bin/python - <<'PY'
import kreuzberg

with open("limits.md", "w") as file:
    file.write("Limits 3<br>4 apply.\n\n| gauge | limits |\n|---|---|\n| north | 1<br>2 |\n")
text = kreuzberg.extract_file_sync("limits.md").content
print(text)
raise SystemExit(not ("north 12" in text and "Limits 34" in text))
PY
