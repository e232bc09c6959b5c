"""Named entities without an LLM: what is found where, whatever the batch, and what a missing model means."""

from __future__ import annotations

import subprocess
import sys

import pytest

from atoll.adapters import spacy_extractor
from atoll.adapters.spacy_extractor import Model, SpacyExtractor
from atoll.domain.ids import DocumentUid, KbUid, chunk_id, passage_id
from atoll.domain.passage import Passage
from atoll.errors import StartRefused
from atoll.ports.extractor import ExtractionScope
from tests.support import corpus

SCOPE = ExtractionScope(KbUid("kb"), "en")
TEXT = (
    "Osk Head\nIngrid Sorensen joined Northwind Energy in Lisbon on Tuesday. "
    "Later Ingrid Sorensen's company bought the KRT-9 line for 120 million euros."
)


def passages(*texts: str, headings: tuple[str, ...] = ()) -> list[Passage]:
    uid = DocumentUid("d")
    return [
        Passage(passage_id(uid, n), uid, n, chunk_id(uid, 0), 1, (), 0, len(text), text, headings)
        for n, text in enumerate(texts)
    ]


@pytest.fixture
async def extractor():
    opened = SpacyExtractor()
    yield opened
    await opened.aclose()


async def test_names_headings_and_identifiers_with_their_places(extractor):
    found = await extractor.extract(passages(TEXT, headings=("Manual", "Osk Head")), SCOPE)
    names = {m.key: m for m in found.mentions}
    assert {"manual", "osk head", "ingrid sorensen", "northwind energy", "lisbon", "krt 9"} <= names.keys()
    assert (names["ingrid sorensen"].type, names["ingrid sorensen"].tf) == ("person", 2)
    assert (names["lisbon"].type, names["osk head"].type, names["manual"].span) == ("location", "heading", (0, 0))
    assert not {"tuesday", "120 million euros"} & names.keys()
    for mention in found.mentions:
        assert mention.span == (0, 0) or TEXT[slice(*mention.span)] == mention.surface


async def test_a_name_does_not_go_over_a_line_break(extractor):
    found = await extractor.extract(passages("The visitor was Ingrid\nSorensen Robotics opened in Lisbon."), SCOPE)
    assert all("\n" not in m.surface for m in found.mentions)


async def test_the_same_passages_have_the_same_mentions_in_any_batch(extractor):
    texts = [TEXT, *(corpus.text(seed, 12).decode()[:900] for seed in range(60))]
    together = (await extractor.extract(passages(*texts), SCOPE)).mentions
    alone = [m for each in passages(*texts) for m in (await extractor.extract([each], SCOPE)).mentions]
    backwards = (await extractor.extract(passages(*texts)[::-1], SCOPE)).mentions
    assert list(together) == alone
    assert sorted(together, key=repr) == sorted(backwards, key=repr)


async def test_a_language_without_a_model_has_headings_and_identifiers_alone(extractor):
    scope = ExtractionScope(KbUid("kb"), "de")
    found = await extractor.extract(passages("Angela Merkel sah die KRT-9 in Berlin.", headings=("Besuch",)), scope)
    assert {(m.key, m.type) for m in found.mentions} == {("besuch", "heading"), ("krt 9", "identifier")}
    assert extractor.fingerprint(scope) != extractor.fingerprint(SCOPE)
    assert extractor.fingerprint(ExtractionScope(KbUid("other"), "en-GB")) == extractor.fingerprint(SCOPE)


def test_a_missing_model_is_a_refusal_that_names_package_and_command(monkeypatch):
    monkeypatch.setattr(spacy_extractor, "MODELS", {"en": Model("no_such_model", "no-such-model")})
    with pytest.raises(StartRefused, match=r"no-such-model .*requirements-nlp\.lock.*ATOLL_GRAPH__EXTRACTOR=none") as e:
        SpacyExtractor()
    assert "\n" not in e.value.message


def test_neither_torch_nor_a_connection_comes_with_the_model():
    script = (
        "import asyncio, resource, socket, sys\n"
        "def refuse(*_, **__): raise SystemExit('a connection was tried')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from tests.unit.adapters.test_spacy_extractor import SCOPE, TEXT, passages\n"
        "from atoll.adapters.spacy_extractor import SpacyExtractor\n"
        "extractor = SpacyExtractor()\n"
        "found = asyncio.run(extractor.extract(passages(TEXT), SCOPE))\n"
        "assert any(m.key == 'lisbon' for m in found.mentions)\n"
        "assert 'torch' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
