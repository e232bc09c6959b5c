-- The same bytes at another place are a document of their own, and what a place is to an uploader depends on what it
-- sees: the rules decide, in the transaction of the upload.
DROP INDEX document_bytes;
CREATE INDEX document_bytes ON document (kb, sha256) WHERE deleted_at IS NULL;
-- Documents whose labels the vector index does not have yet.
CREATE INDEX stage_relabel ON stage (document) WHERE name = 'relabel';
