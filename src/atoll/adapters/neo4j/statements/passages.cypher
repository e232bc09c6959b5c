// name: scope
MATCH (k:Kb {uid: $kb}) WHERE k.deleted_at IS NULL
CALL () { MATCH (d:Document {kb: $kb}) WHERE d.hidden = true RETURN sum(d.passages) AS hidden }
RETURN k.revision AS revision, k.language AS language, k.passages AS passages, hidden,
       coalesce(k.gaps, []) AS gaps

// name: in_sight
MATCH (d:Document {kb: $kb}) WHERE <<visible>> RETURN sum(d.passages) AS passages

// name: visible_documents
// The revision is read after the documents: one that went in between then shows as a revision that moved.
CALL () { UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) WHERE <<visible>>
          RETURN collect([d.uid, d.name]) AS found }
MATCH (k:Kb {uid: $kb}) WHERE k.deleted_at IS NULL RETURN k.revision AS revision, found

// name: hydrate
UNWIND $passages AS id MATCH (p:Passage {id: id, kb: $kb})-[:OF]->(d:Document) WHERE <<visible>>
RETURN collect([<<passage>>, d {.source, .version, .created_at}]) AS passages

// name: of_document
MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal > $after
WITH p ORDER BY p.ordinal LIMIT $limit
RETURN <<passage>> AS passage

// name: of_page
MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal >= 0 AND p.page IN [$page - 1, $page]
RETURN <<passage>> AS passage ORDER BY p.ordinal

// name: visible_reading
MATCH (d:Document {id: $document, kb: $kb}) WHERE <<visible>> RETURN d.uid AS uid

// name: matching
// Conditions of filters follow.
MATCH (d:Document {kb: $kb}) WHERE <<visible>>
