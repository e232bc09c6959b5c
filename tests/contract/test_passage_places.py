"""Where a passage's characters stand is kept by both record stores, also for one that reaches into the next page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atoll.domain.layout import PassageLayout, PlacedCell, PlacedLine, PlacedRow, PlacedTable
from atoll.domain.page import Box
from tests.contract.test_records import batch_of, reader_of, store

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]

TEXT = "The lamp is lit.\nFare | 8.90"
LAYOUT = PassageLayout(
    lines=(
        PlacedLine(0, 11, 1, Box(50.0, 800.0, 200.0, 812.0), (0, 30, 60)),
        PlacedLine(12, 16, 2, Box(50.0, 50.0, 80.0, 62.0)),
        PlacedLine(17, 21, 2, Box(50.0, 70.0, 80.0, 82.0), is_repeated=True),
        PlacedLine(24, 28, 2, Box(150.0, 70.0, 180.0, 82.0)),
    ),
    tables=(PlacedTable(("Fare", "Price"), (PlacedRow(17, 28, (PlacedCell(17, 21, 0), PlacedCell(24, 28, 1))),)),),
    spellings=("la-mp",),
)


async def test_a_layout_is_kept_and_a_page_knows_what_reaches_into_it(store):
    kb = await store.kb()
    document = await store.accept(kb)
    batch = batch_of(document, TEXT)
    passage = replace(batch.passages[0], boxes=LAYOUT.boxes(1), layout_json=LAYOUT.to_json())
    await store.run(document, batch=replace(batch, passages=[passage]))
    (found,) = (await store.passages.hydrate(reader_of(kb), [passage.id])).values()
    assert found == passage
    assert found.layout == LAYOUT
    assert [page for page, _ in found.places(4, 16)] == [1, 2]
    pages = [await store.passages.of_page(reader_of(kb), document.uid, page) for page in (1, 2, 3)]
    assert pages == [
        ((passage.id, (Box(50.0, 800.0, 200.0, 812.0),)),),
        ((passage.id, (Box(50.0, 50.0, 80.0, 62.0), Box(150.0, 70.0, 180.0, 82.0))),),
        (),
    ]
