// name: ensure_tenant
MERGE (t:Tenant {name: $name})
ON CREATE SET t.id = $id, t.created_at = timestamp(), t.quota_json = '{}'
RETURN t.id AS id

// name: find_key
MATCH (k:ApiKey {id: $id}) RETURN <<key>> AS key

// name: create_key
CREATE (k:ApiKey {id: $values.id, tenant: $values.tenant}) SET k = $values

// name: list_keys
MATCH (k:ApiKey {tenant: $tenant}) RETURN <<key>> AS key ORDER BY k.created_at, k.seq

// name: owners
// Keys that may do everything in a tenant and hold now. All of them are locked, so that of two that are revoked at once
// the second sees the first.
MATCH (k:ApiKey {tenant: $tenant}) WHERE k.role = 'owner' AND k.kbs IS NULL AND k.labels IS NULL
WITH k ORDER BY k.id SET k.locked = true
WITH k WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > timestamp()) RETURN k.id AS id

// name: revoke_key
MATCH (k:ApiKey {id: $id, tenant: $tenant}) SET k.locked = true
WITH k SET k.revoked_at = coalesce(k.revoked_at, timestamp())
RETURN <<key>> AS key

// name: touch_keys
UNWIND $ids AS id MATCH (k:ApiKey {id: id}) SET k.last_used_at = timestamp()

// The constraint on (tenant, live_name) keeps two creators apart.
// name: create_kb
MERGE (k:Kb {tenant: $tenant, live_name: $name})
ON CREATE SET k.uid = $uid, k.name = $name, k.language = $language, k.settings_json = $settings, k.quota_json = $quota,
  k.revision = 0, k.passages = 0, k.documents = 0, k.bytes = 0, k.accepted = 0, k.created_at = timestamp()
RETURN <<kb>> AS kb

// name: create_changes
CREATE (:Changes {kb: $kb, value: 0})

// name: locate_kb
MATCH (k:Kb {tenant: $tenant, live_name: $name}) RETURN k.uid AS uid

// name: get_kb
MATCH (k:Kb {tenant: $tenant, live_name: $name}) RETURN <<kb>> AS kb

// name: list_kbs
MATCH (k:Kb {tenant: $tenant}) WHERE k.live_name IS NOT NULL RETURN <<kb>> AS kb ORDER BY k.live_name

// name: update_kb
MATCH (k:Kb {uid: $kb})
SET k.settings_json = coalesce($settings, k.settings_json), k.quota_json = coalesce($quota, k.quota_json)

// name: end_kb
MATCH (k:Kb {uid: $kb}) SET k.deleted_at = timestamp(), k.live_name = null, k.revision = k.revision + 1
RETURN k.revision AS revision

// name: page_events
MATCH (e:AuditEvent {tenant: $tenant})
WHERE e.id > $after AND ($since IS NULL OR e.at >= $since) AND ($action IS NULL OR e.action = $action)
  AND ($actor IS NULL OR e.actor = $actor)
RETURN <<event>> AS event ORDER BY e.id LIMIT $limit
