-- Deliveries that were claimed as they were made, and that are not in ringback_deliveries
-- yet: as a rule they are written there once, when they have ended. There is a row for each
-- transaction that has made any, under the number of the first one's event. deliveries is a
-- list in JSON of [event_sequence, callback_id, method, encoding]. Of those that are in
-- ringback_deliveries as well only what it says there counts.
CREATE TABLE ringback_held (
	id         INTEGER PRIMARY KEY,
	worker     INTEGER NOT NULL,
	created    INTEGER NOT NULL,
	deliveries TEXT    NOT NULL
) STRICT;

-- The workers have a new table, so that nobody claims who does not know what is held: he
-- would take its place to be free. The highest number that was given stays known.
CREATE TABLE ringback_claimers (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	beat INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO ringback_claimers (id) SELECT seq FROM sqlite_sequence WHERE name = 'ringback_workers';
DELETE FROM ringback_claimers;
INSERT INTO ringback_claimers (id, beat) SELECT id, beat FROM ringback_workers;
DROP TABLE ringback_workers;

INSERT INTO ringback_schema (version) VALUES (5);
