// An index gives its order only to a statement that names all its properties, the knowledge base included.

// name: nodes
MATCH (e:Entity {kb: $kb}) WHERE e.id > $after
WITH e ORDER BY e.kb, e.id <<types>>
WITH e, types WHERE size(types) > 0
WITH e, types ORDER BY e.kb, e.id LIMIT $limit
RETURN collect([e.id, e.key, types]) AS found

// name: together
// Head by head in the order of ids, and no further than to the limit.
MATCH (h:Entity {kb: $kb}) WHERE h.id >= $head
WITH h ORDER BY h.kb, h.id
CALL (h) {
  MATCH (h)<-[:MENTIONS]-(p)-[:OF]->(d) WHERE <<visible>>
  MATCH (p)-[:MENTIONS]->(t) WHERE t.id > h.id AND (h.id > $head OR t.id > $tail)
  RETURN t.id AS tail, count(*) AS n
}
WITH h, tail, n ORDER BY h.kb, h.id, tail LIMIT $limit
RETURN collect([h.id, tail, n]) AS found

// name: assertions
MATCH (a:Assertion {kb: $kb}) WHERE a.passage >= $passage AND (a.passage > $passage OR a.ordinal > $ordinal)
MATCH (a)-[:STATED_IN]->()-[:OF]->(d) WHERE <<visible>>
WITH a ORDER BY a.kb, a.passage, a.ordinal LIMIT $limit <<ends>>
WITH a, h, t ORDER BY a.passage, a.ordinal
RETURN collect(<<assertion>>) AS found
