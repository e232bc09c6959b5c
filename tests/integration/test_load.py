"""P8: what is too much is refused with a time to come back, and memory stays bounded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support import corpus
from tests.support.stack import Stack, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

UPLOADS = 500
UPLOAD_SECONDS = 180.0
READY_SECONDS = 180.0
SEARCHES = 64
TOO_LARGE_MIB = 300
MAX_RSS_MIB = {"gateway": 250.0, "worker": 600.0}
_SAMPLE_SECONDS = 0.2
_BLOCK = b"a line of text that says nothing\n" * 8192


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The shared stack, none of whose processes may be restarted during a test."""
    before = _restarts(shared_stack)
    yield shared_stack
    assert _restarts(shared_stack) == before, shared_stack.logs()


def _restarts(stack: Stack) -> dict[str, int]:
    return {role: row["restarts"] for role, row in stack.table().items()}


@contextmanager
def peak_rss(stack: Stack) -> Iterator[dict[str, float]]:
    """Measure each role's largest resident memory, in MiB, until the block ends."""
    peaks: dict[str, float] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            for role, mebibytes in stack.rss_mib().items():
                peaks[role] = max(mebibytes, peaks.get(role, 0.0))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


def _assert_bounded_and_well(stack: Stack, peaks: dict[str, float]) -> None:
    for role, limit in MAX_RSS_MIB.items():
        assert peaks[role] <= limit, peaks
    with stack.client() as client:
        assert client.get("/health/ready").status_code == 200


def _shown(peaks: dict[str, float]) -> str:
    return "peak RSS MiB: " + ", ".join(f"{role} {mebibytes:.0f}" for role, mebibytes in sorted(peaks.items()))


def test_500_uploads_at_once_are_taken_or_told_to_come_back(
    stack: Stack, own_kb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"load-{number}.txt": corpus.text(number, 3) for number in range(UPLOADS)}
    started = time.monotonic()
    with peak_rss(stack) as peaks:
        accepted, answers = asyncio.run(_upload_all(stack, own_kb, files))
        accepted_seconds = time.monotonic() - started
        with stack.client() as client:
            documents = stack.settled(client, kb=own_kb, seconds=READY_SECONDS)
    with capsys.disabled():
        print(f"\n{UPLOADS} uploads at once: {dict(answers)}, all accepted after {accepted_seconds:.0f} s, ", end="")
        print(f"all ready after {time.monotonic() - started:.0f} s; {_shown(peaks)}")
    assert {each["name"]: each["id"] for each in documents} == accepted
    assert {each["status"] for each in documents} == {"ready"}
    _assert_bounded_and_well(stack, peaks)


async def _upload_all(stack: Stack, kb: str, files: dict[str, bytes]) -> tuple[dict[str, str], Counter[int]]:
    """Send every file at the same time, each again when its 429 says so; return ids by name and the answers."""
    answers: Counter[int] = Counter()
    accepted: dict[str, str] = {}
    limits = httpx.Limits(max_connections=UPLOADS, max_keepalive_connections=UPLOADS)
    headers = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(
        base_url=stack.address, headers=headers, limits=limits, timeout=60.0, trust_env=False
    ) as client:

        async def send(name: str, content: bytes) -> None:
            while name not in accepted:
                answer = await client.post(f"/v1/kbs/{kb}/documents", files={"file": (name, content)})
                answers[answer.status_code] += 1
                assert answer.status_code in {202, 429}, answer.text
                if answer.status_code == 202:
                    accepted[name] = answer.json()["documents"][0]["id"]
                else:
                    await asyncio.sleep(_retry_after(answer))

        async with asyncio.timeout(UPLOAD_SECONDS):
            await asyncio.gather(*(send(name, content) for name, content in files.items()))
    return accepted, answers


def _retry_after(answer: httpx.Response) -> int:
    seconds = int(answer.headers["retry-after"])
    assert 1 <= seconds <= 60
    assert answer.headers["content-type"] == "application/problem+json"
    return seconds


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "without its length"])
def test_a_300_mb_upload_is_refused_in_bounded_memory_and_leaves_nothing(
    stack: Stack, own_kb: str, announced: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with stack.client() as client:
        before = {each["name"] for each in stack.documents(client, own_kb)}
    with peak_rss(stack) as peaks:
        answer, sent = asyncio.run(_upload_too_much(stack, own_kb, announced=announced))
        time.sleep(2 * _SAMPLE_SECONDS)
    with capsys.disabled():
        print(f"\n{TOO_LARGE_MIB} MB upload: {answer.status_code} after {sent >> 20} MiB sent; {_shown(peaks)}")
    assert answer.status_code == 413, answer.text
    assert "MiB" in answer.json()["detail"]
    incoming = stack.data / "blobs" / ".incoming"
    until(lambda: not list(incoming.iterdir()), 5, "nothing of the upload stays")
    with stack.client() as client:
        assert {each["name"] for each in stack.documents(client, own_kb)} == before
    _assert_bounded_and_well(stack, peaks)


async def _upload_too_much(stack: Stack, kb: str, *, announced: bool) -> tuple[httpx.Response, int]:
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="large.txt"\r\n\r\n'
    tail = b"\r\n--edge--\r\n"
    blocks = TOO_LARGE_MIB * 10**6 // len(_BLOCK) + 1
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield head
        for _ in range(blocks):
            yield _BLOCK
            sent += len(_BLOCK)
        yield tail

    headers = {"Authorization": f"Bearer {stack.key}", "Content-Type": "multipart/form-data; boundary=edge"}
    if announced:
        headers["Content-Length"] = str(len(head) + blocks * len(_BLOCK) + len(tail))
    async with httpx.AsyncClient(base_url=stack.address, timeout=120.0, trust_env=False) as client:
        return await client.post(f"/v1/kbs/{kb}/documents", headers=headers, content=body()), sent


def test_64_searches_at_once_are_answered_or_told_to_come_back(
    stack: Stack, own_kb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with stack.client() as client:
        stack.upload(client, {"searched.txt": corpus.text(77, 60)}, kb=own_kb)
        stack.settled(client, kb=own_kb)
    started = time.monotonic()
    with peak_rss(stack) as peaks:
        answers = asyncio.run(_search_all(stack, own_kb))
    with capsys.disabled():
        print(f"\n{SEARCHES} searches at once: {dict(answers)} in {time.monotonic() - started:.1f} s; {_shown(peaks)}")
    assert answers[200] == SEARCHES
    _assert_bounded_and_well(stack, peaks)


async def _search_all(stack: Stack, kb: str) -> Counter[int]:
    """Ask different questions at the same time, each until it is answered."""
    answers: Counter[int] = Counter()
    limits = httpx.Limits(max_connections=SEARCHES)
    headers = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(
        base_url=stack.address, headers=headers, limits=limits, timeout=60.0, trust_env=False
    ) as client:

        async def ask(number: int) -> None:
            while True:
                query = f"which lantern guards station 77-{100 + number}"
                answer = await client.post(f"/v1/kbs/{kb}/search", json={"query": query})
                answers[answer.status_code] += 1
                assert answer.status_code in {200, 429}, answer.text
                if answer.status_code == 200:
                    assert answer.json()["evidence"]
                    return
                await asyncio.sleep(_retry_after(answer))

        async with asyncio.timeout(60):
            await asyncio.gather(*(ask(number) for number in range(SEARCHES)))
    return answers
