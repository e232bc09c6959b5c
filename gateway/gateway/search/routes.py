"""Search and query, the second also as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from atoll.access.admit import KbAccess
from atoll.domain.principal import Action
from atoll.errors import AtollError
from atoll.query.service import Citations, Delta, Done, EvidenceFound, Replace, StreamEvent
from gateway.auth import InKb
from gateway.errors import log_inside, problem, refusals
from gateway.runtime import Live
from gateway.search.answer_parts import sentences_out
from gateway.search.schemas import (
    AnswerOut,
    QueryIn,
    QueryOut,
    SearchIn,
    SearchOut,
    answer_fields,
    citations_out,
    evidence_out,
)
from gateway.sse import frame, stream_response, with_keep_alive
from gateway.standing import ensure_stands

router = APIRouter(prefix="/v1/kbs/{kb}", tags=["search"])

#: How often it is looked whether the key of an answer that is being written still holds.
_CHECK_SECONDS = 5.0

Reading = Annotated[KbAccess, Depends(InKb(Action.READ, is_query=True))]


@router.post("/search", responses=refusals(501))
async def search(wanted: SearchIn, access: Reading, live: Live) -> SearchOut:
    """Return ranked, explained evidence."""
    outcome = await live.ports.ask.search(wanted.to_search(access.reader))
    return SearchOut.of(outcome, explain=wanted.explain)


@router.post(
    "/query",
    response_model=QueryOut,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **refusals(501, 502)},
)
async def query(wanted: QueryIn, request: Request, access: Reading, live: Live) -> QueryOut | Response:
    """Answer a question from the documents, every sentence cited.

    With ``stream`` the answer comes as server-sent events: ``evidence``, ``delta``, ``replace``, ``citations``, and
    at last ``done`` or ``error``. It ends with an error within seconds of its key being revoked.
    """
    question = wanted.to_query(access.reader)
    if not wanted.stream:
        outcome = await live.ports.ask.query(question)
        evidence = evidence_out(outcome.evidence, explain=wanted.explain)
        return QueryOut(**answer_fields(outcome, explain=wanted.explain), evidence=evidence)
    events = live.ports.ask.stream(question)
    # What fails before the first event is an ordinary error with its own status.
    first = await anext(events)
    request_id = request.state.request_id
    frames = _frames(first, events, explain=wanted.explain, request_id=request_id)

    async def last_word() -> bytes | None:
        try:
            await ensure_stands(access, live)
        except AtollError as error:
            return None if error.retryable else frame("error", {"problem": problem(error, request_id)})
        return None

    return stream_response(with_keep_alive(frames, last_word, check_seconds=_CHECK_SECONDS))


async def _frames(
    first: StreamEvent, events: AsyncGenerator[StreamEvent, None], *, explain: bool, request_id: str
) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        yield _frame(first, explain=explain)
        try:
            async for event in events:
                yield _frame(event, explain=explain)
        except AtollError as error:
            log_inside(error, request_id)
            yield frame("error", {"problem": problem(error, request_id)})


def _frame(event: StreamEvent, *, explain: bool) -> bytes:
    match event:
        case EvidenceFound(evidence, revision):
            shown = [each.model_dump(mode="json") for each in evidence_out(evidence, explain=explain)]
            return frame("evidence", {"evidence": shown, "revision": revision})
        case Delta(text):
            return frame("delta", {"text": text})
        case Replace(answered_by):
            return frame("replace", {"answered_by": answered_by.value})
        case Citations(sentences, citations):
            return frame(
                "citations",
                {
                    "sentences": [each.model_dump(mode="json") for each in sentences_out(sentences)],
                    "citations": [each.model_dump(mode="json") for each in citations_out(citations, explain=explain)],
                },
            )
        case Done(outcome):
            return frame("done", AnswerOut(**answer_fields(outcome, explain=explain)).model_dump(mode="json"))
