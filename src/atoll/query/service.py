"""Searching and answering: the one entrance to the query side.

An answer takes shape as a stream of events. ``auto`` shows sentences of the documents at once and lets the chat
model's answer replace them; when there is no model, or it fails or finds no answer, the sentences stay.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from atoll.domain.answer import Answer, AnsweredBy, Refusal, Sentence
from atoll.domain.evidence import Mode
from atoll.domain.text.sentences import sentences
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid, NotAvailable
from atoll.ports.chat import Chat, ChatUsage
from atoll.ports.embedder import Embedder
from atoll.ports.graph import Graph
from atoll.ports.graph_index import GraphIndex
from atoll.ports.passages import Passages
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex
from atoll.query.answer.budget import PrefillSpeed, PromptLimits
from atoll.query.answer.check import AnswerCheck
from atoll.query.answer.extract import cited_text, extract
from atoll.query.answer.generate import Draft, fitted_prompt, generate
from atoll.query.answer.history import Turn, recent
from atoll.query.answer.prompt import bypass_messages
from atoll.query.answer.refuse import RefusalThresholds, refusal, refused
from atoll.query.answer.standalone import standalone
from atoll.query.rank.graph_evidence import GraphLimits
from atoll.query.rank.rerank import Reranking
from atoll.query.requests import (
    AnswerMode,
    Citations,
    Delta,
    Done,
    EvidenceFound,
    QueryOutcome,
    QueryRequest,
    Replace,
    SearchOutcome,
    SearchRequest,
    StreamEvent,
)
from atoll.query.retrieve.pages import PageRetriever
from atoll.query.search.pipeline import SearchPipeline
from atoll.query.search.results import SearchResult
from atoll.query.search.timings import Timings

__all__ = [
    "AnswerMode",
    "AskService",
    "Citations",
    "Delta",
    "Done",
    "EvidenceFound",
    "GraphLimits",
    "PromptLimits",
    "QueryOutcome",
    "QueryRequest",
    "RefusalThresholds",
    "Replace",
    "SearchOutcome",
    "SearchRequest",
    "StreamEvent",
    "Turn",
]

MAX_QUESTION_CHARACTERS = 8192
MAX_TOP_K = 100

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Progress:
    """What has become of a question so far."""

    found: SearchResult
    answer: Answer
    usage: dict[str, int] = field(default_factory=dict)


class AskService:
    """Answers from one knowledge base at a time. Holds no state but the estimate of the chat model's speed."""

    def __init__(
        self,
        *,
        passages: Passages,
        graph: Graph,
        graph_index: GraphIndex,
        vectors: VectorIndex,
        embedder: Embedder,
        sparse: SparseEncoder,
        chat: Chat | None,
        limits: PromptLimits,
        graph_limits: GraphLimits,
        thresholds: RefusalThresholds,
        pages: PageRetriever | None = None,
        reranking: Reranking | None = None,
    ) -> None:
        self._pipeline = SearchPipeline(
            passages=passages,
            graph=graph,
            graph_index=graph_index,
            vectors=vectors,
            embedder=embedder,
            sparse=sparse,
            graph_limits=graph_limits,
            pages=pages,
            reranking=reranking,
        )
        self._embedder = embedder
        self._chat = chat
        self._limits = limits
        self._thresholds = thresholds
        self._speed = PrefillSpeed()

    async def search(self, request: SearchRequest) -> SearchOutcome:
        """Return ranked evidence.

        Raises:
            BadInput: the query is empty or too long, ``top_k`` is out of range, or the filters match too much.
            NotFound: the knowledge base is gone.
            NotAvailable: the mode is not offered.
            DependencyDown: the vector index or the embedder is away.
        """
        timings = Timings()
        found = await self._find(request, _checked_question(request), timings)
        return SearchOutcome(
            found.evidence, found.keywords, found.revision, timings.milliseconds(), warnings=found.warnings
        )

    async def query(self, request: QueryRequest) -> QueryOutcome:
        """Return the answer that ``stream`` ends with; raises what ``stream`` raises."""
        async with aclosing(self.stream(request)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.outcome
        raise AssertionError("a stream of events ends with Done")

    async def stream(self, request: QueryRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the evidence, then the answer as it takes shape, then `Done`.

        Raises:
            BadInput, NotFound, NotAvailable, DependencyDown: as ``search``.
            NotAvailable: ``generate`` or ``bypass`` without a chat model.
            DependencyDown, ModelReplyInvalid: the chat model failed and nothing can stand in for it.
        """
        timings = Timings()
        text = _checked_question(request)
        chat = self._model_for(request)
        history = recent(request.history)
        if request.mode is Mode.BYPASS:
            question = text
        else:
            with timings.step("standalone"):
                question = await standalone(text, history, chat)
        found = await self._find(request, question, timings)
        yield EvidenceFound(found.evidence, found.revision)

        reason = None if request.mode is Mode.BYPASS else refusal(found, self._thresholds)
        progress = _Progress(found, refused(reason or Refusal("not answered yet", found.best_cosine)))
        async with aclosing(self._answered(request, history, progress, reason, chat, timings)) as events:
            async for event in events:
                yield event
        yield Done(
            QueryOutcome(
                progress.answer,
                found.evidence,
                progress.usage,
                timings.milliseconds(),
                found.revision,
                warnings=found.warnings,
            )
        )

    def _model_for(self, request: QueryRequest) -> Chat | None:
        """Return the chat model if the request is to use it."""
        needed = request.answer is AnswerMode.GENERATE or request.mode is Mode.BYPASS
        if needed and (self._chat is None or request.answer is AnswerMode.EXTRACT):
            raise NotAvailable("this needs a chat model: set ATOLL_CHAT__URL, and answer=auto or generate")
        return None if request.answer is AnswerMode.EXTRACT else self._chat

    async def _find(self, request: SearchRequest | QueryRequest, question: str, timings: Timings) -> SearchResult:
        return await self._pipeline.find(
            request.reader,
            question,
            mode=request.mode,
            filters=request.filters,
            top_k=request.top_k,
            timings=timings,
        )

    async def _answered(
        self,
        request: QueryRequest,
        history: Sequence[Turn],
        progress: _Progress,
        reason: Refusal | None,
        chat: Chat | None,
        timings: Timings,
    ) -> AsyncGenerator[StreamEvent, None]:
        if reason is not None:
            for event in _shown(progress.answer):
                yield event
            return
        if request.mode is Mode.BYPASS:
            assert chat is not None, "checked before anything was searched"
            with timings.step("generate"):
                async for event in self._from_model_alone(request.query, history, progress, chat):
                    yield event
            return
        extracted: Answer | None = None
        if request.answer is not AnswerMode.GENERATE:
            with timings.step("extract"):
                extracted = progress.answer = await extract(progress.found, self._embedder)
            for event in _shown(extracted):
                yield event
        if chat is not None:
            with timings.step("generate"):
                async for event in self._generated(progress, extracted, chat):
                    yield event

    async def _generated(self, progress: _Progress, extracted: Answer | None, chat: Chat) -> AsyncIterator[StreamEvent]:
        """Let the model's answer replace the extracted one, which comes back when the model fails."""
        replaced = False
        try:
            async for event in self._written(progress, chat):
                if extracted is not None and not replaced:
                    yield Replace(AnsweredBy.GENERATE)
                    replaced = True
                yield event
        except (DependencyDown, ModelReplyInvalid) as error:
            if extracted is None:
                raise
            _log.warning("the chat model failed (%s); the extracted answer stays", error.type)
            progress.usage["generation_failed"] = 1
            if replaced:
                yield Replace(AnsweredBy.EXTRACT)
                for event in _shown(extracted):
                    yield event
            return
        if progress.answer.answered_by is AnsweredBy.NONE:
            for event in _shown(progress.answer):
                yield event

    async def _written(self, progress: _Progress, chat: Chat) -> AsyncIterator[StreamEvent]:
        """Yield the model's checked answer; nothing when it finds none, then an earlier answer stays."""
        found = progress.found
        prompt = await fitted_prompt(found, chat, self._limits, self._speed)
        if prompt is None:
            raise ModelReplyInvalid("the chat model's window holds no evidence; raise ATOLL_CHAT__CONTEXT_TOKENS")
        check = AnswerCheck(prompt.evidence, prompt.texts, found.terms)
        draft = Draft()
        async for text in generate(
            prompt, check, draft, chat=chat, answer_tokens=self._limits.answer_tokens, speed=self._speed
        ):
            yield Delta(text)
        progress.usage.update(draft.usage)
        if draft.sentences:
            progress.answer = draft.answer(check)
            yield Citations(progress.answer.sentences, progress.answer.citations)
        elif progress.answer.answered_by is AnsweredBy.NONE:
            progress.answer = refused(Refusal("the chat model found no answer in the evidence", found.best_cosine))

    async def _from_model_alone(
        self, question: str, history: Sequence[Turn], progress: _Progress, chat: Chat
    ) -> AsyncIterator[StreamEvent]:
        """Yield an answer that rests on no document; every sentence of it is unsupported."""
        pieces: list[str] = []
        async for piece in chat.stream(bypass_messages(question, history), max_tokens=self._limits.answer_tokens):
            if isinstance(piece, ChatUsage):
                progress.usage.update(prompt_tokens=piece.prompt_tokens, completion_tokens=piece.completion_tokens)
            else:
                pieces.append(piece)
                yield Delta(piece)
        text = "".join(pieces)
        spoken = tuple(Sentence(text[start:end], (), supported=False) for start, end in sentences(text))
        progress.answer = Answer(text.strip(), AnsweredBy.GENERATE, None, spoken, ())
        yield Citations(spoken, ())


def _checked_question(request: SearchRequest | QueryRequest) -> str:
    question = request.query.strip()
    if not question:
        raise BadInput("the query is empty")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise BadInput(f"the query has more than {MAX_QUESTION_CHARACTERS} characters")
    if not 1 <= request.top_k <= MAX_TOP_K:
        raise BadInput(f"top_k must be between 1 and {MAX_TOP_K}")
    return question


def _shown(answer: Answer) -> list[StreamEvent]:
    """Return the events that show a finished answer: its text by sentence, then its citations."""
    if not answer.sentences:
        return [Delta(answer.text), Citations((), ())]
    texts = [cited_text(sentence) for sentence in answer.sentences]
    deltas = [Delta(text if at == 0 else f" {text}") for at, text in enumerate(texts)]
    return [*deltas, Citations(answer.sentences, answer.citations)]
