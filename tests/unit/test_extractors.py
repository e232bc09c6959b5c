"""Which extractor the settings choose, and what of theirs it gets."""

from __future__ import annotations

import pytest

from atoll.adapters.chat_extractor import ChatExtractor
from atoll.adapters.no_extractor import NoExtractor
from atoll.adapters.spacy_extractor import SpacyExtractor
from atoll.bootstrap import clients
from atoll.domain.ids import KbUid
from atoll.domain.knowledge_base import MAX_ENTITY_TYPES, entity_types
from atoll.errors import BadInput, StartRefused
from atoll.ports.extractor import ExtractionScope
from atoll.settings import ChatSettings, GraphSettings, Settings


async def test_named_entities_are_the_default_and_none_is_a_choice():
    default = clients.extractor(Settings())
    assert isinstance(default, SpacyExtractor)
    await default.aclose()
    none = clients.extractor(Settings(graph=GraphSettings(extractor="none")))
    assert isinstance(none, NoExtractor)
    assert (await none.extract([], ExtractionScope(KbUid("kb"), "en"))).mentions == ()


async def test_a_model_needs_an_address_and_takes_that_of_the_chat_server():
    with pytest.raises(StartRefused, match="ATOLL_GRAPH__URL or ATOLL_CHAT__URL"):
        clients.extractor(Settings(graph=GraphSettings(extractor="llm")))
    chat = ChatSettings(url="http://127.0.0.1:8080/v1", model="answers")
    extractor = clients.extractor(Settings(graph=GraphSettings(extractor="llm"), chat=chat))
    assert isinstance(extractor, ChatExtractor)
    assert "answers" in extractor.fingerprint(ExtractionScope(KbUid("kb"), "en"))
    assert extractor.portions.concurrent == 4
    await extractor.aclose()


async def test_the_chat_servers_key_goes_to_no_other_server(tmp_path):
    absent = tmp_path / "absent"
    chat = ChatSettings(url="http://127.0.0.1:8080/v1", api_key_file=absent)
    with pytest.raises(StartRefused, match="cannot be read"):
        clients.extractor(Settings(graph=GraphSettings(extractor="llm"), chat=chat))
    own = GraphSettings(extractor="llm", url="http://127.0.0.1:8090/v1")
    await clients.extractor(Settings(graph=own, chat=chat)).aclose()


def test_entity_types_are_words_in_lower_case_each_once():
    assert entity_types({}) == ()
    assert entity_types({"entity_types": ["Pump", "pump", "spare part"], "other": 1}) == ("pump", "spare part")


@pytest.mark.parametrize(
    "types", ["pump", [1], [""], ["a" * 41], ["x\ny"], ["{}"], [f"t{n}" for n in range(MAX_ENTITY_TYPES + 1)], None]
)
def test_other_entity_types_are_refused(types):
    with pytest.raises(BadInput, match="entity_types"):
        entity_types({"entity_types": types})
