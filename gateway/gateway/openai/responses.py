"""The API of responses: an answer as one message, whole or as events in the order that clients wait for."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atoll.errors import AtollError
from atoll.query.service import QueryOutcome
from gateway.errors import log_inside, problem, unexpected_problem
from gateway.openai.chat import beside
from gateway.openai.citations import Address, flatly_annotated
from gateway.openai.collecting import Shown, counted, fitted, why_ended
from gateway.openai.errors import error_object
from gateway.openai.runs import Run
from gateway.openai.telling import Teller, texts_of
from gateway.sse import KEEP_ALIVE, frame

_log = logging.getLogger(__name__)

_PLACE = {"output_index": 0, "content_index": 0}


@dataclass(slots=True)
class Form:
    """How an answer is told: under which name, how long, and how its citations are reached."""

    model: str
    address: Address
    request_id: str
    most_tokens: int | None
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(16)}")
    message_id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(16)}")
    created: int = field(default_factory=lambda: int(time.time()))
    _sent: int = 0

    def event(self, kind: str, **values: Any) -> bytes:
        """Return the next event of a stream."""
        number, self._sent = self._sent, self._sent + 1
        return frame(kind, {"type": kind, "sequence_number": number, **values})

    def part(self, text: str, cited: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the text with its annotations."""
        return {"type": "output_text", "text": text, "annotations": cited, "logprobs": []}

    def message(self, status: str, *parts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the message that the answer is."""
        return {
            "type": "message", "id": self.message_id, "status": status, "role": "assistant", "content": list(parts),
        }  # fmt: skip

    def response(self, status: str, *output: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Return the response as it stands."""
        return {
            "id": self.id, "object": "response", "created_at": self.created, "status": status, "background": False,
            "error": None, "incomplete_details": None, "instructions": None, "max_output_tokens": self.most_tokens,
            "model": self.model, "output": list(output), "parallel_tool_calls": True, "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None}, "store": False, "temperature": None,
            "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": None,
            "truncation": "disabled", "usage": None, "user": None, "metadata": {}, **more,
        }  # fmt: skip


def response(outcome: QueryOutcome, form: Form) -> dict[str, Any]:
    """Return an answer that is not streamed."""
    text, is_cut = fitted(outcome.answer.text, form.most_tokens)
    return _ended(outcome, text, is_cut, form)


def _ended(outcome: QueryOutcome, text: str, is_cut: bool, form: Form) -> dict[str, Any]:
    cut = is_cut or why_ended(outcome) == "length"
    status = "incomplete" if cut else "completed"
    asked, said = counted(outcome, text)
    usage = {
        "input_tokens": asked, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": asked + said,
    }  # fmt: skip
    cited = flatly_annotated(text, outcome.answer.citations, form.address)
    return form.response(
        status,
        form.message(status, form.part(text, cited)),
        usage=usage,
        incomplete_details={"reason": "max_output_tokens"} if cut else None,
        **beside(outcome, form.address),
    )


async def events(run: Run, shown: Shown, form: Form, *, seconds: float) -> AsyncGenerator[bytes, None]:
    """Yield the events of a stream. What fails is told by an event ``error``, and nothing follows it."""
    try:
        for kind in ("response.created", "response.in_progress"):
            yield form.event(kind, response=form.response("in_progress"))
        yield form.event("response.output_item.added", output_index=0, item=form.message("in_progress"))
        place = {**_PLACE, "item_id": form.message_id}
        yield form.event("response.content_part.added", **place, part=form.part("", []))
        teller = Teller(form.most_tokens)
        async for texts in texts_of(run, shown, seconds):
            if texts is None:
                yield KEEP_ALIVE
                continue
            for text in texts:
                if told := teller.told(text):
                    yield form.event("response.output_text.delta", **place, delta=told, logprobs=[])
        for event in _ending(shown, teller, form):
            yield event
    except AtollError as error:
        log_inside(error, form.request_id)
        yield _failure(problem(error, form.request_id), form)
    except Exception:  # noqa: BLE001 - half an answer is out: the client must be told that it is no whole one
        _log.exception("unexpected", extra={"request_id": form.request_id})
        yield _failure(unexpected_problem(form.request_id), form)


def _ending(shown: Shown, teller: Teller, form: Form) -> Iterator[bytes]:
    assert shown.outcome is not None, "a run of events ends with an outcome or an error"
    whole = _ended(shown.outcome, teller.text, teller.is_full, form)
    message = whole["output"][0]
    part = message["content"][0]
    place = {**_PLACE, "item_id": form.message_id}
    for at, cited in enumerate(part["annotations"]):
        yield form.event("response.output_text.annotation.added", **place, annotation_index=at, annotation=cited)
    yield form.event("response.output_text.done", **place, text=part["text"], logprobs=[])
    yield form.event("response.content_part.done", **place, part=part)
    yield form.event("response.output_item.done", output_index=0, item=message)
    yield form.event(f"response.{whole['status']}", response=whole)


def _failure(told: Mapping[str, Any], form: Form) -> bytes:
    # Clients read the error from either place.
    body = error_object(told)
    error = body["error"]
    return form.event("error", code=error["code"], message=error["message"], param=error["param"], **body)
