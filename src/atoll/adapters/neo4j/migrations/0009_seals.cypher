// Seals of the audit trail: keyed hashes, each over the one before and the events up to "last".
CREATE CONSTRAINT audit_seal IF NOT EXISTS FOR (s:AuditSeal) REQUIRE (s.tenant, s.number) IS UNIQUE;
