// What is collected by a subquery is sorted by who reads it: its ORDER BY was seen to be lost on a cold server.

// name: accounts
RETURN COLLECT { MATCH (t:Tenant) RETURN <<tenant>> } AS tenants,
       COLLECT { MATCH (k:ApiKey) RETURN [k.created_at, k.seq, <<key>>] } AS keys,
       COLLECT { MATCH (k:Kb) WHERE k.deleted_at IS NULL RETURN <<kb>> } AS kbs,
       COLLECT { MATCH (v:Embedding) RETURN v.fingerprint } AS embeddings

// name: snapshot
MATCH (k:Kb {uid: $kb}) WHERE k.deleted_at IS NULL
RETURN <<kb>> AS kb,
       COLLECT { MATCH (d:Document {kb: $kb}) WHERE d.deleted_at IS NULL RETURN [coalesce(d.placed, d.seq), d.uid, d.visible] } AS documents

// name: document
MATCH (d:Document {uid: $document, kb: $kb}) WHERE d.deleted_at IS NULL
RETURN d {<<document_values>>, stages: COLLECT { MATCH (s:Stage {document: d.uid, kb: $kb}) RETURN <<stage>> }} AS document,
       COLLECT { MATCH (b:Batch)-[:HOLDS]->(d) RETURN b.id } AS batches

// name: passages
MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal > $after
WITH p ORDER BY p.ordinal LIMIT $limit
RETURN collect([<<passage>>, p.vector, COLLECT { MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN <<mention>> },
  COLLECT { MATCH (p)<-[:STATED_IN]-(a:Assertion) <<ends>> RETURN [<<assertion>>, a.vector] }]) AS found

// name: chunks
MATCH (c:Chunk {document: $document, kb: $kb}) RETURN <<chunk>> AS chunk ORDER BY c.ordinal

// name: entity_vectors
MATCH (e:Entity {kb: $kb}) WHERE e.key > $after AND e.vector IS NOT NULL
WITH e ORDER BY e.kb, e.key LIMIT $limit
RETURN collect(e.key) AS keys, collect(e.vector) AS vectors

// name: events
MATCH (e:AuditEvent) WHERE e.id > $after
WITH e ORDER BY e.id LIMIT $limit
RETURN collect(<<event>>) AS events
