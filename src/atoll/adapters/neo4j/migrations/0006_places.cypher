// The same bytes at another place are a document of their own, and what a place is to an uploader depends on what it
// sees: the rules decide, under the knowledge base's lock. The property live says that a document is not deleted.
DROP CONSTRAINT document_bytes IF EXISTS;
MATCH (d:Document) WHERE d.live_bytes IS NOT NULL
CALL (d) { SET d.live = true REMOVE d.live_bytes } IN TRANSACTIONS OF 1000 ROWS;
CREATE INDEX document_live IF NOT EXISTS FOR (d:Document) ON (d.kb, d.live);
