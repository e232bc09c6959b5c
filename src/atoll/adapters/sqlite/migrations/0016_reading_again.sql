-- A row is one reading of a document: ``uid`` names its contents, points and files. Readers know the document by the uid
-- of its first reading; that of a later one is this id, a dot and what tells the readings apart.
ALTER TABLE document ADD COLUMN id TEXT GENERATED ALWAYS AS (substr(uid, 1, instr(uid || '.', '.') - 1)) VIRTUAL;
CREATE INDEX document_id ON document (id);
-- From the reading that readers see to the one that is being made, and back. The new one is hidden: its deleted_at is 0.
ALTER TABLE document ADD COLUMN other_reading TEXT;
