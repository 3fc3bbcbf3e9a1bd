package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the files that make the store's tables, for hosts with a
// migration tool of their own: NNN_name.sql, to be run in the order of their numbers,
// each once and in a transaction. Each notes its number in the table ringback_schema.
// [Open] and [New] make the migrations that are not noted there.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the name is valid
	}
	return files
}

// migrate brings the store's tables up to date.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return err
	}
	latest := len(files)
	if version, err := s.schemaVersion(ctx); err != nil {
		return err
	} else if version == latest {
		return s.probe(ctx) // as a rule there is nothing to do
	}
	return s.writeBesideHeld(ctx, "migrate", stepSize, func(tx tx) error {
		version, err := tx.schemaVersion() // another process may have been quicker
		if err != nil {
			return err
		}
		if version > latest {
			return fmt.Errorf("the database has version %d of the tables, this library knows versions up to %d: use a later library",
				version, latest)
		}
		for i := version; i < latest; i++ {
			name := files[i].Name()
			number, _, _ := strings.Cut(name, "_")
			if n, err := strconv.Atoi(number); err != nil || n != i+1 {
				return fmt.Errorf("migration %s should have number %d", name, i+1)
			}
			statements, err := migrations.ReadFile("migrations/" + name)
			if err != nil {
				return err
			}
			if err := tx.conn.script(string(statements)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}

// probe returns an error when the file can't be written to. It writes nothing, and
// hardly waits for others who do.
func (s *Store) probe(ctx context.Context) error {
	err := s.writer.outside(ctx, func(tx tx) error {
		return tx.run("UPDATE ringback_registry SET revision = revision WHERE false")
	})
	if isBusy(err) {
		return nil
	}
	return err
}

// schemaVersion returns the number of the last migration that was made.
func (s *Store) schemaVersion(ctx context.Context) (version int, err error) {
	// Whoever else opens the file at this moment may be preparing its log.
	err = whileBusy(ctx, time.Now(), func() error {
		return s.writer.outside(ctx, func(tx tx) error {
			version, err = tx.schemaVersion()
			return err
		})
	})
	return version, err
}

func (t tx) schemaVersion() (version int, err error) {
	var exists bool
	err = t.row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'ringback_schema')").Scan(&exists)
	if err != nil || !exists {
		return 0, err
	}
	err = t.row("SELECT coalesce(max(version), 0) FROM ringback_schema").Scan(&version)
	return version, err
}
