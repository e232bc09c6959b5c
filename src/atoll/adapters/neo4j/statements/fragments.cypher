// Pieces that several statements share: <<name>> in a statement stands for the piece of that name.

// That the reader holds all labels of document d.
// name: seen
($labels IS NULL OR all(label IN d.labels WHERE label IN $labels))

// That document d is visible to the reader.
// name: visible
d.visible AND <<seen>>

// That an older pipeline read document d as its readers see it; one without a number counts as 3.
// name: older
d.visible AND coalesce(d.pipeline, 3) < $pipeline

// What is kept of a document d.
// name: document_values
.uid, .kb, .name, .source, .version, .status, .media_type, .bytes, .sha256, .pages, .passages, .entities, .metadata_json,
.labels, .created_at, .ready_at, .error_json, .warnings_json, .changed_seq, .seq, .artefacts_json, .visible, .indexed,
.replaces, .created_by, .pipeline, .read_json, <<reading_values>>

// Which reading of its document d is.
// name: reading_values
.other_reading, is_new_reading: coalesce(d.deleted_at = 0, false)

// name: stage
s {.name, .position, .state, .done, .total, .worked, .attempts, .error}

// A document d with its stages; of one that is read again, with those of the new reading. Those are sorted by who reads them: an ORDER BY in a subquery that is collected was seen
// to be lost on a cold server.
// name: document
d {<<document_values>>,
   stages: COLLECT { MATCH (s:Stage {document: coalesce(d.other_reading, d.uid), kb: $kb}) RETURN <<stage>> }}

// name: chunk
c {.id, .document, .ordinal, .char_start, .char_end, .headings}

// name: passage
p {.id, .document, .ordinal, .chunk, .page, .boxes_json, .char_start, .char_end, .text, .headings, .layout_json}

// A mention m of entity e.
// name: mention
[e.id, e.key, m.surface, m.type, m.tf, m.span_start, m.span_end]

// An assertion a with its ends h and t, and what finds these.
// name: assertion
[a.passage, a.ordinal, h.id, t.id, a.keywords, a.description, a.weight]
// name: ends
MATCH (a)-[:HEAD]->(h:Entity) MATCH (a)-[:TAIL]->(t:Entity)

// name: tenant
t {.id, .name, .quota_json, .created_at, .suspended_at}

// name: kb
k {.uid, .tenant, .name, .language, .revision, .documents, .passages, .bytes, .settings_json, .quota_json, .created_at}

// name: key
k {.id, .tenant, .name, .role, .kbs, .labels, .hash, .created_at, .expires_at, .last_used_at, .revoked_at}

// name: event
e {.id, .tenant, .at, .actor, .action, .object, .result, .request_id, .revision}

// name: seal
s {.tenant, .number, .last, .count, .mark}

// What a stage begins with.
// name: untouched
batch: 0, token: 0, lease_until: 0, not_before: 0, failures: 0, attempts: 0, claimed_at: 0, worked: 0, done: 0, total: 0

// Stage s of a claim, locked, if the claim's token still holds.
// name: held
MATCH (s:Stage {document: $document, name: $stage, kb: $kb}) SET s.locked = true WITH s WHERE s.token = $token

// Ends a claim: the token moves on, so that a late write of the same worker is refused too.
// name: close
SET s.state = $state, s.owner = null, s.token = s.token + 1, s.lease_until = 0, s.error = $error,
    s.done = coalesce($units, s.done), s.total = coalesce($units, s.total),
    s.worked = s.worked + CASE WHEN timestamp() > s.claimed_at THEN timestamp() - s.claimed_at ELSE 0 END

// The document d of a claim.
// name: claimed_document
WITH * MATCH (d:Document {uid: $document, kb: $kb})

// Gives document d the next change number of its knowledge base; last but for the audit trail.
// name: change
WITH * MATCH (c:Changes {kb: $kb}) SET c.locked = true
WITH * SET c.value = c.value + 1 SET d.changed_seq = c.value

// Writes $events; those without a revision take the variable revision.
// name: audit
CALL (revision) {
  MERGE (t:AuditTrail {name: 'events'}) ON CREATE SET t.value = 0 SET t.locked = true
  WITH t, t.value AS before SET t.value = before + size($events)
  WITH before UNWIND range(0, size($events) - 1) AS at
  CREATE (e:AuditEvent {tenant: $tenant, id: before + at + 1}) SET e += $events[at], e.at = timestamp(),
    e.revision = coalesce($events[at].revision, revision)
  RETURN max(e.id) AS id
}

// Adds types: in how many passages entity e has which type, as [type, passages], the most frequent first; none out of
// sight. Relationships say what they join, and a label that is asked for nevertheless is read from every node. A call
// and not a collected subquery, in which an ORDER BY was seen to be lost on a cold server.
// name: types
CALL (e) {
  MATCH (e)<-[m:MENTIONS]-()-[:OF]->(d) WHERE <<visible>>
  WITH m.type AS type, count(*) AS n ORDER BY n DESC, type
  RETURN collect([type, n]) AS types
}

// That document d is visible to the reader and that filters leave it.
// name: included
<<visible>> AND ($include IS NULL OR d.uid IN $include)

// An assertion a with its ends and the document d whose passage states it.
// name: stated_assertion
[a.id, <<assertion>>, h.key, t.key, d.uid, d.name]

// The passages in sight that mention $entities, of each as many as are looked at, and whether there are more.
// name: looked_at
CALL () {
  UNWIND $entities AS id MATCH (e:Entity {id: id, kb: $kb})
  CALL (e) { MATCH (e)<-[:MENTIONS]-(p)-[:OF]->(d) WHERE <<visible>>
             WITH p ORDER BY p.id LIMIT $looked_at + 1 RETURN collect(p) AS found }
  RETURN collect(found[..$looked_at]) AS lists, coalesce(max(size(found)), 0) > $looked_at AS cut
}
CALL (lists) { UNWIND lists AS each UNWIND each AS p RETURN collect(DISTINCT p) AS passages }

// The seed passages in sight, and what they mention.
// name: seeds_found
CALL () {
  UNWIND range(0, size($seeds) - 1) AS at
  MATCH (p:Passage {id: $seeds[at], kb: $kb})-[:OF]->(d:Document) WHERE <<included>>
  WITH at, p ORDER BY at
  RETURN collect(p) AS seeds, collect([p.id, p.headings, COLLECT { MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN e.id },
         COLLECT { MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN m.tf }]) AS found
}

// Entities e of the seeds, and those that are asked for by id or key.
// name: near_entities
CALL (seeds) {
  UNWIND seeds AS p MATCH (p)-[:MENTIONS]->(e:Entity) RETURN e
  UNION UNWIND $entities AS id MATCH (e:Entity {id: id, kb: $kb}) RETURN e
  UNION UNWIND $keys AS key MATCH (e:Entity {kb: $kb, key: key}) RETURN e
}

// Entities e with their df, in order, as columns. A vector is kept from a df of 2 on.
// name: near_columns
RETURN collect([e, df]) AS near, collect(e.id) AS ids, collect(e.key) AS keys, collect(df) AS df,
       collect(CASE WHEN $vectors AND df > 1 THEN coalesce(e.vector, $blank) ELSE $blank END) AS entity_vectors

// Those of near that are followed to the passages that mention them, and what the statement returns.
// name: followed
CALL (near) {
  UNWIND near AS each WITH each[0] AS e, each[1] AS df WHERE 1 <= df <= $max_df
  WITH e, df ORDER BY df, e.id
  WITH collect([e, df]) AS rising
  WITH rising, reduce(taken = [0, 0], each IN rising |
    CASE WHEN taken[0] >= $max_passages THEN taken ELSE [taken[0] + each[1], taken[1] + 1] END)[1] AS count
  RETURN [each IN rising[..count] | each[0]] AS followed
}
CALL (followed) {
  UNWIND followed AS e MATCH (e)<-[m:MENTIONS]-(p:Passage)
  WITH p, collect(e.id) AS entities, collect(m.tf) AS tfs
  MATCH (p)-[:OF]->(d:Document) WHERE <<included>>
  WITH d, p, entities, tfs ORDER BY p.id
  RETURN collect(p.id) AS passages, collect(d.uid) AS documents, collect(d.name) AS names,
         collect(CASE WHEN $vectors THEN p.vector ELSE $blank END) AS passage_vectors,
         collect(entities) AS entities, collect(tfs) AS tfs
}
RETURN found, ids, keys, df, entity_vectors, [e IN followed | e.id] AS followed,
       passages, documents, names, passage_vectors, entities, tfs
