// Who is signed in, and links that sign in once: the end of either is the end of its node, for every gateway.
CREATE CONSTRAINT session_id IF NOT EXISTS FOR (s:Session) REQUIRE s.id IS UNIQUE;
CREATE INDEX session_subject IF NOT EXISTS FOR (s:Session) ON (s.subject);
CREATE INDEX session_end IF NOT EXISTS FOR (s:Session) ON (s.expires_at);
