-- The workers have a new table once more: a process of version 5 would claim, as 006 took
-- nothing away that claiming needs, and could not settle what it has posted. The highest
-- number that was given stays known.
CREATE TABLE ringback_holders (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	beat INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO ringback_holders (id) SELECT seq FROM sqlite_sequence WHERE name = 'ringback_claimers';
DELETE FROM ringback_holders;
INSERT INTO ringback_holders (id, beat) SELECT id, beat FROM ringback_claimers;
DROP TABLE ringback_claimers;

INSERT INTO ringback_schema (version) VALUES (7);
