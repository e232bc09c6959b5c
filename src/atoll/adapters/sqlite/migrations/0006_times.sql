-- A time with an offset could name a moment past the calendar, which no reader of a list could show. The last one that
-- every offset can be taken from is 9999-12-30.
UPDATE api_key SET expires_at = 253402128000000 WHERE expires_at > 253402128000000;
