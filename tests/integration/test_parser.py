"""The parser role as it runs: a process, its socket, its children, and what becomes of them when things go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import psutil
import pypdfium2
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from atoll.adapters import parser_wire as wire
from atoll.adapters.socket_parser import SocketParser
from atoll.domain import media
from atoll.domain.page import Box, HeatMap
from atoll.domain.parsed import ParsedDocument
from atoll.errors import (
    BadInput,
    DependencyDown,
    DocumentTooLarge,
    DocumentUnreadable,
    NotFound,
    ParserDied,
    UnsupportedMediaType,
)
from tests.support.hostile_parser import SECRET
from tests.support.pages import lines_not_in_their_boxes
from tests.support.parsing import RENDITION, RESULT, draw, parse

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


@contextlib.contextmanager
def running(command: list[str], socket_path: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A parser that answers; ended, and waited for, afterwards."""
    with subprocess.Popen(command, cwd=ROOT, env={"PATH": os.environ["PATH"], **environment}) as process:
        try:
            for _ in range(START_SECONDS * 20):
                with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
                    probe.connect(str(socket_path))
                    break
                assert process.poll() is None, "the parser did not start"
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def real(socket_path: Path, **environment: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return running(
        [sys.executable, "-m", "parser"],
        socket_path,
        ATOLL_PARSER__SOCKET=str(socket_path),
        ATOLL_DATA_DIR=str(socket_path.parent),
        **environment,
    )


def hostile(
    socket_path: Path, concurrency: int = 2, backlog: int = 8
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.support.hostile_parser", str(socket_path), str(concurrency), str(backlog)]
    return running(command, socket_path, SECRET=SECRET)


@pytest.fixture(scope="module")
def parser_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    path = tmp_path_factory.mktemp("parser") / "p.sock"
    with real(path) as process:
        yield path, process


@pytest.fixture
def parser(parser_process: tuple[Path, subprocess.Popen[bytes]]) -> SocketParser:
    return SocketParser(parser_process[0], parse_timeout_seconds=60, draw_timeout_seconds=30)


@pytest.fixture
async def misbehaving(tmp_path: Path) -> AsyncIterator[tuple[SocketParser, subprocess.Popen[bytes]]]:
    with hostile(tmp_path / "h.sock") as process:
        yield SocketParser(tmp_path / "h.sock", parse_timeout_seconds=20), process


async def misdeed(parser: SocketParser, folder: Path, name: str) -> ParsedDocument:
    folder.mkdir(exist_ok=True)
    return await parse(parser, folder, b"x", name, media.TEXT)


def pdf_of(path: Path, *texts: str) -> bytes:
    canvas = Canvas(str(path))
    for text in texts:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return path.read_bytes()


async def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process ends within that time; a zombie counts as ended."""
    for _ in range(int(seconds * 20)):
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.05)
                continue
        return True
    return False


async def started_child(folder: Path) -> int:
    """The pid that a misbehaving child has written into its unfinished result."""
    for _ in range(200):
        with contextlib.suppress(ValueError, FileNotFoundError):
            written = ParsedDocument.from_json(json.loads((folder / RESULT).read_bytes()))
            pid: int = json.loads(written.title or "")["pid"]
            return pid
        await asyncio.sleep(0.05)
    raise AssertionError("no child started")


class TestDocuments:
    async def test_text_is_typeset_and_its_page_drawn_with_the_line_marked(
        self, parser: SocketParser, tmp_path: Path
    ) -> None:
        document = await parse(parser, tmp_path, b"First paragraph.\n\nSecond paragraph.\n", "a.txt", media.TEXT)
        assert [block.text for block in document.blocks] == ["First paragraph.", "Second paragraph."]
        assert lines_not_in_their_boxes(document, tmp_path / "pages.pdf") == []
        box = document.blocks[1].lines[0].box
        plain = await draw(parser, tmp_path / RENDITION, page=1, dpi=96, marks=[])
        marked = await draw(parser, tmp_path / RENDITION, page=1, dpi=96, marks=[box])
        heat = HeatMap(bytes([255, 0]), None, (box, document.blocks[0].lines[0].box))
        warm = await draw(parser, tmp_path / RENDITION, page=1, dpi=96, heat=heat)
        with Image.open(BytesIO(warm)) as heated:
            red, _, blue = heated.getpixel((int(box.x0 * 96 / 72) + 3, int(box.y0 * 96 / 72) + 3))
            assert red > 200 > blue
            cold = document.blocks[0].lines[0].box
            assert heated.getpixel((int(cold.x0 * 96 / 72) + 3, int(cold.y0 * 96 / 72) + 1)) == (255, 255, 255)
        (tmp_path / "plain.png").write_bytes(plain)
        (tmp_path / "marked.png").write_bytes(marked)
        with Image.open(tmp_path / "plain.png") as before, Image.open(tmp_path / "marked.png") as after:
            assert before.size == after.size == (794, 1123)
            inside = (int(box.x0 * 96 / 72) + 1, int(box.y0 * 96 / 72) + 1)
            assert before.getpixel(inside) == (255, 255, 255)
            assert after.getpixel(inside) != (255, 255, 255)
            assert after.getpixel((10, 10)) == (255, 255, 255)
            # The words stay as dark as they were.
            assert min(before.convert("L").get_flattened_data()) >= min(after.convert("L").get_flattened_data())

    async def test_results_are_kept_as_json_and_leave_nothing_else(self, parser: SocketParser, tmp_path: Path) -> None:
        document = await parse(parser, tmp_path, pdf_of(tmp_path / "made.pdf", "Hello"), "a.pdf", media.PDF)
        assert ParsedDocument.from_json(json.loads((tmp_path / "parsed.json").read_bytes())) == document
        assert sorted(path.name for path in tmp_path.iterdir()) == ["made.pdf", "original", "parsed.json"]

    @pytest.mark.parametrize(
        "name",
        ["отчёт.txt", "تقرير.txt", "報告書.txt", "דוח.txt", "αναφορά.txt", "rapport é.txt", "x" * 300, "../../a"],
    )
    async def test_any_name_is_taken(self, parser: SocketParser, tmp_path: Path, name: str) -> None:
        document = await parse(parser, tmp_path, b"text", name, media.TEXT)
        assert document.blocks[0].text == "text"

    async def test_errors_of_the_document_keep_their_type_and_leave_no_files(
        self, parser: SocketParser, tmp_path: Path
    ) -> None:
        with pytest.raises(DocumentUnreadable, match="not a Word document"):
            await parse(parser, tmp_path, b"plain text", "a.docx", media.DOCX)
        with pytest.raises(DocumentUnreadable, match="is empty"):
            await parse(parser, tmp_path, b"", "a.txt", media.TEXT)
        with pytest.raises(UnsupportedMediaType, match="nothing here reads video/mp4"):
            await parse(parser, tmp_path, b"x", "a.mp4", "video/mp4")
        assert [path.name for path in tmp_path.iterdir()] == ["original"]

    async def test_a_pdf_without_pages_says_so(self, parser: SocketParser, tmp_path: Path) -> None:
        empty = pypdfium2.PdfDocument.new()
        empty.save(tmp_path / "none.pdf")
        empty.close()
        with pytest.raises(DocumentUnreadable, match="has no pages"):
            await parse(parser, tmp_path, (tmp_path / "none.pdf").read_bytes(), "a.pdf", media.PDF)

    async def test_drawing_refuses_what_is_not_there(self, parser: SocketParser, tmp_path: Path) -> None:
        path = tmp_path / "one.pdf"
        pdf_of(path, "one page")
        with pytest.raises(NotFound, match="there is no page 2"):
            await draw(parser, path, page=2, dpi=96, marks=[])
        with pytest.raises(BadInput, match="96 or 150 dpi"):
            await draw(parser, path, page=1, dpi=4000, marks=[])

    async def test_a_page_of_too_many_pixels_is_refused_before_drawing(
        self, parser: SocketParser, tmp_path: Path
    ) -> None:
        path = tmp_path / "huge.pdf"
        canvas = Canvas(str(path), pagesize=(14_000, 14_000))
        canvas.drawString(72, 72, "x")
        canvas.save()
        began = time.monotonic()
        with pytest.raises(DocumentTooLarge, match="pixels; the limit is"):
            await draw(parser, path, page=1, dpi=150, marks=[Box(0, 0, 10, 10)])
        assert time.monotonic() - began < 5

    @pytest.mark.slow
    async def test_fifty_megabytes_of_html_are_refused_not_died_of(self, parser: SocketParser, tmp_path: Path) -> None:
        content = b"<html><body>" + b"<b><i></i></b>" * (50 * 2**20 // 14)
        with pytest.raises(DocumentTooLarge, match="more than 5000000 tags"):
            await parse(parser, tmp_path, content, "big.html", media.HTML)

    async def test_limits_come_from_settings(self, tmp_path: Path) -> None:
        path = tmp_path / "p.sock"
        with real(path, ATOLL_PARSER__MAX_PAGES="2", ATOLL_PARSER__MAX_CHARACTERS="50"):
            parser = SocketParser(path)
            with pytest.raises(DocumentTooLarge, match="3 pages or more; the limit is 2"):
                await parse(parser, tmp_path, pdf_of(tmp_path / "m.pdf", "a", "b", "c"), "a.pdf", media.PDF)
            with pytest.raises(DocumentTooLarge, match="60 characters of text or more; the limit is 50"):
                await parse(parser, tmp_path, b"x" * 60, "a.txt", media.TEXT)


class TestChildren:
    async def test_a_child_sees_its_files_and_nothing_else(
        self, misbehaving: tuple[SocketParser, subprocess.Popen[bytes]], tmp_path: Path
    ) -> None:
        document = await misdeed(misbehaving[0], tmp_path / "d", "behave")
        seen = json.loads(document.title or "")
        assert seen["environment"] == {}
        assert seen["session"] == seen["pid"]
        assert seen["descriptors"] == [0, 1, 2, 3, 4, 5, 6]
        assert "Max core file size        0                    0" in seen["core"]

    @pytest.mark.parametrize(
        ("deed", "error", "reason"),
        [
            ("allocate", ParserDied, "more than 400 MiB of memory"),
            ("allocate natively", ParserDied, "SIGSEGV"),
            ("spin", ParserDied, "more than 1 s of processor time"),
            ("sleep", ParserDied, "more than 3 s"),
            ("fill", DocumentTooLarge, "limit of 1 MiB"),
            ("crash", ParserDied, "SIGSEGV"),
            ("abort", ParserDied, "SIGABRT"),
            ("leave", ParserDied, "without an answer"),
            ("open", ParserDied, "OSError"),
            ("quote", ParserDied, "RuntimeError at hostile_parser.py"),
        ],
    )
    async def test_a_misdeed_ends_one_child_and_is_told(
        self,
        misbehaving: tuple[SocketParser, subprocess.Popen[bytes]],
        tmp_path: Path,
        deed: str,
        error: type[Exception],
        reason: str,
    ) -> None:
        parser, process = misbehaving
        with pytest.raises(error, match=reason) as caught:
            await misdeed(parser, tmp_path / "d", deed)
        assert "secret" not in str(caught.value)
        assert await misdeed(parser, tmp_path / "d", "behave")
        assert process.poll() is None

    async def test_what_a_child_started_dies_with_it(
        self, misbehaving: tuple[SocketParser, subprocess.Popen[bytes]], tmp_path: Path
    ) -> None:
        parser, process = misbehaving
        with pytest.raises(ParserDied):
            await misdeed(parser, tmp_path / "d", "fork")
        for _ in range(100):
            if not psutil.Process(process.pid).children(recursive=True):
                break
            await asyncio.sleep(0.05)
        grandchildren = [
            other
            for other in psutil.process_iter(["cmdline"])
            if str(tmp_path / "h.sock") in (other.info["cmdline"] or [])
        ]
        assert [other.pid for other in grandchildren] == [process.pid]

    async def test_cancelling_kills_the_child(
        self, misbehaving: tuple[SocketParser, subprocess.Popen[bytes]], tmp_path: Path
    ) -> None:
        task = asyncio.create_task(misdeed(misbehaving[0], tmp_path / "d", "sleep"))
        pid = await started_child(tmp_path / "d")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(pid, seconds=2)
        assert [path.name for path in (tmp_path / "d").iterdir()] == ["original"]

    async def test_killing_the_parser_ends_its_children_and_is_nobodys_fault(
        self, misbehaving: tuple[SocketParser, subprocess.Popen[bytes]], tmp_path: Path
    ) -> None:
        parser, process = misbehaving
        task = asyncio.create_task(misdeed(parser, tmp_path / "d", "sleep"))
        pid = await started_child(tmp_path / "d")
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(DependencyDown, match="the parser is away"):
            await task
        assert await gone(pid)
        with pytest.raises(DependencyDown):
            await parser.ping()

    async def test_too_many_requests_are_told_at_once(self, tmp_path: Path) -> None:
        with hostile(tmp_path / "h.sock", concurrency=1, backlog=1):
            parser = SocketParser(tmp_path / "h.sock", parse_timeout_seconds=20)
            first = asyncio.create_task(misdeed(parser, tmp_path / "1", "sleep"))
            await started_child(tmp_path / "1")
            second = asyncio.create_task(misdeed(parser, tmp_path / "2", "behave"))
            await asyncio.sleep(0.3)
            with pytest.raises(DependencyDown, match="busy"):
                await misdeed(parser, tmp_path / "3", "behave")
            await parser.ping()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert await second, "the one that waited gets its turn"


class TestServer:
    async def test_two_hundred_documents_leak_nothing(
        self, parser_process: tuple[Path, subprocess.Popen[bytes]], parser: SocketParser, tmp_path: Path
    ) -> None:
        server = psutil.Process(parser_process[1].pid)
        folders = [tmp_path / str(number) for number in range(4)]
        for folder in folders:
            folder.mkdir()

        async def some(folder: Path, count: int) -> None:
            for number in range(count):
                if number % 10 == 9:
                    with pytest.raises(DocumentUnreadable):
                        await parse(parser, folder, b"%PDF-1.4 broken", "a.pdf", media.PDF)
                else:
                    await parse(parser, folder, b"# Title\n\nText.", "a.md", media.MARKDOWN)

        await asyncio.gather(*(some(folder, 5) for folder in folders))
        descriptors, memory = server.num_fds(), server.memory_info().rss
        await asyncio.gather(*(some(folder, 50) for folder in folders))
        # The last connections are closed once their answers have been read.
        until = time.monotonic() + 10
        while server.num_fds() > descriptors or server.children():
            assert time.monotonic() < until, f"{server.num_fds()} descriptors, {descriptors} before"
            await asyncio.sleep(0.05)
        assert server.memory_info().rss - memory < 2 * 2**20
        assert server.memory_info().rss < 200 * 2**20

    async def test_a_living_socket_is_refused_and_a_dead_one_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "p.sock"
        with real(path) as process:
            second = subprocess.run(
                [sys.executable, "-m", "parser"],
                env={"PATH": os.environ["PATH"], "ATOLL_PARSER__SOCKET": str(path), "ATOLL_DATA_DIR": str(tmp_path)},
                capture_output=True,
                check=False,
                timeout=START_SECONDS,
            )
            assert second.returncode == 1
            assert second.stderr.decode().strip() == f"another parser serves {path}: stop it first"
            await SocketParser(path).ping()
            process.kill()
            process.wait()
        assert path.exists()
        with real(path) as process:
            await SocketParser(path).ping()
            process.terminate()
            assert process.wait(5) == 0
        assert not path.exists()

    @pytest.mark.parametrize(
        "sent",
        [
            b"\xff\xff\xff\xff",
            b"\x00\x00\x00\x02[]",
            b"\x00\x00\x00\x04nope",
            wire.encode({"operation": "format"}),
            wire.encode({"operation": "parse", "name": "a", "media_type": "text/plain"}),
        ],
    )
    async def test_nonsense_is_answered_or_dropped(
        self, parser_process: tuple[Path, subprocess.Popen[bytes]], parser: SocketParser, sent: bytes
    ) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(parser_process[0]))
            connection.sendall(sent)
            reply = connection.recv(4096)
        assert json.loads(reply[wire.LENGTH_BYTES :])["error"]["type"] == "BadInput"
        await parser.ping()

    async def test_a_client_that_says_nothing_is_dropped(
        self, parser_process: tuple[Path, subprocess.Popen[bytes]]
    ) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(parser_process[0]))
            assert await asyncio.to_thread(connection.recv, 1) == b""


@pytest.mark.slow
async def test_two_thousand_pages_fit_in_a_gibibyte(parser: SocketParser, tmp_path: Path) -> None:
    path = tmp_path / "big.pdf"
    canvas = Canvas(str(path))
    for number in range(2000):
        text = canvas.beginText(72, 780)
        for line in range(12):
            text.textLine(f"Page {number} line {line} of a long report on buoys, lights and other aids to navigation.")
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    # The kernel refuses the child any more than this: address space, which is more than what is resident.
    with real(tmp_path / "p.sock", ATOLL_PARSER__MEMORY_MIB="1024"):
        document = await parse(SocketParser(tmp_path / "p.sock"), tmp_path, path.read_bytes(), "big.pdf", media.PDF)
    assert len(document.pages) == 2000
    assert document.blocks[-1].text.startswith("Page 1999 line")
