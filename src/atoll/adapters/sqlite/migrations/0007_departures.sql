-- That a document was taken out of the sight of those who hold these labels: what watchers are told of a deletion. The
-- document itself is gone soon after; this stays for an hour.
CREATE TABLE departure (
    kb TEXT NOT NULL,
    changed_seq INTEGER NOT NULL,
    document TEXT NOT NULL,
    labels TEXT NOT NULL, -- JSON array, sorted
    at INTEGER NOT NULL,
    PRIMARY KEY (kb, changed_seq)
) STRICT;
CREATE INDEX departure_age ON departure (kb, at);
