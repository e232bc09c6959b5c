-- What stands at a place, and what else has its name.
DROP INDEX document_name;
CREATE INDEX document_place ON document (kb, name, source);
