// What several transactions do alike.

// name: write_events
WITH null AS revision <<audit>> RETURN id

// name: check_claim
<<held>> RETURN 1

// name: change_many
// Numbers are counted from what stood there before: a statement that raises a counter row by row may finish with all
// rows before it reads the counter for the first of them.
MATCH (c:Changes {kb: $kb}) SET c.locked = true
WITH c, c.value AS before SET c.value = before + size($documents)
WITH before UNWIND range(0, size($documents) - 1) AS at
MATCH (d:Document {uid: $documents[at], kb: $kb}) SET d.changed_seq = before + at + 1

// name: fence
MATCH (s:Stage {document: $document, kb: $kb})
WITH s ORDER BY s.position SET s.locked = true
WITH s SET s.token = s.token + 1, s.owner = null

// name: renew_journey
UNWIND range(0, size($journey) - 1) AS position
MERGE (s:Stage {document: $document, name: $journey[position]})
ON CREATE SET s += {kb: $kb, state: 'waiting', <<untouched>>}
SET s.position = position

// name: lock_kb
MATCH (k:Kb {uid: $kb}) SET k.locked = true
WITH k RETURN k {.*} AS kb

// name: take_counters_off
// By id, so that several transactions on the same entities wait for each other and do not deadlock.
UNWIND $documents AS uid MATCH (:Document {uid: uid, kb: $kb})<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity)
WITH e, count(*) AS n ORDER BY e.id SET e.locked = true
WITH e, e.df - n AS df
SET e.df = df, e.vector = CASE WHEN df > 1 THEN e.vector ELSE null END

// name: other_readings
UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) RETURN collect(d.other_reading) AS uids

// name: uncount
MATCH (k:Kb {uid: $kb}) UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb})
WITH k, count(d) AS documents, sum(d.bytes) AS bytes
SET k.revision = k.revision + documents, k.documents = k.documents - documents, k.bytes = k.bytes - bytes
RETURN k.revision AS revision

// name: withdraw
MATCH (k:Kb {uid: $kb}) UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb})
WITH k, collect(d) AS documents, sum(CASE WHEN d.visible THEN d.passages ELSE 0 END) AS passages
SET k.passages = k.passages - passages
WITH documents UNWIND documents AS d
SET d.visible = false, d.deleted_at = timestamp(), d.live = null, d.rung_at = 0, d.other_reading = null,
  d.hidden = CASE WHEN d.indexed THEN true ELSE null END
WITH d
CALL (d) { MATCH (s:Stage {document: d.uid, kb: $kb}) SET s.state = 'done' }
CREATE (:Stage {document: d.uid, kb: $kb, name: 'purge', position: $position, state: 'waiting', <<untouched>>})

// name: depart
CALL () { MATCH (old:Departure {kb: $kb}) WHERE old.at < timestamp() - $kept DELETE old }
MATCH (c:Changes {kb: $kb}) SET c.locked = true
WITH c, c.value AS before SET c.value = before + size($documents)
WITH before UNWIND range(0, size($documents) - 1) AS at MATCH (d:Document {uid: $documents[at], kb: $kb})
CREATE (:Departure {kb: $kb, document: d.id, changed_seq: before + at + 1, labels: d.labels, at: timestamp()})

// name: set_status
MATCH (d:Document {uid: $document, kb: $kb})
SET d.status = $status, d.rung_at = CASE WHEN $open THEN d.rung_at ELSE null END
<<change>>

// name: remove_empty_kb
MATCH (k:Kb {uid: $kb}) SET k.locked = true
WITH k WHERE k.deleted_at IS NOT NULL AND NOT EXISTS { MATCH (d:Document {kb: $kb}) }
OPTIONAL MATCH (c:Changes {kb: $kb}) DELETE k, c
WITH count(*) AS removed WHERE removed > 0 MATCH (d:Departure {kb: $kb}) DELETE d
