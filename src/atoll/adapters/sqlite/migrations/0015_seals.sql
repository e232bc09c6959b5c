-- Seals of the audit trail: keyed hashes, each over the one before and the events up to "last".
CREATE TABLE audit_seal (
    tenant TEXT NOT NULL,
    number INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
