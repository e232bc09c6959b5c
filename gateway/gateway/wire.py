"""Numbers, times and texts on the wire: one bounded type for each, used by every route, cursor and body."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, ClassVar

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, StrictBool, model_validator
from pydantic.json_schema import WithJsonSchema

from atoll.access.opaque import Opaque, Purpose
from atoll.domain.ids import KbUid
from atoll.domain.json_values import MAX_WHOLE, check_json
from atoll.errors import BadInput

#: Stores and JSON readers keep these; an offset cannot push them off the calendar.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)

_CURSOR = "^[0-9]{1,16}$"
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FOREIGN_CURSOR = "the cursor is not one that a listing returned; start again without it"


def _whole(value: Any) -> Any:
    # Texts and truth values would be taken as numbers otherwise; in a body they are mistakes.
    if isinstance(value, bool | str):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic reports ValueError
    return value


#: Marks a whole number in a body whose bounds stand beside it.
WHOLE = BeforeValidator(_whole)
#: A whole number in a body that counts something.
Whole = Annotated[int, Field(ge=0, le=MAX_WHOLE), WHOLE]
#: A truth value in a body: true or false, no number and no text.
Truth = StrictBool


def _truth(value: Any) -> Any:
    known = {"true": True, "false": False}
    if isinstance(value, str) and value not in known:
        raise ValueError("must be true or false")
    return known[value] if isinstance(value, str) else value


#: A truth value in a query string.
QueryTruth = Annotated[bool, BeforeValidator(_truth)]


def _rfc_3339(value: Any) -> Any:
    if isinstance(value, str) and not _RFC_3339.fullmatch(value):
        raise ValueError("must be a time with an offset, like 2024-05-25T13:00:00Z")
    if not isinstance(value, str | datetime):
        raise ValueError("must be a time as text, like 2024-05-25T13:00:00Z")  # noqa: TRY004
    return value


def _on_the_calendar(value: datetime) -> datetime:
    try:
        moment = value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(_off_the_calendar()) from error
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(_off_the_calendar())
    return moment


def _off_the_calendar() -> str:
    return f"must lie between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d} UTC"


#: A time, in UTC once it is read.
Moment = Annotated[AwareDatetime, BeforeValidator(_rfc_3339), AfterValidator(_on_the_calendar)]


def _cursor(value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    if not isinstance(value, str) or not re.fullmatch(_CURSOR, value, re.ASCII) or int(value) > MAX_WHOLE:
        raise ValueError(_FOREIGN_CURSOR)
    return int(value)


#: Where a listing goes on that is ordered by a number which tells nothing of anything else.
Cursor = Annotated[
    int | None,
    BeforeValidator(_cursor),
    Query(description="`next_cursor` of the page before."),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _CURSOR}, {"type": "null"}]}),
]
#: Where a listing goes on that is ordered by names or ids, or by a opaque number.
TextCursor = Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before.")]

#: The state of a knowledge base that an answer is of.
Revision = Annotated[
    int | None,
    Field(
        description="Moves with whatever is published or deleted in the knowledge base; null for a key that is limited "
        "to some labels, which is told nothing of documents that it does not see."
    ),
]

PageNumber = Annotated[int, Path(ge=1, le=MAX_WHOLE, description="Pages count from 1.")]
#: What is compared with names and sources, which are kept in NFC.
Composed = AfterValidator(partial(unicodedata.normalize, "NFC"))
Pattern = Annotated[
    Annotated[str, Composed] | None,
    Query(max_length=512, description="Glob pattern: `*` any characters, `?` one, `[a-c]` one of these."),
]


def place_of(opaque: Opaque, purpose: Purpose, place: str, cursor: str | None) -> int | None:
    """Return the number in a opaque cursor. Raises BadInput when no listing of this kind and place returned it."""
    if cursor is None:
        return None
    number = opaque.number(purpose, place, cursor)
    if number is None:
        raise BadInput(_FOREIGN_CURSOR)
    return number


def event_number(opaque: Opaque, kb: KbUid, value: str | None) -> int | None:
    """Return the number in a ``Last-Event-ID``. Raises BadInput when no stream of this knowledge base sent it."""
    if value is None:
        return None
    number = opaque.number("change", kb, value)
    if number is None:
        raise BadInput("Last-Event-ID is not one of this stream; leave it out to begin with what changes now")
    return number


class Body(BaseModel, extra="forbid"):
    """The body of a request: values that both record stores can keep, and no field that is not known."""

    #: Whether texts may hold the character NUL.
    nul: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _check_values(cls, value: Any) -> Any:
        try:
            check_json(value, nul=cls.nul)
        except BadInput as error:
            raise ValueError(error.message) from error
        return value
