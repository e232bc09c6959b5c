"""Mentions and assertions by a chat model: one request a chunk, rarely a second one."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from string import Template
from typing import Any

from atoll.adapters.bm25 import primary_language
from atoll.adapters.extraction_reply import (
    DEFAULT_TYPES,
    ExtractionReply,
    assertions,
    occurrences,
    read_reply,
    schema,
)
from atoll.adapters.mentions import left_out_warning, mentions
from atoll.adapters.openai_chat import OpenAIChat, estimate_tokens
from atoll.domain.document import DocumentWarning
from atoll.domain.entity import Assertion, Mention
from atoll.domain.passage import Passage
from atoll.ports.chat import ChatMessage
from atoll.ports.extractor import Extraction, ExtractionScope, Portions

#: Raised when the same replies give other results.
VERSION = 1
#: Further requests, on average, that a chunk may cost: for what is missing or for a reply that could not be read.
FURTHER_REQUESTS = 0.4
#: Further requests that chunks may have saved up.
_MOST_SAVED = 4.0
_KNOWN_NAMES = 60

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ExtractionUsage:
    """What extraction has cost so far; tokens as the server counted them."""

    chunks: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ChatExtractor:
    """Implements ``Extractor`` over any OpenAI-compatible chat server. Bound to the event loop that first uses it.

    The passages of a chunk go in one request as long as the prompt has at most ``prompt_tokens`` (by estimate). With
    ``gleaning``, a model that says that something is missing is asked once more, as far as chunks before have saved
    requests for it; what is still missing then is a warning.
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str | None = None,
        prompt_tokens: int = 3_000,
        reply_tokens: int = 3_000,
        gleaning: bool = True,
        concurrent_requests: int = 4,
        timeout_seconds: float = 240.0,
    ) -> None:
        self.usage = ExtractionUsage()
        self._chat = OpenAIChat(url=url, model=model, api_key=api_key, timeout_seconds=timeout_seconds)
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._reply_tokens = reply_tokens
        self._gleaning = gleaning
        self._concurrent_requests = concurrent_requests
        self._turns = asyncio.Semaphore(concurrent_requests)
        self._saved = 1.0

    async def aclose(self) -> None:
        """Close the connections."""
        await self._chat.aclose()

    @property
    def portions(self) -> Portions:
        """See ``atoll.ports.extractor.Extractor``: a chunk each, because each costs seconds."""
        return Portions(passages=1, concurrent=self._concurrent_requests)

    def fingerprint(self, scope: ExtractionScope) -> str:
        """See ``atoll.ports.extractor.Extractor``: the model, the prompts, the types and what limits them."""
        types = scope.entity_types or DEFAULT_TYPES
        parts = [_prompt(name) for name in ("extract", "extract_passages", "extract_missing", "extract_again")]
        limits = [self._prompt_tokens, self._reply_tokens, self._gleaning]
        digest = hashlib.blake2b(json.dumps([parts, schema(types), limits]).encode(), digest_size=8).hexdigest()
        return f"llm-{VERSION} {self._model} {digest}"

    async def extract(self, passages: Sequence[Passage], scope: ExtractionScope) -> Extraction:
        """See ``atoll.ports.extractor.Extractor``."""
        found: list[Mention] = []
        stated: list[Assertion] = []
        warnings: list[DocumentWarning] = []
        left_out: list[tuple[Passage, int]] = []
        for _, chunk in groupby(passages, key=lambda passage: passage.chunk):
            self.usage.chunks += 1
            self._saved = min(_MOST_SAVED, self._saved + FURTHER_REQUESTS)
            for part in self._parts(list(chunk), scope):
                reply, said = await self._ask(part, scope)
                warnings += said
                here: list[Mention] = []
                for passage, places in zip(
                    part, occurrences(reply, part, primary_language(scope.language)), strict=True
                ):
                    names = mentions(passage, scope.kb, places)
                    here += names.mentions
                    left_out += [(passage, names.left_out)] if names.left_out else []
                found += here
                stated += assertions(reply, part, here)
        return Extraction(tuple(found), tuple(stated), (*warnings, *left_out_warning(left_out)))

    def _parts(self, chunk: Sequence[Passage], scope: ExtractionScope) -> Iterator[list[Passage]]:
        """Yield runs of a chunk's passages that fit into one prompt each; one that is too long alone goes alone."""
        room = self._prompt_tokens - estimate_tokens(_instructions(scope) + _prompt("extract_passages"))
        part: list[Passage] = []
        tokens = 0
        for passage in chunk:
            size = estimate_tokens(_quoted(len(chunk), passage))
            if part and tokens + size > room:
                yield part
                part, tokens = [], 0
            part.append(passage)
            tokens += size
        if part:
            yield part

    async def _ask(
        self, passages: Sequence[Passage], scope: ExtractionScope
    ) -> tuple[ExtractionReply, tuple[DocumentWarning, ...]]:
        """Return what the model says of some passages, and what a reader should know about that."""
        messages = _messages(passages, scope)
        page = passages[0].page
        reply = await self._reply(messages, len(passages), scope)
        if reply is None:
            self._saved -= 1
            again = ChatMessage("user", f"{messages[-1].content}\n\n{_prompt('extract_again')}")
            reply = await self._reply([*messages[:-1], again], len(passages), scope)
        if reply is None:
            message = f"the model {self._model} did not reply in the agreed form about the passages from page {page} on"
            return ExtractionReply((), (), complete=True), (DocumentWarning("ExtractionInvalid", page, message),)
        if not reply.complete and self._gleaning and self._saved >= 1:
            self._saved -= 1
            further = await self._reply(_missing(messages, reply), len(passages), scope)
            reply = reply if further is None else reply.joined(further)
        if reply.complete:
            return reply, ()
        message = f"the model {self._model} says that it has not told all that the passages from page {page} on name"
        return reply, (DocumentWarning("ExtractionIncomplete", page, message),)

    async def _reply(
        self, messages: Sequence[ChatMessage], passages: int, scope: ExtractionScope
    ) -> ExtractionReply | None:
        types = scope.entity_types or DEFAULT_TYPES
        form = {"type": "json_schema", "json_schema": {"name": "extraction", "strict": True, "schema": schema(types)}}
        async with self._turns:
            completion = await self._chat.complete(messages, max_tokens=self._reply_tokens, response_format=form)
        self.usage.requests += 1
        if completion.usage is not None:
            self.usage.prompt_tokens += completion.usage.prompt_tokens
            self.usage.completion_tokens += completion.usage.completion_tokens
        reply = read_reply(completion.text, cut=completion.cut, passages=passages, types=types)
        _log.debug("extraction: %s of %d characters", "no reply" if reply is None else "a reply", len(completion.text))
        return reply


@cache
def _prompt(name: str) -> str:
    return files("atoll").joinpath("prompts", f"{name}.txt").read_text(encoding="utf-8").strip()


def _instructions(scope: ExtractionScope) -> str:
    return Template(_prompt("extract")).substitute(types=", ".join(scope.entity_types or DEFAULT_TYPES))


def _messages(passages: Sequence[Passage], scope: ExtractionScope) -> list[ChatMessage]:
    """Return the request about some passages; the delimiter is random, so that no document can close the quotation."""
    quoted = "\n\n".join(_quoted(number, passage) for number, passage in enumerate(passages, start=1))
    asked = Template(_prompt("extract_passages")).substitute(delimiter=secrets.token_hex(8), passages=quoted)
    # The constant part goes first: servers keep what they have read of a prefix.
    return [ChatMessage("system", _instructions(scope)), ChatMessage("user", asked)]


def _quoted(number: int, passage: Passage) -> str:
    lines = passage.text.split("\n")
    above = " > ".join(heading for heading in passage.headings if heading not in lines)
    return f"[{number}] {above}\n{passage.text}" if above else f"[{number}]\n{passage.text}"


def _missing(messages: Sequence[ChatMessage], reply: ExtractionReply) -> list[ChatMessage]:
    """Return the request for what is missing: the same passages, and what is known of them in a few words."""
    names = list(dict.fromkeys(entity.name for entity in reply.entities))[:_KNOWN_NAMES]
    known: Any = json.dumps(names, ensure_ascii=False)
    more = Template(_prompt("extract_missing")).substitute(known=known)
    return [*messages[:-1], ChatMessage("user", f"{messages[-1].content}\n\n{more}")]
