"""What a search reads, on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.patterns import metadata_condition, regex_of
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import reading
from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.page import Box
from atoll.domain.passage import Passage, on_page
from atoll.domain.reader import Reader
from atoll.errors import NotFound
from atoll.ports.passages import MAX_FILTERED_DOCUMENTS, SearchScope
from atoll.records.filters import check_matched, check_patterns
from atoll.records.rows import contents as rows
from atoll.records.rows.values import milliseconds

_SCOPE, _IN_SIGHT, _VISIBLE, _HYDRATE, _OF_DOCUMENT, _OF_PAGE, _VISIBLE_READING, _MATCHING = load(
    "passages",
    "scope",
    "in_sight",
    "visible_documents",
    "hydrate",
    "of_document",
    "of_page",
    "visible_reading",
    "matching",
)


class Neo4jPassages:
    """Port ``Passages``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def scope(self, reader: Reader, filters: Filters) -> SearchScope:
        """Read revision and language, and resolve the filters."""

        async def work(transaction: Transaction) -> SearchScope:
            record = await transaction.one(_SCOPE, kb=reader.kb)
            if record is None:
                raise NotFound("the knowledge base is gone")
            return SearchScope(
                revision=record["revision"],
                language=record["language"],
                passages=await _in_sight(transaction, reader) if reader.is_restricted else record["passages"],
                include=None if filters.is_empty else await _matching(transaction, reader, filters),
                hidden_points=record["hidden"],
                gaps=tuple(record["gaps"]),
            )

        return await self._database.read(work)

    async def visible(self, reader: Reader, documents: Sequence[DocumentUid]) -> tuple[int, dict[DocumentUid, str]]:
        """Return the revision and the names of the visible ones of ``documents``."""

        async def work(transaction: Transaction) -> tuple[int, dict[DocumentUid, str]]:
            record = await transaction.one(_VISIBLE, **reading(reader), documents=list(documents))
            if record is None:
                raise NotFound("the knowledge base is gone")
            return record["revision"], {DocumentUid(uid): name for uid, name in record["found"]}

        return await self._database.read(work)

    async def hydrate(self, reader: Reader, passages: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """Return the passages that are visible now."""

        async def work(transaction: Transaction) -> dict[PassageId, Passage]:
            record = await transaction.one(_HYDRATE, **reading(reader), passages=list(passages))
            found = [] if record is None else record["passages"]
            return {passage.id: passage for passage in (rows.shown_passage(*each) for each in found)}

        return await self._database.read(work)

    async def of_document(
        self, reader: Reader, document: DocumentUid, *, after: int, limit: int
    ) -> tuple[Passage, ...]:
        """Return passages of a visible document in order."""

        async def work(transaction: Transaction) -> tuple[Passage, ...]:
            uid = await _visible_reading(transaction, reader, document)
            found = await transaction.all(_OF_DOCUMENT, kb=reader.kb, document=uid, after=after, limit=limit)
            return tuple(rows.passage(record["passage"]) for record in found)

        return await self._database.read(work)

    async def of_page(
        self, reader: Reader, document: DocumentUid, page: int
    ) -> tuple[tuple[PassageId, tuple[Box, ...]], ...]:
        """Return ids and boxes of the passages on one page."""

        async def work(transaction: Transaction) -> tuple[tuple[PassageId, tuple[Box, ...]], ...]:
            uid = await _visible_reading(transaction, reader, document)
            found = await transaction.all(_OF_PAGE, kb=reader.kb, document=uid, page=page)
            return on_page((rows.passage(record["passage"]) for record in found), page)

        return await self._database.read(work)


async def _visible_reading(transaction: Transaction, reader: Reader, document: DocumentUid) -> str:
    """Return the uid of the reading that readers see of a document. Raises NotFound."""
    record = await transaction.one(_VISIBLE_READING, **reading(reader), document=document)
    if record is None:
        raise NotFound(f"there is no ready document {document} in this knowledge base")
    return str(record["uid"])


async def _in_sight(transaction: Transaction, reader: Reader) -> int:
    record = await transaction.one(_IN_SIGHT, **reading(reader))
    assert record is not None, "an aggregation returns one record"
    return int(record["passages"])


async def _matching(transaction: Transaction, reader: Reader, filters: Filters) -> tuple[DocumentUid, ...]:
    conditions, values = _conditions(filters)
    matched = " AND ".join([_MATCHING, *conditions])
    scope = {**reading(reader), **values}
    found = await transaction.one(
        f"{matched} WITH d.uid AS uid LIMIT $limit RETURN collect(uid) AS uids",
        **scope,
        limit=MAX_FILTERED_DOCUMENTS + 1,
    )
    assert found is not None, "an aggregation returns one record"
    if len(found["uids"]) > MAX_FILTERED_DOCUMENTS:
        counted = await transaction.one(f"{matched} RETURN count(d) AS n", **scope)
        assert counted is not None, "an aggregation returns one record"
        check_matched(counted["n"])
    return tuple(DocumentUid(uid) for uid in found["uids"])


def _conditions(filters: Filters) -> tuple[list[str], dict[str, object]]:
    """Return conditions on document ``d`` and their parameters."""
    conditions: list[str] = []
    values: dict[str, object] = {}
    for name, condition, wanted in (
        ("ids", "d.id IN $ids", filters.document_ids),
        ("sources", "d.source IN $sources", filters.sources),
        ("media_types", "d.media_type IN $media_types", filters.media_types),
        ("wanted", "any(label IN d.labels WHERE label IN $wanted)", filters.labels),
    ):
        if wanted is not None:
            conditions.append(condition)
            values[name] = list(wanted)
    if filters.names is not None:
        check_patterns(filters.names)
        conditions.append("any(pattern IN $patterns WHERE d.name =~ pattern)")
        values["patterns"] = [regex_of(glob) for glob in filters.names]
    for name, operator, at in (("after", ">=", filters.created_after), ("before", "<=", filters.created_before)):
        if at is not None:
            conditions.append(f"d.created_at {operator} ${name}")
            values[name] = milliseconds(at)
    for number, (key, wanted_value) in enumerate(filters.metadata.items()):
        condition, more = metadata_condition(key, wanted_value, f"metadata{number}")
        conditions.append(condition)
        values |= more
    return conditions, values
