#!/usr/bin/env bash
# pypdfium2 5.15.2 (PDFium's text of a page): a cell of a table that holds one single character is joined to the cell before
# it, or comes out as a line of its own; cells of two characters are not. 100 points of blank lie between the cells.
# Guess: the wider the gap, the surer the space; how long a word is plays no part.
# "12 m" and "3" come out as "12 m3" (in the first row as two lines), "12 m" and "13" as "12 m 13".
# Exits 1 when this changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check pypdfium2==5.15.2 reportlab==5.1.0
cd "$here" && venv/bin/python - <<'PY'
import pypdfium2
from reportlab.pdfgen import canvas


def text(*rows: tuple[str, ...]) -> str:
    page = canvas.Canvas("berths.pdf", pagesize=(400, 200))
    for at, row in enumerate(rows):
        for left, cell in zip((20, 120, 220), row):
            page.drawString(left, 150 - 20 * at, cell)
    page.save()
    return pypdfium2.PdfDocument("berths.pdf")[0].get_textpage().get_text_bounded()


one = text(("Hald", "12 m", "3"), ("Grim", "9 m", "4"))
two = text(("Hald", "12 m", "13"), ("Grim", "9 m", "14"))
print(repr(one), repr(two), sep="\n")
raise SystemExit((one, two) != ("Hald 12 m\r\n3\r\nGrim 9 m4", "Hald 12 m 13\r\nGrim 9 m 14"))
PY
