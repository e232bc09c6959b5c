#!/usr/bin/env bash
# openpyxl 3.1.5 and python-calamine 0.9.1 on a workbook saved as "Strict Open XML": openpyxl opens it without an error and
# shows no sheet at all (a warning speaks of "an invalid specification for 0"); calamine reads it. Guess: a reader that
# does not know the strict namespaces raises an error.
# It matters to ingestion: an empty result is not a sign of an empty file. Exits 1 when this changes.
# The workbook is written by openpyxl and its namespaces are replaced by those of ISO/IEC 29500 Strict.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install -q --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1
cd "$here" && venv/bin/python - <<'PY'
import zipfile
import openpyxl
from python_calamine import CalamineWorkbook

book = openpyxl.Workbook()
book.active.append(["part", "price"])
book.active.append(["lock nut", 4.5])
book.save("transitional.xlsx")
strict = {
    b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": b"http://purl.oclc.org/ooxml/officeDocument/relationships",
}
with zipfile.ZipFile("transitional.xlsx") as source, zipfile.ZipFile("strict.xlsx", "w") as target:
    for name in source.namelist():
        content = source.read(name)
        for old, new in strict.items():
            content = content.replace(old, new)
        target.writestr(name, content)

sheets = openpyxl.load_workbook("strict.xlsx").sheetnames
rows = CalamineWorkbook.from_path("strict.xlsx").get_sheet_by_index(0).to_python()
print(f"openpyxl 3.1.5: sheets={sheets}; python-calamine 0.9.1: rows={rows}")
raise SystemExit(not (sheets == [] and rows == [["part", "price"], ["lock nut", 4.5]]))
PY
