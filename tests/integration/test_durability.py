"""P2 at the disk: everything is synced before 202, a disk that refuses is told, and a full one loses nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support import corpus
from tests.support.namespaces import small_disk
from tests.support.stack import Stack, running, until
from tests.support.tracing import Call, calls, traced

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

DISK_MIB = 200
FLOOR_MIB = 40
PADDED_MIB = 12
SYNCS = frozenset({"fsync", "fdatasync"})


@pytest.fixture(scope="module")
def stack(shared_stack: Stack) -> Stack:
    return shared_stack


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


def test_file_folders_and_record_are_synced_before_the_answer(
    stack: Stack, own_kb: str, client: httpx.Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = stack.pid("gateway")
    assert pid is not None
    trace = tmp_path / "trace"
    with traced(pid, trace, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg,write,writev"):
        [document] = stack.upload(client, {"synced.txt": corpus.text(3, 40)}, kb=own_kb)["documents"]
    made = calls(trace)
    blobs = stack.data / "blobs"
    [target] = blobs.glob(f"*/{document['id']}")
    answered = next(call for call in made if "HTTP/1.1 202" in call.arguments)
    moved = next(call for call in made if call.name.startswith("rename") and str(target) in call.arguments)
    synced = [call for call in made if call.name in SYNCS and call.result == 0 and call.ended < answered.began]
    file = _one(synced, f"/{document['id']}/original")
    folder = _one(synced, f"/{document['id']}")
    parents = [
        _one([call for call in synced if call.began > moved.ended], str(path)) for path in (target.parent, blobs)
    ]
    record = _last(synced, "records.sqlite3-wal")
    assert file.ended < folder.began <= folder.ended < moved.began
    assert all(parent.ended < record.began for parent in parents), "the record promises what is not on the disk yet"
    with capsys.disabled():
        print("\nbefore the 202:", *(f"\n  {each.name} {each.path}" for each in (file, folder, *parents, record)))


def _one(synced: list[Call], ending: str) -> Call:
    found = [call for call in synced if call.path.endswith(ending)]
    assert found, f"nothing synced {ending} in time; synced were {[call.path for call in synced]}"
    return found[0]


def _last(synced: list[Call], ending: str) -> Call:
    found = [call for call in synced if call.path.endswith(ending)]
    assert found, f"nothing synced {ending} in time; synced were {[call.path for call in synced]}"
    return found[-1]


@pytest.mark.parametrize(
    ("error", "calls_hit", "statuses"),
    [("ENOSPC", "fsync", {507}), ("EIO", "fsync", {500, 503}), ("EIO", "fdatasync", {500, 503})],
)
def test_what_cannot_be_synced_is_not_accepted(
    stack: Stack, own_kb: str, client: httpx.Client, tmp_path: Path, error: str, calls_hit: str, statuses: set[int]
) -> None:
    name = f"refused-{error}-{calls_hit}.txt"
    content = {name: corpus.text(len(name) * 100 + ord(error[-1]), 30)}
    pid = stack.pid("gateway")
    assert pid is not None
    before = _folders(stack)
    injection = f"inject={calls_hit}:error={error}"
    with traced(pid, tmp_path / "trace", "-e", f"trace={calls_hit}", "-e", injection):
        answer = client.post(f"/v1/kbs/{own_kb}/documents", files={"file": (name, content[name])})
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert stack.pid("gateway") == pid
    assert name not in {each["name"] for each in stack.documents(client, own_kb)}
    until(lambda: _folders(stack) == before, 10, "nothing of the refused upload stays")
    stack.upload(client, content, kb=own_kb)
    assert name in {each["name"] for each in stack.settled(client, kb=own_kb) if each["status"] == "ready"}


def _folders(stack: Stack) -> set[str]:
    blobs = stack.data / "blobs"
    return {str(path.relative_to(blobs)) for path in (*blobs.glob("*/*"), *blobs.glob(".incoming/*"))}


def test_a_disk_that_fills_up_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    settings = {"ATOLL_GATEWAY__MIN_FREE_MIB": str(FLOOR_MIB)}
    with (
        small_disk(disk, DISK_MIB) as inside,
        running(disk, settings, prefix=inside.prefix, root=inside.root) as stack,
        stack.client() as client,
    ):
        seen = inside.root / disk.relative_to("/")
        accepted = _upload_until_refused(client)
        stack.settled(client)
        ballast = seen / "ballast"
        waiting = corpus.documents(21, 5, sentences=(200, 400))
        ballast.write_bytes(bytes(max(0, shutil.disk_usage(seen).free - (FLOOR_MIB + 4) * 2**20)))
        accepted |= {name for name, content in waiting.items() if _upload(client, name, content) == 202}
        _fill(ballast, seen)
        free_kib = shutil.disk_usage(seen).free // 1024
        refusal = client.post("/v1/kbs/default/documents", files={"file": ("late.txt", b"too late")})
        assert refusal.status_code == 507, refusal.text
        assert client.get("/v1/kbs/default/documents").status_code == 200
        assert client.post("/v1/kbs/default/search", json={"query": "lantern"}).status_code == 200
        ballast.unlink()
        # The indexes have grown meanwhile, so that one document's room may not be enough.
        for room in [each for each in stack.documents(client) if each["name"].startswith("padded")]:
            assert client.delete(f"/v1/kbs/default/documents/{room['id']}").status_code == 200
            accepted.remove(room["name"])
            until(lambda uid=room["id"]: not _folders_of(stack, uid), 30, "its files are purged")
            if _upload(client, "late.txt", b"in time after all") == 202:
                break
        else:
            pytest.fail("every large document is gone, and there is no room")
        documents = {each["name"]: each["status"] for each in stack.settled(client, seconds=120)}
        with capsys.disabled():
            print(
                f"\ndisk of {DISK_MIB} MiB: {len(accepted) + 1} accepted, then 507; full to {free_kib} KiB; all ready after"
            )
        assert documents == dict.fromkeys({*accepted, "late.txt"}, "ready")


def _folders_of(stack: Stack, document: str) -> list[Path]:
    return list((stack.data / "blobs").glob(f"*/{document}"))


def _upload_until_refused(client: httpx.Client) -> set[str]:
    accepted = set()
    for number in range(DISK_MIB // PADDED_MIB + 1):
        name = f"padded-{number}.pdf"
        status = _upload(client, name, _padded_pdf(number))
        if status == 507:
            assert accepted, "refused at once"
            return accepted
        assert status == 202, status
        accepted.add(name)
    pytest.fail("the disk is full and nothing was refused")


def _upload(client: httpx.Client, name: str, content: bytes) -> int:
    return client.post("/v1/kbs/default/documents", files={"file": (name, content)}).status_code


def _padded_pdf(number: int) -> bytes:
    """A small document in a large file: a long comment before its last lines."""
    [pdf] = [content for name, content in corpus.documents(number, 5).items() if name.endswith(".pdf")]
    return pdf.replace(b"startxref", b"%" + bytes([120]) * (PADDED_MIB * 2**20) + b"\nstartxref", 1)


def _fill(ballast: Path, folder: Path) -> None:
    """Take every byte that is left, as a neighbour on the same disk might."""
    with ballast.open("ab", buffering=0) as file:
        for block in (2**20, 4096):
            try:
                while shutil.disk_usage(folder).free:
                    file.write(bytes(block))
            except OSError:
                continue
