// name: waiting
MATCH (d:Document {kb: $kb}) WHERE d.status IN ['queued', 'processing'] AND d.deleted_at IS NULL RETURN count(d) AS n

// The tenant is locked only where its quota has to be counted, after the knowledge base; nobody locks them the other way.
// name: tenant_quota
MATCH (t:Tenant {id: $tenant}) RETURN t.quota_json AS quota_json

// name: tenant_held
MATCH (t:Tenant {id: $tenant}) SET t.locked = true
WITH t MATCH (k:Kb {tenant: $tenant}) WHERE k.live_name IS NOT NULL
RETURN sum(k.documents) AS documents, sum(k.bytes) AS bytes

// name: known
UNWIND $places AS place MATCH (d:Document {kb: $kb, name: place[1]})
WHERE coalesce(d.source, '') = place[0] AND d.deleted_at IS NULL AND <<seen>>
RETURN d {.uid, .labels, .metadata_json, .name, .source, .sha256, .status, .visible, .replaces, .read_json,
          turn: coalesce(d.placed, d.seq)} AS document
ORDER BY d.seq

// name: namesakes
UNWIND range(0, size($places) - 1) AS at
CALL (at) {
  MATCH (d:Document {kb: $kb, name: $places[at][1]})
  WHERE coalesce(d.source, '') <> $places[at][0] AND d.deleted_at IS NULL AND <<seen>>
  RETURN d ORDER BY coalesce(d.placed, d.seq) DESC LIMIT 1
}
RETURN d.name AS name, d.source AS source, d.uid AS uid ORDER BY at

// name: promote
// Its turn is taken from the number that documents get as they are accepted.
MATCH (k:Kb {uid: $kb}) SET k.accepted = k.accepted + 1
WITH k.accepted AS turn MATCH (d:Document {uid: $document, kb: $kb})
SET d.placed = turn, d.version = $version,
    d.replaces = CASE WHEN $replaces IS NULL THEN d.replaces ELSE $replaces END
<<change>>

// The gateway rings right after this transaction; the reconciler need not ring as well.
// name: insert
UNWIND $documents AS new CREATE (d:Document {uid: new.uid, kb: $kb})
SET d += new, d.status = 'queued', d.visible = false, d.indexed = false, d.pages = 0, d.passages = 0, d.entities = 0,
  d.warnings_json = '[]', d.created_by = $actor, d.created_at = timestamp(), d.rung_at = timestamp()
WITH d UNWIND range(0, size($journey) - 1) AS position
CREATE (:Stage {document: d.uid, kb: $kb, name: $journey[position], position: position, state: 'waiting', <<untouched>>})

// name: count_accepted
MATCH (k:Kb {uid: $kb})
SET k.accepted = k.accepted + $count, k.documents = k.documents + $count, k.bytes = k.bytes + $bytes

// name: insert_batch
CREATE (b:Batch {id: $batch, kb: $kb})
WITH b UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) CREATE (b)-[:HOLDS {kb: $kb}]->(d)

// name: is_written
MATCH (b:Batch {id: $batch, kb: $kb}) RETURN 1

// name: documents
UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) RETURN <<document>> AS document

// name: queue_again
MATCH (s:Stage {document: $document, kb: $kb})
SET s.state = 'waiting', s.batch = 0, s.failures = 0, s.not_before = 0, s.error = null
WITH count(s) AS stages MATCH (d:Document {uid: $document, kb: $kb})
SET d.error_json = null, d.returns = 0, d.status = 'queued', d.rung_at = 0
<<change>>
