// name: reading_status
MATCH (d:Document {uid: $reading, kb: $kb}) RETURN d.status AS status

// name: begin
MATCH (o:Document {uid: $document, kb: $kb})
CREATE (d:Document {uid: $reading, kb: $kb})
SET d += o {.id, .name, .source, .version, .placed, .labels, .metadata_json, .facts, .replaces, .created_by, .created_at,
            .sha256, .media_type, .bytes, .pages, .passages, .warnings_json, .read_json},
  d.status = 'queued', d.visible = false, d.indexed = false, d.entities = 0, d.deleted_at = 0, d.returns = 0,
  d.other_reading = o.uid, d.artefacts_json = $artefacts, d.rung_at = timestamp()
SET o.other_reading = d.uid, o.error_json = null
WITH o, d UNWIND range(0, size($journey) - 1) AS position
CREATE (n:Stage {document: d.uid, kb: $kb, name: $journey[position], position: position,
                 state: CASE WHEN position < $first THEN 'done' ELSE 'waiting' END, <<untouched>>})
// What is not done again counts what was done: the outputs are those of the old reading.
WITH o, n WHERE n.state = 'done'
MATCH (s:Stage {document: o.uid, name: n.name, kb: $kb}) SET n.done = s.done, n.total = s.total

// name: forget_reading
MATCH (d:Document {uid: $document, kb: $kb}) SET d.other_reading = null, d.error_json = null
<<change>>

// name: note_failure
MATCH (n:Document {uid: $reading, kb: $kb}) WHERE n.deleted_at = 0
MATCH (d:Document {uid: n.other_reading, kb: $kb}) SET d.error_json = n.error_json
<<change>>

// name: take_place
// The place in lists is one document's alone: the old reading gives it up first.
MATCH (o:Document {uid: $old, kb: $kb}) MATCH (d:Document {uid: $document, kb: $kb})
WITH o, d, o.seq AS seq, d.indexed AND d.labels <> o.labels AS is_relabelled SET o.seq = null
WITH o, d, seq, is_relabelled
SET d += o {.name, .source, .version, .placed, .labels, .metadata_json, .facts, .replaces, .created_by, .created_at},
  d.seq = seq, d.live = true, d.deleted_at = null, d.other_reading = null
WITH o, d, is_relabelled
CALL (o, d) { MATCH (b:Batch)-[h:HOLDS]->(o) DELETE h CREATE (b)-[:HOLDS {kb: $kb}]->(d) }
RETURN is_relabelled, o {.metadata_json, .read_json} AS old, d {.read_json} AS new

// name: restate
MATCH (d:Document {uid: $document, kb: $kb}) SET d.metadata_json = $metadata, d.facts = $facts
