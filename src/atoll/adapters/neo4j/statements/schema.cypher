// name: name_schema
CREATE CONSTRAINT schema_name IF NOT EXISTS FOR (s:Schema) REQUIRE s.name IS UNIQUE

// name: version
MATCH (s:Schema {name: 'atoll'}) RETURN s.version AS version

// name: raise_version
MERGE (s:Schema {name: 'atoll'}) SET s.locked = true
WITH s SET s.version = CASE WHEN coalesce(s.version, 0) < $version THEN $version ELSE s.version END
