// name: neighbourhood
// What `Reach` says of the entities that are followed is decided in the statement: a second one would cost a round trip.
CALL () {
  UNWIND range(0, size($seeds) - 1) AS at
  MATCH (p:Passage {id: $seeds[at], kb: $kb})-[:OF]->(d:Document) WHERE <<included>>
  WITH at, p ORDER BY at
  RETURN collect(p) AS seeds, collect([p.id, p.headings, COLLECT { MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN e.id },
         COLLECT { MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN m.tf }]) AS found
}
CALL (seeds) {
  CALL (seeds) {
    UNWIND seeds AS p MATCH (p)-[:MENTIONS]->(e:Entity) RETURN e
    UNION UNWIND $entities AS id MATCH (e:Entity {id: id, kb: $kb}) RETURN e
    UNION UNWIND $keys AS key MATCH (e:Entity {kb: $kb, key: key}) RETURN e
  }
  WITH DISTINCT e ORDER BY e.id
  RETURN collect(e) AS near, collect(e.id) AS ids, collect(e.key) AS keys, collect(e.df) AS df,
         collect(CASE WHEN $vectors THEN coalesce(e.vector, $blank) ELSE $blank END) AS entity_vectors
}
CALL (near) {
  UNWIND near AS e WITH e WHERE 1 <= e.df <= $max_df
  WITH e ORDER BY e.df, e.id
  WITH collect(e) AS rising
  WITH rising, reduce(taken = [0, 0], e IN rising |
    CASE WHEN taken[0] >= $max_passages THEN taken ELSE [taken[0] + e.df, taken[1] + 1] END)[1] AS count
  RETURN rising[..count] AS followed
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

// name: annotations
UNWIND range(0, size($passages) - 1) AS at
MATCH (p:Passage {id: $passages[at], kb: $kb})-[:OF]->(d:Document) WHERE <<included>>
WITH at, p, d ORDER BY at
RETURN collect([p.id, d.uid, d.name,
  COLLECT { MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN <<mention>> },
  COLLECT { MATCH (p)<-[:STATED_IN]-(a:Assertion) <<ends>> RETURN <<stated_assertion>> }]) AS found

// name: stated
UNWIND range(0, size($relations) - 1) AS at
MATCH (a:Assertion {id: $relations[at], kb: $kb})-[:STATED_IN]->(p:Passage)-[:OF]->(d:Document) WHERE <<included>>
<<ends>>
WITH at, a, p, d, h, t ORDER BY at
RETURN collect(<<stated_assertion>>) AS found
