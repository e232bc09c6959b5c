"""The events of an answer as what a client can be shown of them: text that is never taken back.

A question is answered by sentences of the documents at once, which a chat model's answer may replace later. Clients of
OpenAI's API cannot take text back: the documents' sentences are held until it is known that nothing replaces them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from atoll.domain.answer import Answer, AnsweredBy, Caution, Citation, Sentence
from atoll.domain.evidence import Evidence, Mode
from atoll.errors import DependencyDown
from atoll.query.answer.budget import cut_to, estimate_tokens
from atoll.query.service import (
    Citations,
    Delta,
    Done,
    EvidenceFound,
    QueryOutcome,
    QueryRequest,
    Replace,
    StreamEvent,
)
from gateway.openai.runs import Run

LATE = Caution(
    "answer_late", "The chat model did not answer in the time that the client waits; these are the documents' words."
)
#: What the query service says of an answer that was as long as it may be.
_CUT = "answer_cut"


@dataclass(slots=True)
class Meanwhile:
    """The documents' words, which are there before a chat model's are."""

    request: QueryRequest
    _evidence: tuple[Evidence, ...] = ()
    _revision: int | None = None
    _pieces: list[str] = field(default_factory=list)
    _found: tuple[tuple[Sentence, ...], tuple[Citation, ...]] | None = None
    _is_over: bool = False

    def take(self, event: StreamEvent) -> None:
        """Take the next event."""
        match event:
            case EvidenceFound(evidence, revision):
                self._evidence, self._revision = evidence, revision
            case Replace():
                self._is_over = True
            case Delta(text) if not self._is_over:
                self._pieces.append(text)
            case Citations(sentences, citations) if not self._is_over:
                self._found, self._is_over = (sentences, citations), True

    def outcome(self) -> QueryOutcome:
        """Return what the documents say. Raises DependencyDown when that is not known yet."""
        if self._found is None:
            raise DependencyDown("the answer was not there in time; ask again, or ask for a stream")
        sentences, citations = self._found
        by = AnsweredBy.EXTRACT if sentences else AnsweredBy.NONE
        answer = Answer("".join(self._pieces), by, None, sentences, citations)
        return QueryOutcome(answer, self._evidence, {}, {}, self._revision, self.request.query, (LATE,))


async def whole(run: Run, request: QueryRequest, *, seconds: float) -> QueryOutcome:
    """Return an answer; when it is not there in time, what the documents say. Raises what answering raises."""
    loop = asyncio.get_running_loop()
    deadline, meanwhile, at = loop.time() + seconds, Meanwhile(request), 0
    while (event := await run.event(at, deadline - loop.time())) is not None:
        if isinstance(event, Done):
            return event.outcome
        meanwhile.take(event)
        at += 1
    return meanwhile.outcome()


@dataclass(slots=True)
class Shown:
    """What of an answer a stream has shown, and what it holds."""

    request: QueryRequest
    outcome: QueryOutcome | None = None
    has_text: bool = False
    _held: list[str] = field(default_factory=list)
    _is_final: bool = False
    _meanwhile: Meanwhile = field(init=False)

    def __post_init__(self) -> None:
        """Hold nothing where no documents are asked: then nothing replaces what the model says."""
        self._is_final = self.request.mode is Mode.BYPASS
        self._meanwhile = Meanwhile(self.request)

    def take(self, event: StreamEvent) -> list[str]:
        """Take the next event; return the text that it lets be shown.

        Raises:
            DependencyDown: text that was shown is void.
        """
        self._meanwhile.take(event)
        match event:
            case Delta(text) if self._is_final:
                self.has_text = True
                return [text]
            case Delta(text):
                self._held.append(text)
            case Replace() if self.has_text:
                raise DependencyDown("the chat model broke off its answer; what there is of it is not whole, ask again")
            case Replace(answered_by):
                self._is_final = answered_by is AnsweredBy.GENERATE
                self._held.clear()
            case Done(outcome):
                self.outcome = outcome
                return self._released()
        return []

    def late(self) -> list[str]:
        """Return the documents' words: nobody waits any longer for others.

        Raises:
            DependencyDown: others were shown, or there are none yet.
        """
        if self.has_text:
            raise DependencyDown("the answer took too long (ATOLL_GATEWAY__ANSWER_SECONDS) and ends here; ask again")
        self.outcome = self._meanwhile.outcome()
        return [self.outcome.answer.text]

    def _released(self) -> list[str]:
        released, self._held = self._held, []
        return released


def why_ended(outcome: QueryOutcome) -> str:
    """Return why an answer ends: ``stop``, or ``length`` where the model was stopped."""
    return "length" if any(warning.type == _CUT for warning in outcome.warnings) else "stop"


def fitted(text: str, most_tokens: int | None) -> tuple[str, bool]:
    """Return as much of a text as ``most_tokens`` let through, and whether something was cut off."""
    if most_tokens is None or estimate_tokens(text) <= most_tokens:
        return text, False
    return cut_to(text, most_tokens), True


def counted(outcome: QueryOutcome, text: str) -> tuple[int, int]:
    """Return the tokens of question and answer as the chat model's server counted them, estimated without one."""
    asked = outcome.usage.get("prompt_tokens", estimate_tokens(outcome.understood))
    return asked, outcome.usage.get("completion_tokens", estimate_tokens(text))
