-- Where each character of a passage stands (PassageLayout as JSON); what was read before has none.
ALTER TABLE passage ADD COLUMN layout TEXT;
