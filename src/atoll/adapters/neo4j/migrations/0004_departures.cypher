// That a document was taken out of the sight of those who hold these labels: what watchers are told of a deletion. The
// document itself is gone soon after; this stays for an hour.
CREATE INDEX departure_order IF NOT EXISTS FOR (d:Departure) ON (d.kb, d.changed_seq);
CREATE INDEX departure_age IF NOT EXISTS FOR (d:Departure) ON (d.kb, d.at);
