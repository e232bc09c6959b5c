// name: count_by_status
MATCH (d:Document {kb: $kb}) WHERE d.deleted_at IS NULL AND <<seen>> AND ($pattern IS NULL OR d.name =~ $pattern)
  AND ($source IS NULL OR d.source = $source OR d.source STARTS WITH $source + "/")
  AND ($label IS NULL OR $label IN d.labels)
RETURN d.status AS status, count(*) AS n, count(CASE WHEN <<older>> THEN 1 END) AS older

// name: page
MATCH (d:Document {kb: $kb})
WHERE d.seq < $before AND d.deleted_at IS NULL AND <<seen>> AND ($pattern IS NULL OR d.name =~ $pattern)
  AND ($source IS NULL OR d.source = $source OR d.source STARTS WITH $source + "/")
  AND ($label IS NULL OR $label IN d.labels)
  AND ($status IS NULL OR d.status = $status) AND (NOT $older OR <<older>>)
  AND ($warning IS NULL OR d.warnings_json CONTAINS $warning)
WITH d ORDER BY d.seq DESC LIMIT $limit
RETURN <<document>> AS document ORDER BY d.seq DESC

// name: batch
MATCH (:Batch {id: $batch, kb: $kb})-[:HOLDS]->(d:Document) WHERE d.deleted_at IS NULL AND <<seen>>
RETURN <<document>> AS document ORDER BY d.seq

// name: census
MATCH (d:Document) WHERE d.deleted_at IS NULL RETURN d.status AS status, count(*) AS n

// name: count_older
MATCH (d:Document) WHERE <<older>> RETURN count(d) AS older

// name: kb_tenant
MATCH (k:Kb {uid: $kb}) WHERE k.deleted_at IS NULL RETURN k.tenant AS tenant

// name: document
MATCH (d:Document {id: $document, kb: $kb}) WHERE d.deleted_at IS NULL AND <<seen>>
RETURN <<document>> AS document
