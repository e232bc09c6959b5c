// What the versions of documents are decided from.

// name: highest
UNWIND range(0, size($places) - 1) AS at WITH at, $places[at] AS place
OPTIONAL MATCH (d:Document {kb: $kb, name: place.name})
WHERE coalesce(d.source, '') = coalesce(place.source, '') AND ($but IS NULL OR d.uid <> $but)
  AND d.deleted_at IS NULL AND all(label IN d.labels WHERE label IN place.labels)
RETURN at, coalesce(max(d.version), 0) AS version
