-- While a tenant is suspended, none of its keys is let in.
ALTER TABLE tenant ADD COLUMN suspended_at INTEGER;

-- Keys hold knowledge bases by uid: a name may be given to another one later. What a key was given by name and is not
-- there is in nobody's reach.
UPDATE api_key SET kbs = (
    SELECT json_group_array(uid) FROM (
        SELECT kb.uid FROM kb WHERE kb.tenant = api_key.tenant AND kb.deleted_at IS NULL
        AND kb.name IN (SELECT value FROM json_each(api_key.kbs)) ORDER BY kb.uid
    )
) WHERE kbs IS NOT NULL;
