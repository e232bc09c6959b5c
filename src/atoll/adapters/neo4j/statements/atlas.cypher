// Types are counted no further than to the limit. An index gives its order only to a statement that names all its
// properties, the knowledge base included.

// name: ranked
// Who sees everything sees what the counter counts.
MATCH (e:Entity {kb: $kb}) WHERE e.df > 0 AND ($text IS NULL OR e.key CONTAINS $text)
WITH e ORDER BY e.kb DESC, e.df DESC, e.key <<types>>
WITH * WHERE size(types) > 0 AND ($type IS NULL OR types[0][0] = $type)
WITH * ORDER BY e.kb DESC, e.df DESC, e.key LIMIT $limit
RETURN collect([e.id, e.key, types]) AS found

// name: ranked_in_sight
MATCH (d:Document {kb: $kb})<-[:OF]-()-[:MENTIONS]->(e) WHERE <<visible>> AND ($text IS NULL OR e.key CONTAINS $text)
WITH e, count(*) AS rank ORDER BY rank DESC, e.key <<types>>
WITH * WHERE size(types) > 0 AND ($type IS NULL OR types[0][0] = $type)
WITH * ORDER BY rank DESC, e.key LIMIT $limit
RETURN collect([e.id, e.key, types]) AS found

// name: entity
// Followed once, looked at four times: an entity in thousands of passages is no rare one.
MATCH (e:Entity {id: $entity, kb: $kb})<-[m:MENTIONS]-(p)-[:OF]->(d) WHERE <<visible>>
WITH e, collect([m, p, d]) AS seen
CALL (seen) { UNWIND seen AS each WITH each[0].type AS type, count(*) AS n ORDER BY n DESC, type
              RETURN collect([type, n]) AS types }
CALL (seen) { UNWIND seen AS each WITH each[0].surface AS surface, count(*) AS n ORDER BY n DESC, surface
              RETURN collect([surface, n])[..$listed] AS surfaces, count(*) AS surface_count }
CALL (seen) { UNWIND seen AS each WITH each[2] AS d, count(*) AS n ORDER BY n DESC, d.uid
              RETURN collect([d.uid, n, d.name])[..$listed] AS documents, count(*) AS document_count }
CALL (seen) { UNWIND seen AS each WITH each[0] AS m, each[1] AS p, each[2] AS d ORDER BY m.tf DESC, p.id LIMIT $sampled
              RETURN collect([<<passage>>, d.name]) AS sample }
RETURN e.key AS key, types, surfaces, surface_count, documents, document_count, sample

// name: around
<<looked_at>>
CALL (passages) {
  UNWIND passages AS p MATCH (p)-[:MENTIONS]->(e)
  WITH e, count(*) AS shared WHERE NOT e.id IN $entities
  WITH e, shared ORDER BY shared DESC, e.key LIMIT $limit <<types>>
  WITH e, shared, types ORDER BY shared DESC, e.key
  RETURN collect([e.id, e.key, types]) AS found
}
RETURN found, cut

// name: between
<<looked_at>>
CALL (passages) {
  UNWIND passages AS p MATCH (p)-[:MENTIONS]->(e) WHERE e.id IN $entities
  WITH p, collect(e.id) AS members UNWIND members AS head UNWIND members AS tail
  WITH head, tail WHERE head < tail
  WITH head, tail, count(*) AS n ORDER BY n DESC, head, tail LIMIT $limit
  RETURN collect([head, tail, n]) AS pairs
}
CALL (passages) {
  UNWIND passages AS p MATCH (p)<-[:STATED_IN]-(a:Assertion) <<ends>>
  WHERE h.id IN $entities AND t.id IN $entities
  WITH a, h, t ORDER BY a.weight DESC, a.passage, a.ordinal LIMIT $limit
  RETURN collect(<<assertion>>) AS assertions
}
RETURN pairs, assertions, cut

// name: census
CALL () { MATCH (d:Document {kb: $kb}) WHERE <<visible>> RETURN count(d) AS documents, sum(d.passages) AS passages }
CALL () {
  MATCH (d:Document {kb: $kb})<-[:OF]-()-[m:MENTIONS]->(e) WHERE <<visible>>
  WITH e, m.type AS type, count(*) AS n ORDER BY n DESC, type
  WITH e, head(collect(type)) AS type, sum(n) AS mentions
  WITH type, count(*) AS entities, sum(mentions) AS mentions ORDER BY entities DESC, type
  RETURN collect([type, entities]) AS types, sum(mentions) AS mentions
}
CALL () { MATCH (d:Document {kb: $kb})<-[:OF]-()<-[:STATED_IN]-(a) WHERE <<visible>> RETURN count(a) AS assertions }
RETURN documents, passages, types, mentions, assertions

// name: revision
MATCH (k:Kb {uid: $kb}) WHERE k.deleted_at IS NULL RETURN k.revision AS revision
