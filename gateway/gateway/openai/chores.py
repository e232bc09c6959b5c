"""Prompts that a chat program asks by itself, for titles and the like: answered by rule, without any search.

Open WebUI asks three for each question of a person. They are told from questions by all of their form: one message, no
stream, no tools, a beginning and an end. The beginning alone is that of a person's question about a file, too.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gateway.openai.messages import text_of
from gateway.openai.schemas import ChatIn

_BEGIN, _END = "### Task:", "</chat_history>"
_HISTORY = re.compile(r"<chat_history>(.*)</chat_history>\s*$", re.DOTALL)
_USER_TURN = re.compile(r"^USER:[ \t]*(.*?)(?=^(?:USER|ASSISTANT|SYSTEM):|\Z)", re.DOTALL | re.MULTILINE)
_TITLE_WORDS = 8
_TITLE_CHARACTERS = 60


def is_chore(wanted: ChatIn) -> bool:
    """Whether a program asks this by itself."""
    if wanted.stream or wanted.tools or len(wanted.messages) != 1 or wanted.messages[0].role != "user":
        return False
    text = text_of(wanted.messages[0]).strip()
    return text.startswith(_BEGIN) and text.endswith(_END)


def chore_answer(wanted: ChatIn) -> str:
    """Return the JSON that the prompt wishes for."""
    text = text_of(wanted.messages[0]).strip()
    told = _HISTORY.search(text)
    asked = [turn.strip() for turn in _USER_TURN.findall(told[1])] if told else []
    # What was said in the conversation does not decide what is wished for.
    wish = text[: told.start()] if told else text
    answer: dict[str, Any] = {}
    if '"follow_ups"' in wish:
        answer = {"follow_ups": []}
    elif '"queries"' in wish:
        answer = {"queries": asked[-1:]}
    elif '"tags"' in wish:
        answer = {"tags": ["General"]}
    elif '"title"' in wish:
        answer = {"title": _title(asked[0]) if asked else "Question"}
    elif '"text"' in wish:
        answer = {"text": ""}
    return json.dumps(answer, ensure_ascii=False)


def _title(question: str) -> str:
    words = question.split()
    title = " ".join(words[:_TITLE_WORDS])[:_TITLE_CHARACTERS].rstrip(" ?.,;:")
    return f"{title} …" if len(words) > _TITLE_WORDS else title or "Question"
