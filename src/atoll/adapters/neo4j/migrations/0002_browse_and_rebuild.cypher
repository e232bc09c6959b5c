// A composite index answers only questions that name all its properties, so that what is asked for by knowledge base
// alone needs one of its own.
CREATE INDEX document_kb IF NOT EXISTS FOR (d:Document) ON (d.kb);

// Entities of a knowledge base by how many passages mention them, and by id.
CREATE INDEX entity_rank IF NOT EXISTS FOR (e:Entity) ON (e.kb, e.df);
CREATE INDEX entity_kb IF NOT EXISTS FOR (e:Entity) ON (e.kb, e.id);

CREATE INDEX assertion_kb IF NOT EXISTS FOR (a:Assertion) ON (a.kb, a.id);
CREATE INDEX assertion_passage IF NOT EXISTS FOR (a:Assertion) ON (a.kb, a.passage);

// The embedding that stored vectors are of: one node, once there is one.
CREATE CONSTRAINT embedding_name IF NOT EXISTS FOR (v:Embedding) REQUIRE v.name IS UNIQUE;
