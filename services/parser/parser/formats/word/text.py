"""The text of a paragraph as it is printed: runs, fields, ticks, symbols, formulas, notes and what boxes hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parser.formats.word.fields import Fields
from parser.formats.word.formulas import linear
from parser.formats.word.sight import is_unseen
from parser.formats.word.symbols import symbol, unmapped
from parser.opc import MC, A, M, W, is_on, value_of, whole_of
from parser.raised import lowered, raised

if TYPE_CHECKING:
    from collections.abc import Callable

    from parser.formats.word.styles import Style, Styles

_PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_SHAPE_TEXT = "{urn:schemas-microsoft-com:vml}shape"
_DEEPEST = 100
_LOOKED_BACK = 40
#: Half-points by which digits stand above the line when they are raised by hand.
_RAISED_BY_HAND = 4

_UNSEEN = frozenset(
    {
        *(f"{W}{name}" for name in ("pPr", "rPr", "del", "moveFrom", "instrText", "delText", "delInstrText")),
        *(f"{W}{name}" for name in ("sdtPr", "sdtEndPr", "rubyPr", "softHyphen", "proofErr", "annotationRef")),
        f"{MC}Fallback",
    }
)
_DRAWINGS = frozenset({f"{W}drawing", f"{W}pict", f"{W}object"})
_BREAKS = frozenset({f"{W}br", f"{W}cr"})


@dataclass(slots=True)
class Paragraph:
    """What a paragraph holds: its text, the notes it refers to, what stands in boxes and pictures in it."""

    text: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    charts: list[Any] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    is_formula: bool = False
    is_bold: bool = False


class TextReader:
    """Reads paragraphs one after the other; fields go on from one to the next.

    ``number`` gives the mark that is printed for a note, by its kind ("footnote", "endnote") and id. What is hidden
    goes to ``hidden``.
    """

    def __init__(self, styles: Styles, number: Callable[[str, str], str], hidden: list[str]) -> None:
        self._styles = styles
        self._number = number
        self._hidden = hidden
        self._fields = Fields()
        self._parts: list[str] = []
        self._found = Paragraph()
        self._style: Style = styles.default
        self._shown = self._formulas = self._bold = self._plain = 0

    def read(self, paragraph: Any, style: Style) -> Paragraph:
        """The content of a paragraph in a style."""
        self._parts, self._found, self._style = [], Paragraph(), style
        self._shown = self._formulas = self._bold = self._plain = 0
        self._children(paragraph, 0)
        found = self._found
        found.text = "".join(self._parts)
        found.is_formula = self._formulas > 0 and self._shown == 0
        found.is_bold = self._bold > 0 and self._plain == 0
        return found

    def _children(self, node: Any, depth: int) -> None:
        if depth < _DEEPEST:
            for child in node.iterchildren():
                self._node(child, depth)

    def _node(self, node: Any, depth: int) -> None:
        tag = node.tag
        if not isinstance(tag, str) or tag in _UNSEEN:
            return
        if tag == f"{W}r":
            self._run(node, depth)
        elif tag in {f"{M}oMath", f"{M}oMathPara"}:
            self._formulas += 1
            self._parts.append(linear(node))
        elif tag == f"{MC}AlternateContent":
            chosen = next(node.iterchildren(f"{MC}Choice"), None)
            chosen = chosen if chosen is not None else next(node.iterchildren(f"{MC}Fallback"), None)
            if chosen is not None:
                self._children(chosen, depth + 1)
        elif tag == f"{W}ruby":
            self._ruby(node, depth)
        elif tag == f"{W}txbxContent":
            self._found.boxes.append(node)
        elif tag in _DRAWINGS:
            self._drawing(node, depth)
        elif tag == f"{W}fldSimple" and self._fields.is_page_number(node.get(f"{W}instr", "")):
            return
        else:
            self._children(node, depth + 1)

    def _run(self, run: Any, depth: int) -> None:
        properties = run.find(f"{W}rPr")
        own = self._styles.of(value_of(properties, f"{W}rStyle"))
        hidden = is_on(properties, f"{W}vanish", own.is_hidden or self._style.is_hidden)
        hidden = hidden or is_unseen(run, properties, own, self._style)
        struck = is_on(properties, f"{W}strike", own.is_struck or self._style.is_struck)
        struck = is_on(properties, f"{W}dstrike", struck)
        start = len(self._parts)
        self._content(run, properties, own, depth)
        text = "".join(self._parts[start:])
        if hidden or struck:
            del self._parts[start:]
            if hidden and text.strip():
                self._hidden.append(text)
            return
        if text.strip():
            self._shown += 1
            bold = is_on(properties, f"{W}b", own.is_bold or self._style.is_bold)
            self._bold, self._plain = self._bold + bold, self._plain + (not bold)
        shift = value_of(properties, f"{W}vertAlign") or own.raise_ or self._style.raise_
        if not shift and abs(position := whole_of(properties, f"{W}position")) >= _RAISED_BY_HAND:
            shift = "superscript" if position > 0 else "subscript"
        if shift in {"superscript", "subscript"} and text.strip():
            self._shift(start, text, is_raised=shift == "superscript")

    def _shift(self, start: int, text: str, *, is_raised: bool) -> None:
        before = "".join(self._parts[max(0, start - _LOOKED_BACK) : start])
        tail = text[len(text.rstrip()) :]
        written = raised(text, before) if is_raised else lowered(text, before)
        self._parts[start:] = [written + tail]

    def _content(self, run: Any, properties: Any, style: Style, depth: int) -> None:
        fonts = properties.find(f"{W}rFonts") if properties is not None else None
        font = (fonts.get(f"{W}ascii") if fonts is not None else None) or style.font or self._style.font
        for node in run.iterchildren():
            tag = node.tag
            if tag == f"{W}fldChar":
                self._parts.append(self._fields.character(node))
            elif tag == f"{W}instrText":
                self._fields.instruction(node.text or "")
            elif not self._fields.is_shown:
                continue
            elif tag == f"{W}t":
                self._parts.append(unmapped(node.text or "", font))
            elif tag in {f"{W}tab", f"{W}ptab"}:
                self._parts.append(" ")
            elif tag in _BREAKS:
                self._parts.append("\n")
            elif tag == f"{W}noBreakHyphen":
                self._parts.append("-")
            elif tag == f"{W}sym":
                self._parts.append(_sym(node))
            elif tag in {f"{W}footnoteReference", f"{W}endnoteReference"}:
                self._note(node)
            else:
                self._node(node, depth + 1)

    def _note(self, node: Any) -> None:
        kind = "footnote" if node.tag == f"{W}footnoteReference" else "endnote"
        id_ = node.get(f"{W}id", "")
        before = "".join(self._parts[-_LOOKED_BACK:])
        if not is_custom(node):
            self._parts.append(raised(self._number(kind, id_), before, is_mark=True))
        self._found.notes.append((kind, id_))

    def _drawing(self, node: Any, depth: int) -> None:
        known = len(self._found.boxes)
        self._children(node, depth + 1)
        charts = list(node.iter(_CHART))
        self._found.charts += charts
        if len(self._found.boxes) > known or charts:
            return
        named = next(node.iter(_PICTURE), None)
        alt = named.get("descr", "") if named is not None else ""
        shape = next(node.iter(_SHAPE_TEXT), None)
        alt = alt or (shape.get("alt", "") if shape is not None else "")
        words = " ".join(text.text or "" for text in node.iter(f"{A}t"))
        if alt.strip() or words.strip():
            self._found.pictures.append(f"{alt} {words}".strip())

    def _ruby(self, node: Any, depth: int) -> None:
        """A word with its reading above it: the reading would part it and is searched as another spelling."""
        for part in node.iterchildren(f"{W}rt"):
            self._found.readings.append("".join(text.text or "" for text in part.iter(f"{W}t")))
        for part in node.iterchildren(f"{W}rubyBase"):
            self._children(part, depth + 1)


def is_custom(node: Any) -> bool:
    """Whether a note's mark is written in the text rather than counted."""
    return node.get(f"{W}customMarkFollows", "0") in {"1", "true", "on"}


def _sym(node: Any) -> str:
    try:
        code = int(node.get(f"{W}char", ""), 16)
    except ValueError:
        return ""
    return symbol(node.get(f"{W}font", ""), code) if code <= 0xFFFF else ""  # noqa: PLR2004
