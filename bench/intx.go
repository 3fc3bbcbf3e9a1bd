package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// withHost returns a product with its host, and one callback.
func withHost(ctx context.Context, r *round) (*product, *host, error) {
	p, err := withSQLite(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	h, err := newHost(ctx, p.db, p.sqlite.WriteLock())
	if err == nil {
		err = p.register(ctx, r, 1)
	}
	if err != nil {
		p.close()
	}
	return p, h, err
}

// inTransactions appends in transactions of the host's, which change a record for each
// event.
func inTransactions(batch int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		p, h, err := withHost(ctx, r)
		if err != nil {
			return err
		}
		defer p.close()
		return p.deliver(ctx, r, func(ctx context.Context) error {
			return r.produce(ctx, batch, func(ctx context.Context, from, to int) error {
				list := events(from, to)
				return h.change(ctx, from, to, func(tx *sql.Tx) error {
					return p.sqlite.InTx(tx).Dispatch(ctx, list...)
				})
			})
		})
	}
}

// spells is how many times in a round a host changes records in each of its ways. Much more
// of them would be too short: what a host tells of is delivered a while later, and a part of
// it only when it has ended.
const spells = 2

// writePath measures how much of its throughput a host keeps that changes one record in
// each of its transactions and tells of it, with the engine at work beside it; and how much
// one that inserts a row of its own instead. They take turns with one that does neither, as
// what a disk takes changes from one tenth of a second to the next.
func writePath(ctx context.Context, r *round) error {
	p, h, err := withHost(ctx, r)
	if err != nil {
		return err
	}
	defer p.close()
	if err := h.growLog(ctx); err != nil {
		return err
	}
	var silent, noting, telling time.Duration
	err = p.deliver(ctx, r, func(ctx context.Context) error {
		end := r.first
		for i := range spells {
			from := end
			end = r.first + r.n*(i+1)/spells
			r.stop()
			if err := spell(ctx, &silent, from, end, h.changeSilently); err != nil {
				return err
			}
			if err := spell(ctx, &noting, from, end, h.changeAndNote); err != nil {
				return err
			}
			r.resume()
			err := spell(ctx, &telling, from, end, func(ctx context.Context, from, to int) error {
				e := event(from)
				return h.change(ctx, from, to, func(tx *sql.Tx) error { return p.sqlite.InTx(tx).Dispatch(ctx, e) })
			})
			if err != nil {
				return err
			}
			if err := p.awaitRecorded(ctx, r.warm+end-r.first); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.measuredOtherwise = silent.Seconds() / telling.Seconds()
	dispatch, err := dispatchAlone(ctx, p, h, r.first+r.n)
	r.note = fmt.Sprintf("; a dispatch uses %.1f µs of CPU, %.1f allocations; with a row of the host's own instead the ratio is %.3f",
		dispatch.cpu, dispatch.allocs, silent.Seconds()/noting.Seconds())
	return err
}

// spell changes the records of a range of numbers, one in each transaction, and adds the time
// that takes to spent. Its first third does not count: what went before it comes to its end,
// or the engine gets to work.
func spell(
	ctx context.Context, spent *time.Duration, from, to int, change func(ctx context.Context, from, to int) error,
) error {
	start := from + (to-from)/3
	if err := produce(ctx, from, start, 1, change); err != nil {
		return err
	}
	began := time.Now()
	err := produce(ctx, start, to, 1, change)
	*spent += time.Since(began)
	return err
}

// dispatchAlone returns what a dispatch adds to a transaction that changes one record, in
// its own process and with no engine at work. Nothing is committed: how much longer a
// commit takes for it is not in the figures.
func dispatchAlone(ctx context.Context, p *product, h *host, first int) (figures, error) {
	const n = 2000
	list := events(first, first+n)
	undo := errors.New("undo")
	changes := func(tell func(tx *sql.Tx, e webhook.Event) error) (figures, error) {
		m := startMeter()
		for i := range n {
			err := h.change(ctx, first+i, first+i+1, func(tx *sql.Tx) error {
				return cmp.Or(tell(tx, list[i]), undo)
			})
			if !errors.Is(err, undo) {
				return figures{}, err
			}
		}
		m.stop()
		return m.figures(n), nil
	}
	without, err := changes(func(*sql.Tx, webhook.Event) error { return nil })
	if err != nil {
		return figures{}, err
	}
	with, err := changes(func(tx *sql.Tx, e webhook.Event) error { return p.sqlite.InTx(tx).Dispatch(ctx, e) })
	return figures{cpu: with.cpu - without.cpu, allocs: with.allocs - without.allocs}, err
}
