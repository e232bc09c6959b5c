-- Who is signed in, and links that sign in once: the end of either is the end of its row, for every gateway.
CREATE TABLE session (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_subject ON session (subject, expires_at);
CREATE INDEX session_end ON session (expires_at);
