// Times are milliseconds since 1970 UTC by this server's clock; what ends in _json only readers interpret.
// Community edition: UNIQUE constraints and indexes, nothing else. A property that is absent is in no index, so that
// live_name, live_bytes, hidden and rung_at index only what is alive, hidden or has work left.

CREATE CONSTRAINT tenant_id IF NOT EXISTS FOR (t:Tenant) REQUIRE t.id IS UNIQUE;
CREATE CONSTRAINT tenant_name IF NOT EXISTS FOR (t:Tenant) REQUIRE t.name IS UNIQUE;

CREATE CONSTRAINT kb_uid IF NOT EXISTS FOR (k:Kb) REQUIRE k.uid IS UNIQUE;
CREATE CONSTRAINT kb_name IF NOT EXISTS FOR (k:Kb) REQUIRE (k.tenant, k.live_name) IS UNIQUE;
// What orders a knowledge base's changes; taken late, so that long transactions do not hold it.
CREATE CONSTRAINT changes_kb IF NOT EXISTS FOR (c:Changes) REQUIRE c.kb IS UNIQUE;

CREATE CONSTRAINT document_uid IF NOT EXISTS FOR (d:Document) REQUIRE d.uid IS UNIQUE;
// Within a knowledge base the same bytes are one document for everyone who may see it; other labels, other readers.
CREATE CONSTRAINT document_bytes IF NOT EXISTS FOR (d:Document) REQUIRE (d.kb, d.live_bytes) IS UNIQUE;
CREATE CONSTRAINT document_order IF NOT EXISTS FOR (d:Document) REQUIRE (d.kb, d.seq) IS UNIQUE;
CREATE INDEX document_sha256 IF NOT EXISTS FOR (d:Document) ON (d.kb, d.sha256);
CREATE INDEX document_name IF NOT EXISTS FOR (d:Document) ON (d.kb, d.name);
CREATE INDEX document_status IF NOT EXISTS FOR (d:Document) ON (d.kb, d.status);
CREATE INDEX document_changed IF NOT EXISTS FOR (d:Document) ON (d.kb, d.changed_seq);
CREATE INDEX document_hidden IF NOT EXISTS FOR (d:Document) ON (d.kb, d.hidden);
CREATE INDEX document_open IF NOT EXISTS FOR (d:Document) ON (d.rung_at);

CREATE CONSTRAINT batch_id IF NOT EXISTS FOR (b:Batch) REQUIRE b.id IS UNIQUE;

CREATE CONSTRAINT stage_name IF NOT EXISTS FOR (s:Stage) REQUIRE (s.document, s.name) IS UNIQUE;
CREATE INDEX stage_document IF NOT EXISTS FOR (s:Stage) ON (s.document);

CREATE CONSTRAINT chunk_id IF NOT EXISTS FOR (c:Chunk) REQUIRE c.id IS UNIQUE;
CREATE INDEX chunk_document IF NOT EXISTS FOR (c:Chunk) ON (c.document);

CREATE CONSTRAINT passage_id IF NOT EXISTS FOR (p:Passage) REQUIRE p.id IS UNIQUE;
CREATE CONSTRAINT passage_order IF NOT EXISTS FOR (p:Passage) REQUIRE (p.document, p.ordinal) IS UNIQUE;

CREATE CONSTRAINT entity_id IF NOT EXISTS FOR (e:Entity) REQUIRE e.id IS UNIQUE;
CREATE CONSTRAINT entity_key IF NOT EXISTS FOR (e:Entity) REQUIRE (e.kb, e.key) IS UNIQUE;

CREATE CONSTRAINT assertion_id IF NOT EXISTS FOR (a:Assertion) REQUIRE a.id IS UNIQUE;
CREATE CONSTRAINT assertion_order IF NOT EXISTS FOR (a:Assertion) REQUIRE (a.passage, a.ordinal) IS UNIQUE;

CREATE CONSTRAINT api_key_id IF NOT EXISTS FOR (k:ApiKey) REQUIRE k.id IS UNIQUE;
CREATE INDEX api_key_tenant IF NOT EXISTS FOR (k:ApiKey) ON (k.tenant);

// Numbers audit events over all tenants; the very last lock of a transaction.
CREATE CONSTRAINT audit_trail_name IF NOT EXISTS FOR (t:AuditTrail) REQUIRE t.name IS UNIQUE;
CREATE CONSTRAINT audit_event_id IF NOT EXISTS FOR (e:AuditEvent) REQUIRE e.id IS UNIQUE;
CREATE INDEX audit_event_tenant IF NOT EXISTS FOR (e:AuditEvent) ON (e.tenant, e.id);

// Leases that belong to no document.
CREATE CONSTRAINT lease_name IF NOT EXISTS FOR (l:Lease) REQUIRE l.name IS UNIQUE;
