"""Pages on their way into the index and out of it again, through the real stages."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.adapters.memory.page_embedder import MemoryPageEmbedder
from atoll.adapters.memory.parser import MemoryParser
from atoll.domain.artefact import artefact_of
from atoll.domain.document import Stage, Status
from atoll.domain.evidence import EvidenceKind, Mode
from atoll.domain.page import Page
from atoll.domain.page_archive import ARCHIVE, PageArchive, batch_part, unpacked
from atoll.domain.page_vectors import PageFailure, PageVectors
from atoll.errors import BadInput, DependencyDown, DocumentTooLarge, ModelReplyInvalid
from atoll.ingest.pipeline import Pipeline
from tests.support import canonical
from tests.support.house import DIMENSIONS, House
from tests.support.readers import reader_of

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")


def text(pages: int, word: str = "valve") -> str:
    """Fifty lines a page; line 7 of page n says so."""
    return "\n".join(
        f"{word} number{page} is inspected here" if line == 6 else f"filler {page} {line} of {word}"
        for page in range(1, pages + 1)
        for line in range(50)
    )


class Embedder(MemoryPageEmbedder):
    """Counts pages; raises what it is told to when a page holds a word."""

    def __init__(self, errors: dict[str, Exception] | None = None, **options) -> None:
        super().__init__(**options)
        self.errors = errors or {}
        self.pages = 0

    async def embed_pages(self, pages):
        for word, error in self.errors.items():
            if any(word in line.text for page in pages for line in page.lines):
                raise error
        self.pages += len(pages)
        return await super().embed_pages(pages)

    async def embed_queries(self, texts):
        for word, error in self.errors.items():
            if any(word in text for text in texts):
                raise error
        return await super().embed_queries(texts)


async def ready(house: House, pages: int = 6, name: str = "a.txt", **options):
    (kb,) = await house.open("main")
    document = await house.upload(kb, name, text(pages), **options)
    await house.work()
    return kb, await house.catalogue.get(reader_of(kb), document.uid)


async def test_pages_are_embedded_indexed_counted_and_kept(tmp_path: Path) -> None:
    embedder = Embedder()
    house = House(tmp_path, page_embedder=embedder)
    kb, document = await ready(house)
    assert document.status is Status.READY
    assert (document.pages, embedder.pages, await house.page_index.count(kb.uid)) == (6, 6, 6)
    (stage,) = [each for each in document.stages if each.name is Stage.EMBED]
    assert (stage.done, stage.total) == (document.passages + 6, document.passages + 6)
    embedded = artefact_of(kb.uid, document.uid, Stage.EMBED, document.artefacts)
    archive = json.loads(await house.artefacts.get(embedded, ARCHIVE))
    assert len(archive["sizes"]) == 6
    pages = unpacked(await house.artefacts.get(embedded, batch_part(1)))
    assert list(pages) == [5, 6]
    assert isinstance(pages[5], PageVectors)
    assert pages[5].vectors.dtype.name == "float16"
    await house.close()


async def test_pages_that_are_called_something_are_embedded_as_others_are(tmp_path: Path) -> None:
    class Labels(MemoryParser):
        """Calls pages as sheets and slides are called."""

        async def parse(self, **given):
            parsed = await super().parse(**given)
            pages = tuple(dataclasses.replace(page, label=f"Slide {page.number}") for page in parsed.pages)
            return dataclasses.replace(parsed, pages=pages)

    house = House(tmp_path, page_embedder=Embedder())
    house.shop = dataclasses.replace(house.shop, parser=Labels())
    house.pipeline = Pipeline(house.shop, "w1")
    kb, document = await ready(house)
    assert document.status is Status.READY
    assert await house.page_index.count(kb.uid) == 6
    await house.close()


def test_an_archive_that_holds_labels_as_well_is_read() -> None:
    told = {"fingerprint": "f", "model": "m", "sizes": [[595, 842, "Slide 1"], [595, 842]], "points": 2}
    assert PageArchive.from_json(told).page(1) == Page(1, 595.0, 842.0)


async def test_without_a_page_embedder_nothing_of_pages_is_left(tmp_path: Path) -> None:
    house = House(tmp_path)
    kb, document = await ready(house)
    assert document.status is Status.READY
    assert await house.page_index.count(kb.uid) == 0
    assert not any(
        name.rpartition("/")[2].startswith(ARCHIVE) for name in await house.artefacts.names(kb.uid, document.uid)
    )
    await house.close()


@pytest.mark.parametrize("error", [DocumentTooLarge("too many pixels"), ModelReplyInvalid("NaN"), BadInput("refused")])
async def test_a_page_that_fails_is_a_warning_and_the_others_are_found(tmp_path: Path, error: Exception) -> None:
    house = House(tmp_path, page_embedder=Embedder({"number3": error}))
    kb, document = await ready(house)
    assert document.status is Status.READY
    assert [(each.type, each.page) for each in document.warnings] == [("PageNotEmbedded", 3)]
    assert await house.page_index.count(kb.uid) == 5
    embedded = artefact_of(kb.uid, document.uid, Stage.EMBED, document.artefacts)
    assert isinstance(unpacked(await house.artefacts.get(embedded, batch_part(0)))[3], PageFailure)
    await house.close()


async def test_a_page_that_cannot_be_drawn_is_a_warning_too(tmp_path: Path) -> None:
    class CannotDraw:
        def __init__(self, parser) -> None:
            self.parse = parser.parse

        async def draw(self, *, pdf, page, dpi, marks=(), heat=None):
            raise DocumentTooLarge(f"page {page} has too many pixels")

    house = House(tmp_path, page_embedder=Embedder(needs_images=True))
    house.shop = dataclasses.replace(house.shop, parser=CannotDraw(house.shop.parser))
    house.pipeline = Pipeline(house.shop, "w1")
    _, document = await ready(house, pages=30)
    assert document.status is Status.READY
    assert len(document.warnings) == 21
    assert "10 further pages" in document.warnings[-1].message
    await house.close()


async def test_pages_that_are_made_of_passages_cost_the_embedders_no_pass_of_their_own(tmp_path: Path) -> None:
    embedder = Embedder(from_passages=True, weights=MemoryEmbedder(dimensions=DIMENSIONS).card.fingerprint)
    house = House(tmp_path, page_embedder=embedder)
    asked = counted(house.embedder)
    kb, document = await ready(house)
    assert document.status is Status.READY
    assert (document.pages, embedder.pages, await house.page_index.count(kb.uid)) == (6, 0, 6)
    assert [name for name, _ in asked if name != "tokenize"] == ["embed_spans"]
    embedded = artefact_of(kb.uid, document.uid, Stage.EMBED, document.artefacts)
    pages = {**unpacked(await house.artefacts.get(embedded, batch_part(0)))}
    pages |= unpacked(await house.artefacts.get(embedded, batch_part(1)))
    lines = text(6).splitlines()
    assert sum(len(page.vectors) for page in pages.values()) == len(lines)
    assert all(len(page.vectors) == len(page.regions) for page in pages.values())
    found = await house.search(kb, "number4", mode=Mode.VISUAL)
    assert found[0].page == 4
    await house.close()


async def test_pages_wait_while_questions_are_read_with_another_model(tmp_path: Path) -> None:
    house = House(tmp_path, page_embedder=Embedder(from_passages=True, weights="another"))
    _, document = await ready(house, pages=1)
    assert document.status is Status.PROCESSING
    (stage,) = [each for each in document.stages if each.name is Stage.EMBED]
    assert "restart it" in (stage.error or "")
    await house.close()


def counted(embedder: MemoryEmbedder) -> list[tuple[str, int]]:
    """Note every call of an embedder and the number of its texts."""
    asked: list[tuple[str, int]] = []

    def noting(name, call):
        async def noted(texts, *rest, **options):
            asked.append((name, len(texts)))
            return await call(texts, *rest, **options)

        return noted

    for name in ("embed", "embed_spans", "tokenize"):
        setattr(embedder, name, noting(name, getattr(embedder, name)))
    return asked


async def test_a_server_that_is_away_is_waited_for_and_nothing_is_embedded_twice(tmp_path: Path) -> None:
    embedder = Embedder({"number5": DependencyDown("away")})
    house = House(tmp_path, page_embedder=embedder)
    kb, document = await ready(house)
    assert document.status is Status.PROCESSING
    (stage,) = [each for each in document.stages if each.name is Stage.EMBED]
    assert "away" in (stage.error or "")
    assert embedder.pages == 4
    embedder.errors.clear()
    await house.database.write(lambda connection: connection.execute("UPDATE stage SET not_before = 0"))
    await house.doorbell.ring([document.uid])
    await house.work()
    document = await house.catalogue.get(reader_of(kb), document.uid)
    assert (document.status, embedder.pages, document.warnings) == (Status.READY, 6, ())
    await house.close()


async def test_deleting_takes_the_pages_with_it_exactly(tmp_path: Path) -> None:
    house, other = (House(tmp_path / name, page_embedder=Embedder()) for name in ("one", "other"))
    (kb,), (same,) = await house.open("main"), await other.open("main")
    await house.upload(kb, "a.txt", text(3))
    gone = await house.upload(kb, "b.txt", text(5, "pump"))
    await other.upload(same, "a.txt", text(3))
    await house.work()
    await other.work()
    assert await house.page_index.count(kb.uid) == 8
    await house.delete(kb, gone.uid)
    assert all(each.document_id != gone.uid for each in await house.search(kb, "pump", mode=Mode.VISUAL))
    await house.work()
    dumps = [
        await canonical.dump(each.tables, each.folder / "blobs", each.vectors, each.page_index)
        for each in (house, other)
    ]
    assert dumps[0] == dumps[1]
    await house.close()
    await other.close()


# Questions


async def test_visual_ranks_pages_with_the_best_lines_marked_and_their_passage(tmp_path: Path) -> None:
    house = House(tmp_path, page_embedder=Embedder())
    kb, document = await ready(house)
    found = await house.search(kb, "number4 inspected", mode=Mode.VISUAL, top_k=3)
    assert [each.kind for each in found] == [EvidenceKind.PAGE] * 3
    assert [each.rank for each in found] == [1, 2, 3]
    best = found[0]
    assert (best.document_id, best.document, best.page) == (document.uid, "a.txt", 4)
    assert set(best.signals) == {"pages"}
    assert (best.signals["pages"].rank, best.score) == (1, 1.0)
    line = 50 + 6 * 14  # where the parser in memory puts the seventh line
    assert best.boxes[0].y0 <= line <= best.boxes[0].y1
    assert "number4" in best.text
    (passage,) = (await house.passages.hydrate(reader_of(kb), [best.passage_id])).values()
    assert passage.text == best.text
    await house.close()


async def test_mix_says_which_signals_found_a_passage_and_keeps_the_order_of_the_text(tmp_path: Path) -> None:
    house, plain = House(tmp_path / "a", page_embedder=Embedder()), House(tmp_path / "b")
    (kb, _), (same, _) = await ready(house), await ready(plain)
    found = await house.search(kb, "valve number4", mode=Mode.MIX, top_k=5)
    assert found[0].page == 4
    assert set(found[0].signals) == {"dense", "sparse", "pages"}
    assert found[0].signals["pages"].rank == 1
    assert found[0].score == 1.0
    without = await plain.search(same, "valve number4", mode=Mode.MIX, top_k=5)
    assert "pages" not in without[0].signals
    assert without[0].text == found[0].text
    await house.close()
    await plain.close()


async def test_mix_goes_on_without_a_server_that_is_away_and_visual_says_so(tmp_path: Path) -> None:
    house = House(tmp_path, page_embedder=Embedder({"question": DependencyDown("the page-image server is away")}))
    kb, _ = await ready(house)
    from atoll.domain.evidence import Filters
    from atoll.query.requests import SearchRequest

    def asked(mode: Mode) -> SearchRequest:
        return SearchRequest(reader_of(kb), "question about the valve", mode, 5, Filters())

    outcome = await house.ask.search(asked(Mode.MIX))
    assert outcome.evidence
    assert "pages_missing" in outcome.timings_ms
    assert "embed_pages" not in outcome.timings_ms
    with pytest.raises(DependencyDown, match="page-image server"):
        await house.ask.search(asked(Mode.VISUAL))
    await house.close()


async def test_mix_asks_no_server_when_lines_are_embedded_as_passages_are(tmp_path: Path) -> None:
    embedder = Embedder(weights=MemoryEmbedder(dimensions=DIMENSIONS).card.fingerprint)
    house = House(tmp_path, page_embedder=embedder)
    kb, _ = await ready(house)
    embedder.errors = {"valve": DependencyDown("nobody is to ask")}
    found = await house.search(kb, "valve number4", mode=Mode.MIX, top_k=5)
    assert {each.signals["pages"].rank for each in found if "pages" in each.signals} >= {1, 2}
    with pytest.raises(DependencyDown, match="nobody is to ask"):
        await house.search(kb, "valve number4", mode=Mode.VISUAL)
    await house.close()


async def test_a_server_that_is_away_is_waited_for_once(tmp_path: Path) -> None:
    embedder = Embedder()
    house = House(tmp_path, page_embedder=embedder)
    kb, _ = await ready(house)
    asked = []

    async def away(*_):
        asked.append(1)
        raise DependencyDown("the page-image server is away")

    embedder.describe = embedder.embed_queries = away
    for _ in range(2):
        assert await house.search(kb, "valve number4", mode=Mode.MIX, top_k=5)
    assert len(asked) == 1
    await house.close()


async def test_models_that_read_lines_look_at_pages_of_found_documents_only(tmp_path: Path) -> None:
    house = House(tmp_path, page_embedder=Embedder())
    kb, document = await ready(house)
    looked_at = []
    search = house.page_index.search

    async def noted(wanted):
        looked_at.append(wanted.include_documents)
        return await search(wanted)

    house.page_index.search = noted
    await house.search(kb, "valve number4", mode=Mode.MIX, top_k=5)
    await house.search(kb, "valve number4", mode=Mode.VISUAL, top_k=5)
    assert looked_at == [(document.uid,), None]
    await house.close()


async def test_a_page_behind_a_label_is_nobody_elses(tmp_path: Path) -> None:
    house = House(tmp_path, page_embedder=Embedder())
    kb, _ = await ready(house, labels=["red"])
    assert await house.search(kb, "valve number4", mode=Mode.VISUAL, labels=frozenset({"blue"})) == ()
    assert await house.search(kb, "valve number4", mode=Mode.VISUAL, labels=frozenset({"red"}))
    # Labels are checked where the text is, too: an index that lost them shows nothing.
    for key, point in list(house.page_index._points.items()):
        house.page_index._points[key] = dataclasses.replace(point, labels=())
    assert await house.search(kb, "valve number4", mode=Mode.VISUAL, labels=frozenset({"blue"})) == ()
    await house.close()


async def test_a_quotation_is_a_demand_on_pages_too(tmp_path: Path) -> None:
    house = House(tmp_path, page_embedder=Embedder())
    kb, _ = await ready(house)
    found = await house.search(kb, 'where is "number2 is inspected"', mode=Mode.VISUAL)
    assert {each.page for each in found} == {2}
    await house.close()
