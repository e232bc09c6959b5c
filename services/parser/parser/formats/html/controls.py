"""What the controls of a form show: values that were filled in, ticks, and the chosen one of several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parser.text import TICKED, UNTICKED, on_one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT_TYPES = frozenset(
    ("text", "search", "email", "tel", "url", "number", "date", "time", "datetime-local", "month", "week", "")
)


def shown_value(attributes: Mapping[str, str]) -> str:
    """The text that a reader sees in an `input`: its value or its tick; empty for buttons and hidden fields."""
    kind = attributes.get("type", "").lower()
    if kind in {"checkbox", "radio"}:
        return f" {TICKED if 'checked' in attributes else UNTICKED} "
    value = attributes.get("value", "") if kind in _TEXT_TYPES else ""
    return f" {value} " if value.strip() else ""


@dataclass(slots=True)
class Select:
    """An open list of choices; a reader sees those that are chosen, or the first of a closed list."""

    is_open_list: bool
    _options: list[tuple[bool, list[str]]] = field(default_factory=list)

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> Select:
        """The list that a tag opens."""
        return cls("multiple" in attributes or attributes.get("size", "1") not in {"", "0", "1"})

    def option(self, attributes: Mapping[str, str]) -> None:
        """The next choice."""
        self._options.append(("selected" in attributes, []))

    def add(self, text: str) -> None:
        """Text of the choice that was begun last."""
        if self._options:
            self._options[-1][1].append(text)

    @property
    def shown(self) -> str:
        """What a reader sees."""
        chosen = [on_one_line("".join(text)) for selected, text in self._options if selected]
        if not chosen and self._options and not self.is_open_list:
            chosen = [on_one_line("".join(self._options[0][1]))]
        return f" {', '.join(chosen)} " if chosen else ""
