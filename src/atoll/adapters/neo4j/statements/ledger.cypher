// name: claim
// The first unfinished stage of a document that has work left (see rung_at in the migration). It is found, locked, and
// then matched anew under another name, because what was read of it before the lock may have changed meanwhile.
// From the first point on, searches must fetch room for the hidden document.
MATCH (first:Stage {document: $document}) WHERE first.state <> 'done'
WITH first ORDER BY first.position LIMIT 1 SET first.locked = true
WITH first.name AS name
MATCH (s:Stage {document: $document, name: name})
MATCH (d:Document {uid: $document}) MATCH (k:Kb {uid: d.kb})
WHERE s.state IN ['waiting', 'running'] AND s.lease_until <= timestamp() AND s.not_before <= timestamp()
  AND d.rung_at IS NOT NULL
  AND NOT EXISTS { MATCH (e:Stage {document: $document}) WHERE e.position < s.position AND e.state <> 'done' }
SET s.owner = $owner, s.token = s.token + 1, s.state = 'running', s.attempts = s.attempts + 1,
    s.lease_until = timestamp() + $lease, s.claimed_at = timestamp()
WITH s, d, k
CALL (s, d) {
  WITH s, d WHERE NOT s.name IN ['relabel', 'purge']
  SET d.status = 'processing', d.indexed = d.indexed OR s.name = 'index',
      d.hidden = CASE WHEN d.indexed OR s.name = 'index' THEN true ELSE null END,
      d.artefacts_json = CASE WHEN s.name = 'parse' AND coalesce(d.artefacts_json, '{}') = '{}' THEN $artefacts
                              ELSE d.artefacts_json END
  WITH d MATCH (c:Changes {kb: d.kb}) SET c.locked = true
  WITH d, c SET c.value = c.value + 1 SET d.changed_seq = c.value
}
RETURN s {.name, .batch, .token, .failures, .attempts} AS stage,
       d {.kb, .name, .media_type, .labels, .artefacts_json, .returns,
          rereads: CASE WHEN d.deleted_at = 0 THEN d.other_reading END} AS document,
       k.language AS language, k.settings_json AS settings

// name: beat
<<held>> SET s.lease_until = timestamp() + $lease RETURN 1

// name: advance
MATCH (s:Stage {document: $document, name: $stage, kb: $kb})
SET s.batch = $batch, s.done = $done, s.total = $total, s.error = null
<<claimed_document>> <<change>>

// name: told
<<held>> <<claimed_document>> RETURN d {.metadata_json, .read_json} AS document

// name: finish
<<held>> <<close>> <<claimed_document>>
SET d.pages = coalesce($pages, d.pages), d.passages = coalesce($passages, d.passages),
  d.warnings_json = coalesce($warnings, d.warnings_json), d.read_json = coalesce($read, d.read_json),
  d.metadata_json = coalesce($metadata, d.metadata_json), d.facts = coalesce($facts, d.facts),
  d.artefacts_json = $artefacts
RETURN 1

// name: close
<<held>> <<close>> RETURN 1

// name: send_back
MATCH (s:Stage {document: $document, kb: $kb}) WHERE s.position >= $position
SET s.state = 'waiting', s.batch = 0, s.done = 0, s.error = null
WITH count(s) AS stages MATCH (d:Document {uid: $document, kb: $kb})
SET d.artefacts_json = $artefacts, d.returns = coalesce(d.returns, 0) + 1

// name: release
<<held>> <<close>>
SET s.not_before = timestamp() + $delay, s.failures = s.failures + $failed
<<claimed_document>> <<change>>
RETURN 1

// name: fail
<<held>> <<close>> <<claimed_document>>
SET d.error_json = $document_error, d.status = $status, d.rung_at = null
<<change>>
WITH * MATCH (k:Kb {uid: $kb}) RETURN k.tenant AS tenant

// name: exists
MATCH (d:Document {uid: $document}) WHERE coalesce(d.deleted_at, 0) = 0 RETURN 1

// name: lead
MERGE (l:Lease {name: 'reconciler'}) ON CREATE SET l.owner = $owner, l.lease_until = 0 SET l.locked = true
WITH l WHERE l.owner = $owner OR l.lease_until <= timestamp()
SET l.owner = $owner, l.lease_until = timestamp() + $lease RETURN 1

// name: overdue
MATCH (d:Document) WHERE d.rung_at <= timestamp() - $quiet
WITH d ORDER BY d.rung_at
WHERE EXISTS {
  MATCH (s:Stage {document: d.uid}) WHERE s.state IN ['waiting', 'running']
    AND s.lease_until <= timestamp() AND s.not_before <= timestamp()
    AND NOT EXISTS { MATCH (e:Stage {document: d.uid}) WHERE e.position < s.position AND e.state <> 'done' }
}
RETURN d.uid AS uid LIMIT $limit

// name: mark_rung
// One that was finished meanwhile has no work left and stays so.
UNWIND $documents AS uid MATCH (d:Document {uid: uid}) SET d.locked = true
WITH d.uid AS uid MATCH (o:Document {uid: uid}) WHERE o.rung_at IS NOT NULL
SET o.rung_at = timestamp()
