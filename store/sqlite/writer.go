package sqlite

import (
	"context"
	"fmt"
	"time"
)

// A writer is the connection through which a store writes: one, so that its works queue
// up here, in order, rather than at the file's lock. Those that wait at the same time
// share a transaction, because a commit waits for the disk once, however much it holds.
type writer struct {
	conn *conn

	// Works are handed over without a buffer: who waits for a turn can still give up.
	works chan *work
	plain chan *work // to be run outside of a transaction

	closing chan struct{}
	closed  chan struct{}
	failure error // of closing

	turns     turns
	group     []*work   // what shares the transaction under way
	busySince time.Time // since when other connections hold the lock; zero when they do not
}

// openWriter opens the connection.
func openWriter(ctx context.Context, source string) (*writer, error) {
	w := &writer{turns: turns{opened: time.Now()},
		works: make(chan *work), plain: make(chan *work),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	// Whoever else opens a new file at this moment keeps it from changing to WAL
	// mode, and SQLite does not wait for that.
	err := whileBusy(ctx, time.Now(), func() (err error) {
		w.conn, err = connect(source)
		return err
	})
	if err != nil {
		return nil, err
	}
	go w.serve()
	return w, nil
}

// close waits for the transaction under way and ends the connection.
func (w *writer) close() error {
	close(w.closing)
	<-w.closed
	return w.failure
}

// transact runs a work that writes about so many rows, in a transaction that holds the
// write lock from the beginning and that it may share with others. Once it has begun it is
// not interrupted: it is short, and its end is then known. An error, and a panic, leaves
// nothing of it behind.
func (w *writer) transact(ctx context.Context, rows int, run func(tx) error) error {
	return w.hand(w.works, &work{ctx: ctx, run: run, rows: rows})
}

// outside runs what must not be in a transaction.
func (w *writer) outside(ctx context.Context, run func(tx) error) error {
	return w.hand(w.plain, &work{ctx: ctx, run: run})
}

// hand hands a work over and waits for its end.
func (w *writer) hand(to chan<- *work, k *work) error {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	k.queued, k.done = time.Now(), make(chan struct{})
	select {
	case to <- k:
	case <-k.ctx.Done():
		return k.ctx.Err()
	case <-w.closing:
		return errClosed
	}
	<-k.done
	if k.panicked != nil {
		panic(k.panicked)
	}
	return k.err
}

// serve runs the works until the writer is closed.
func (w *writer) serve() {
	defer close(w.closed)
	for {
		select {
		case k := <-w.works:
			w.commitGroup(k)
		case k := <-w.plain:
			k.try(w.conn)
			close(k.done)
		case <-w.closing:
			w.failure = w.conn.close()
			return
		}
	}
}

// commitGroup runs a work in one transaction with those that wait behind it. When one of
// them fails, each is run by itself.
func (w *writer) commitGroup(first *work) {
	defer func() {
		w.turns.end(len(w.group))
		clear(w.group)
		w.group = w.group[:0]
	}()
	err := w.turns.wait(first.ctx)
	if err == nil {
		err = w.begin(first)
	}
	if err != nil {
		first.end(err)
		return
	}
	rows := 0
	for k := first; k != nil; k = w.next(rows) {
		rows += k.rows
		w.group = append(w.group, k)
		if !k.try(w.conn) {
			break
		}
	}
	last := w.group[len(w.group)-1]
	if last.failed() {
		w.rollback()
	} else if last.err = w.commit(); last.err == nil {
		for _, k := range w.group {
			close(k.done)
		}
		return
	}
	if len(w.group) == 1 {
		close(last.done)
		return
	}
	for _, k := range w.group {
		w.commitAlone(k)
	}
}

// next returns a work that waits, unless the transaction is long enough: other processes
// wait for its end.
func (w *writer) next(rows int) *work {
	if rows >= stepSize {
		return nil
	}
	select {
	case k := <-w.works:
		return k
	default:
		return nil
	}
}

// commitAlone runs a work in a transaction of its own.
func (w *writer) commitAlone(k *work) {
	k.err, k.panicked = w.begin(k), nil
	if k.err == nil {
		if k.try(w.conn) {
			k.err = w.commit()
		} else {
			w.rollback()
		}
	}
	close(k.done)
}

// begin begins the transaction of a work, which waits no longer for other connections than
// busyTimeout: those that queued up behind it meanwhile have waited as well.
func (w *writer) begin(k *work) error {
	err := w.conn.run(context.Background(), "BEGIN IMMEDIATE")
	if isBusy(err) {
		if w.busySince.IsZero() {
			w.busySince = time.Now()
		}
		since := w.busySince
		if k.queued.After(since) {
			since = k.queued
		}
		err = whileBusy(k.ctx, since, func() error { return w.conn.run(context.Background(), "BEGIN IMMEDIATE") })
	}
	if err == nil {
		w.busySince = time.Time{}
	}
	return err
}

// commit commits the transaction, or leaves nothing of it behind.
func (w *writer) commit() error {
	err := w.conn.run(context.Background(), "COMMIT")
	if err != nil {
		w.rollback()
	}
	return err
}

func (w *writer) rollback() {
	// The error says that SQLite has rolled back by itself.
	_ = w.conn.run(context.Background(), "ROLLBACK")
}

// write runs a work that writes about so many rows in a transaction, and names what
// failed. The work may be run more than once.
func (s *Store) write(ctx context.Context, what string, rows int, run func(tx) error) error {
	if err := s.writer.transact(ctx, rows, run); err != nil {
		return fmt.Errorf("sqlite: %s: %w", what, err)
	}
	return nil
}
