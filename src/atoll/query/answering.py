"""Answering from what was found: sentences of the documents first, then the chat model's own, if they are supported."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from atoll.domain.answer import Answer, AnsweredBy, Caution, Sentence
from atoll.domain.text.sentences import sentences
from atoll.errors import DependencyDown, ModelReplyInvalid
from atoll.ports.chat import Chat, ChatCut, ChatUsage
from atoll.ports.embedder import Embedder
from atoll.query.answer.budget import PrefillSpeed, PromptLimits
from atoll.query.answer.check import AnswerCheck
from atoll.query.answer.extract import extract
from atoll.query.answer.generate import Draft, fitted_prompt, generate
from atoll.query.answer.present import cited_text
from atoll.query.answer.prompt import bypass_messages
from atoll.query.answer.refuse import not_found, refused
from atoll.query.answer.scale import Scale
from atoll.query.question.history import Turn
from atoll.query.requests import AnswerMode, Citations, Delta, Replace, StreamEvent
from atoll.query.search.results import SearchResult
from atoll.query.search.timings import Timings

_log = logging.getLogger(__name__)

CUT = Caution(
    "answer_cut",
    "The chat model's answer was cut because it was too long; ATOLL_CHAT__ANSWER_TOKENS lets it be longer.",
)
NOT_SUPPORTED = Caution(
    "answer_not_supported", "The chat model wrote an answer that the documents do not support; it is not shown."
)
ONE_SIDED = Caution(
    "answer_one_sided",
    "Documents contradict each other, and the chat model's answer has only one side of it; it is not shown.",
)


@dataclass(slots=True)
class Progress:
    """What has become of a question so far; ``sides`` are passages that contradict each other, of which all belong."""

    answer: Answer
    usage: dict[str, int] = field(default_factory=dict)
    cautions: list[Caution] = field(default_factory=list)
    declined: bool = False
    sides: frozenset[str] = frozenset()


class Answering:
    """Writes answers. Holds no state but the estimate of the chat model's speed and the scale of the embedder."""

    def __init__(self, embedder: Embedder, limits: PromptLimits, *, certainty: float) -> None:
        self._embedder = embedder
        self._limits = limits
        self._certainty = certainty
        self._scale = Scale(embedder)
        self._speed = PrefillSpeed()

    async def prepare(self) -> None:
        """Measure the embedder's scale ahead of the first question; see `Scale.get`."""
        await self._scale.get()

    async def extracted(self, found: SearchResult) -> Progress:
        """Return the answer in the documents' words, or the refusal.

        Raises:
            DependencyDown: the embedder is away.
        """
        scale = await self._scale.get()
        done = await extract(found, self._embedder, scale, certainty=self._certainty)
        return Progress(done.answer, cautions=list(done.cautions), sides=done.sides)

    async def told(
        self, found: SearchResult, progress: Progress, mode: AnswerMode, chat: Chat | None, timings: Timings
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield the answer as it takes shape, the documents' words at once, and leave it in ``progress``.

        Raises:
            DependencyDown, ModelReplyInvalid: the chat model failed and nothing can stand in for it.
        """
        first = progress.answer
        if mode is not AnswerMode.GENERATE or chat is None or not found.evidence:
            for event in shown(first):
                yield event
            if chat is None or not found.evidence:
                return
        with timings.step("generate"):
            async with aclosing(self._generated(found, progress, mode, chat)) as events:
                async for event in events:
                    yield event

    async def _generated(
        self, found: SearchResult, progress: Progress, mode: AnswerMode, chat: Chat
    ) -> AsyncGenerator[StreamEvent, None]:
        """Let the model's answer replace the first one, which comes back when the model fails or is not supported."""
        first, replaced = progress.answer, mode is AnswerMode.GENERATE
        try:
            async for event in self._written(found, progress, chat):
                if not replaced:
                    yield Replace(AnsweredBy.GENERATE)
                    replaced = True
                yield event
        except (DependencyDown, ModelReplyInvalid) as error:
            if mode is AnswerMode.GENERATE:
                raise
            _log.warning("the chat model failed (%s); the extracted answer stays", error.type)
            progress.usage["generation_failed"] = 1
            progress.answer = first
            if replaced:
                yield Replace(first.answered_by)
                for event in shown(first):
                    yield event
            return
        if progress.answer is first and mode is AnswerMode.GENERATE:
            if progress.declined:
                progress.answer = refused(not_found((), 0.0, nearest=True))
            for event in shown(progress.answer):
                yield event

    async def _written(self, found: SearchResult, progress: Progress, chat: Chat) -> AsyncIterator[StreamEvent]:
        """Yield the model's checked answer from its first supported sentence on; nothing when it finds none."""
        prompt = await fitted_prompt(found, chat, self._limits, self._speed)
        if prompt is None:
            raise ModelReplyInvalid("the chat model's window holds no evidence; raise ATOLL_CHAT__CONTEXT_TOKENS")
        passages = [found.passage_of(entry) for entry in prompt.evidence]
        check = AnswerCheck(prompt.evidence, prompt.texts, passages, found.terms)
        draft, unsupported = Draft(), list[str]()
        async for text in generate(
            prompt, check, draft, chat=chat, answer_tokens=self._limits.answer_tokens, speed=self._speed
        ):
            unsupported.append(text)
            if (
                draft.is_supported and progress.sides <= check.cited
            ):  # from here on it is an answer; what came before belongs to it
                yield Delta("".join(unsupported))
                unsupported.clear()
        progress.usage.update(draft.usage)
        progress.declined = draft.declined and progress.answer.answered_by is not AnsweredBy.NONE
        if draft.is_supported and progress.sides <= check.cited:
            progress.answer = draft.answer(check)
            progress.cautions += [CUT] if draft.cut else []
            yield Citations(progress.answer.sentences, progress.answer.citations)
        elif draft.sentences:
            progress.cautions.append(ONE_SIDED if draft.is_supported else NOT_SUPPORTED)

    async def from_model_alone(
        self, question: str, history: Sequence[Turn], progress: Progress, chat: Chat
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield an answer that rests on no document; every sentence of it is unsupported."""
        pieces: list[str] = []
        async for piece in chat.stream(bypass_messages(question, history), max_tokens=self._limits.answer_tokens):
            if isinstance(piece, ChatUsage):
                progress.usage.update(prompt_tokens=piece.prompt_tokens, completion_tokens=piece.completion_tokens)
            elif isinstance(piece, ChatCut):
                progress.cautions.append(CUT)
            else:
                pieces.append(piece)
                yield Delta(piece)
        text = "".join(pieces)
        spoken = tuple(Sentence(text[start:end], (), supported=False) for start, end in sentences(text))
        progress.answer = Answer(text.strip(), AnsweredBy.GENERATE, None, spoken, ())
        yield Citations(spoken, ())


def shown(answer: Answer) -> list[StreamEvent]:
    """Return the events that show a finished answer: its text by sentence, then its citations."""
    if not answer.sentences:
        return [Delta(answer.text), Citations((), ())]
    texts = [cited_text(sentence) for sentence in answer.sentences]
    deltas = [Delta(text if at == 0 else f" {text}") for at, text in enumerate(texts)]
    return [*deltas, Citations(answer.sentences, answer.citations)]
