-- The number of the pipeline that read the document as its readers see it; 3 stands for those that left no number.
ALTER TABLE document ADD COLUMN pipeline INTEGER NOT NULL DEFAULT 3;
-- What the parser told of it: JSON {parser, why, language, encoding}.
ALTER TABLE document ADD COLUMN read TEXT;
CREATE INDEX document_pipeline ON document (kb, pipeline) WHERE visible = 1;
