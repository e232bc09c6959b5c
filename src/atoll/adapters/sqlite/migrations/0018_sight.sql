-- What the holder of some labels sees, from indexes alone: how many passages there are, and whether a document is one of
-- them, asked for each mention of an entity.
CREATE INDEX document_sight ON document (kb, labels, passages) WHERE visible = 1;
CREATE INDEX document_seen ON document (uid, kb, visible, labels);
