-- Names of the derived vector collections that a worker found incomplete and makes again: a JSON list.
ALTER TABLE kb ADD COLUMN gaps TEXT NOT NULL DEFAULT '[]';
