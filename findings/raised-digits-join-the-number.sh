#!/usr/bin/env bash
# kreuzberg 4.10.4 and markitdown 0.1.9: a raised digit is joined to the number before it, from DOCX as from HTML.
# Guess: it comes out as 10^6, as a sign of its own or as a tag; the file says plainly that the digit is raised.
# "10" with a raised "6" comes out as "106": a million has become a hundred and six, and nothing tells the reader.
# Exits 1 when this changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check 'kreuzberg==4.10.4' 'markitdown[docx]==0.1.9' python-docx==1.2.0
cd "$here" && venv/bin/python - <<'PY'
import docx
import kreuzberg
from markitdown import MarkItDown

document = docx.Document()
line = document.add_paragraph("The well holds 10")
line.add_run("6").font.superscript = True
line.add_run(" litres.")
document.save("well.docx")
with open("well.html", "w") as page:
    page.write("<html><body><p>The well holds 10<sup>6</sup> litres.</p></body></html>")

seen = [kreuzberg.extract_file_sync(name).content.strip() for name in ("well.docx", "well.html")]
seen += [MarkItDown().convert(name).text_content.strip() for name in ("well.docx", "well.html")]
print("\n".join(seen))
raise SystemExit(seen != ["The well holds 106 litres."] * 4)
PY
