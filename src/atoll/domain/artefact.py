"""What a stage leaves behind: the output of one stage of one document under one configuration, made of named parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from atoll.domain.document import JOURNEY, Stage
from atoll.domain.ids import DocumentUid, KbUid

#: The key of outputs that were made before keys stood in the ledger; only what readers need is found under it.
UNKEYED = "unkeyed"

#: Part of stage parse: the parsed document, as ``ParsedDocument.from_json`` reads it.
DOCUMENT = "document"
#: Part of stage parse: the PDF that a format without pages is typeset to.
RENDITION = "rendition"
#: Part of stage parse: [[width, height, label?], ...], sizes in points: what a reader needs of the pages without their
#: blocks. Pages that are called by their numbers have no label.
PAGE_SIZES = "page_sizes"


@dataclass(frozen=True, slots=True)
class Artefact:
    """Names the output of a stage. ``key`` stands for everything that shaped it."""

    kb: KbUid
    document: DocumentUid
    stage: Stage
    key: str


def key(*parts: object) -> str:
    """Return the key of an output by what shapes it: the key of the output it is made from, versions, settings."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()


def artefact_of(kb: KbUid, document: DocumentUid, stage: Stage, keys: Mapping[Stage, str]) -> Artefact:
    """Return the output of a stage under the key that the ledger holds; under ``UNKEYED`` where it holds none."""
    return Artefact(kb, document, stage, keys.get(stage, UNKEYED))


def keys_from(keys: Mapping[Stage, str], stage: Stage, key: str) -> dict[Stage, str]:
    """Return the keys of a document that goes on at ``stage``: those of earlier stages, and the new one of this."""
    return {**keys_before(keys, stage), stage: key}


def keys_before(keys: Mapping[Stage, str], stage: Stage) -> dict[Stage, str]:
    """Return the keys of the stages that come before one."""
    earlier = JOURNEY[: JOURNEY.index(stage)]
    return {each: key for each, key in keys.items() if each in earlier}
