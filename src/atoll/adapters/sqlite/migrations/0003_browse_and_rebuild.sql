-- Entities of a knowledge base by how many passages mention them, and (as every index here ends with the id) by id.
CREATE INDEX entity_rank ON entity (kb, df DESC, key);
CREATE INDEX entity_kb ON entity (kb);

-- The embedding that stored vectors are of: one row, once there is one.
CREATE TABLE embedding (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    fingerprint TEXT NOT NULL
) STRICT;
