"""What a page holds and its reader does not see, as far as the page itself says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parser.colours import Colour, are_alike, colour

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:px|pt|em|rem|%)?\s*(?:;|$|!)"
    r"|font-size\s*:\s*[01](?:\.\d*)?p[xt]|(?<![-\w])opacity\s*:\s*0(?:\.0*)?\s*(?:;|$|!)"
    r"|(?<![-\w])(?:left|top|text-indent|margin-left|margin-top)\s*:\s*-(?:999|\d{4,}|\d{3,}(?=\s*(?:r?em|v[wh]|%)))"
    r"|clip\s*:\s*rect\(\s*0(?:px)?[\s,]+0(?:px)?[\s,]+0(?:px)?[\s,]+0(?:px)?\s*\)|transform\s*:\s*scale\(\s*0\s*\)",
    re.IGNORECASE,
)
#: No place for what is in it, where it may not flow over.
_NO_ROOM = re.compile(r"(?<![-\w])(?:max-)?(?:height|width)\s*:\s*0(?:px|pt|em)?\s*(?:;|$|!)", re.IGNORECASE)
_CUT = re.compile(r"overflow\s*:\s*(?:hidden|clip)", re.IGNORECASE)
_INK = re.compile(r"(?<![-\w])color\s*:\s*([^;!]+)", re.IGNORECASE)
_GROUND = re.compile(r"(?<![-\w])background(?:-color|-image)?\s*:\s*([^;!]+)", re.IGNORECASE)
_PAPER: Colour = (255, 255, 255)
_STRUCK_STYLE = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_SHIFT_STYLE = re.compile(r"vertical-align\s*:\s*(super|sub)\b", re.IGNORECASE)
_NOTE_LINK = re.compile(r"#_?(?:fn|ftn|edn|note|footnote|endnote|cite_note)[-_:]?\w*$", re.IGNORECASE)
#: Attributes by which a control names what it opens.
_OPENERS = ("aria-controls", "data-target", "data-bs-target", "aria-owns")
_MOST_OPENED = 10_000


@dataclass(slots=True)
class Hiding:
    """Tells hidden elements, but not those that a control of the page opens: accordions, tabs, "read more"."""

    _opened: set[str] = field(default_factory=set)
    _after_control: bool = False
    #: What the elements around the next one stand on; None where the page does not state it itself.
    _grounds: list[Colour | None] = field(default_factory=lambda: [_PAPER])

    def look(self, tag: str, attributes: Mapping[str, str], closers: list[Callable[[], object]]) -> bool:
        """Whether the element that begins is hidden; called for each element in order."""
        ground = self._ground(tag, attributes)
        if ground != self._grounds[-1]:
            self._grounds.append(ground)
            closers.append(self._grounds.pop)
        follows_control, self._after_control = self._after_control, _is_control(tag, attributes)
        for name in _OPENERS:
            if len(self._opened) < _MOST_OPENED:
                self._opened.update(target.lstrip("#") for target in attributes.get(name, "").split())
        if tag == "a" and attributes.get("href", "").startswith("#") and attributes.get("role") == "tab":
            self._opened.add(attributes["href"][1:])
        if _is_of_the_grounds_colour(attributes, ground):
            return True
        if not _is_hidden(tag, attributes):
            return False
        return not follows_control and attributes.get("id", "") not in self._opened

    def notice(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Look at an element that is not read: a style sheet may paint anything."""
        if tag == "style" or (tag == "link" and "stylesheet" in attributes.get("rel", "").lower()):
            self._grounds[0] = None

    def _ground(self, tag: str, attributes: Mapping[str, str]) -> Colour | None:
        self.notice(tag, attributes)
        stated = _GROUND.search(attributes.get("style", ""))
        written = stated[1] if stated else attributes.get("bgcolor") or attributes.get("background", "")
        if written and written.strip().lower() not in {"transparent", "inherit", "none"}:
            return colour(written)
        return self._grounds[-1]


def _is_of_the_grounds_colour(attributes: Mapping[str, str], ground: Colour | None) -> bool:
    stated = _INK.search(attributes.get("style", ""))
    written = (stated[1] if stated else attributes.get("color", "")).strip()
    if written.lower() == "transparent":
        return True
    ink = colour(written)
    return ink is not None and ground is not None and are_alike(ink, ground)


def is_struck(tag: str, attributes: Mapping[str, str]) -> bool:
    """Whether an element's text is struck out."""
    return tag in {"del", "s", "strike"} or _STRUCK_STYLE.search(attributes.get("style", "")) is not None


def shift_of(attributes: Mapping[str, str]) -> str:
    """The tag that raises or lowers text as an element's style does, or nothing."""
    found = _SHIFT_STYLE.search(attributes.get("style", ""))
    return found[1].lower()[:3] if found else ""


def is_note_mark(tag: str, attributes: Mapping[str, str]) -> bool:
    """Whether an element is the mark of a foot or end note."""
    if "noteref" in f"{attributes.get('role', '')} {attributes.get('epub:type', '')}":
        return True
    return tag == "a" and _NOTE_LINK.match(attributes.get("href", "")) is not None


def _is_control(tag: str, attributes: Mapping[str, str]) -> bool:
    return (
        tag in {"button", "summary"}
        or "aria-expanded" in attributes
        or "onclick" in attributes
        or attributes.get("role") in {"button", "tab"}
    )


def _is_hidden(tag: str, attributes: Mapping[str, str]) -> bool:
    if "hidden" in attributes or (attributes.get("aria-hidden") == "true" and tag not in {"sup", "sub"}):
        return True
    style = attributes.get("style", "")
    if _NO_ROOM.search(style) and _CUT.search(style):
        return True
    return _HIDING_STYLE.search(style) is not None
