// name: open
CALL () { MATCH (old:Session) WHERE old.expires_at <= timestamp() DELETE old }
CREATE (:Session {id: $id, subject: $subject, opened_at: timestamp(), expires_at: timestamp() + $milliseconds})

// name: bound
MATCH (s:Session {subject: $subject}) WITH s ORDER BY s.opened_at DESC, s.id = $id DESC SKIP $most DELETE s

// name: find
MATCH (s:Session {id: $id}) WHERE s.expires_at > timestamp() RETURN s.subject AS subject

// name: end
// Locked first: of two that end it at once, the second finds that it is gone.
MATCH (s:Session {id: $id}) SET s.locked = true
WITH s, s.subject AS subject, s.expires_at > timestamp() AS held DELETE s
RETURN subject, held
