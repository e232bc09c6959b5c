"""What a workbook's styles and strings say of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.formats.sheets.cells import Looks, is_set, rich_text, whole
from parser.formats.sheets.format_codes import BUILT_IN

if TYPE_CHECKING:
    from parser.limits import ContentLimits
    from parser.opc import Package

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_MOST_STYLES = 100_000


def looks_of(package: Package, workbook: str, *, from_1904: bool) -> Looks:
    """The number format and the weight of each cell style."""
    for name in package.related(workbook, "styles")[:1]:
        root = package.xml(name)
        own = {
            number: each.get("formatCode", "General")
            for each in root.iterfind(f"{S}numFmts/{S}numFmt")
            if (number := whole(each.get("numFmtId"))) is not None
        }
        fonts = list(root.iterfind(f"{S}fonts/{S}font"))
        bold = [is_set(font.find(f"{S}b")) for font in fonts]
        lined = [is_set(font.find(f"{S}strike")) for font in fonts]
        styles = list(root.iterfind(f"{S}cellXfs/{S}xf"))[:_MOST_STYLES]
        formats, weights, struck = [], [], []
        for style in styles:
            number, font = whole(style.get("numFmtId")) or 0, whole(style.get("fontId")) or 0
            formats.append(own.get(number) or BUILT_IN.get(number, "General"))
            weights.append(font < len(bold) and bold[font])
            struck.append(font < len(lined) and lined[font])
        return Looks(tuple(formats), tuple(weights), from_1904, tuple(struck))
    return Looks(from_1904=from_1904)


def strings_of(package: Package, workbook: str, limits: ContentLimits) -> list[str]:
    """The strings that cells refer to by number.

    Raises:
        DocumentTooLarge: they hold more text than a document may.
        DocumentUnreadable: they are no XML.
    """
    strings: list[str] = []
    total = 0
    for name in package.related(workbook, "sharedStrings")[:1]:
        try:
            for _, element in etree.iterparse(package.open(name), tag="{*}si", resolve_entities=False, no_network=True):
                strings.append(rich_text(element))
                total += len(strings[-1])
                if total > limits.characters:
                    raise DocumentTooLarge(f"the workbook has more than {limits.characters} characters of text")
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError as err:
            raise DocumentUnreadable("the workbook is damaged: its strings are no XML") from err
    return strings
