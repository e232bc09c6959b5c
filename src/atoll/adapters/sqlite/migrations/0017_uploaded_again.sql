-- Where a document that was uploaded once more stands in the order of uploads; the others stand where they were accepted.
ALTER TABLE document ADD COLUMN placed INTEGER;
