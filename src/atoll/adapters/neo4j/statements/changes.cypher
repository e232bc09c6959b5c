// A statement sees what was committed when each part of it ran. Numbers are given under a lock that is held until the
// commit, so that everything up to the number read first is there for whatever is read after it.

// name: latest
MATCH (c:Changes {kb: $kb}) RETURN c.value AS latest

// name: changed
MATCH (d:Document {kb: $kb})
WHERE d.changed_seq > $number AND d.changed_seq <= $latest AND d.deleted_at IS NULL AND <<seen>>
RETURN d.changed_seq AS number, d.id AS uid, d.labels AS labels, false AS gone ORDER BY number LIMIT $limit

// name: departed
MATCH (d:Departure {kb: $kb}) WHERE d.changed_seq > $number AND d.changed_seq <= $latest AND <<seen>>
RETURN d.changed_seq AS number, d.document AS uid, d.labels AS labels, true AS gone ORDER BY number LIMIT $limit

// name: among
UNWIND $documents AS id MATCH (d:Document {id: id, kb: $kb}) WHERE d.deleted_at IS NULL AND <<seen>>
RETURN <<document>> AS document
