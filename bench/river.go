package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// A delivery is a job of River's: the message is ready-made, and unsigned.
type delivery struct {
	Number int    `json:"number"`
	Body   []byte `json:"body"`
}

// Kind implements river.JobArgs.
func (delivery) Kind() string { return "delivery" }

// A deliverer works the jobs.
type deliverer struct {
	river.WorkerDefaults[delivery]
	hook string
}

// Work implements river.Worker.
func (d *deliverer) Work(ctx context.Context, job *river.Job[delivery]) error {
	return post(ctx, d.hook, job.Args.Number, job.Args.Body)
}

// riverSQLite is River on SQLite.
func riverSQLite(ctx context.Context, r *round) error {
	db, err := openSQLite(r)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // as its documentation asks
	return withRiver(ctx, r, riversqlite.New(db), func(ctx context.Context) (n int, err error) {
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&n)
		return n, err
	})
}

// riverPostgres is River on PostgreSQL, in a new database.
func riverPostgres(ctx context.Context, r *round) error {
	source, err := r.server.newDatabase(ctx)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, source+" pool_max_conns=20")
	if err != nil {
		return err
	}
	defer pool.Close()
	return withRiver(ctx, r, riverpgxv5.New(pool), func(ctx context.Context) (n int, err error) {
		err = pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&n)
		return n, err
	})
}

// withRiver inserts jobs one by one while as many workers deliver them.
func withRiver[Tx any](ctx context.Context, r *round, driver riverdriver.Driver[Tx], completed func(context.Context) (int, error)) error {
	silent := slog.New(slog.DiscardHandler)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: silent})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &deliverer{hook: r.receiver.hook()})
	client, err := river.NewClient(driver, &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: producers}},
		Workers:           workers,
		Logger:            silent,
		FetchCooldown:     river.FetchCooldownMin,
		FetchPollInterval: 10 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	defer client.Stop(context.WithoutCancel(ctx))
	r.begin()
	err = r.produce(ctx, 1, func(ctx context.Context, from, _ int) error {
		_, err := client.Insert(ctx, delivery{from, message(from)}, nil)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := r.receiver.wait(ctx, r.n); err != nil {
		return err
	}
	if err := client.Stop(ctx); err != nil { // it has recorded everything
		return err
	}
	r.end()
	n, err := completed(ctx)
	if err == nil && n != r.n {
		err = fmt.Errorf("%d of %d jobs are recorded as %s", n, r.n, rivertype.JobStateCompleted)
	}
	return err
}
