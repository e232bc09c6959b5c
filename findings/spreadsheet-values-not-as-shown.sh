#!/usr/bin/env bash
# kreuzberg 4.10.4 and markitdown 0.1.9 on one XLSX: no value comes out as the sheet shows it.
# A duration that the sheet shows as 36:00 is "1900-01-01 12:00:00" for kreuzberg (a date, and 24 hours are gone) and
# "1 days 12:00:00" for markitdown; 12.3 % is 0.123 for both; the part number 00501 is 501, and for markitdown 501.0 as soon
# as one cell of its column is empty.
# Guess: at least the duration and the leading noughts, which the number format states, survive.
# Exits 1 when this changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check 'kreuzberg==4.10.4' 'markitdown[xlsx]==0.1.9' openpyxl==3.1.5
cd "$here" && venv/bin/python - <<'PY'
import datetime

import kreuzberg
import openpyxl
from markitdown import MarkItDown

book = openpyxl.Workbook()
sheet = book.active
sheet.append(["part", "share", "run"])
sheet.append([501, 0.123, datetime.timedelta(hours=36)])
sheet.append([None, 0.5, None])
for cell, form in (("A2", "00000"), ("B2", "0.0%"), ("B3", "0.0%"), ("C2", "[h]:mm")):
    sheet[cell].number_format = form
book.save("parts.xlsx")

first = kreuzberg.extract_file_sync("parts.xlsx").content
second = MarkItDown().convert("parts.xlsx").text_content
print(first, second, sep="\n\n")
expected = (
    "501 0.123 1900-01-01 12:00:00" in first
    and "| 501.0 | 0.123 | 1 days 12:00:00 |" in second
    and not any(shown in first + second for shown in ("00501", "12.3%", "36:00"))
)
raise SystemExit(not expected)
PY
