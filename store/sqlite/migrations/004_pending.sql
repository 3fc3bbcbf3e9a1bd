-- What is pending has no index beside its own order, and nothing else counts it: each would
-- be one more page to write for every commit of a host's. So an ID may be there more than
-- once; only the first is fanned out. The lane is found out then.
--
-- SQLite gives what is appended the number behind the highest that there is. For a number
-- not to come back, the last one that was given stays, when its event goes, in a row without
-- an ID, and with nothing of the event: the mark. There may be older ones before it; what has
-- an ID is pending. Whoever writes to ringback_events directly leaves a mark as well. The
-- table has a new name, so that nobody writes to it who does not know that.
--
-- Three more rows without an ID, with numbers up to 0, are always there: where a host runs
-- ANALYZE while the table has one or two rows, SQLite reads the whole of it from then on
-- instead of looking numbers up.
CREATE TABLE ringback_pending (
	sequence      INTEGER PRIMARY KEY,
	id            TEXT    NOT NULL,
	database_id   TEXT    NOT NULL,
	collection_id TEXT    NOT NULL,
	record_id     TEXT    NOT NULL,
	parent_id     TEXT    NOT NULL,
	action        TEXT    NOT NULL,
	appended      INTEGER NOT NULL,
	data          BLOB    NOT NULL
) STRICT;

INSERT INTO ringback_pending
	(sequence, id, database_id, collection_id, record_id, parent_id, action, appended, data)
VALUES (-2, '', '', '', '', '', '', 0, x''), (-1, '', '', '', '', '', '', 0, x''), (0, '', '', '', '', '', '', 0, x'');
INSERT INTO ringback_pending
	(sequence, id, database_id, collection_id, record_id, parent_id, action, appended, data)
SELECT sequence, id, database_id, collection_id, record_id, parent_id, action, appended, data
FROM ringback_outbox ORDER BY sequence;
-- A number that was given does not come back, whatever became of its event.
INSERT INTO ringback_pending
	(sequence, id, database_id, collection_id, record_id, parent_id, action, appended, data)
SELECT seq, '', '', '', '', '', '', 0, x'' FROM sqlite_sequence
WHERE name = 'ringback_outbox' AND seq > (SELECT max(sequence) FROM ringback_pending);
DROP TABLE ringback_outbox;

INSERT INTO ringback_schema (version) VALUES (4);
