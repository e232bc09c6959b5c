// name: find_key
MATCH (k:ApiKey {id: $id}) RETURN <<key>> AS key

// A key with what its tenant says.
// name: bearer
MATCH (k:ApiKey {id: $id}) MATCH (t:Tenant {id: k.tenant})
RETURN <<key>> AS key, t.name AS tenant_name, t.suspended_at IS NOT NULL AS is_suspended

// name: create_key
CREATE (k:ApiKey {id: $values.id, tenant: $values.tenant}) SET k = $values

// name: list_keys
MATCH (k:ApiKey {tenant: $tenant}) RETURN <<key>> AS key ORDER BY k.created_at, k.seq

// name: owners
// Keys that may do everything in a tenant and hold now. All of them are locked, so that of two that are revoked at once
// the second sees the first.
MATCH (k:ApiKey {tenant: $tenant}) WHERE k.role = 'owner' AND k.kbs IS NULL AND k.labels IS NULL
WITH k ORDER BY k.id SET k.locked = true
WITH k WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > timestamp())
RETURN k.id AS id, k.expires_at IS NULL AS is_lasting

// name: revoke_key
MATCH (k:ApiKey {id: $id, tenant: $tenant}) SET k.locked = true
WITH k SET k.revoked_at = coalesce(k.revoked_at, timestamp())
RETURN <<key>> AS key

// name: touch_keys
UNWIND $ids AS id MATCH (k:ApiKey {id: id}) SET k.last_used_at = timestamp()

// A key, locked: what it is is read after the lock.
// name: lock_key
MATCH (k:ApiKey {id: $id, tenant: $tenant}) SET k.locked = true WITH k RETURN <<key>> AS key

// name: change_key
MATCH (k:ApiKey {id: $id, tenant: $tenant}) SET k += $changes RETURN <<key>> AS key
