"""What a reader is shown."""

from __future__ import annotations

from atoll.domain.ids import KbUid
from tests.support.readers import reader_of

KB = KbUid("kb")


def test_all_labels_of_a_document_must_be_held() -> None:
    assert reader_of(KB).sees(["a"])
    assert reader_of(KB, frozenset("a")).sees([])
    assert reader_of(KB, frozenset("ab")).sees(["a", "b"])
    assert not reader_of(KB, frozenset("a")).sees(["a", "b"])
    assert not reader_of(KB, frozenset()).sees(["a"])
