-- What a callback's owner and its receiver's health have a say in.
ALTER TABLE ringback_callbacks ADD COLUMN ordering TEXT NOT NULL DEFAULT 'hold';
ALTER TABLE ringback_callbacks ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE ringback_callbacks ADD COLUMN reason TEXT NOT NULL DEFAULT '';
-- Set while a disabled callback may have open deliveries that no worker holds. They
-- are shown as dead since the callback was updated, and become so a few at a time.
ALTER TABLE ringback_callbacks ADD COLUMN ending INTEGER NOT NULL DEFAULT 0 CHECK (ending IN (0, 1));
CREATE INDEX ringback_callbacks_ending ON ringback_callbacks (id) WHERE ending = 1;

-- Written with every batch of attempts, so it is kept apart from the callback.
CREATE TABLE ringback_health (
	callback_id   INTEGER PRIMARY KEY REFERENCES ringback_callbacks (id) ON DELETE CASCADE,
	successes     INTEGER NOT NULL DEFAULT 0,
	failures      INTEGER NOT NULL DEFAULT 0,
	failing_since INTEGER NOT NULL DEFAULT 0,
	paused_until  INTEGER NOT NULL DEFAULT 0,
	-- When the attempt began that noted the pause, 0 where none did.
	paused_from   INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO ringback_health (callback_id) SELECT id FROM ringback_callbacks;

-- The ID of the profile that a subprofile belongs to, empty for a profile. An event that
-- is fanned out has it in its message only: one without a message, or with a damaged
-- one, stays without; and characters that no XML document may hold are lost from the ID
-- where the only message is XML.
ALTER TABLE ringback_events ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
UPDATE ringback_events SET parent_id = coalesce(CASE
	WHEN pending = 1 AND json_valid(CAST(data AS TEXT)) THEN json_extract(CAST(data AS TEXT), '$.profile.id')
	WHEN json_valid(CAST(json AS TEXT)) THEN json_extract(CAST(json AS TEXT), '$.profile.ID')
	WHEN instr(CAST(xml AS TEXT), '<profile><ID>') > 0 THEN (
		SELECT replace(replace(replace(replace(substr(rest, 1, instr(rest, '</ID>') - 1),
			'&lt;', '<'), '&gt;', '>'), '&#xD;', char(13)), '&amp;', '&')
		FROM (SELECT substr(CAST(xml AS TEXT), instr(CAST(xml AS TEXT), '<profile><ID>') + 13) AS rest))
	END, '')
WHERE collection_id <> '';

-- track: 0 in the order of its record, 1 passed, 2 replayed, 3 replayed and passed.
-- earlier counts the attempts before the last replay. began is when the last attempt
-- began, as far as what is due depends on it.
ALTER TABLE ringback_deliveries ADD COLUMN track INTEGER NOT NULL DEFAULT 0 CHECK (track BETWEEN 0 AND 3);
ALTER TABLE ringback_deliveries ADD COLUMN earlier INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ringback_deliveries ADD COLUMN began INTEGER NOT NULL DEFAULT 0;
UPDATE ringback_deliveries SET began = coalesce((
	SELECT a.began FROM ringback_attempts AS a WHERE a.event_sequence = ringback_deliveries.event_sequence
		AND a.callback_id = ringback_deliveries.callback_id AND a.number = ringback_deliveries.attempts), 0)
WHERE state = 1;
-- The open deliveries about a record, those of each track in order.
DROP INDEX ringback_deliveries_open;
CREATE INDEX ringback_deliveries_open ON ringback_deliveries (callback_id, lane, track, event_sequence) WHERE ended = 0;

-- What is to be replayed: deliveries of a callback to events behind after_sequence, up
-- to last_sequence, that were fanned out since. state is that of a delivery, 0 for
-- whichever has ended.
CREATE TABLE ringback_replays (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	callback_id    INTEGER NOT NULL REFERENCES ringback_callbacks (id) ON DELETE CASCADE,
	since          INTEGER NOT NULL,
	state          INTEGER NOT NULL CHECK (state IN (0, 4, 5)),
	after_sequence INTEGER NOT NULL DEFAULT 0,
	last_sequence  INTEGER NOT NULL
) STRICT;
CREATE INDEX ringback_replays_callback ON ringback_replays (callback_id, id);

INSERT INTO ringback_schema (version) VALUES (2);
