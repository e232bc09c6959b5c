// name: left_passages
// What an earlier run of a batch left, whose commit was not heard of.
<<held>>
RETURN COLLECT { UNWIND $passages AS id MATCH (p:Passage {id: id, kb: $kb}) RETURN p.id } AS ids

// name: has_contents
<<held>>
RETURN EXISTS { (:Passage {document: $document, kb: $kb}) } OR EXISTS { (:Chunk {document: $document, kb: $kb}) } AS any

// name: write_chunks
UNWIND $rows AS row MERGE (c:Chunk {id: row.id, kb: $kb}) SET c += row

// name: write_passages
MATCH (d:Document {uid: $document, kb: $kb})
UNWIND $rows AS row CREATE (p:Passage {kb: $kb}) SET p += row CREATE (p)-[:OF {kb: $kb}]->(d)

// name: write_entities
UNWIND $rows AS row MERGE (e:Entity {id: row.entity, kb: $kb}) ON CREATE SET e.key = row.key, e.df = 0

// name: write_mentions
// In entity order, so that two workers on the same hubs lock in one order.
UNWIND $rows AS row
MATCH (e:Entity {id: row.entity, kb: $kb}) MATCH (p:Passage {id: row.passage, kb: $kb})
CREATE (p)-[m:MENTIONS {kb: $kb}]->(e) SET m += row.properties

// name: write_assertions
UNWIND $rows AS row
MATCH (p:Passage {id: row.passage, kb: $kb}) MATCH (h:Entity {id: row.head, kb: $kb}) MATCH (t:Entity {id: row.tail, kb: $kb})
CREATE (a:Assertion {id: row.id, kb: $kb}) SET a += row.properties
CREATE (a)-[:STATED_IN {kb: $kb}]->(p) CREATE (a)-[:HEAD {kb: $kb}]->(h) CREATE (a)-[:TAIL {kb: $kb}]->(t)

// name: quiet
MATCH (s:Stage {document: $document, kb: $kb}) WHERE s.name <> $stage
RETURN coalesce(max(s.lease_until), 0) - timestamp() AS left

// name: first_entities
MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal >= 0
WITH p ORDER BY p.ordinal LIMIT $limit
MATCH (p)-[:MENTIONS]->(e:Entity)
WITH DISTINCT e ORDER BY e.id
MATCH (k:Kb {uid: $kb})
RETURN collect([e.id, CASE WHEN k.deleted_at IS NULL THEN e.vector END]) AS entities

// name: first_passages
MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal >= 0
WITH p ORDER BY p.ordinal LIMIT $limit
RETURN collect(p.id) AS ids

// name: remove_passages
UNWIND $passages AS id MATCH (p:Passage {id: id, kb: $kb})
CALL (p) { MATCH (a:Assertion)-[:STATED_IN]->(p) DETACH DELETE a }
CALL (p) { MATCH (p)-[:MENTIONS]->(e:Entity) RETURN collect(e.id) AS found }
DETACH DELETE p RETURN found

// name: remove_orphans
// Locked before it is looked at: a store that mentions the entity again holds its lock until it has committed.
UNWIND $entities AS id MATCH (e:Entity {id: id, kb: $kb}) SET e.locked = true
WITH e WHERE NOT (e)<-[:MENTIONS]-() DETACH DELETE e

// name: remove_chunks
MATCH (c:Chunk {document: $document, kb: $kb}) DELETE c

// name: count_passages
RETURN COUNT { (:Document {uid: $document, kb: $kb})<-[:OF]-(:Passage) } AS passages

// name: remove_document
MATCH (d:Document {uid: $document, kb: $kb})
OPTIONAL MATCH (b:Batch)-[:HOLDS]->(d)
WITH d, collect(b) AS batches
CALL () { MATCH (s:Stage {document: $document, kb: $kb}) DELETE s }
DETACH DELETE d
WITH batches UNWIND batches AS b WITH b WHERE NOT (b)-[:HOLDS]->() DELETE b
