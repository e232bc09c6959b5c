"""Turns the tokens of an RTF file into elements; a group's end takes back what was set in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.flow import Element
from parser.formats.rtf.blocks import Blocks
from parser.formats.rtf.words import CHARSETS, SIGNS, SKIPPED, codec_of
from parser.formats.word.margins import is_page_number
from parser.raised import lowered, raised
from parser.text import flowing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.formats.rtf.tokens import Token

_MOST_DEPTH = 2000
_MOST_FONTS = 10_000
_LOOKED_BACK = 40
_RAISED_BY_HAND = 4
_SURROGATES = range(0xD800, 0xE000)
_MARGINS = frozenset({"header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"})
_LABELS = frozenset({"listtext", "pntext"})


@dataclass(frozen=True, slots=True)
class _State:
    """What holds inside a group."""

    target: str = "body"
    shift: int = 0
    is_struck: bool = False
    is_hidden: bool = False
    font: int = 0
    skipped_after_code: int = 1


class Reading:
    """Receives tokens. ``hidden`` gathers what is marked as hidden, ``pictures`` counts what is not read."""

    def __init__(self) -> None:
        self.title = ""
        self.encoding = "cp1252"
        self.hidden: list[str] = []
        self.pictures = 0
        self._states = [_State()]
        self._fonts: dict[int, str] = {}
        self._blocks = Blocks()
        self._gathered: dict[str, list[str]] = {}
        self._letters = bytearray()
        self._skip = 0
        self._high = 0
        self._star = False
        self._notes = 0

    @property
    def depth(self) -> int:
        """How many groups are open."""
        return len(self._states) - 1

    def taken(self) -> Iterator[Element]:
        """The elements that are complete, once."""
        while self._blocks.out:
            yield self._blocks.out.popleft()

    def end(self) -> Iterator[Element]:
        """End the file; what is left."""
        self._flush()
        self._blocks.end_paragraph()
        self._blocks.end_table()
        yield from self.taken()

    def take(self, token: Token) -> None:
        """Receive a token."""
        if token.kind == "text":
            self._take_text(token)
            return
        self._flush()
        if token.kind == "group":
            self._begin_group() if token.name == "{" else self._end_group()
        elif token.kind == "sign":
            self._sign(token.name)
        else:
            self._word(token.name, token.number)

    @property
    def _state(self) -> _State:
        return self._states[-1]

    def _set(self, **changes: object) -> None:
        self._states[-1] = replace(self._states[-1], **changes)  # type: ignore[arg-type]

    def _begin_group(self) -> None:
        if len(self._states) > _MOST_DEPTH:
            raise DocumentUnreadable("the file nests its groups too deeply")
        self._states.append(self._state)
        self._star = False

    def _end_group(self) -> None:
        self._skip = 0
        if len(self._states) == 1:
            return
        ended = self._states.pop().target
        if ended != self._state.target:
            self._end_target(ended)

    def _end_target(self, target: str) -> None:
        text = flowing("".join(self._gathered.pop(target, [])))
        if not text:
            return
        if target == "title":
            self.title = text
        elif target == "label":
            self._blocks.paragraph.label = text
        elif target == "margin" and not is_page_number(text):
            self._blocks.out.append(Element(BlockKind.NOTE, text))
        elif target == "note":
            self._blocks.paragraph.notes.append((str(self._notes), text))

    def _take_text(self, token: Token) -> None:
        letters = token.letters
        if self._skip:
            skipped = min(self._skip, len(letters))
            self._skip -= skipped
            letters = letters[skipped:]
        self._letters += letters

    def _flush(self) -> None:
        """Decode the bytes that came since the last word: letters of two bytes come as two codes."""
        if self._letters:
            codec = self._fonts.get(self._state.font, self.encoding)
            self._add(self._letters.decode(codec, "replace"))
            self._letters.clear()

    def _add(self, text: str) -> None:
        state = self._state
        if state.target == "none" or not text:
            return
        if state.target == "fonts":
            return
        parts = self._parts()
        if state.is_hidden:
            self.hidden.append(text)
        elif not state.is_struck:
            if state.shift and text.strip():
                before = "".join(parts[-_LOOKED_BACK:])
                tail = text[len(text.rstrip()) :]
                text = (raised if state.shift > 0 else lowered)(text, before) + tail
            parts.append(text)

    def _parts(self) -> list[str]:
        target = self._state.target
        return self._blocks.paragraph.parts if target == "body" else self._gathered.setdefault(target, [])

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self._star = True
        elif sign in "\\{}":
            self._add(sign)
        elif sign == "~":
            self._add(" ")
        elif sign == "_":
            self._add("-")
        elif sign in "\r\n":
            self._add("\n")

    def _word(self, name: str, number: int | None) -> None:
        star, self._star = self._star, False
        if name in SKIPPED or (star and name not in {"shpinst", "shptxt", "listtext", "pntext"}):
            self._set(target="none")
            self.pictures += name == "pict"
        elif self._state.target == "fonts":
            self._font_word(name, number)
        elif name == "u" and number is not None:
            self._unicode(number & 0xFFFF)
        elif name in SIGNS:
            self._add(SIGNS[name])
        elif not self._group_word(name) and not self._look_word(name, number):
            if name in {"par", "sect", "page"} and self._state.target == "body":
                self._blocks.end_paragraph()
            elif name in {"par", "line"}:
                self._add("\n")
            elif name in {"nestcell", "nestrow"}:
                self._add(" ")
            elif self._state.target == "body":
                self._blocks.word(name, number)

    def _group_word(self, name: str) -> bool:
        """Words that say where the text of a group goes."""
        if self._state.target == "none":
            return True
        if name == "fonttbl":
            self._set(target="fonts")
        elif name == "title":
            self._set(target="title")
        elif name in _MARGINS:
            self._set(target="margin")
        elif name in _LABELS:
            self._set(target="label")
        elif name == "footnote":
            self._set(target="note", shift=0)
        elif name == "chftn":
            if self._state.target == "note":
                return True
            self._notes += 1
            self._blocks.paragraph.parts.append(
                raised(str(self._notes), "".join(self._blocks.paragraph.parts[-3:]), is_mark=True)
            )
        else:
            return False
        return True

    def _look_word(self, name: str, number: int | None) -> bool:
        """Words that say how text looks."""
        is_on = number != 0
        match name:
            case "super" | "sub":
                self._set(shift=(1 if name == "super" else -1) if is_on else 0)
            case "up" | "dn":
                # Half points; by fewer, type is only lined up.
                by = 6 if number is None else number
                self._set(shift=(1 if name == "up" else -1) if by >= _RAISED_BY_HAND else 0)
            case "nosupersub":
                self._set(shift=0)
            case "strike" | "striked":
                self._set(is_struck=is_on)
            case "v":
                self._set(is_hidden=is_on)
            case "plain":
                self._set(shift=0, is_struck=False, is_hidden=False)
            case "f":
                self._set(font=number or 0)
            case "uc":
                self._set(skipped_after_code=min(max(number or 0, 0), 10))
            case "ansicpg":
                self.encoding = codec_of(number) or self.encoding
            case "mac" | "pc" | "pca":
                self.encoding = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[name]
            case _:
                return False
        return True

    def _font_word(self, name: str, number: int | None) -> None:
        if name == "f" and number is not None:
            self._set(font=number)
        elif name == "fcharset" and len(self._fonts) < _MOST_FONTS and (codec := CHARSETS.get(number or 0)):
            self._fonts[self._state.font] = codec

    def _unicode(self, code: int) -> None:
        self._skip = self._state.skipped_after_code
        if code in _SURROGATES:
            if self._high:
                pair = bytes((self._high & 0xFF, self._high >> 8, code & 0xFF, code >> 8))
                self._add(pair.decode("utf-16-le", "replace"))
            self._high = 0 if self._high else code
        else:
            self._high = 0
            self._add(chr(code))
