// name: count
// Another visible document mentions an entity exactly when its counter is above what this document adds to it.
MATCH (d:Document {uid: $document, kb: $kb})
CALL (d) { OPTIONAL MATCH (d)<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity)
           WITH d, e, count(e) AS n WHERE e IS NOT NULL
           RETURN count(e) AS entities, coalesce(sum(n), 0) AS mentions,
                  count(CASE WHEN e.df > CASE WHEN d.visible THEN n ELSE 0 END THEN 1 END) AS kept }
RETURN entities, mentions, kept, COUNT { (d)<-[:OF]-(:Passage) } AS passages,
       COUNT { (:Chunk {document: $document, kb: $kb}) } AS chunks,
       COUNT { (d)<-[:OF]-(:Passage)<-[:STATED_IN]-(:Assertion) } AS assertions

// name: count_in_sight
MATCH (own:Document {uid: $document, kb: $kb})
CALL (own) { OPTIONAL MATCH (own)<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity)
             WITH own, e, count(e) AS n WHERE e IS NOT NULL
             RETURN count(e) AS entities, coalesce(sum(n), 0) AS mentions,
                    count(CASE WHEN EXISTS { MATCH (e)<-[:MENTIONS]-()-[:OF]->(d) WHERE d.uid <> $document AND <<visible>> }
                               THEN 1 END) AS kept }
RETURN entities, mentions, kept, COUNT { (own)<-[:OF]-(:Passage) } AS passages,
       COUNT { (:Chunk {document: $document, kb: $kb}) } AS chunks,
       COUNT { (own)<-[:OF]-(:Passage)<-[:STATED_IN]-(:Assertion) } AS assertions

// name: stop_stages
MATCH (s:Stage {document: $document, kb: $kb}) WHERE s.state = 'running' SET s.state = 'waiting'

// name: lock_stages
// Those of a document's readings, without making claims void: work goes on.
MATCH (d:Document {id: $document, kb: $kb}) WHERE coalesce(d.deleted_at, 0) = 0
MATCH (s:Stage {document: d.uid, kb: $kb})
WITH s ORDER BY s.document, s.position SET s.locked = true
