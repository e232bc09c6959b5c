"""The list of all knobs by their names in the environment: ``ATOLL_<SECTION>__<NAME>``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from atoll.settings.sections import Section

PREFIX = "ATOLL_"
NESTING = "__"


class Knob(BaseModel):
    """One setting as `.env.example` shows it."""

    name: str
    default: Any
    description: str


def knobs(section: type[BaseModel], prefix: str = PREFIX) -> Iterator[Knob]:
    """Yield every setting of ``section`` (`Settings` for all of them) in declaration order."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from knobs(field.annotation, f"{prefix}{name.upper()}{NESTING}")
        else:
            yield Knob(name=f"{prefix}{name.upper()}", default=field.default, description=field.description or "")
