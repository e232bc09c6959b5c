// name: page_events
MATCH (e:AuditEvent {tenant: $tenant})
WHERE e.id > $after AND ($since IS NULL OR e.at >= $since) AND ($action IS NULL OR e.action = $action)
  AND ($actor IS NULL OR e.actor = $actor)
RETURN <<event>> AS event ORDER BY e.id LIMIT $limit

// name: count_events
MATCH (e:AuditEvent {tenant: $tenant}) RETURN count(e) AS n

// name: unsealed
MATCH (t:Tenant)
CALL (t) { MATCH (e:AuditEvent {tenant: t.id}) RETURN max(e.id) AS newest }
CALL (t) { MATCH (s:AuditSeal {tenant: t.id}) RETURN max(s.last) AS last }
WITH t, newest, coalesce(last, 0) AS last WHERE newest > last RETURN t.id AS tenant

// name: newest_seal
MATCH (s:AuditSeal {tenant: $tenant}) RETURN <<seal>> AS seal ORDER BY s.number DESC LIMIT 1

// name: seals
MATCH (s:AuditSeal {tenant: $tenant}) WHERE s.number > $after RETURN <<seal>> AS seal ORDER BY s.number LIMIT $limit

// The constraint on tenant and number keeps two gateways apart.
// name: write_seal
MERGE (s:AuditSeal {tenant: $tenant, number: $number}) ON CREATE SET s.last = $last, s.count = $count, s.mark = $mark
RETURN <<seal>> AS seal
