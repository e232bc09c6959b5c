"""What a page holds and its reader does not see, as far as the page itself says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:px|pt|em|rem|%)?\s*(?:;|$|!)"
    r"|(?<![-\w])opacity\s*:\s*0(?:\.0*)?\s*(?:;|$|!)",
    re.IGNORECASE,
)
_STRUCK_STYLE = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_NOTE_LINK = re.compile(r"#_?(?:fn|ftn|edn|note|footnote|endnote|cite_note)[-_:]?\w*$", re.IGNORECASE)
#: Attributes by which a control names what it opens.
_OPENERS = ("aria-controls", "data-target", "data-bs-target", "aria-owns")
_MOST_OPENED = 10_000


@dataclass(slots=True)
class Hiding:
    """Tells hidden elements, but not those that a control of the page opens: accordions, tabs, "read more"."""

    _opened: set[str] = field(default_factory=set)
    _after_control: bool = False

    def look(self, tag: str, attributes: Mapping[str, str]) -> bool:
        """Whether the element that begins is hidden; called for each element in order."""
        follows_control, self._after_control = self._after_control, _is_control(tag, attributes)
        for name in _OPENERS:
            if len(self._opened) < _MOST_OPENED:
                self._opened.update(target.lstrip("#") for target in attributes.get(name, "").split())
        if tag == "a" and attributes.get("href", "").startswith("#") and attributes.get("role") == "tab":
            self._opened.add(attributes["href"][1:])
        if not _is_hidden(tag, attributes):
            return False
        return not follows_control and attributes.get("id", "") not in self._opened


def is_struck(tag: str, attributes: Mapping[str, str]) -> bool:
    """Whether an element's text is struck out."""
    return tag in {"del", "s", "strike"} or _STRUCK_STYLE.search(attributes.get("style", "")) is not None


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
    return _HIDING_STYLE.search(attributes.get("style", "")) is not None
