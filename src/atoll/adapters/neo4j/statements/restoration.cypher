// name: used
// Uploads, publishes and deletes wait for the knowledge bases' locks; hidden, these take no uploads.
CALL () { MATCH (k:Kb) WITH k ORDER BY k.uid SET k.locked = true RETURN count(k) AS locked }
CALL (locked) { MATCH (k:Kb) WHERE k.deleted_at IS NULL
                RETURN count(k) AS kbs, count(CASE WHEN k.revision > 0 THEN 1 END) AS changed }
RETURN kbs, changed, COUNT { MATCH (k:ApiKey) WHERE k.role <> 'admin' } AS keys,
       COUNT { MATCH (d:Document) WHERE NOT EXISTS { MATCH (k:Kb {uid: d.kb}) WHERE k.deleted_at = 0 } } AS documents

// name: hide_kbs
MATCH (k:Kb) SET k.deleted_at = 0, k.live_name = null

// name: left
MATCH (d:Document) RETURN d.kb AS kb, d.uid AS uid ORDER BY d.kb, d.seq

// name: write_tenants
UNWIND $rows AS row CREATE (t:Tenant {id: row.id}) SET t = row

// name: write_kbs
UNWIND $rows AS row CREATE (k:Kb {uid: row.uid}) SET k = row CREATE (:Changes {kb: row.uid, value: 0})

// name: write_embedding
CREATE (v:Embedding {name: 'vectors', fingerprint: $fingerprint})

// name: write_keys
UNWIND $rows AS row CREATE (k:ApiKey {id: row.id, tenant: row.tenant}) SET k = row

// name: show_kbs
MATCH (k:Kb) WHERE k.deleted_at = 0 SET k.live_name = k.name, k.deleted_at = null

// name: write_document
MATCH (k:Kb {uid: $kb}) SET k.locked = true
WITH k SET k.accepted = k.accepted + 1, k.documents = k.documents + 1, k.bytes = k.bytes + $row.bytes
WITH k.accepted AS seq CREATE (d:Document {uid: $row.uid, kb: $kb}) SET d = $row, d.kb = $kb, d.seq = seq
WITH d <<change>>
WITH d UNWIND $stages AS stage CREATE (s:Stage {document: d.uid, kb: $kb, <<untouched>>}) SET s += stage

// name: write_batches
MATCH (d:Document {uid: $document, kb: $kb}) UNWIND $batches AS id MERGE (b:Batch {id: id, kb: $kb})
CREATE (b)-[:HOLDS {kb: $kb}]->(d)

// name: count_entities
UNWIND $counts AS row MATCH (e:Entity {id: row[0], kb: $kb}) SET e.df = e.df + row[1]

// name: write_entity_vectors
UNWIND $rows AS row MATCH (e:Entity {id: row[0], kb: $kb}) WHERE e.df > 1 SET e.vector = row[1]

// name: write_events
MERGE (t:AuditTrail {name: 'events'}) ON CREATE SET t.value = 0 SET t.locked = true
WITH t SET t.value = CASE WHEN t.value < $last THEN $last ELSE t.value END
WITH t UNWIND $rows AS row CREATE (e:AuditEvent {id: row.id, tenant: row.tenant}) SET e = row
