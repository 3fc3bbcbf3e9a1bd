package sqlite

import (
	"context"
	"time"
)

// commitGroup runs a work in one transaction with those that wait behind it, up to one
// that fails: the others are then run without it.
func (w *writer) commitGroup(first *work) {
	if err := w.turns.wait(first.ctx, w.looks, w.notice); err != nil {
		first.end(err)
	} else {
		w.runGroup(first)
	}
	w.turns.end(len(w.group))
	w.forgetGroup()
}

// commitBeside runs a work in a transaction of its own, for which the disk need not be
// waited for at once.
func (w *writer) commitBeside(k *work) {
	w.vain = 0
	w.beside = true
	w.runGroup(k)
	w.beside = false
	w.forgetGroup()
}

// forgetGroup lets go of what has shared a transaction: a writer at rest keeps no works.
func (w *writer) forgetGroup() {
	clear(w.group)
	w.group = w.group[:0]
}

// runGroup runs a work in a transaction, with those that may share it.
func (w *writer) runGroup(first *work) {
	w.limitLog(first) // while the disk is waited for, as a rule
	err := w.mend(first)
	if err == nil {
		err = w.begin(first)
	}
	if err != nil {
		first.end(err)
		return
	}
	rows := 0
	for k := first; k != nil; k = w.another(rows) {
		rows += k.rows
		w.group = append(w.group, k)
		if !k.try(w.conn) {
			w.rollback()
			w.commitWithout(w.group[:len(w.group)-1], k)
			return
		}
	}
	if w.commit() == nil {
		w.committed(w.group...)
		return
	}
	for _, k := range w.group {
		w.commitAlone(k)
	}
}

// committed hands works that were committed over to the syncer.
func (w *writer) committed(works ...*work) {
	if w.beside {
		w.syncer.committedPatiently(works...)
	} else {
		w.syncer.committed(works...)
	}
}

// commitWithout runs works again that were rolled back because one behind them has failed,
// and then that one, which may have failed only because of them.
func (w *writer) commitWithout(works []*work, failed *work) {
	if len(works) == 0 {
		close(failed.done)
		return
	}
	if w.commitTogether(works) {
		w.committed(works...)
	} else {
		for _, k := range works {
			w.commitAlone(k)
		}
	}
	w.commitAlone(failed)
}

// commitTogether runs works in one transaction, and reports whether it was committed.
func (w *writer) commitTogether(works []*work) bool {
	if w.begin(works[0]) != nil {
		return false
	}
	for _, k := range works {
		if !k.try(w.conn) {
			w.rollback()
			return false
		}
	}
	return w.commit() == nil
}

// another returns a work that waits, unless the transaction is long enough: other processes
// wait for its end.
func (w *writer) another(rows int) *work {
	if w.beside || rows >= stepSize {
		return nil
	}
	select {
	case k := <-w.works:
		w.prompt = time.Now()
		return k
	default:
	}
	if w.turns.gap() <= gathering && w.patience() {
		return nil // the patient ones go beside
	}
	if w.parked != nil {
		return w.unpark()
	}
	select {
	case k := <-w.patient:
		return k
	default:
		return nil
	}
}

// commitAlone runs a work in a transaction of its own.
func (w *writer) commitAlone(k *work) {
	k.panicked = nil
	if k.err = w.begin(k); k.err == nil {
		if k.try(w.conn) {
			k.err = w.commit()
		} else {
			w.rollback()
		}
	}
	if k.err == nil && k.panicked == nil {
		w.committed(k)
	} else {
		close(k.done)
	}
}

// begin begins the transaction of a work, with the write lock.
func (w *writer) begin(k *work) error {
	if err := w.take(k); err != nil {
		return err
	}
	err := w.conn.run(context.Background(), "BEGIN IMMEDIATE")
	if isBusy(err) {
		err = whileBusy(k.ctx, w.waitsSince(k), func() error {
			select {
			case <-w.closing:
				return errClosed
			default:
				w.notice() // they may hold it in turn
				w.letGo()
				return w.conn.run(context.Background(), "BEGIN IMMEDIATE")
			}
		})
	}
	if err != nil {
		w.lock.release()
		return err
	}
	w.busySince = time.Time{}
	w.writing.Store(true)
	w.transactions.Add(1)
	w.notice()
	return nil
}

// waitsSince returns from when on a work waits for others to end their transactions, which it
// does for busyTimeout at most: those that queue up behind it meanwhile wait as well.
func (w *writer) waitsSince(k *work) time.Time {
	if w.busySince.IsZero() {
		w.busySince = time.Now()
	}
	if k.queued.After(w.busySince) {
		return k.queued
	}
	return w.busySince
}

// mend moves all that was committed into the database's file where the log could not be
// made to last, before a work. That waits for the disk as well.
func (w *writer) mend(k *work) error {
	failure := w.syncer.failed()
	if failure == nil {
		return nil
	}
	if err := w.take(k); err != nil {
		return err
	}
	defer w.lock.release()
	if emptied, err := emptyLog(w.conn); err != nil || !emptied {
		return failure
	}
	w.syncer.mended()
	return nil
}

// commit commits the transaction, or leaves nothing of it behind. It does not wait for the
// disk.
func (w *writer) commit() error {
	err := w.conn.run(context.Background(), "COMMIT")
	if err != nil {
		w.rollback()
	} else {
		w.ended()
		w.conn.held.keep()
	}
	return err
}

func (w *writer) rollback() {
	// The error says that SQLite has rolled back by itself.
	_ = w.conn.run(context.Background(), "ROLLBACK")
	w.ended()
	w.conn.held.undo()
}

// ended says that there is no transaction any more.
func (w *writer) ended() {
	w.writing.Store(false)
	w.lock.release()
}
