// name: published
// The knowledge base is locked before anything is read that other publishes and deletes change.
<<held>>
WITH s MATCH (k:Kb {uid: $kb}) SET k.locked = true
WITH k MATCH (d:Document {uid: $document, kb: $kb})
RETURN d {.uid, .labels, .replaces, turn: coalesce(d.placed, d.seq), <<reading_values>>} AS document, k.tenant AS tenant,
       COLLECT { MATCH (o:Document {kb: $kb, name: d.name})
                 WHERE coalesce(o.source, '') = coalesce(d.source, '') AND o.visible AND o.uid <> d.uid
                 RETURN o {.uid, .labels, .replaces, turn: coalesce(o.placed, o.seq)} } AS namesakes

// name: namesakes
MATCH (d:Document {uid: $document, kb: $kb})
RETURN d {.uid, .labels, .replaces, turn: coalesce(d.placed, d.seq), <<reading_values>>} AS document,
       COLLECT { MATCH (o:Document {kb: $kb, name: d.name})
                 WHERE coalesce(o.source, '') = coalesce(d.source, '') AND o.visible AND o.uid <> d.uid
                 RETURN o {.uid, .labels, .replaces, turn: coalesce(o.placed, o.seq)} } AS namesakes

// name: likely_shared
// A new reading on its way has the time of deletion 0.
UNWIND $names AS own
OPTIONAL MATCH (e:Entity {id: own[0], kb: $kb})
WITH own, e WHERE e.vector IS NULL AND (own[1] > 1
  OR EXISTS { MATCH (e)<-[:MENTIONS]-(:Passage)-[:OF]->(o:Document) WHERE coalesce(o.deleted_at, 0) = 0 AND NOT o.uid IN $leaving })
RETURN collect(own[0]) AS wanted

// name: shared_without_vector
// Asked before anything is locked: counters may still move, so that raising them asks again. What hides with $leaving
// counts no more; whoever has no vector is mentioned by one visible passage at most.
MATCH (s:Stage {document: $document, name: $stage, kb: $kb}) WHERE s.token = $token
MATCH (:Document {uid: $document, kb: $kb})<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity)
WITH e, count(*) AS n WHERE e.vector IS NULL AND e.df + n > 1
WITH e, n, COUNT { MATCH (e)<-[:MENTIONS]-(:Passage)-[:OF]->(o:Document) WHERE o.uid IN $leaving } AS leaving
WHERE e.df + n - leaving > 1
WITH e ORDER BY e.id
RETURN collect([e.id, e.key]) AS wanted

// name: raise_counters
// By id, so that several transactions on the same entities wait for each other and do not deadlock.
MATCH (:Document {uid: $document, kb: $kb})<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity)
WITH e, count(*) AS n ORDER BY e.id SET e.locked = true
WITH e, e.df + n AS df SET e.df = df
RETURN count(e) AS entities

// name: give_vectors
MATCH (:Document {uid: $document, kb: $kb})<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity)
WITH DISTINCT e ORDER BY e.id
SET e.vector = CASE WHEN e.df > 1 THEN coalesce($vectors[e.id], e.vector) ELSE null END
RETURN collect(CASE WHEN e.df > 1 AND e.vector IS NULL THEN [e.id, e.key] END) AS wanted

// name: end_superseded
<<held>> <<close>> RETURN 1

// name: make_visible
// The revision after all else but the audit trail, so that nobody sees the new one before what it stands for.
MATCH (s:Stage {document: $document, name: $stage, kb: $kb}) <<close>>
WITH s MATCH (d:Document {uid: $document, kb: $kb})
// A document that got other labels on its way has one stage left.
WITH d, EXISTS { MATCH (r:Stage {document: $document, name: 'relabel'}) WHERE r.state <> 'done' } AS left
SET d.visible = true, d.status = 'ready', d.error_json = null, d.ready_at = timestamp(), d.entities = $entities,
  d.hidden = CASE WHEN left THEN true END, d.rung_at = CASE WHEN left THEN 0 END, d.pipeline = $pipeline
<<change>>
WITH d MATCH (k:Kb {uid: $kb}) SET k.revision = k.revision + 1, k.passages = k.passages + d.passages
WITH k.revision AS revision <<audit>> RETURN revision
