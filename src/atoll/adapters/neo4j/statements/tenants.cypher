// name: ensure_tenant
MERGE (t:Tenant {name: $name})
ON CREATE SET t.id = $id, t.created_at = timestamp(), t.quota_json = '{}'
RETURN t.id AS id

// The constraint on the name keeps two creators apart.
// name: create_tenant
MERGE (t:Tenant {name: $name}) ON CREATE SET t = $values RETURN <<tenant>> AS tenant

// name: first_key
CREATE (k:ApiKey {id: $values.id, tenant: $values.tenant}) SET k = $values

// name: get_tenant
MATCH (t:Tenant {name: $name}) WHERE t.name <> $own RETURN <<tenant>> AS tenant

// name: list_tenants
MATCH (t:Tenant) WHERE t.name <> $own RETURN <<tenant>> AS tenant ORDER BY t.name

// name: set_quota
MATCH (t:Tenant {id: $id}) SET t.quota_json = $quota RETURN <<tenant>> AS tenant

// name: suspend_tenant
MATCH (t:Tenant {id: $id}) SET t.suspended_at = CASE WHEN $suspended THEN timestamp() ELSE null END
RETURN <<tenant>> AS tenant
