"""What is called a model here: a knowledge base that the key may read, in one of the ways to search it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel

from atoll.domain.evidence import Mode
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.errors import NotFound
from gateway.dependencies import Dependencies

_NAME = re.compile(r"atoll/([a-z0-9][a-z0-9_-]{0,62})(?:/([a-z]+))?")
_SHOWN_CHARACTERS = 80
_MODES = {mode.value: mode for mode in Mode}


class OfferedModelOut(BaseModel):
    """A model."""

    id: str
    object: str = "model"
    created: int
    owned_by: str = "atoll"


class ModelsOut(BaseModel):
    """All models that the key may use."""

    object: str = "list"
    data: list[OfferedModelOut]


def parsed(model: str) -> tuple[str, Mode]:
    """Return the knowledge base and the mode that a model's name says. Raises NotFound."""
    name = _NAME.fullmatch(model)
    mode = _MODES.get(name[2] or Mode.MIX.value) if name else None
    if name is None or mode is None:
        raise NotFound(
            f"there is no model {model[:_SHOWN_CHARACTERS]}; they are called atoll/<knowledge base>[/<mode>], "
            "and GET /v1/models lists them"
        )
    return name[1], mode


def offered(ports: Dependencies) -> tuple[Mode, ...]:
    """Return the modes that this installation offers, the ordinary one first."""
    absent = {Mode.MIX}
    if ports.heat is None:
        absent.add(Mode.VISUAL)
    if "chat" not in ports.models:
        absent.add(Mode.BYPASS)
    return (Mode.MIX, *(mode for mode in Mode if mode not in absent))


def models_of(kb: KnowledgeBase, modes: tuple[Mode, ...]) -> Iterator[OfferedModelOut]:
    """Yield the models that a knowledge base is."""
    for mode in modes:
        yield model_out(kb.name if mode is Mode.MIX else f"{kb.name}/{mode.value}", kb.created_at)


def model_out(name: str, created_at: datetime) -> OfferedModelOut:
    """Return a model by what follows ``atoll/`` in its name."""
    return OfferedModelOut(id=f"atoll/{name}", created=int(created_at.timestamp()))
