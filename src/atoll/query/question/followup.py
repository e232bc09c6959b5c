"""Questions that go on with a conversation: whom "she" means, what "and in 2023?" is still about.

Nothing is rewritten into a new sentence. The names of the last turns are carried on as rivals, of which an answer must
meet one; a question without a verb of its own keeps the parts of the last question that it does not replace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from atoll.query.question.concept import Concept, Part
from atoll.query.question.concepts import YEAR, concepts
from atoll.query.question.history import Turn
from atoll.query.text.terms import Terms

#: Names that are carried on at most.
MAX_NAMES = 4
#: What a part counts that is only carried on, and one that the new question may have put another in place of.
CARRIED, REPLACED = 0.7, 0.3
_SHORT_WORDS = 6

_PRONOUN = re.compile(
    r"\b(?:he|him|his|she|her|hers|it|its|they|them|their|theirs|there|that|this|those|these|one|er|ihm|ihn|sein\w*|sie|ihr\w*|es|dort|"
    r"davon|dazu|il|elle|lui|leur|son|sa|ses|y|en)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"^(?:and|but|or|so|then|ok|what about|how about|und|aber|oder|wie (?:ist|war) es (?:mit|bei)|was ist mit|et|y|e)\b"
    r"[ ,]*(?:what about |how about )?",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|"
    r"wer|wem|wen|was|welche\w*|wann|wo|warum|wie|ist|sind|hat|kann|darf|muss|qui|que|quel\w*|quand|où|comment|combien)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"^(?:and |but |und )?(?:what about|how about|was ist mit|wie ist es mit)\b", re.IGNORECASE)
_MARKS = re.compile(r"\s*\[[\d,; ]{1,20}\]")


@dataclass(frozen=True, slots=True)
class Carried:
    """What a question takes from its conversation. ``asks_like`` is the question whose kind it shares, if any."""

    search: str
    parts: tuple[Concept, ...]
    asks_like: str


def carried(question: str, parts: tuple[Concept, ...], history: Sequence[Turn], terms: Terms) -> Carried | None:
    """Return what ``question`` takes from the turns before it, or None when it stands for itself."""
    asked = [turn.content for turn in history if turn.role == "user"]
    if not asked:
        return None
    bare = _GOES_ON.sub("", question.strip(), count=1)
    goes_on = bare != question.strip()
    elliptic = goes_on and not _ASKS.match(bare) and len(bare.split()) <= _SHORT_WORDS and not _PRONOUN.search(bare)
    if elliptic or _ABOUT.match(question.strip()):
        return _elliptic(question, parts, asked[-1], history, terms)
    names_itself = any(part.part in (Part.NAME, Part.CODE, Part.LABELLED) for part in parts)
    if not (_PRONOUN.search(question) or not names_itself):
        return None
    names = _names(history, terms)
    if not names:
        return None
    rivals = tuple(tuple(terms.forms(word) for word in name.split()) for name in names)
    part = Concept(Part.NAME, " / ".join(names), -1, -1, frozenset(), rivals=rivals, share=CARRIED)
    return Carried(f"{question} {', '.join(names)}", (*parts, part), question)


def _elliptic(question: str, parts: tuple[Concept, ...], last: str, history: Sequence[Turn], terms: Terms) -> Carried:
    """Keep what the last question asked, but for what this one puts in place of a part of it."""
    before = concepts(last, terms)
    kinds = {part.part for part in parts}
    labels = {part.text.split()[0].casefold() for part in parts if part.part is Part.LABELLED}
    kept: list[Concept] = []
    for part in before:
        if part.part in kinds and part.part in (Part.DATE, Part.NUMBER, Part.NAME, Part.CODE):
            continue
        if part.part is Part.LABELLED and (part.text.split()[0].casefold() in labels or Part.NAME in kinds):
            continue
        replaced = Part.WORD in kinds and not part.generic and (part.part is Part.WORD or _counts(part))
        share, soft = (REPLACED if replaced else 1.0), part.soft or (replaced and part.part is Part.NUMBER)
        kept.append(replace(part, share=share, soft=soft, key=False, start=-1, end=-1))
    if not any(part.part is Part.NAME for part in (*kept, *parts)) and (names := _names(history, terms)):
        rivals = tuple(tuple(terms.forms(word) for word in name.split()) for name in names)
        kept.append(Concept(Part.NAME, " / ".join(names), -1, -1, frozenset(), rivals=rivals, share=CARRIED))
    words = " ".join(dict.fromkeys(part.text for part in kept))
    return Carried(f"{question} {words}", (*(replace(part, key=True) for part in parts), *kept), last)


def _counts(part: Concept) -> bool:
    """Whether a part is a number that says something of a word ("under 18"), which goes with it; a year stays."""
    return part.part is Part.NUMBER and not YEAR.fullmatch(part.text)


def _names(history: Sequence[Turn], terms: Terms) -> list[str]:
    """Return the names and codes of the last turn that has any, those of the answer first."""
    for at in range(len(history) - 1, -1, -1):
        if history[at].role != "user":
            continue
        answer = next((turn.content for turn in history[at + 1 :] if turn.role == "assistant"), "")
        found: dict[str, None] = {}
        for text in (_MARKS.sub("", answer), history[at].content):
            found |= dict.fromkeys(_named(text, terms))
        names = [name for name in found if not any(name != other and name in other for other in found)]
        if names:
            return names[:MAX_NAMES]
    return []


def _named(text: str, terms: Terms) -> list[str]:
    groups: dict[int, list[Concept]] = {}
    found: list[tuple[int, str]] = []
    for part in concepts(text, terms):
        if part.part is Part.NAME:
            groups.setdefault(part.group, []).append(part)
        elif part.part in (Part.CODE, Part.LABELLED):
            found.append((part.start, part.text))
    found += [(group[0].start, text[group[0].start : group[-1].end]) for group in groups.values()]
    return [name for _, name in sorted(found)]
