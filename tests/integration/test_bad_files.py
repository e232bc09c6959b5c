"""Bad files of every kind through the parser as it runs: each is read or refused by name, and good ones go on."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from atoll.adapters.socket_parser import SocketParser
from atoll.domain import media
from atoll.errors import AtollError, ParserDied
from tests.integration.test_parser import real
from tests.support.bad_files import bad_files, good_files
from tests.support.parsing import parse

#: So many are read at a time.
AT_ONCE = 2
#: The parser itself only hands out: what a child used is gone with it.
MOST_MIB = 400


async def told(parser: SocketParser, folder: Path, name: str, content: bytes) -> str:
    """What became of a file: nothing where it was read or refused, else what went wrong."""
    folder.mkdir(parents=True)
    try:
        kind = media.sniff(name, content[: media.HEAD_BYTES])
        document = await parse(parser, folder, content, name, kind)
    except ParserDied as err:
        return f"{name}: {err.message}"
    except AtollError as err:
        return "" if err.message else f"{name}: refused without a word"
    return "" if document.pages else f"{name}: was read and has no pages"


async def wrong(process_id: int, socket: Path, folder: Path, files: Iterable[tuple[str, bytes]]) -> list[str]:
    """Everything that went wrong with some files, and with good ones among and after them."""
    parser = SocketParser(socket, parse_timeout_seconds=120)
    turns, found = asyncio.Semaphore(AT_ONCE), list[str]()

    async def one(number: int, name: str, content: bytes) -> None:
        async with turns:
            found.append(await told(parser, folder / str(number), name, content))

    given = list(files)
    good = list(good_files().items())
    for number, each in enumerate(good):
        given.insert(number * (len(given) // len(good)), each)
    await asyncio.gather(*(one(number, name, content) for number, (name, content) in enumerate(given)))
    memory = psutil.Process(process_id).memory_info().rss / 2**20
    return [each for each in [*found, f"the parser holds {memory:.0f} MiB" if memory > MOST_MIB else ""] if each]


async def test_bad_files_are_read_or_refused_and_the_parser_lives(tmp_path: Path) -> None:
    files = list(bad_files(rounds=1))
    assert len(files) >= 120
    with real(tmp_path / "p.sock") as process:
        assert await wrong(process.pid, tmp_path / "p.sock", tmp_path / "files", files) == []
        assert process.poll() is None
        for number, (name, content) in enumerate(good_files().items()):
            parser = SocketParser(tmp_path / "p.sock", parse_timeout_seconds=60)
            assert await told(parser, tmp_path / f"good{number}", name, content) == ""


@pytest.mark.soak
async def test_files_that_are_changed_at_random_end_no_child(tmp_path: Path) -> None:
    rounds = int(os.environ.get("ATOLL_TEST_EXAMPLES", "100")) // 10
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    changed = (each for each in bad_files(seed, rounds) if each[0].startswith("changed-"))
    with real(tmp_path / "p.sock") as process:
        for number in itertools.count():
            batch = list(itertools.islice(changed, 200))
            if not batch:
                break
            assert await wrong(process.pid, tmp_path / "p.sock", tmp_path / f"files{number}", batch) == []
        assert process.poll() is None
