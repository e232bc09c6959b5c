// An index gives its order only to a statement that names all its properties, the knowledge base included.

// name: noted
MATCH (v:Embedding {name: 'vectors'}) RETURN v.fingerprint AS fingerprint

// name: note
MERGE (v:Embedding {name: 'vectors'}) ON CREATE SET v.fingerprint = $fingerprint SET v.locked = true
WITH v SET v.fingerprint = CASE WHEN EXISTS { MATCH (:Passage) } THEN v.fingerprint ELSE $fingerprint END
RETURN v.fingerprint AS fingerprint

// name: kbs
MATCH (k:Kb) WHERE k.deleted_at IS NULL RETURN k.uid AS uid ORDER BY uid

// name: figures
// Entities have a vector exactly from two passages on, and the index on df answers at once.
MATCH (k:Kb {uid: $kb})
CALL () { MATCH (d:Document {kb: $kb}) WHERE d.hidden = true RETURN sum(d.passages) AS hidden }
RETURN k.name AS name, k.language AS language, k.passages AS visible, coalesce(k.gaps, []) AS gaps,
       hidden,
       COUNT { MATCH (e:Entity {kb: $kb}) WHERE e.df > 1 } AS entities,
       EXISTS { MATCH (a:Assertion {kb: $kb})-[:STATED_IN]->()-[:OF]->(d)
                WHERE a.id > '' AND a.vector IS NOT NULL AND d.visible } AS has_relations

// name: note_gaps
MATCH (k:Kb {uid: $kb}) SET k.gaps = $noted

// name: gaps
MATCH (k:Kb) WHERE k.gaps IS NOT NULL AND k.deleted_at IS NULL RETURN k.gaps AS gaps

// name: documents
MATCH (d:Document {kb: $kb}) WHERE d.uid > $after AND d.visible
WITH d ORDER BY d.uid LIMIT $limit
RETURN collect([d.uid, d.labels, d.passages, d.artefacts_json]) AS found

// name: passages
MATCH (d:Document {uid: $document, kb: $kb}) WHERE d.visible
MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal > $after
WITH p ORDER BY p.ordinal LIMIT $limit
RETURN collect(<<passage>>) AS passages, collect(p.vector) AS vectors

// name: entities
MATCH (e:Entity {kb: $kb}) WHERE e.id > $after AND e.vector IS NOT NULL
WITH e ORDER BY e.kb, e.id LIMIT $limit
RETURN collect(e.id) AS ids, collect(e.vector) AS vectors

// name: relations
MATCH (a:Assertion {kb: $kb}) WHERE a.id > $after AND a.vector IS NOT NULL
MATCH (a)-[:STATED_IN]->()-[:OF]->(d) WHERE d.visible
WITH a, d ORDER BY a.kb, a.id LIMIT $limit
RETURN collect([a.id, d.uid, d.labels]) AS found, collect(a.vector) AS vectors

// name: count_relations
MATCH (a:Assertion {kb: $kb}) WHERE a.id > '' AND a.vector IS NOT NULL
MATCH (a)-[:STATED_IN]->()-[:OF]->(d) WHERE d.visible RETURN count(a) AS count

// name: visible
UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) WHERE d.visible
RETURN collect([d.uid, d.labels]) AS found

// name: known
UNWIND $passages AS id MATCH (p:Passage {id: id}) RETURN collect(p.id) AS ids
