#!/usr/bin/env bash
# mammoth 1.13.0 and python-docx 1.2.0: the shown text of a simple field (w:fldSimple, what Word writes for many captions
# and cross-references) is left out by both; mammoth adds a warning to its messages, python-docx says nothing.
# Guess: the field's result is ordinary runs, so it is read.
# "Figure 7 shows the valve." comes out as "Figure  shows the valve.": the number that a citation depends on is gone.
# Exits 1 when this changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check mammoth==1.13.0 python-docx==1.2.0
cd "$here" && venv/bin/python - <<'PY'
import docx
import mammoth
from docx.oxml import parse_xml

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
document = docx.Document()
paragraph = document.add_paragraph("Figure ")
paragraph._p.append(
    parse_xml(f'<w:fldSimple xmlns:w="{W}" w:instr=" SEQ Figure "><w:r><w:t>7</w:t></w:r></w:fldSimple>')
)
paragraph.add_run(" shows the valve.")
document.save("field.docx")

with open("field.docx", "rb") as file:
    result = mammoth.extract_raw_text(file)
seen = result.value.strip()
other = docx.Document("field.docx").paragraphs[0].text
print(f"mammoth 1.13.0: {seen!r}, {len(result.messages)} message; python-docx 1.2.0: {other!r}")
raise SystemExit(not ("7" not in seen and "7" not in other and len(result.messages) == 1))
PY
