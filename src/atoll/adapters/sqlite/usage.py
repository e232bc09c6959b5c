"""How much is asked and held, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.transitions import now
from atoll.domain.ids import KbUid, TenantId
from atoll.domain.knowledge_base import KbUsage
from atoll.records.quota import DAY_MILLISECONDS, KEPT_DAYS, check_queries

_TODAY = f"{NOW} / {DAY_MILLISECONDS}"


class SqliteUsage:
    """Port ``Usage``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spend(self, tenant: TenantId, kb: KbUid) -> None:
        """Count one query if quotas leave room for it."""

        def work(connection: sqlite3.Connection) -> None:
            at = now(connection)
            counted = connection.execute(
                "SELECT COALESCE(SUM(n), 0) AS tenant, COALESCE(SUM(IIF(kb = ?, n, 0)), 0) AS kb "
                "FROM query_count WHERE tenant = ? AND day = ?",
                (kb, tenant, at // DAY_MILLISECONDS),
            ).fetchone()
            quotas = connection.execute(
                "SELECT kb.quota AS kb, tenant.quota AS tenant FROM kb JOIN tenant ON tenant.id = kb.tenant "
                "WHERE kb.uid = ? AND kb.tenant = ?",
                (kb, tenant),
            ).fetchone()
            if quotas is not None:  # otherwise the knowledge base is gone, which the query will find out
                check_queries(
                    counted["kb"], json.loads(quotas["kb"]), counted["tenant"], json.loads(quotas["tenant"]), at
                )
            _count(connection, tenant, kb, 1)

        await self._database.write(work)

    async def add(self, queries: Mapping[tuple[TenantId, KbUid], int]) -> None:
        """Count queries that were answered."""

        def work(connection: sqlite3.Connection) -> None:
            for (tenant, kb), number in queries.items():
                _count(connection, tenant, kb, number)

        await self._database.write(work)

    async def of_tenant(self, tenant: TenantId, *, days: int) -> tuple[KbUsage, ...]:
        """Return what knowledge bases hold and were asked."""

        def work(connection: sqlite3.Connection) -> tuple[KbUsage, ...]:
            found = connection.execute(
                "SELECT kb.uid, kb.name, kb.passages, "
                "(SELECT COUNT(*) FROM document d WHERE d.kb = kb.uid AND d.deleted_at IS NULL) AS documents, "
                "(SELECT COALESCE(SUM(d.bytes), 0) FROM document d WHERE d.kb = kb.uid AND d.deleted_at IS NULL) "
                "AS bytes, "
                "(SELECT COALESCE(SUM(q.n), 0) FROM query_count q WHERE q.tenant = kb.tenant AND q.kb = kb.uid "
                f"AND q.day > {_TODAY} - ?) AS queries "
                "FROM kb WHERE kb.tenant = ? AND kb.deleted_at IS NULL ORDER BY kb.name",
                (days, tenant),
            )
            return tuple(
                KbUsage(KbUid(row["uid"]), row["name"], row["documents"], row["passages"], row["bytes"], row["queries"])
                for row in found
            )

        return await self._database.scan(work)


def _count(connection: sqlite3.Connection, tenant: TenantId, kb: KbUid, number: int) -> None:
    connection.execute(
        f"INSERT INTO query_count (tenant, day, kb, n) VALUES (?, {_TODAY}, ?, ?) "
        "ON CONFLICT (tenant, day, kb) DO UPDATE SET n = n + excluded.n",
        (tenant, kb, number),
    )
    connection.execute(f"DELETE FROM query_count WHERE tenant = ? AND day < {_TODAY} - ?", (tenant, KEPT_DAYS))
