package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"maragu.dev/goqite"
	"maragu.dev/goqite/jobs"
)

// goqiteTable is the table that goqite works on.
const goqiteTable = `
CREATE TABLE goqite (
	id       TEXT    PRIMARY KEY DEFAULT ('m_' || lower(hex(randomblob(16)))),
	created  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
	updated  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
	queue    TEXT    NOT NULL,
	body     BLOB    NOT NULL,
	timeout  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
	received INTEGER NOT NULL DEFAULT 0,
	priority INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX goqite_queue_priority_created_idx ON goqite (queue, priority DESC, created);
`

// goqiteSQLite sends messages one by one while as many workers deliver them.
func goqiteSQLite(ctx context.Context, r *round) error {
	db, err := openSQLite(r)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // as in its examples
	if _, err := db.ExecContext(ctx, goqiteTable); err != nil {
		return err
	}
	queue := goqite.New(goqite.NewOpts{DB: db, Name: "deliveries", Timeout: time.Minute})
	runner := jobs.NewRunner(jobs.NewRunnerOpts{
		Queue: queue, Limit: producers, PollInterval: time.Millisecond, Extend: time.Minute,
	})
	runner.Register("deliver", func(ctx context.Context, m []byte) error {
		var d delivery
		if err := json.Unmarshal(m, &d); err != nil {
			return err
		}
		return post(ctx, r.receiver.hook(), d.Number, d.Body)
	})
	running, stop := context.WithCancel(ctx)
	defer stop()
	var working errgroup.Group
	working.Go(func() error {
		runner.Start(running)
		return nil
	})
	r.begin()
	err = r.produce(ctx, 1, func(ctx context.Context, from, _ int) error {
		m, err := json.Marshal(delivery{from, message(from)})
		if err != nil {
			return err
		}
		_, err = jobs.Create(ctx, queue, "deliver", goqite.Message{Body: m})
		return err
	})
	if err != nil {
		return err
	}
	if _, err := r.receiver.wait(ctx, r.n); err != nil {
		return err
	}
	// It removes a message once it is worked.
	for left := 1; left > 0; {
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM goqite").Scan(&left); err != nil {
			return fmt.Errorf("counting what is left: %w", err)
		}
		time.Sleep(time.Millisecond) // it needs the connection too
	}
	r.end()
	stop()
	return working.Wait()
}
