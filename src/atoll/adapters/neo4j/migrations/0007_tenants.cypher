// Keys hold knowledge bases by uid: a name may be given to another one later. What a key was given by name and is not
// there is in nobody's reach. What was a uid already stays, since a migration may run twice.
MATCH (k:ApiKey) WHERE k.kbs IS NOT NULL
SET k.kbs = COLLECT { MATCH (b:Kb {tenant: k.tenant}) WHERE b.live_name IN k.kbs OR b.uid IN k.kbs RETURN b.uid };
