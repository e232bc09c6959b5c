// name: half_deleted
MATCH (k:Kb) WHERE k.deleted_at > 0 AND EXISTS { MATCH (d:Document {kb: k.uid}) WHERE d.live = true }
RETURN k.uid AS uid

// name: oldest_documents
MATCH (d:Document {kb: $kb}) WHERE d.live = true
WITH d.uid AS uid, d.seq AS seq ORDER BY seq LIMIT $limit
RETURN collect(uid) AS uids

// name: fence_documents
UNWIND $documents AS uid MATCH (s:Stage {document: uid, kb: $kb})
WITH s ORDER BY s.document, s.position
SET s.token = s.token + 1, s.owner = null

// name: alive_documents
UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) WHERE d.deleted_at IS NULL
RETURN collect(d.uid) AS uids
