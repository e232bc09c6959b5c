-- JSON object: the key of each stage's output, decided when the stage before it ends. Documents of earlier versions have
-- none; what their readers need lies under the names of those versions.
ALTER TABLE document ADD COLUMN artefacts TEXT NOT NULL DEFAULT '{}';
-- How often the document was sent back to an earlier stage since it was last queued.
ALTER TABLE document ADD COLUMN returns INTEGER NOT NULL DEFAULT 0;
