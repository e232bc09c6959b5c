"""How the parser role is spoken to: one request and one reply per connection, each a length and JSON.

A frame is 4 bytes of length (big endian) and that many bytes of JSON. The request's file descriptors travel with its
first byte (``SCM_RIGHTS``): ``parse`` brings [input, result, rendition], ``draw`` brings [pdf, png], ``ping`` none.
So the parser sees the one file it was given and nothing else, also from a container that shares only the socket.
"""

from __future__ import annotations

import base64
import json
import struct
from enum import StrEnum
from typing import Any, NamedTuple

from atoll.domain.page import Box, HeatMap

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 64 * 1024
MAX_MARKS = 500
MAX_NAME_CHARACTERS = 1024


class Operation(StrEnum):
    """What can be asked of the parser."""

    PARSE = "parse"
    DRAW = "draw"
    PING = "ping"


class WireError(ValueError):
    """A frame that is no frame, or a request that asks for nothing known."""


class Request(NamedTuple):
    """An operation and its arguments, as they stand in the JSON."""

    operation: Operation
    arguments: dict[str, Any]


#: Descriptors that each operation brings.
DESCRIPTORS = {Operation.PARSE: 3, Operation.DRAW: 2, Operation.PING: 0}


def encode(message: dict[str, Any]) -> bytes:
    """The frame of a message.

    Raises:
        WireError: the message is over `MAX_FRAME_BYTES`.
    """
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    if len(body) > MAX_FRAME_BYTES:
        raise WireError(f"a message of {len(body)} bytes is over the limit of {MAX_FRAME_BYTES}")
    return struct.pack(">I", len(body)) + body


def body_length(head: bytes) -> int:
    """The length that the first `LENGTH_BYTES` of a frame announce.

    Raises:
        WireError: it is over `MAX_FRAME_BYTES`.
    """
    length: int = struct.unpack(">I", head)[0]
    if length > MAX_FRAME_BYTES:
        raise WireError(f"a message of {length} bytes is over the limit of {MAX_FRAME_BYTES}")
    return length


def decode(body: bytes) -> dict[str, Any]:
    """The message in a frame's body.

    Raises:
        WireError: it is not a JSON object.
    """
    try:
        message = json.loads(body.decode("utf-8", "surrogatepass"))
    except ValueError as err:
        raise WireError("a message is not JSON") from err
    if not isinstance(message, dict):
        raise WireError("a message is not a JSON object")
    return message


def heat_out(heat: HeatMap) -> dict[str, Any]:
    """Return a heat map as it stands in a request."""
    return {
        "levels": base64.b64encode(heat.levels).decode("ascii"),
        "grid": heat.grid,
        "boxes": [list(box) for box in heat.boxes],
    }


def heat_in(body: dict[str, Any]) -> HeatMap:
    """Read what ``heat_out`` made.

    Raises:
        KeyError, TypeError, ValueError: it is no heat map, or its places and levels differ in number.
    """
    levels = base64.b64decode(body["levels"], validate=True)
    boxes = tuple(Box(*(float(value) for value in box)) for box in body["boxes"])
    grid = None if body["grid"] is None else (int(body["grid"][0]), int(body["grid"][1]))
    if len(levels) != (len(boxes) if grid is None else grid[0] * grid[1]):
        raise ValueError("a heat map has one level for each place")
    return HeatMap(levels, grid, boxes)


def request_of(message: dict[str, Any]) -> Request:
    """The request in a message.

    Raises:
        WireError: the operation is unknown.
    """
    arguments = dict(message)
    try:
        return Request(Operation(arguments.pop("operation", None)), arguments)
    except ValueError as err:
        raise WireError(f"unknown operation; known are {', '.join(Operation)}") from err
