// The tenant is locked, so that all gateways count one after the other. What it has asked is read after the lock.
// name: asked
MATCH (t:Tenant {id: $tenant}) SET t.locked = true
WITH t, timestamp() AS now
CALL (now) { MATCH (c:QueryCount {tenant: $tenant, day: now / $a_day})
             RETURN coalesce(sum(c.n), 0) AS tenant, coalesce(sum(CASE WHEN c.kb = $kb THEN c.n END), 0) AS kb }
OPTIONAL MATCH (k:Kb {uid: $kb})
RETURN now, tenant, kb, t.quota_json AS tenant_quota_json, coalesce(k.quota_json, '{}') AS quota_json

// name: count
UNWIND $rows AS row WITH row, timestamp() / $a_day AS day
MERGE (c:QueryCount {tenant: row.tenant, day: day, kb: row.kb}) ON CREATE SET c.n = 0
SET c.n = c.n + row.n

// name: forget
UNWIND $tenants AS tenant MATCH (c:QueryCount {tenant: tenant}) WHERE c.day < timestamp() / $a_day - $kept DELETE c

// name: of_tenant
MATCH (k:Kb {tenant: $tenant}) WHERE k.live_name IS NOT NULL
RETURN k.uid AS uid, k.name AS name, k.documents AS documents, k.passages AS passages, k.bytes AS bytes,
  COLLECT { MATCH (c:QueryCount {tenant: $tenant, kb: k.uid}) WHERE c.day > timestamp() / $a_day - $days RETURN c.n } AS asked
ORDER BY k.live_name
