// A node is one reading of a document: uid names its contents, points and files. Readers know the document by the uid of
// its first reading; that of a later one is this id, a dot and what tells the readings apart. other_reading leads from the
// reading that readers see to the one that is being made, and back; the new one is hidden: its deleted_at is 0, and it has
// neither seq nor live.
MATCH (d:Document) WHERE d.id IS NULL
CALL (d) { SET d.id = d.uid } IN TRANSACTIONS OF 1000 ROWS;
CREATE INDEX document_id IF NOT EXISTS FOR (d:Document) ON (d.id);
