"""multipart/form-data as it streams in: parts in any order, nothing held but the field being read."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from atoll.errors import BadInput

_MAX_FIELDS = 32
_MAX_FIELD_BYTES = 64 * 1024
_MAX_PART_HEADERS = 8


@dataclass(frozen=True, slots=True)
class FileStart:
    """A file's part begins; ``name`` is what the client calls it."""

    name: str


@dataclass(frozen=True, slots=True)
class FileData:
    """Bytes of the file."""

    data: bytes


@dataclass(frozen=True, slots=True)
class FileEnd:
    """The file is whole."""


@dataclass(frozen=True, slots=True)
class Field:
    """A whole field."""

    name: str
    value: str


FormEvent = FileStart | FileData | FileEnd | Field


class FormReader:
    """Push parser: bytes in, events out.

    Args:
        content_type: the request's Content-Type, with the boundary.
        file_field: the name of the field that holds files; other fields hold text.

    Raises:
        BadInput: from every method, for a form that is broken or too large in its small parts.
    """

    def __init__(self, content_type: str, *, file_field: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise BadInput("the Content-Type names no boundary; let your client write it")
        self._file_field = file_field
        self._events: list[FormEvent] = []
        self._fields = 0
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._field: str | None = None
        self._value = bytearray()
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_part,
                    "on_part_data": self._add,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise BadInput(f"the form's boundary is not valid: {error}") from error

    def feed(self, data: bytes) -> list[FormEvent]:
        """Return the events that ``data`` completes."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadInput(f"the form is broken: {error}") from error
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Check that the form was whole."""
        if not self._ended:
            raise BadInput("the form was cut off before its end; send it again")

    def _end_header(self) -> None:
        if len(self._headers) >= _MAX_PART_HEADERS:
            raise BadInput("a part of the form has too many headers")
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _begin_part(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or b"name" not in options:
            raise BadInput("a part of the form has no name")
        self._fields += 1
        name = _text(options[b"name"])
        if name != self._file_field:
            if self._fields > _MAX_FIELDS:
                raise BadInput(f"the form has more than {_MAX_FIELDS} fields")
            self._field = name
            return
        if b"filename" not in options:
            raise BadInput(f"the field {name} must be a file with a name")
        self._field = None
        # Browsers write these three in a quoted name as they stand here (WHATWG HTML, multipart/form-data).
        shown = _text(options[b"filename"]).replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
        self._events.append(FileStart(shown))

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._events.append(FileData(data[start:end]))
            return
        self._value.extend(data[start:end])
        if len(self._value) > _MAX_FIELD_BYTES:
            raise BadInput(f"the field {self._field[:64]} has more than {_MAX_FIELD_BYTES // 1024} KiB")

    def _end_part(self) -> None:
        if self._field is None:
            self._events.append(FileEnd())
            return
        self._events.append(Field(self._field, _text(bytes(self._value))))
        self._value.clear()

    def _end(self) -> None:
        self._ended = True


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
