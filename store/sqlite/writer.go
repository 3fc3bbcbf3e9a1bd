package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A writer is the connection through which a store writes: one, so that its works queue
// up here, in order, rather than at the file's lock. Those that wait at the same time
// share a transaction, because to begin and commit one takes about as long however much it holds.
//
// Two goroutines take turns with the connection: while one waits for the disk, the other
// one writes. See syncer.
type writer struct {
	turn chan struct{} // holds a token of the one who has the connection, and what is his
	conn *conn

	// Works are handed over without a buffer: who waits for a turn can still give up.
	works   chan *work
	patient chan *work // those that wait for company
	plain   chan *work // to be run outside of a transaction

	closing chan struct{}
	closed  chan struct{}
	failure error // of closing

	turns     turns
	group     []*work     // what shares the transaction under way
	beside    bool        // it goes on beside a wait for the disk, and need not have its own
	prompt    time.Time   // when the last work was taken that is not patient
	parked    *work       // a patient one that was taken, and waits
	over      *time.Timer // for so long
	vain      int         // how many in a row have waited for nothing
	busySince time.Time   // since when other connections hold the lock; zero when they do not

	bell    *bell
	looks   chan struct{} // somebody wants to know whether another connection has committed
	version int64         // see dataVersion
	lock    *writeLock
	writing atomic.Bool // the writer has a transaction

	transactions atomic.Int64 // that the writer has begun

	syncer  *syncer
	logNext int64 // the size of the log at which it is to be emptied
}

// openWriter opens the connection.
func openWriter(ctx context.Context, bell *bell, source string) (*writer, error) {
	w := &writer{
		turn: make(chan struct{}, 1), over: time.NewTimer(company),
		works: make(chan *work), patient: make(chan *work), plain: make(chan *work),
		closing: make(chan struct{}), closed: make(chan struct{}),
		logNext: logLimit, bell: bell, lock: newWriteLock(bell), looks: make(chan struct{}, 1),
	}
	w.turns.open()
	// Whoever else opens a new file at this moment keeps it from changing to WAL
	// mode, and SQLite does not wait for that.
	err := whileBusy(ctx, time.Now(), func() (err error) {
		w.conn, err = connect(source)
		return err
	})
	if err != nil {
		return nil, err
	}
	w.conn.held = newHeld()
	// SQLite follows symbolic links: the log is beside the file that they lead to.
	var log string
	err = whileBusy(ctx, time.Now(), func() error {
		tx := tx{ctx, w.conn}
		err := tx.row("SELECT file || '-wal' FROM pragma_database_list WHERE name = 'main'").Scan(&log)
		if err == nil {
			err = tx.row(dataVersion).Scan(&w.version)
		}
		if err == nil {
			err = w.conn.setMoveSize()
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, w.conn.close())
	}
	// The connection has read: so the log is there.
	if w.syncer, err = newSyncer(log); err != nil {
		return nil, errors.Join(err, w.conn.close())
	}
	go w.serve()
	return w, nil
}

// close waits for the transaction under way, and for the disk, and ends the connection. What
// still waits for other connections gives up.
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

// transactPatiently does the same with a work that may wait a little for another one, to
// go on while the disk is waited for because of that.
func (w *writer) transactPatiently(ctx context.Context, rows int, run func(tx) error) error {
	return w.hand(w.patient, &work{ctx: ctx, run: run, rows: rows})
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
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for w.step() {
			}
		})
	}
	both.Wait()
	w.syncer.close()
	w.failure = w.conn.close()
}

// step does what comes next, and reports whether the writer is open.
func (w *writer) step() (open bool) {
	w.turn <- struct{}{}
	open = w.next()
	<-w.turn
	w.syncer.run()
	return open
}

// next runs the works that come next in a transaction, but for waiting for the disk, and
// reports whether the writer is open.
func (w *writer) next() (open bool) {
	if w.parked != nil && w.mayGoBeside() {
		w.commitBeside(w.unpark())
		return true
	}
	patient, over, ended := w.patient, (<-chan time.Time)(nil), (<-chan struct{})(nil)
	if w.parked != nil {
		patient, over, ended = nil, w.over.C, w.parked.ctx.Done()
	}
	select {
	case k := <-w.works:
		w.prompt = time.Now()
		w.commitGroup(k)
	case k := <-patient:
		switch {
		case !w.patience():
			w.commitGroup(k)
		case w.mayGoBeside():
			w.commitBeside(k)
		default:
			w.parked = k
			w.over.Reset(company)
		}
	case <-over:
		if w.vain++; w.vain == vainWaits {
			w.vain = 0
			w.turns.urge()
		}
		w.commitGroup(w.unpark())
	case <-ended:
		w.letGo()
	case k := <-w.plain:
		w.runAlone(k)
	case <-w.looks:
		w.notice()
	case <-w.closing:
		if w.parked != nil {
			w.commitGroup(w.unpark())
		}
		return false
	}
	return true
}

// runAlone runs a work outside of a transaction.
func (w *writer) runAlone(k *work) {
	if k.err = w.take(k); k.err == nil {
		k.try(w.conn)
		w.lock.release()
	}
	close(k.done)
}

// unpark returns the work that was parked.
func (w *writer) unpark() *work {
	k := w.parked
	w.parked = nil
	w.over.Stop()
	return k
}

// letGo ends the work that was parked, if its context has ended.
func (w *writer) letGo() {
	if w.parked == nil {
		return
	}
	if err := w.parked.ctx.Err(); err != nil {
		w.unpark().end(err)
	}
}

// patience reports whether patient works are to wait for another one, which soon comes.
func (w *writer) patience() bool { return time.Since(w.prompt) <= companyTime && !w.turns.urgent() }

// mayGoBeside reports whether a patient work may have a transaction of its own now: while
// the disk is waited for because of others. A host that writes is better served by few
// transactions.
func (w *writer) mayGoBeside() bool { return w.turns.gap() <= gathering && w.syncer.busy() }

// look lets the writer look soon whether another connection has committed. Where it is
// writing, or waits for others to end, it does so all the time.
func (w *writer) look() { signal(w.looks) }

// dataVersion changes when another connection has committed. A connection's own commits do
// not change it: https://www.sqlite.org/pragma.html#pragma_data_version
const dataVersion = "PRAGMA data_version"

// notice rings the bell where another connection has committed since it was called last.
func (w *writer) notice() {
	var version int64
	err := tx{context.Background(), w.conn}.row(dataVersion).Scan(&version)
	if err != nil || version != w.version { // or who knows
		w.version = version
		w.bell.ring()
	}
}

// write runs a work that writes about so many rows in a transaction, in which no delivery is
// held but what can't be read, and names what failed. The work may be run more than once.
func (s *Store) write(ctx context.Context, what string, rows int, run func(tx) error) error {
	return s.writeBesideHeld(ctx, what, rows, func(tx tx) error {
		if err := tx.writeOut(); err != nil {
			return err
		}
		return run(tx)
	})
}

// writeBesideHeld does the same with a work that leaves alone what is held, or sees to it
// itself.
func (s *Store) writeBesideHeld(ctx context.Context, what string, rows int, run func(tx) error) error {
	return named(what, s.writer.transact(ctx, rows, run))
}

func named(what string, err error) error {
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", what, err)
	}
	return nil
}
