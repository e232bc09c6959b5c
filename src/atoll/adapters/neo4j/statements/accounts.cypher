// The constraint on (tenant, live_name) keeps two creators apart.
// name: create_kb
MERGE (k:Kb {tenant: $tenant, live_name: $name})
ON CREATE SET k.uid = $uid, k.name = $name, k.language = $language, k.settings_json = $settings, k.quota_json = $quota,
  k.revision = 0, k.passages = 0, k.documents = 0, k.bytes = 0, k.accepted = 0, k.created_at = timestamp()
RETURN <<kb>> AS kb

// name: create_changes
CREATE (:Changes {kb: $kb, value: 0})

// name: locate_kb
MATCH (k:Kb {tenant: $tenant, live_name: $name}) MATCH (t:Tenant {id: k.tenant})
RETURN k.uid AS uid, k.quota_json AS quota_json, t.quota_json AS tenant_quota_json

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
