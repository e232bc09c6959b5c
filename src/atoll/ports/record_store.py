"""The record store as a whole: one object, of which every part is a port."""

from __future__ import annotations

from typing import Protocol

from atoll.ports.accounts import Audit, Keys, KnowledgeBases, Tenants
from atoll.ports.archive import Archive, Restoration, RestoredRecords
from atoll.ports.atlas import Atlas, AtlasExport
from atoll.ports.catalogue import Catalogue, Lifecycle
from atoll.ports.changes import Changes
from atoll.ports.contents import Contents
from atoll.ports.graph import Graph
from atoll.ports.index_source import IndexSource
from atoll.ports.ledger import Ledger, Reconciliation
from atoll.ports.passages import Passages
from atoll.ports.sessions import Sessions
from atoll.ports.usage import Usage


class RecordStore(Protocol):
    """What a process opens once and closes in the end. All parts share its connections."""

    # Read-only, so that a store may promise more of a part than its port does.

    @property
    def catalogue(self) -> Catalogue:
        """Accepting and listing documents."""
        ...

    @property
    def changes(self) -> Changes:
        """What changed in a knowledge base since when."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Who is signed in."""
        ...

    @property
    def lifecycle(self) -> Lifecycle:
        """What a person does to one document."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Leases: who works on which stage of a document."""
        ...

    @property
    def reconciliation(self) -> Reconciliation:
        """Finding work that nobody was told of."""
        ...

    @property
    def contents(self) -> Contents:
        """What documents consist of: stored, published, purged."""
        ...

    @property
    def passages(self) -> Passages:
        """What a search reads of documents and passages."""
        ...

    @property
    def graph(self) -> Graph:
        """What a search reads of the graph."""
        ...

    @property
    def atlas(self) -> Atlas:
        """Looking at the graph."""
        ...

    @property
    def atlas_export(self) -> AtlasExport:
        """The whole graph, batch by batch."""
        ...

    @property
    def index_source(self) -> IndexSource:
        """What vector indexes are rebuilt from."""
        ...

    @property
    def archive(self) -> Archive:
        """Reading everything, for a backup."""
        ...

    @property
    def restoration(self) -> Restoration:
        """Filling an empty store: begin and end."""
        ...

    @property
    def restored(self) -> RestoredRecords:
        """What is filled in between."""
        ...

    @property
    def keys(self) -> Keys:
        """API keys."""
        ...

    @property
    def knowledge_bases(self) -> KnowledgeBases:
        """Knowledge bases."""
        ...

    @property
    def tenants(self) -> Tenants:
        """Tenants."""
        ...

    @property
    def usage(self) -> Usage:
        """How much is asked and held."""
        ...

    @property
    def audit(self) -> Audit:
        """The audit trail."""
        ...

    def migrate(self) -> None:
        """Bring the schema up to date; blocks until a server answers, for a bounded time.

        Raises:
            StartRefused: the store was written by a newer Atoll, or its server does not answer or refuses us.
        """
        ...

    async def ping(self) -> None:
        """Return when a read goes through. Raises DependencyDown."""
        ...

    async def aclose(self) -> None:
        """Let running transactions end and close every connection."""
        ...
