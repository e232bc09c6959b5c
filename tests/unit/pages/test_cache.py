"""Drawn pages on disk: bounded, and gone with their document."""

from __future__ import annotations

from pathlib import Path

from atoll.adapters.file_drawings import FileDrawings
from atoll.domain.ids import DocumentUid, KbUid
from atoll.pages.cache import PageCache
from atoll.ports.drawings import DrawingKey


def _key(name: str, document: str = "document") -> DrawingKey:
    return DrawingKey(KbUid("kb"), DocumentUid(document), name)


async def test_the_cache_is_bounded_and_forgets_the_least_used(tmp_path: Path) -> None:
    (tmp_path / "kb" / "document").mkdir(parents=True)
    drawings = FileDrawings(tmp_path)
    cache = PageCache(drawings, 250)
    for name in ("a", "b"):
        await cache.put(_key(name), b"x" * 100)
    assert await cache.get(_key("a"))
    await cache.put(_key("c"), b"x" * 100)
    assert await cache.get(_key("b")) is None
    assert {key.name: size for key, size in await drawings.all()} == {"a": 100, "c": 100}
    after_restart = PageCache(drawings, 150)
    await after_restart.adopt()
    assert await drawings.all() == [(_key("c"), 100)]
    await drawings.drop(_key("c"))
    await drawings.drop(_key("c"))
    assert await after_restart.get(_key("c")) is None


async def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    pages = tmp_path / "kb" / "document" / "pages"
    pages.mkdir(parents=True)
    (pages / "1-a.png.0a0b0c0d.tmp").write_bytes(b"half")
    assert await FileDrawings(tmp_path).all() == []
    assert list(pages.iterdir()) == []


async def test_a_removed_document_does_not_come_back(tmp_path: Path) -> None:
    drawings = FileDrawings(tmp_path)
    await PageCache(drawings, 1000).put(_key("a", "gone"), b"x")
    assert await drawings.all() == []
    assert list(tmp_path.iterdir()) == []
