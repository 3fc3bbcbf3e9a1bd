package powercut_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/ringback-dev/ringback/store/sqlite"
)

// contents is what a database holds.
type contents struct {
	ledger     map[string]bool
	events     map[string]*keptEvent
	registered map[string]bool // callbacks
}

// A keptEvent is an event with its deliveries by callback.
type keptEvent struct {
	pending    bool
	deliveries map[string]keptDelivery
}

// A keptDelivery is a delivery with the number of its attempts that were answered.
type keptDelivery struct {
	delivered bool
	answered  int
}

// readContents opens the database in a directory as after a power cut: first the store
// does, then the host.
func readContents(ctx context.Context, dir string) (c contents, err error) {
	file := filepath.Join(dir, databaseName)
	store, err := sqlite.Open(ctx, file, nil)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	db, err := sql.Open("sqlite3", hostSource(file, hostSettings))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var sound string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&sound); err != nil {
		return c, err
	}
	var dangling int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM pragma_foreign_key_check").Scan(&dangling); err != nil {
		return c, err
	}
	if sound != "ok" || dangling > 0 {
		return c, fmt.Errorf("integrity_check says %q, %d rows refer to nothing", sound, dangling)
	}
	if _, err := db.ExecContext(ctx, createLedger); err != nil {
		return c, err
	}
	if c.ledger, err = readSet(ctx, db, "SELECT event FROM ledger"); err != nil {
		return c, err
	}
	if c.registered, err = readSet(ctx, db, "SELECT id FROM ringback_callbacks"); err != nil {
		return c, err
	}
	c.events, err = readEvents(ctx, db)
	return c, err
}

// readSet returns what a query for one column gives.
func readSet(ctx context.Context, db *sql.DB, query string) (map[string]bool, error) {
	set := make(map[string]bool)
	err := readRows(ctx, db, query, func(rows *sql.Rows) error {
		var value string
		err := rows.Scan(&value)
		set[value] = true
		return err
	})
	return set, err
}

func readRows(ctx context.Context, db *sql.DB, query string, each func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// allDeliveries are the deliveries, those that are held among them.
const allDeliveries = `(
	SELECT event_sequence, callback_id, ended, reason, first_status FROM ringback_deliveries
	UNION ALL
	SELECT value ->> 0, value ->> 1, 0, '', NULL FROM ringback_held CROSS JOIN json_each(ringback_held.deliveries)
	WHERE NOT EXISTS (
		SELECT 1 FROM ringback_deliveries WHERE event_sequence = value ->> 0 AND callback_id = value ->> 1))`

func readEvents(ctx context.Context, db *sql.DB) (map[string]*keptEvent, error) {
	query := `SELECT id, pending, callback_id, ended > 0 AND reason = '', coalesce(first_status > 0, 0) + (
		SELECT count(*) FROM ringback_attempts a
		WHERE a.event_sequence = sequence AND a.callback_id = d.callback_id AND status > 0)
	FROM (SELECT sequence, id, false AS pending FROM ringback_events
		UNION ALL SELECT sequence, id, true FROM ringback_pending WHERE id <> '')
	LEFT JOIN ` + allDeliveries + ` d ON d.event_sequence = sequence`
	events := make(map[string]*keptEvent)
	err := readRows(ctx, db, query, func(rows *sql.Rows) error {
		var id string
		var pending bool
		var callback sql.NullString
		var delivered sql.NullBool
		var answered int
		if err := rows.Scan(&id, &pending, &callback, &delivered, &answered); err != nil {
			return err
		}
		if events[id] == nil {
			events[id] = &keptEvent{deliveries: make(map[string]keptDelivery)}
		}
		events[id].pending = events[id].pending || pending
		if callback.Valid {
			events[id].deliveries[callback.String] = keptDelivery{delivered.Bool, answered}
		}
		return nil
	})
	return events, err
}
