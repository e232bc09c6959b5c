// Queries by day of UTC, since 1970. Counts outlive their knowledge base: a tenant's quota is not renewed by deleting it.
CREATE CONSTRAINT query_count IF NOT EXISTS FOR (c:QueryCount) REQUIRE (c.tenant, c.day, c.kb) IS UNIQUE;
CREATE INDEX query_count_tenant IF NOT EXISTS FOR (c:QueryCount) ON (c.tenant, c.day);
