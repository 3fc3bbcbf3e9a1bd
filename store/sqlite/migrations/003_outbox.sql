-- What is appended waits here until it is fanned out, and is removed then: what a host
-- writes in its transaction is a row of a table that is small as a rule, and taking it
-- off rewrites nothing. data is the encoded event. It comes last, so that the other
-- columns are read without it.
--
-- The numbers of all events are those that are given here, to what never comes here as
-- well: whoever writes to ringback_events directly moves the counter on.
CREATE TABLE ringback_outbox (
	sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
	id            TEXT    NOT NULL UNIQUE,
	database_id   TEXT    NOT NULL,
	collection_id TEXT    NOT NULL,
	record_id     TEXT    NOT NULL,
	parent_id     TEXT    NOT NULL,
	action        TEXT    NOT NULL,
	lane          INTEGER NOT NULL,
	appended      INTEGER NOT NULL,
	data          BLOB    NOT NULL
) STRICT;
INSERT INTO ringback_outbox
	(sequence, id, database_id, collection_id, record_id, parent_id, action, lane, appended, data)
SELECT sequence, id, database_id, collection_id, record_id, parent_id, action, lane, appended, data
FROM ringback_events WHERE pending = 1 ORDER BY sequence;
-- A number that was given does not come back, whatever became of its event.
DELETE FROM sqlite_sequence WHERE name = 'ringback_outbox';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'ringback_outbox', max(
	coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'ringback_events'), 0),
	coalesce((SELECT max(sequence) FROM ringback_events), 0));

-- What deliveries have in common is left, of events that are fanned out. To drop the
-- columns takes a third of the time, and half of the space, of making the tables anew,
-- which is what it would take for its AUTOINCREMENT to go too: deliveries refer to it.
-- With writable_schema ALTER TABLE passes over what it can't parse of the host's, such as
-- a view of a table that is gone.
DELETE FROM ringback_events WHERE pending = 1;
DROP INDEX ringback_events_pending;
PRAGMA writable_schema = ON;
ALTER TABLE ringback_events DROP COLUMN pending;
ALTER TABLE ringback_events DROP COLUMN data;
PRAGMA writable_schema = OFF;

INSERT INTO ringback_schema (version) VALUES (3);
