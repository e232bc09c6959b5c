"""Drawn pages on disk: bounded, and gone with their document."""

from __future__ import annotations

from pathlib import Path

from atoll.pages.cache import PageCache


async def test_the_cache_is_bounded_and_forgets_the_least_used(tmp_path: Path) -> None:
    pages = tmp_path / "document" / "pages"
    pages.parent.mkdir()
    cache = PageCache(250)
    for name in ("a", "b"):
        await cache.put(pages / name, b"x" * 100)
    assert await cache.get(pages / "a")
    await cache.put(pages / "c", b"x" * 100)
    assert await cache.get(pages / "b") is None
    assert sorted(path.name for path in pages.iterdir()) == ["a", "c"]
    after_restart = PageCache(150)
    await after_restart.adopt([(pages / "a", 100), (pages / "c", 100)])
    assert [path.name for path in pages.iterdir()] == ["c"]


async def test_a_removed_document_does_not_come_back(tmp_path: Path) -> None:
    cache = PageCache(1000)
    await cache.put(tmp_path / "gone" / "pages" / "a", b"x")
    assert list(tmp_path.iterdir()) == []
