// name: neighbourhood
// What `Reach` says of the entities that are followed is decided in the statement: a second one would cost a round trip.
<<seeds_found>>
CALL (seeds) {
  <<near_entities>>
  WITH DISTINCT e, e.df AS df ORDER BY e.id
  <<near_columns>>
}
<<followed>>

// name: neighbourhood_in_sight
// For a restricted reader: as if there were only the documents that it sees.
<<seeds_found>>
CALL (seeds) {
  <<near_entities>>
  WITH DISTINCT e
  WITH e, COUNT { MATCH (e)<-[:MENTIONS]-()-[:OF]->(d) WHERE <<visible>> } AS df
  WITH e, CASE WHEN df > $most_counted THEN $most_counted ELSE df END AS df WHERE df > 0
  WITH e, df ORDER BY e.id
  <<near_columns>>
}
<<followed>>

// name: shared
UNWIND $entities AS id MATCH (e:Entity {id: id, kb: $kb})
WITH e WHERE COUNT { MATCH (e)<-[:MENTIONS]-()-[:OF]->(d) WHERE <<visible>> } > 1
RETURN collect(e.id) AS ids

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
