"""Answers that a chat model writes: shown sentence by sentence, each checked before it is shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from time import perf_counter

from atoll.domain.answer import Answer, AnsweredBy, Sentence
from atoll.domain.evidence import Evidence
from atoll.domain.text.sentences import sentences
from atoll.ports.chat import Chat, ChatCut, ChatMessage, ChatUsage
from atoll.query.answer.budget import PrefillSpeed, PromptLimits, cut_to, estimate_tokens, fitting, prompt_tokens
from atoll.query.answer.check import AnswerCheck
from atoll.query.answer.prompt import NOT_IN_DOCUMENTS, TOKENS_AROUND_TEXT, answer_messages
from atoll.query.answer.steering import steers, unmarked, unsteered
from atoll.query.search.results import SearchResult

#: Times that a prompt is cut further because the model's own count is over the estimate.
_CUTS = 3
#: A mark that is still arriving is shorter than this.
_LONGEST_MARK = 24


@dataclass(slots=True)
class Draft:
    """What a generation leaves behind: its sentences, its text and what the server counted.

    ``cut``: the answer was as long as it may be, so that its last sentence may be half of one.
    """

    sentences: list[Sentence] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    declined: bool = False
    cut: bool = False

    @property
    def is_supported(self) -> bool:
        """Whether a sentence is."""
        return any(sentence.supported for sentence in self.sentences)

    def answer(self, check: AnswerCheck) -> Answer:
        """Return the finished answer."""
        text = "".join(self.pieces).strip()
        return Answer(text, AnsweredBy.GENERATE, None, tuple(self.sentences), check.citations)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Messages, what they show of the evidence (text i belongs to evidence i), and their size in tokens."""

    messages: list[ChatMessage]
    evidence: Sequence[Evidence]
    texts: Sequence[str]
    tokens: int


async def fitted_prompt(found: SearchResult, chat: Chat, limits: PromptLimits, speed: PrefillSpeed) -> Prompt | None:
    """Return a prompt with as much evidence as fits, by estimate first and then by the model's own count.

    None when the budget holds no evidence at all.
    """
    budget = prompt_tokens(limits, speed)
    question = cut_to(found.question, budget // 2)
    room = budget - _tokens_by_estimate(answer_messages(question, (), ()))
    evidence = [entry for entry in found.evidence if entry.text]  # a page without text can be shown, not read
    plain = unmarked if steers(found.question) else unsteered
    for _ in range(_CUTS):
        texts = fitting(evidence, tokens=room, each=TOKENS_AROUND_TEXT, passages=limits.passages)
        if not texts:
            break
        texts = [plain(text) for text in texts]
        messages = answer_messages(question, evidence, texts)
        tokens = await chat.count_tokens("\n".join(message.content for message in messages))
        if tokens <= budget:
            return Prompt(messages, evidence[: len(texts)], texts, tokens)
        # what was counted over is taken off twice: the estimate was wrong for this text, so it is for the rest
        room = min(room - 2 * (tokens - budget), room * 3 // 4)
    return None


def _tokens_by_estimate(messages: Sequence[ChatMessage]) -> int:
    return sum(estimate_tokens(message.content) for message in messages)


async def generate(
    prompt: Prompt, check: AnswerCheck, draft: Draft, *, chat: Chat, answer_tokens: int, speed: PrefillSpeed
) -> AsyncIterator[str]:
    """Yield the checked text of an answer, a sentence at a time, and fill ``draft``.

    Nothing is yielded when the model says that the evidence holds no answer; then ``draft.declined`` is set.

    Raises:
        DependencyDown, ModelReplyInvalid: as `Chat.stream`.
    """
    waiting = ""
    async with aclosing(_pieces(prompt, draft, chat, answer_tokens, speed)) as pieces:
        async for piece in pieces:
            waiting += piece
            ready = _complete(waiting)
            for text in _checked(waiting[:ready], check, draft):
                yield text
            waiting = waiting[ready:]
            if draft.declined:
                return
    for text in _checked(waiting, check, draft):
        yield text
    if draft.cut and draft.sentences:
        draft.sentences[-1] = replace(draft.sentences[-1], supported=False, places=())


async def _pieces(
    prompt: Prompt, draft: Draft, chat: Chat, answer_tokens: int, speed: PrefillSpeed
) -> AsyncGenerator[str, None]:
    began = perf_counter()
    silent = True
    async for piece in chat.stream(prompt.messages, max_tokens=answer_tokens):
        if isinstance(piece, ChatUsage):
            draft.usage = {"prompt_tokens": piece.prompt_tokens, "completion_tokens": piece.completion_tokens}
            continue
        if isinstance(piece, ChatCut):
            draft.cut = True
            continue
        if silent:
            speed.measured(prompt.tokens, perf_counter() - began)
            silent = False
        yield piece


def _complete(text: str) -> int:
    """Return where the last sentence of ``text`` begins: everything before it will not change any more."""
    spans = sentences(text, marks=True)
    if len(spans) < 2:  # noqa: PLR2004 - a sentence is complete when the next has begun
        return 0
    last = spans[-1]
    arriving_mark = text[last.start] in "[【" and last.end - last.start < _LONGEST_MARK
    return spans[-2].start if arriving_mark else last.start


def _checked(text: str, check: AnswerCheck, draft: Draft) -> list[str]:
    shown: list[str] = []
    at = 0
    for start, end in sentences(text, marks=True):
        if not draft.sentences and text[start:end].upper().startswith(NOT_IN_DOCUMENTS):
            draft.declined = True
            return shown
        checked = check.check(text[start:end])
        draft.sentences.append(checked.sentence)
        shown.append(text[at:start] + checked.text)
        at = end
    if text[at:] and (shown or draft.pieces):
        shown.append(text[at:])
    draft.pieces += shown
    return shown
