-- Nothing has written assertions before this version.
DROP TABLE assertion;
CREATE TABLE assertion (
    id TEXT NOT NULL UNIQUE, -- derived from passage and ordinal; also the id of its vector point
    passage TEXT NOT NULL REFERENCES passage (id),
    ordinal INTEGER NOT NULL,
    head TEXT NOT NULL,
    tail TEXT NOT NULL,
    keywords TEXT NOT NULL, -- JSON array
    description TEXT NOT NULL,
    weight REAL NOT NULL,
    vector BLOB, -- fp16
    PRIMARY KEY (passage, ordinal)
) STRICT, WITHOUT ROWID;

-- A search follows an entity to its passages: everything it needs of a mention stands in the index.
DROP INDEX mention_entity;
CREATE INDEX mention_entity ON mention (entity, passage, document, tf);
