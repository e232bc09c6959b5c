-- Queries by day of UTC, since 1970. Counts outlive their knowledge base: a tenant's quota is not renewed by deleting it.
CREATE TABLE query_count (
    tenant TEXT NOT NULL,
    day INTEGER NOT NULL,
    kb TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, kb)
) STRICT, WITHOUT ROWID;
