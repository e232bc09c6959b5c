-- Times are milliseconds since 1970 UTC by this store's clock. JSON columns hold what only readers interpret.

CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    quota TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE kb (
    uid TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    passages INTEGER NOT NULL DEFAULT 0, -- of visible documents
    settings TEXT NOT NULL DEFAULT '{}',
    quota TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX kb_name ON kb (tenant, name) WHERE deleted_at IS NULL;

CREATE TABLE document (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- order of acceptance
    uid TEXT NOT NULL UNIQUE,
    kb TEXT NOT NULL REFERENCES kb (uid),
    name TEXT NOT NULL,
    source TEXT,
    version INTEGER NOT NULL, -- counts the documents of this name in this knowledge base
    sha256 TEXT NOT NULL,
    labels TEXT NOT NULL, -- JSON array, sorted
    metadata TEXT NOT NULL,
    visible INTEGER NOT NULL DEFAULT 0,
    indexed INTEGER NOT NULL DEFAULT 0, -- the vector index may hold points of it
    status TEXT NOT NULL,
    replaces TEXT, -- NULL, or the labels ('"*"' for all) of those older documents of its name that it replaces
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    pages INTEGER NOT NULL DEFAULT 0,
    passages INTEGER NOT NULL DEFAULT 0,
    entities INTEGER NOT NULL DEFAULT 0,
    warnings TEXT NOT NULL DEFAULT '[]',
    error TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ready_at INTEGER,
    deleted_at INTEGER,
    changed_seq INTEGER NOT NULL
) STRICT;
-- Within a knowledge base the same bytes are one document for everyone who may see it; other labels, other readers.
CREATE UNIQUE INDEX document_bytes ON document (kb, sha256, labels) WHERE deleted_at IS NULL;
CREATE INDEX document_order ON document (kb) WHERE deleted_at IS NULL; -- and by seq, which ends every index
CREATE INDEX document_name ON document (kb, name);
CREATE INDEX document_status ON document (kb, status) WHERE deleted_at IS NULL;
CREATE INDEX document_changed ON document (kb, changed_seq);
CREATE INDEX document_hidden ON document (kb) WHERE visible = 0 AND indexed = 1;

CREATE TABLE batch (
    id TEXT NOT NULL,
    kb TEXT NOT NULL REFERENCES kb (uid),
    document TEXT NOT NULL,
    PRIMARY KEY (id, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_document ON batch (document);

CREATE TABLE stage (
    document TEXT NOT NULL REFERENCES document (uid),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    batch INTEGER NOT NULL DEFAULT 0, -- where the stage goes on
    state TEXT NOT NULL,
    token INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    rung_at INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, -- deaths of the parser's child
    attempts INTEGER NOT NULL DEFAULT 0,
    claimed_at INTEGER NOT NULL DEFAULT 0,
    worked INTEGER NOT NULL DEFAULT 0, -- milliseconds of work over all attempts
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    PRIMARY KEY (document, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX stage_open ON stage (rung_at) WHERE state IN ('waiting', 'running');

CREATE TABLE chunk (
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL REFERENCES document (uid),
    ordinal INTEGER NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL,
    headings TEXT NOT NULL,
    PRIMARY KEY (document, ordinal)
) STRICT, WITHOUT ROWID;

-- Short columns first: the reads of a search touch only them and skip the overflow pages of text and vector.
CREATE TABLE passage (
    rowid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL REFERENCES document (uid),
    ordinal INTEGER NOT NULL,
    chunk TEXT NOT NULL,
    page INTEGER NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL,
    boxes TEXT NOT NULL,
    headings TEXT NOT NULL,
    text TEXT NOT NULL,
    vector BLOB NOT NULL -- fp16
) STRICT;
CREATE UNIQUE INDEX passage_order ON passage (document, ordinal);
CREATE INDEX passage_page ON passage (document, page);

CREATE TABLE entity (
    id TEXT PRIMARY KEY,
    kb TEXT NOT NULL REFERENCES kb (uid),
    key TEXT NOT NULL,
    df INTEGER NOT NULL DEFAULT 0, -- passages of visible documents that mention it
    vector BLOB, -- fp16, from df 2 on
    UNIQUE (kb, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE mention (
    passage TEXT NOT NULL REFERENCES passage (id),
    entity TEXT NOT NULL,
    document TEXT NOT NULL,
    surface TEXT NOT NULL,
    type TEXT NOT NULL,
    tf INTEGER NOT NULL,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    PRIMARY KEY (passage, entity)
) STRICT, WITHOUT ROWID;
CREATE INDEX mention_entity ON mention (entity, passage);
CREATE INDEX mention_document ON mention (document);

CREATE TABLE assertion (
    passage TEXT NOT NULL REFERENCES passage (id),
    ordinal INTEGER NOT NULL,
    head TEXT NOT NULL,
    tail TEXT NOT NULL,
    keywords TEXT NOT NULL,
    description TEXT NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (passage, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    kbs TEXT, -- JSON array of names; NULL means all
    labels TEXT, -- JSON array; NULL means all
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_key_tenant ON api_key (tenant);

CREATE TABLE audit_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    result TEXT NOT NULL,
    request_id TEXT NOT NULL,
    revision INTEGER
) STRICT;
CREATE INDEX audit_event_tenant ON audit_event (tenant, id);

-- Leases that belong to no document, and the counter behind changed_seq.
CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, value) VALUES ('changed', 0);
