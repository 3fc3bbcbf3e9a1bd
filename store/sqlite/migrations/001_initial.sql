-- The version of the schema: one row for each migration that was made.
CREATE TABLE ringback_schema (
	version INTEGER PRIMARY KEY
) STRICT;

-- One row. The revision grows with every change of any callback.
CREATE TABLE ringback_registry (
	revision INTEGER NOT NULL
) STRICT;
INSERT INTO ringback_registry (revision) VALUES (0);

-- Times are milliseconds since 1970 everywhere, 0 for none. An empty database or
-- collection is unbound.
CREATE TABLE ringback_callbacks (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	database_id     TEXT    NOT NULL,
	collection_id   TEXT    NOT NULL,
	url             TEXT    NOT NULL,
	expression      TEXT    NOT NULL,
	fires           TEXT    NOT NULL,
	action          TEXT    NOT NULL,
	method          TEXT    NOT NULL,
	encoding        TEXT    NOT NULL,
	-- whsec_ and base64, or nothing. The previous one is good until its time.
	secret          TEXT    NOT NULL,
	previous_secret TEXT    NOT NULL,
	previous_until  INTEGER NOT NULL,
	created         INTEGER NOT NULL,
	updated         INTEGER NOT NULL,
	version         INTEGER NOT NULL DEFAULT 1,
	after_sequence  INTEGER NOT NULL,
	-- How often the expression has failed, and how it did last.
	failures        INTEGER NOT NULL DEFAULT 0,
	failure         TEXT    NOT NULL DEFAULT '',
	failure_event   TEXT    NOT NULL DEFAULT '',
	failure_time    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX ringback_callbacks_database ON ringback_callbacks (database_id, collection_id);
CREATE INDEX ringback_callbacks_collection ON ringback_callbacks (collection_id, database_id);

-- The outbox, and afterwards what deliveries have in common. data is the encoded
-- event, empty once it is fanned out; json and xml are its messages, set from then
-- on. The large columns come last, so that the others are read without them.
-- lane is a hash of database, collection and record.
CREATE TABLE ringback_events (
	sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
	id            TEXT    NOT NULL UNIQUE,
	database_id   TEXT    NOT NULL,
	collection_id TEXT    NOT NULL,
	record_id     TEXT    NOT NULL,
	action        TEXT    NOT NULL,
	lane          INTEGER NOT NULL,
	appended      INTEGER NOT NULL,
	pending       INTEGER NOT NULL DEFAULT 1 CHECK (pending IN (0, 1)),
	data          BLOB    NOT NULL,
	json          BLOB,
	xml           BLOB
) STRICT;
CREATE INDEX ringback_events_pending ON ringback_events (pending) WHERE pending = 1;

-- state: 0 waiting, 1 ready once it is due, 2 ready, 3 claimed, 4 delivered, 5 dead.
-- method: 0 JSON, 1 XML. encoding: 0 body, 1 form. worker is 0 unless claimed.
--
-- There is no foreign key to the callback: its deliveries are invisible once it is
-- gone and are removed later, a few at a time.
CREATE TABLE ringback_deliveries (
	event_sequence INTEGER NOT NULL REFERENCES ringback_events (sequence),
	callback_id    INTEGER NOT NULL,
	lane           INTEGER NOT NULL,
	state          INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
	due            INTEGER NOT NULL DEFAULT 0,
	worker         INTEGER NOT NULL DEFAULT 0,
	attempts       INTEGER NOT NULL DEFAULT 0,
	method         INTEGER NOT NULL,
	encoding       INTEGER NOT NULL,
	created        INTEGER NOT NULL,
	ended          INTEGER NOT NULL DEFAULT 0,
	reason         TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (event_sequence, callback_id),
	CHECK ((worker > 0) = (state = 3)),
	CHECK ((ended > 0) = (state >= 4))
) STRICT, WITHOUT ROWID;
-- The open deliveries about a record, in order. What they are otherwise does not
-- touch this index.
CREATE INDEX ringback_deliveries_open ON ringback_deliveries (callback_id, lane, event_sequence) WHERE ended = 0;
-- What may be claimed: at once, and when it is due.
CREATE INDEX ringback_deliveries_ready ON ringback_deliveries (callback_id, event_sequence) WHERE state = 2;
CREATE INDEX ringback_deliveries_due ON ringback_deliveries (callback_id, due) WHERE state = 1;
-- What a worker holds.
CREATE INDEX ringback_deliveries_worker ON ringback_deliveries (worker) WHERE worker > 0;
-- What became of events, by callback; and what failed.
CREATE INDEX ringback_deliveries_callback ON ringback_deliveries (callback_id, event_sequence);
CREATE INDEX ringback_deliveries_dead ON ringback_deliveries (event_sequence, callback_id) WHERE state = 5;

-- duration is in nanoseconds.
CREATE TABLE ringback_attempts (
	event_sequence INTEGER NOT NULL,
	callback_id    INTEGER NOT NULL,
	number         INTEGER NOT NULL,
	began          INTEGER NOT NULL,
	duration       INTEGER NOT NULL,
	status         INTEGER NOT NULL,
	error          TEXT    NOT NULL,
	answer         TEXT    NOT NULL,
	PRIMARY KEY (event_sequence, callback_id, number),
	FOREIGN KEY (event_sequence, callback_id) REFERENCES ringback_deliveries ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE ringback_workers (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	beat INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO ringback_schema (version) VALUES (1);
