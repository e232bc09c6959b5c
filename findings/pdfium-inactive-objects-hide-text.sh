#!/usr/bin/env bash
# pypdfium2 5.15.2: a text page that is opened while text objects are switched off holds no characters, but one that was
# opened before keeps them all. Guess: switching an object off (FPDFPageObj_SetIsActive) only changes what is drawn.
# It matters to anybody who draws a page twice to see which text leaves ink: read the text first, then switch off.
# Seen: before=17 after=0 kept=17. Exits 1 when that changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check pypdfium2==5.15.2 reportlab==4.4.4
cd "$here" && venv/bin/python - <<'PY'
import ctypes
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from reportlab.pdfgen.canvas import Canvas

canvas = Canvas("page.pdf")
canvas.drawString(72, 700, "Seventeen letters")
canvas.save()

page = pdfium.PdfDocument("page.pdf")[0]
first = page.get_textpage()
before = first.count_chars()
for item in page.get_objects():
    raw.FPDFPageObj_SetIsActive(item, ctypes.c_int(False))
later = page.get_textpage()
after, kept = later.count_chars(), first.count_chars()
print(f"pypdfium2 5.15.2: before={before} after={after} kept={kept}")
raise SystemExit((before, after, kept) != (17, 0, 17))
PY
