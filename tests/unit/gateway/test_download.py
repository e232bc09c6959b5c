"""Downloads: whole or in part, and closed however they end."""

from __future__ import annotations

import io
from collections.abc import Mapping

import httpx
import pytest

from atoll.errors import BadInput
from gateway.documents.download import download

CONTENT = bytes(range(256)) * 1024  # several pieces


async def _get(asked: Mapping[str, str], content: bytes = CONTENT) -> tuple[httpx.Response, io.BytesIO]:
    file = io.BytesIO(content)
    answer = download(
        file, len(content), etag="abc", media_type="application/pdf", headers={"Cache-Control": "no-store"}, asked=asked
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(answer), base_url="http://test") as client:
        return await client.get("/"), file


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, 262144),
        ("bytes=-5", 262139, 262144),
        ("bytes=-999999999", 0, 262144),
        ("Bytes = 70000 - 140000", 70000, 140001),
        ("bytes=262143-999999999999999999", 262143, 262144),
    ],
)
async def test_one_range_of_bytes_comes_alone(asked: str, start: int, end: int) -> None:
    answer, file = await _get({"range": asked, "if-range": '"abc"'})
    assert (answer.status_code, answer.content) == (206, CONTENT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers["cache-control"] == "no-store"
    assert file.closed


@pytest.mark.parametrize(
    "asked",
    [{}, {"range": "bytes=0-1,4-5"}, {"range": "bytes=0-1", "if-range": '"older"'}],
    ids=["none", "several", "of another content"],
)
async def test_what_is_no_range_of_this_file_gets_all_of_it(asked: Mapping[str, str]) -> None:
    answer, file = await _get(asked)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert (answer.headers["content-length"], answer.headers["etag"]) == (str(len(CONTENT)), '"abc"')
    assert (answer.headers["accept-ranges"], answer.headers["content-type"]) == ("bytes", "application/pdf")
    assert file.closed


@pytest.mark.parametrize("asked", ["bytes=262144-", "bytes=-0", "bytes=300000-300001"])
async def test_past_the_end_there_is_nothing(asked: str) -> None:
    answer, file = await _get({"range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */262144")
    assert file.closed


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "pages=1-2", "bytes=-", "bytes=a-b", "bytes", f"bytes={'9' * 30}-", "bytes=1-2-3"]
)
async def test_a_range_that_cannot_be_read_is_told(asked: str) -> None:
    file = io.BytesIO(CONTENT)
    with pytest.raises(BadInput, match="Range header"):
        download(file, len(CONTENT), etag="abc", media_type="text/plain", headers={}, asked={"range": asked})
    assert file.closed


async def test_an_empty_file_is_an_answer() -> None:
    answer, file = await _get({}, b"")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert file.closed
