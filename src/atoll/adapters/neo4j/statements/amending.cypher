// name: twins
MATCH (d:Document {kb: $kb, sha256: $sha256, name: $name})
WHERE coalesce(d.source, '') = $source AND d.uid <> $document AND d.deleted_at IS NULL AND <<seen>>
RETURN d.uid AS uid ORDER BY d.seq

// name: amend
// What comes to another place is the latest there.
MATCH (k:Kb {uid: $kb}) SET k.accepted = k.accepted + CASE WHEN $moved THEN 1 ELSE 0 END
WITH k.accepted AS turn MATCH (d:Document {uid: $document, kb: $kb})
SET d += $values, d.placed = CASE WHEN $moved THEN turn ELSE d.placed END

// name: queue_relabel
// A worker that is at it takes the new labels when it ends. The node is gone once it is done: the token begins anywhere,
// so that no later claim has that of an earlier. What is ready has work left again, and its points may still be found by
// whoever must not see them: searches fetch room for them.
MATCH (d:Document {uid: $document, kb: $kb})
MERGE (s:Stage {document: $document, name: 'relabel'})
ON CREATE SET s += {kb: $kb, position: $position, state: 'waiting', <<untouched>>}, s.token = $token
ON MATCH SET s.not_before = 0
SET d.rung_at = CASE WHEN d.status = 'ready' THEN 0 ELSE d.rung_at END, d.hidden = true

// name: raise_revision
MATCH (k:Kb {uid: $kb}) SET k.revision = k.revision + $by RETURN k.revision AS revision

// name: has_new_labels
<<held>> <<claimed_document>>
RETURN d.labels AS labels

// name: end_relabel
// A document that is still hidden stays so; one that is no longer ready keeps what says that it has work left.
MATCH (s:Stage {document: $document, name: $stage, kb: $kb}) DELETE s
<<claimed_document>>
SET d.rung_at = CASE WHEN d.status = 'ready' THEN null ELSE d.rung_at END,
  d.hidden = CASE WHEN d.visible THEN null ELSE d.hidden END
<<change>>
