"""Ten structures in four formats, written by programs that share nothing with the parser: all is read, once, in order,
and every cell of a table stands under its column's head and beside its row's."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.domain import media
from tests.support.fidelity import cells_right, compare, everything, words
from tests.support.structures import Structure, structures
from tests.support.writers import WRITERS
from tests.unit.parser.reading import read


@pytest.mark.parametrize("suffix", sorted(WRITERS))
@pytest.mark.parametrize("structure", structures(), ids=lambda structure: structure.name)
def test_a_structure_is_read_as_it_was_written(tmp_path: Path, structure: Structure, suffix: str) -> None:
    content = WRITERS[suffix](structure)
    kind = media.sniff(f"written.{suffix}", content[: media.HEAD_BYTES])
    document = read(tmp_path, content, kind, name=f"written.{suffix}").document
    found = everything(document, labels=False, without=(structure.header, structure.footer))
    fidelity = compare(words(structure.words_of()), words(found))
    assert fidelity.recall >= 0.98
    assert fidelity.precision >= 0.98
    assert fidelity.disorder <= 0.01
    right, total = cells_right(structure.grids, document)
    assert right == total


def test_what_is_lost_added_or_out_of_order_is_measured() -> None:
    said = words("the ferry leaves at nine and the pilot waits on the pier")
    assert compare(said, said) == compare(said, [*said])
    assert compare(said, said[:6]).recall == 0.5
    assert compare(said, [*said, *said]).precision == 0.5
    assert compare(said, [*said[6:], *said[:6]]).disorder == pytest.approx(1 / 11)
