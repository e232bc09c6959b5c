#!/usr/bin/env bash
# markitdown 0.1.9: a CSV file with semicolons and decimal commas, as spreadsheets write it in much of Europe, is cut at its
# decimal commas, and the semicolons stay inside the cells. No warning. kreuzberg 4.10.4 reads the same file rightly.
# Guess: the separator is found from the file.
# "Valve;1,50" becomes the cells "Valve;1" and "50".
# Exits 1 when this changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check 'kreuzberg==4.10.4' 'markitdown==0.1.9'
cd "$here" && venv/bin/python - <<'PY'
import kreuzberg
from markitdown import MarkItDown

with open("prices.csv", "w", newline="") as file:
    file.write("part;price\r\nValve;1,50\r\nPump;2,75\r\n")
wrong = MarkItDown().convert("prices.csv").text_content
right = kreuzberg.extract_file_sync("prices.csv").content
print(wrong, right, sep="\n\n")
raise SystemExit(not ("| Valve;1 | 50 |" in wrong and "Valve 1,50" in right))
PY
