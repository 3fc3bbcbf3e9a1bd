package sqlite

import (
	"context"
	"time"
)

// A work is a part of a transaction. It may be run again after it was rolled back, so it
// begins its results anew.
type work struct {
	ctx      context.Context
	run      func(tx) error
	rows     int // about how many it writes
	queued   time.Time
	done     chan struct{}
	err      error
	panicked any
}

// try runs a work, and reports whether it succeeded.
func (k *work) try(c *conn) bool {
	defer func() {
		if p := recover(); p != nil {
			k.panicked = p
		}
	}()
	k.err = k.run(tx{context.Background(), c})
	return k.err == nil
}

func (k *work) end(err error) {
	k.err = err
	close(k.done)
}
