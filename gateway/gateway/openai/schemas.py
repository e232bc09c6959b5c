"""Requests as OpenAI's clients send them. What is not known here is let pass: clients send more every year."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool

from atoll.errors import BadInput
from gateway.wire import WHOLE, Body

MAX_MODEL_CHARACTERS = 256

Model = Annotated[str, Field(min_length=1, max_length=MAX_MODEL_CHARACTERS, description="`atoll/<kb>[/<mode>]`")]
Tokens = Annotated[int, Field(ge=1), WHOLE]


class PartIn(BaseModel, extra="ignore"):
    """A part of a message: text, or something else that is named by its type."""

    type: str = Field(max_length=64)
    text: str | None = None


class MessageIn(BaseModel, extra="ignore"):
    """A turn of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[PartIn] | None = None


class StreamOptionsIn(BaseModel, extra="ignore"):
    """What a stream is to tell beside its text."""

    include_usage: StrictBool | None = None


class ChatIn(Body, extra="ignore"):
    """A conversation whose last question is to be answered. Sampling parameters and tools are accepted and not used."""

    model: Model
    messages: list[MessageIn] = Field(min_length=1)
    stream: StrictBool | None = None
    stream_options: StreamOptionsIn | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    n: Tokens | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    parallel_tool_calls: StrictBool | None = None
    response_format: Any = None
    logprobs: StrictBool | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    user: str | None = None

    @property
    def longest(self) -> int | None:
        """Tokens that the answer may have; None where nobody says."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    def check(self) -> None:
        """Refuse what would change the answer's form and is not offered. Raises BadInput."""
        if self.n is not None and self.n > 1:
            raise BadInput("body.n: must be 1; the documents give one answer")
        if self.logprobs:
            raise BadInput("body.logprobs: must be false; sentences of documents have no token probabilities")
        check_tool_choice(self.tool_choice)
        check_format("response_format", self.response_format)


def check_tool_choice(choice: Any) -> None:
    """Refuse to be made to call a tool. Raises BadInput."""
    if choice not in (None, "auto", "none"):
        raise BadInput(
            "body.tool_choice: must be auto or none; Atoll answers from documents and calls no tools, so that output "
            "types which are built as a required tool cannot be had"
        )


def check_format(name: str, wanted: Any) -> None:
    """Refuse forms other than text: prose in place of the JSON that a client parses would break it. Raises BadInput."""
    kind = wanted.get("type") if isinstance(wanted, dict) else wanted
    if kind not in (None, "text"):
        raise BadInput(f"body.{name}: must be of type text; Atoll answers in cited sentences, not in JSON")


class ItemIn(BaseModel, extra="ignore"):
    """A turn of the conversation, or something else that is named by its type and left out."""

    type: str | None = Field(None, max_length=64)
    role: str | None = Field(None, max_length=64)
    content: str | list[PartIn] | None = None


class TextFormatIn(BaseModel, extra="ignore"):
    """The form of the answer."""

    format: Any = None


class ResponsesIn(Body, extra="ignore"):
    """A conversation in the form of the API of responses. Nothing of it is kept, whatever ``store`` says."""

    model: Model
    input: str | list[ItemIn]
    instructions: str | list[Any] | None = None
    stream: StrictBool | None = None
    max_output_tokens: Tokens | None = None
    store: StrictBool | None = Field(None, description="Accepted and not heeded: nothing is stored.")
    previous_response_id: str | None = Field(None, description="Refused: there is no earlier response to go on from.")
    conversation: Any = None
    background: StrictBool | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    parallel_tool_calls: StrictBool | None = None
    text: TextFormatIn | None = None
    temperature: float | None = None
    top_p: float | None = None
    user: str | None = None

    def check(self) -> None:
        """Refuse what cannot be done. Raises BadInput."""
        for name, value in (("previous_response_id", self.previous_response_id), ("conversation", self.conversation)):
            if value is not None:
                raise BadInput(f"body.{name}: nothing is kept between requests; send the whole conversation as input")
        if self.background:
            raise BadInput("body.background: must be false; an answer is given at once or not at all")
        check_tool_choice(self.tool_choice)
        check_format("text.format", None if self.text is None else self.text.format)

    def messages(self) -> list[MessageIn]:
        """Return the turns; what is no message is left out."""
        if isinstance(self.input, str):
            return [MessageIn(role="user", content=self.input)]
        turns = [each for each in self.input if each.role in {"user", "assistant"} and each.type in {None, "message"}]
        return [MessageIn(role="user" if each.role == "user" else "assistant", content=each.content) for each in turns]
