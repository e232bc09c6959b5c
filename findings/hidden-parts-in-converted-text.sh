#!/usr/bin/env bash
# kreuzberg 4.10.4 and markitdown 0.1.9: what an office file hides comes out like everything else, without a mark: a hidden
# run of DOCX, a hidden row and a hidden sheet of XLSX, a hidden slide of PPTX.
# Guess: a converter for language models gives what the program shows, or marks the rest.
# Exits 1 when this changes. Installs into a temporary folder, needs a package index.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check 'kreuzberg==4.10.4' 'markitdown[docx,pptx,xlsx]==0.1.9' python-docx==1.2.0 python-pptx==1.0.2 openpyxl==3.1.5
cd "$here" && venv/bin/python - <<'PY'
import docx
import kreuzberg
import openpyxl
from markitdown import MarkItDown
from pptx import Presentation

document = docx.Document()
document.add_paragraph("The fee is 5 euros. ").add_run("unseen run").font.hidden = True
document.save("fee.docx")

book = openpyxl.Workbook()
book.active.append(["fee", 5])
book.active.append(["unseen row", 7])
book.active.row_dimensions[2].hidden = True
book.create_sheet("Old")["A1"] = "unseen sheet"
book["Old"].sheet_state = "hidden"
book.save("fee.xlsx")

slides = Presentation()
for title, shown in (("The fee", True), ("unseen slide", False)):
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = title
    if not shown:
        slide._element.set("show", "0")
slides.save("fee.pptx")

unseen = {"fee.docx": ["unseen run"], "fee.xlsx": ["unseen row", "unseen sheet"], "fee.pptx": ["unseen slide"]}
changed = False
for name, parts in unseen.items():
    for reader, text in (
        ("kreuzberg", kreuzberg.extract_file_sync(name).content),
        ("markitdown", MarkItDown().convert(name).text_content),
    ):
        found = [part for part in parts if part in text]
        print(f"{reader}, {name}: {found}")
        changed |= found != parts
raise SystemExit(changed)
PY
