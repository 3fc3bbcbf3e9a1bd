package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/signature"
)

// A product is ringback, embedded.
type product struct {
	db     *sql.DB       // the host's, where there is one
	sqlite *sqlite.Store // nil for the store in memory
	engine *dispatch.Engine
	store  webhook.Store
}

// withMemory returns a product with the store in memory.
func withMemory(context.Context, *round) (*product, error) {
	return newProduct(&product{store: memory.New()})
}

// withSQLite returns a product whose host has an SQLite database that waits for the
// disk at each commit.
func withSQLite(ctx context.Context, r *round) (*product, error) {
	db, err := openSQLite(r)
	if err != nil {
		return nil, err
	}
	store, err := sqlite.New(ctx, db, nil)
	if err != nil {
		return nil, err
	}
	return newProduct(&product{db: db, sqlite: store, store: store})
}

func openSQLite(r *round) (*sql.DB, error) {
	return sql.Open("sqlite3", "file:"+filepath.Join(r.dir, "host.db")+
		"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=10000&_stmt_cache_size=16")
}

func newProduct(p *product) (*product, error) {
	engine, err := dispatch.New(p.store, &dispatch.Options{
		Targets: dispatch.Targets{AllowPrivate: dispatch.AllAddresses(), AllowAllPorts: true},
	})
	p.engine = engine
	return p, err
}

func (p *product) close() {
	if p.sqlite != nil {
		p.sqlite.Close()
		p.db.Close()
	}
}

// register creates callbacks of which one matches: it signs, and has a condition.
func (p *product) register(ctx context.Context, r *round, callbacks int) error {
	return produce(ctx, 0, callbacks, 1, func(ctx context.Context, i, _ int) error {
		c := webhook.Callback{
			Database: database, URL: r.receiver.hook(), Secret: signature.NewSecret(),
			Expression: "company == 'Apple'",
		}
		if i > 0 {
			c.Expression = fmt.Sprintf("company == 'Company %d'", i)
		}
		_, err := p.store.CreateCallback(ctx, c, 0)
		return err
	})
}

// deliver runs the engine while events are appended, until all are delivered and
// recorded.
func (p *product) deliver(ctx context.Context, r *round, appendAll func(context.Context) error) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	var engine errgroup.Group
	engine.Go(func() error { return p.engine.Run(running) })
	if r.warm > 0 {
		began := time.Now()
		if err := p.engine.Dispatch(ctx, events(r.first-r.warm, r.first)...); err != nil {
			return err
		}
		if _, err := r.receiver.wait(ctx, r.warm); err != nil {
			return err
		}
		r.starting = time.Since(began)
		awaitIdle()
	}
	r.begin()
	if err := appendAll(ctx); err != nil {
		return err
	}
	if _, err := r.receiver.wait(ctx, r.warm+r.n); err != nil {
		return err
	}
	stop()
	if err := engine.Wait(); err != nil { // it has recorded everything
		return err
	}
	r.end()
	return p.checkRecorded(ctx, r.first+r.n)
}

// awaitRecorded waits for n deliveries to be recorded.
func (p *product) awaitRecorded(ctx context.Context, n int) error {
	for {
		page, err := p.store.Deliveries(ctx, webhook.DeliveryQuery{State: webhook.DeliveryDelivered, Limit: 1, WithTotal: true})
		if err != nil || page.Total >= n {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// checkRecorded reports whether n deliveries are delivered, with their attempts.
func (p *product) checkRecorded(ctx context.Context, n int) error {
	page, err := p.store.Deliveries(ctx, webhook.DeliveryQuery{
		State: webhook.DeliveryDelivered, Limit: 10, WithTotal: true,
	})
	if err != nil {
		return err
	}
	if page.Total != n {
		return fmt.Errorf("%d of %d deliveries are recorded as delivered", page.Total, n)
	}
	for _, d := range page.Deliveries {
		attempts, err := p.store.Attempts(ctx, d.ID)
		if err != nil {
			return err
		}
		if len(attempts) != 1 || attempts[0].Status != 200 {
			return fmt.Errorf("delivery %s has the attempts %v", d.ID, attempts)
		}
	}
	return nil
}

// produce calls step from all producers at once until the round's numbers are used up,
// batch of them at a time.
func (r *round) produce(ctx context.Context, batch int, step func(ctx context.Context, from, to int) error) error {
	return produce(ctx, r.first, r.first+r.n, batch, step)
}

func produce(ctx context.Context, first, end, batch int, step func(ctx context.Context, from, to int) error) error {
	var next atomic.Int64
	next.Store(int64(first))
	group, ctx := errgroup.WithContext(ctx)
	for range producers {
		group.Go(func() error {
			for ctx.Err() == nil {
				to := int(next.Add(int64(batch)))
				from := to - batch
				if from >= end {
					return nil
				}
				if err := step(ctx, from, min(to, end)); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// events returns those of a range of numbers.
func events(from, to int) []webhook.Event {
	list := make([]webhook.Event, 0, to-from)
	for number := from; number < to; number++ {
		list = append(list, event(number))
	}
	return list
}

// throughEngine appends batches of events through the engine.
func throughEngine(open func(context.Context, *round) (*product, error), batch, callbacks int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		p, err := open(ctx, r)
		if err != nil {
			return err
		}
		defer p.close()
		if err := p.register(ctx, r, callbacks); err != nil {
			return err
		}
		return p.deliverBatches(ctx, r, batch)
	}
}

// deliverBatches delivers what is appended through the engine, so many at a time.
func (p *product) deliverBatches(ctx context.Context, r *round, batch int) error {
	return p.deliver(ctx, r, func(ctx context.Context) error {
		return r.produce(ctx, batch, func(ctx context.Context, from, to int) error {
			return p.engine.Dispatch(ctx, events(from, to)...)
		})
	})
}
