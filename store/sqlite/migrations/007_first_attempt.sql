-- The attempt that has delivered at once is a part of its delivery, where that was held until
-- then and the answer is short; all others are in ringback_attempts. The columns are NULL where
-- there is none.
--
-- SQLite checks all rows for each column, which takes a second or two for a million of them, and
-- would refuse to add one where a row is damaged.
PRAGMA ignore_check_constraints = ON;
ALTER TABLE ringback_deliveries ADD COLUMN first_began    INTEGER;
ALTER TABLE ringback_deliveries ADD COLUMN first_duration INTEGER;
ALTER TABLE ringback_deliveries ADD COLUMN first_status   INTEGER;
ALTER TABLE ringback_deliveries ADD COLUMN first_answer   TEXT;
PRAGMA ignore_check_constraints = OFF;

-- The workers have a new table once more. A process of version 6 would not see those attempts;
-- one of version 5 would claim, as 006 took nothing away that claiming needs, and could not
-- settle what it has posted. The highest number that was given stays known.
CREATE TABLE ringback_holders (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	beat INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO ringback_holders (id) SELECT seq FROM sqlite_sequence WHERE name = 'ringback_claimers';
DELETE FROM ringback_holders;
INSERT INTO ringback_holders (id, beat) SELECT id, beat FROM ringback_claimers;
DROP TABLE ringback_claimers;

INSERT INTO ringback_schema (version) VALUES (7);
