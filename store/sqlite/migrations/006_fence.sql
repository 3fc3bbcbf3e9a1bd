-- A process of an earlier version that still runs may take what is held for missing. It must
-- not make deliveries beside it, which it does only after it has looked into this index: so
-- that has another name.
CREATE INDEX ringback_deliveries_order ON ringback_deliveries (callback_id, lane, track, event_sequence) WHERE ended = 0;
DROP INDEX ringback_deliveries_open;

-- Nor must it remove events, until what is held is written out.
CREATE TRIGGER ringback_events_held BEFORE DELETE ON ringback_events
WHEN EXISTS (SELECT 1 FROM ringback_held WHERE worker <> 0)
BEGIN
	SELECT RAISE(ABORT, 'deliveries of events are held: use a library that knows this version of the tables');
END;

INSERT INTO ringback_schema (version) VALUES (6);
