"""What an ingest is said to take."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.cli.estimate import Experience, busy_seconds, estimate, experience, show
from atoll.cli.sources import Source

SAMPLES = Path(__file__).parents[3] / "samples"
MANUAL = "osk-head-station-manual.pdf"


def document(uid, start, end, *, pages=2, media_type="text/plain"):
    return {
        "id": uid,
        "media_type": media_type,
        "bytes": 5_000,
        "pages": pages,
        "passages": 4,
        "created_at": f"2026-01-01T00:{start // 60:02}:{start % 60:02}Z",
        "ready_at": f"2026-01-01T00:{end // 60:02}:{end % 60:02}Z",
    }


class Client:
    """Answers as the gateway with the given ready documents by knowledge base."""

    def __init__(self, **documents):
        self.documents = documents

    def collect(self, path, field):
        assert (path, field) == ("/v1/kbs", "kbs")
        return {"kbs": [{"name": n, "id": f"uid-{n}", "passages": 4 * len(d)} for n, d in self.documents.items()]}

    def get(self, path, *, status, limit):
        assert status == "ready"
        return {"documents": self.documents[path.split("/")[3]][:limit]}


def test_time_counts_once_while_several_documents_are_on_their_way():
    assert busy_seconds([document("a", 0, 30), document("b", 10, 20), document("c", 25, 40)]) == 40
    assert busy_seconds([document("b", 100, 110), document("a", 0, 10)]) == 20
    assert busy_seconds([]) == 0


def test_pages_are_counted_where_a_file_says_and_told_from_its_size_elsewhere(tmp_path):
    (tmp_path / "long.txt").write_text("word " * 4_000)
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0 ftypisom")
    (tmp_path / "scan.png").write_bytes(b"\x89PNG\r\n" + bytes(800_000))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\n" + b"x" * 600_000)
    sources = [
        Source(SAMPLES / MANUAL, asked=True),
        *(Source(path, asked=False) for path in sorted(tmp_path.iterdir())),
    ]
    found = estimate(sources, Experience(), None)
    import pypdfium2

    with pypdfium2.PdfDocument(SAMPLES / MANUAL) as manual:
        assert found.counted_pages == len(manual) > 1
    assert found.pages == found.counted_pages + 20_000 // 2_500 + 10 + 2
    assert (found.files, found.unsupported) == (4, 1)
    assert (found.seconds, found.disk_bytes) == (None, None)
    known = Experience(3, seconds_a_page=0.5, disk_bytes_a_page=1000, bytes_a_page={"text/plain": 10_000})
    again = estimate(sources, known, None)
    assert again.pages == found.counted_pages + 2 + 10 + 2
    assert again.seconds == 0.5 * again.pages
    assert again.disk_bytes == again.bytes + 1000 * again.pages


def test_experience_is_that_of_the_knowledge_base_or_else_of_another(tmp_path):
    client = Client(main=[], other=[document("a", 0, 30), document("b", 30, 60, pages=4)])
    (tmp_path / "records.sqlite3").write_bytes(b"x" * 8_000)
    artefacts = tmp_path / "blobs" / "uid-other" / "a" / "artefacts"
    artefacts.mkdir(parents=True)
    (artefacts / "pages").write_bytes(b"x" * 8_192)
    (artefacts.parent / "original").write_bytes(b"x" * 100_000)
    known = experience(client, "main", tmp_path)
    assert (known.documents, known.seconds_a_page) == (2, 10)
    assert known.bytes_a_page == {"text/plain": 10_000 / 6}
    # Two documents of four passages each share the records; the originals are not counted.
    assert known.disk_bytes_a_page == pytest.approx((8_192 + 8_000) / 6, rel=0.2)
    assert experience(client, "main", None).disk_bytes_a_page is None
    assert experience(Client(main=[]), "main", tmp_path) == Experience()


def test_what_is_shown(capsys):
    show(estimate([Source(SAMPLES / MANUAL, asked=True)], Experience(), None))
    told = capsys.readouterr().out
    assert "1 file, " in told
    assert "cannot be told" in told
    known = Experience(7, seconds_a_page=900.0, disk_bytes_a_page=2_000_000.0)
    show(estimate([Source(SAMPLES / MANUAL, asked=True)], known, 5 << 30))
    told = capsys.readouterr().out
    assert "hours: 900.00 s a page, as the latest 7 documents took" in told
    assert "5.0 GiB are free" in told
