"""Fields: their codes are not seen, their results are; form fields show a tick, a choice or what was typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from parser.opc import W, is_on, value_of, whole_of
from parser.text import TICKED, UNTICKED

#: Page numbers of the printed document: on our pages they would be wrong.
_PAGE_NUMBER = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Field:
    instruction: str = ""
    in_result: bool = False
    data: Any = None


class Fields:
    """Follows the begin, separator and end characters of fields, which may lie within each other."""

    def __init__(self) -> None:
        self._open: list[_Field] = []

    @property
    def is_shown(self) -> bool:
        """Whether text that comes now is seen."""
        return all(each.in_result and not self.is_page_number(each.instruction) for each in self._open)

    @staticmethod
    def is_page_number(instruction: str) -> bool:
        """Whether a field counts pages."""
        return _PAGE_NUMBER.match(instruction) is not None

    def instruction(self, text: str) -> None:
        """Text of the innermost field's code."""
        if self._open and not self._open[-1].in_result:
            self._open[-1].instruction += text

    def character(self, node: Any) -> str:
        """Take a field character; returns what a form field shows that has no result of its own."""
        kind = node.get(f"{W}fldCharType")
        if kind == "begin":
            shown = self.is_shown
            self._open.append(_Field(data=node.find(f"{W}ffData")))
            return _form_value(self._open[-1].data) if shown else ""
        if kind == "separate" and self._open:
            field = self._open[-1]
            # A choice was shown already; its result, if there is one, says the same.
            field.in_result = field.data is None or field.data.find(f"{W}ddList") is None
        elif kind == "end" and self._open:
            self._open.pop()
        return ""


def _form_value(data: Any) -> str:
    if data is None:
        return ""
    box = data.find(f"{W}checkBox")
    if box is not None:
        ticked = is_on(box, f"{W}checked", is_on(box, f"{W}default"))
        return TICKED if ticked else UNTICKED
    choices = data.find(f"{W}ddList")
    if choices is not None:
        entries = [entry.get(f"{W}val", "") for entry in choices.iterchildren(f"{W}listEntry")]
        chosen = whole_of(choices, f"{W}result", whole_of(choices, f"{W}default"))
        return entries[chosen] if 0 <= chosen < len(entries) else value_of(choices, f"{W}default") or ""
    return ""
