"""What a chat model is asked to reply to the extraction prompt, and what of its reply is believed.

A reply of the right form need not be true, and a text may have told the model what to say. Hence: a name counts only
where it stands in its passage; a relation only between two mentions of its passage; and nothing that addresses the
reader, or leads elsewhere, gets into the graph.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atoll.adapters.mentions import Occurrence
from atoll.adapters.stop_words import STOP_WORDS
from atoll.domain.entity import Assertion, Mention
from atoll.domain.names import MAX_KEY_CHARACTERS, entity_key
from atoll.domain.passage import Passage

#: What an entity can be when a knowledge base does not say otherwise.
DEFAULT_TYPES = (
    "person", "organization", "group", "location", "event", "product", "technology", "document", "law", "concept",
)  # fmt: skip
#: Type of a name whose type is none of those asked for.
OTHER_TYPE = "other"

MAX_ENTITIES = 120
MAX_RELATIONS = 80
#: Assertions kept of one passage.
MAX_PASSAGE_ASSERTIONS = 32
_MAX_KEYWORDS = 3
_MAX_KEYWORD_CHARACTERS = 40
_MAX_DESCRIPTION_CHARACTERS = 300
_MAX_WEIGHT = 10

_ADDRESS = re.compile(
    r"\b(?:https?|ftp|file|mailto|javascript|data):|\bwww\.|\w\.(?:com|org|net|io)\b|@\w", re.IGNORECASE
)
#: A sentence that begins like an order, or speaks to whoever reads it.
_ORDER = re.compile(
    r"(?:^|[.!?:;]\s+|\bplease\s+)(?:please|ignore|disregard|forget|override|visit|click|open|go to|follow|send|email|"
    r"forward|reply|respond|answer|say|tell|repeat|print|output|write|reveal|show|run|execute|call|download|install|"
    r"delete|remove|drop|transfer|pay|buy|contact|remember|pretend|act as|do not|don't|never|always|make sure|"
    r"ensure that|bitte|ignoriere|ignorieren sie|vergiss|besuche|besuchen sie|klicke|klicken sie|sende|antworte|"
    r"ignorez|oubliez|visitez|cliquez|envoyez|répondez|ignora|olvida|visita|haz clic|envía|responde)\b"
    r"|\b(?:you|your|yourself|assistant|chatbot|system prompt|previous instructions)\b",
    re.IGNORECASE,
)
#: Letters that an inflected word keeps.
_STEM = 4
_WORD = re.compile(r"\w+")


def schema(types: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema of a reply."""
    text = {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS}
    number = {"type": "integer", "minimum": 1}
    entity = {"passage": number, "name": text, "type": {"type": "string", "enum": list(types)}}
    relation = {
        "passage": number,
        "head": text,
        "keywords": {
            "type": "array",
            "items": {**text, "maxLength": _MAX_KEYWORD_CHARACTERS},
            "maxItems": _MAX_KEYWORDS,
        },
        "tail": text,
        "description": {"type": "string", "maxLength": _MAX_DESCRIPTION_CHARACTERS},
        "weight": {**number, "maximum": _MAX_WEIGHT},
    }
    return _object(
        {
            "entities": {"type": "array", "items": _object(entity), "maxItems": MAX_ENTITIES},
            "relations": {"type": "array", "items": _object(relation), "maxItems": MAX_RELATIONS},
            "complete": {"type": "boolean"},
        }
    )


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class NamedEntity:
    """A name that the model gave, with the place of its passage (from 0)."""

    passage: int
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class NamedRelation:
    """A relation that the model gave."""

    passage: int
    head: str
    tail: str
    keywords: tuple[str, ...]
    description: str
    weight: float


@dataclass(frozen=True, slots=True)
class ExtractionReply:
    """What a model said. ``complete`` is False when it says so itself or was cut off."""

    entities: tuple[NamedEntity, ...]
    relations: tuple[NamedRelation, ...]
    complete: bool

    def joined(self, further: ExtractionReply) -> ExtractionReply:
        """Return both replies as one."""
        return ExtractionReply(self.entities + further.entities, self.relations + further.relations, further.complete)


def read_reply(text: str, *, cut: bool, passages: int, types: Sequence[str]) -> ExtractionReply | None:
    """Return what a reply says, or None when it is not what was asked for.

    Text around the JSON object is passed over. Of a reply that was ``cut`` at its longest the whole items count.
    Single items of another shape, or about a passage that there is not, are left out.
    """
    value = _cut_object(text) if cut else _whole_object(text)
    if value is None or not isinstance(value.get("entities"), list):
        return None
    relations = value.get("relations")
    return ExtractionReply(
        tuple(_entities(value["entities"][:MAX_ENTITIES], passages, types)),
        tuple(_relations(relations[:MAX_RELATIONS] if isinstance(relations, list) else (), passages)),
        complete=value.get("complete") is not False,
    )


def occurrences(reply: ExtractionReply, passages: Sequence[Passage], language: str) -> list[list[Occurrence]]:
    """Return where the names of a reply stand, for each passage; names that their passage does not hold are dropped.

    A name that its passage holds is looked for in all the passages: models name a thing once.
    """
    stop_words = STOP_WORDS.get(language, frozenset())
    found: list[list[Occurrence]] = [[] for _ in passages]
    done: set[str] = set()
    for entity in reply.entities:
        pattern = _pattern(entity.name, stop_words)
        key = entity_key(entity.name)
        if pattern is None or key is None or key in done or not pattern.search(passages[entity.passage].text):
            continue
        done.add(key)
        for places, passage in zip(found, passages, strict=True):
            places += [Occurrence(*match.span(), entity.type) for match in pattern.finditer(passage.text)]
    return found


def assertions(reply: ExtractionReply, passages: Sequence[Passage], mentions: Sequence[Mention]) -> list[Assertion]:
    """Return the relations of a reply whose ends their passage mentions, numbered within each passage."""
    known = {(mention.passage, mention.key): mention for mention in mentions}
    kept: list[Assertion] = []
    for at, passage in enumerate(passages):
        here: dict[tuple[str, str, tuple[str, ...]], Assertion] = {}
        for relation in reply.relations:
            head = known.get((passage.id, entity_key(relation.head) or ""))
            tail = known.get((passage.id, entity_key(relation.tail) or ""))
            if relation.passage != at or head is None or tail is None or head.key == tail.key:
                continue
            keywords = tuple(word for word in relation.keywords if is_harmless(word))
            description = relation.description if _is_about(relation.description, head, tail) else ""
            same = (head.key, tail.key, keywords)
            if (keywords or description) and same not in here and len(here) < MAX_PASSAGE_ASSERTIONS:
                here[same] = Assertion(
                    passage.id, len(here), head.entity, tail.entity, keywords, description, relation.weight
                )
        kept += here.values()
    return kept


def is_harmless(text: str) -> bool:
    """Whether a text of the model neither leads elsewhere nor orders anything."""
    return not _ADDRESS.search(text) and not _ORDER.search(text)


def _is_about(description: str, head: Mention, tail: Mention) -> bool:
    """Whether a description is harmless and names one of its ends, inflected perhaps."""
    if not description:
        return False
    # A name may well begin with a verb.
    nameless = description.replace(head.surface, "X").replace(tail.surface, "X")
    if _ADDRESS.search(description) or _ORDER.search(nameless):
        return False
    if nameless != description:
        return True
    stems = {word[:_STEM] for key in (head.key, tail.key) for word in key.split()}
    return any(word[:_STEM] in stems for word in _WORD.findall(description.casefold()))


def _whole_object(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, _ = decoder.raw_decode(text, at)
        except ValueError:
            value = None
        except RecursionError:
            return None
        if isinstance(value, dict) and "entities" in value:
            return value
        at = text.find("{", at + 1)
    return None


def _cut_object(text: str) -> dict[str, Any] | None:
    """Return the whole items of a reply that breaks off, or None when there is none."""
    items = {field: list(_items(text, field)) for field in ("entities", "relations")}
    return {**items, "complete": False} if items["entities"] else None


def _items(text: str, field: str) -> Iterator[Any]:
    opening = re.search(rf'"{field}"\s*:\s*\[', text)
    if opening is None:
        return
    decoder = json.JSONDecoder()
    at = opening.end()
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield item


def _entities(items: Sequence[Any], passages: int, types: Sequence[str]) -> Iterator[NamedEntity]:
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            kind = str(item.get("type", "")).strip().lower()
            at = _place(item, passages)
            if at is not None:
                yield NamedEntity(at, item["name"], kind if kind in types else OTHER_TYPE)


def _relations(items: Sequence[Any], passages: int) -> Iterator[NamedRelation]:
    for item in items:
        if not isinstance(item, dict) or not all(isinstance(item.get(end), str) for end in ("head", "tail")):
            continue
        at = _place(item, passages)
        if at is None:
            continue
        keywords = item.get("keywords")
        words = [_line(word) for word in keywords if isinstance(word, str)] if isinstance(keywords, list) else []
        description = item.get("description")
        yield NamedRelation(
            passage=at,
            head=item["head"],
            tail=item["tail"],
            keywords=tuple(word for word in words[:_MAX_KEYWORDS] if 0 < len(word) <= _MAX_KEYWORD_CHARACTERS),
            description=_line(description)[:_MAX_DESCRIPTION_CHARACTERS] if isinstance(description, str) else "",
            weight=_weight(item.get("weight")),
        )


def _place(item: Mapping[str, Any], passages: int) -> int | None:
    number = item.get("passage", 1 if passages == 1 else None)
    return number - 1 if isinstance(number, int) and 1 <= number <= passages else None


def _weight(value: object) -> float:
    """Return a weight above 0 and at most 1."""
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 1.0
    return min(max(1.0, number), float(_MAX_WEIGHT)) / _MAX_WEIGHT  # in this order a NaN counts 1


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _pattern(name: str, stop_words: frozenset[str]) -> re.Pattern[str] | None:
    """Return what finds a name in a text, however its words are joined; None for what is no name."""
    words = _WORD.findall(name)
    if not words or len(name) > MAX_KEY_CHARACTERS or all(word.casefold() in stop_words for word in words):
        return None
    joined = r"\W{1,3}".join(map(re.escape, words))
    # Scripts without spaces between words have no word boundaries either.
    before = "" if _is_wide(words[0][0]) else r"(?<!\w)"
    after = "" if _is_wide(words[-1][-1]) else r"(?!\w)"
    return re.compile(f"{before}{joined}{after}", re.IGNORECASE)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"}
