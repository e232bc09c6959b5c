"""Chat completions: the body of an answer, whole or as the chunks of a stream."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from atoll.errors import AtollError
from atoll.query.service import QueryOutcome
from gateway.errors import log_inside, problem, unexpected_problem
from gateway.openai.citations import Address, annotated, sources
from gateway.openai.collecting import Shown, counted, fitted, why_ended
from gateway.openai.errors import error_object
from gateway.openai.runs import Run
from gateway.openai.telling import Teller, texts_of
from gateway.search.schemas import AnswerOut, answer_fields
from gateway.sse import KEEP_ALIVE

_log = logging.getLogger(__name__)

_END = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is told: under which name, how long, and how its citations are reached."""

    model: str
    address: Address
    request_id: str
    most_tokens: int | None = None
    with_usage: bool = False
    with_annotations: bool = True
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
        """Return a chunk of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def usage_chunk(self, usage: Mapping[str, int]) -> bytes:
        """Return the one chunk without a choice."""
        return _data({**self._head("chat.completion.chunk"), "choices": [], "usage": usage})

    def whole(
        self, text: str, finish: str, usage: Mapping[str, int], cited: list[dict[str, Any]], **more: Any
    ) -> dict[str, Any]:
        """Return an answer that is not streamed."""
        message = {"role": "assistant", "content": text, "refusal": None, "annotations": cited}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage, **more}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "system_fingerprint": None}


def completion(outcome: QueryOutcome, form: Form) -> dict[str, Any]:
    """Return an answer that is not streamed."""
    text, is_cut = fitted(outcome.answer.text, form.most_tokens)
    finish = "length" if is_cut else why_ended(outcome)
    cited = annotated(text, outcome.answer.citations, form.address)
    return form.whole(text, finish, usage_of(outcome, text), cited, **beside(outcome, form.address))


def beside(outcome: QueryOutcome, address: Address) -> dict[str, Any]:
    """Return what goes beside the text: sources, and the answer as our own API tells it."""
    own = AnswerOut(**answer_fields(outcome, explain=False)).model_dump(mode="json")
    return {"sources": sources(outcome.answer.citations, address), "atoll": own}


def usage_of(outcome: QueryOutcome, text: str) -> dict[str, int]:
    """Return the tokens of an answer in the API's form."""
    asked, said = counted(outcome, text)
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def ruled(text: str, form: Form) -> dict[str, Any]:
    """Return an answer that no document was searched for."""
    return form.whole(text, "stop", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, [])


async def chunks(run: Run, shown: Shown, form: Form, *, seconds: float) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a stream, comments while nothing comes, and at last its end mark.

    What fails is told by an error object, and nothing follows it: clients that read on would take the rest for an
    answer.
    """
    try:
        yield form.chunk({"role": "assistant", "content": ""})
        teller = Teller(form.most_tokens)
        async for texts in texts_of(run, shown, seconds):
            if texts is None:
                yield KEEP_ALIVE
                continue
            for text in texts:
                if told := teller.told(text):
                    yield form.chunk({"content": told})
        for last in _ending(shown, teller, form):
            yield last
    except AtollError as error:
        log_inside(error, form.request_id)
        yield _data(error_object(problem(error, form.request_id)))
    except Exception:  # noqa: BLE001 - half an answer is out: the client must be told that it is no whole one
        _log.exception("unexpected", extra={"request_id": form.request_id})
        yield _data(error_object(unexpected_problem(form.request_id)))


def _ending(shown: Shown, teller: Teller, form: Form) -> list[bytes]:
    outcome = shown.outcome
    assert outcome is not None, "a run of events ends with an outcome or an error"
    text = teller.text
    cited = annotated(text, outcome.answer.citations, form.address) if form.with_annotations else []
    last = [
        form.chunk({"annotations": cited} if cited else {}, **beside(outcome, form.address)),
        form.chunk({}, "length" if teller.is_full else why_ended(outcome)),
    ]
    if form.with_usage:
        last.append(form.usage_chunk(usage_of(outcome, text)))
    return [*last, _END]


def _data(body: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
