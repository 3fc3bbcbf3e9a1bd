package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	// busyTimeout is how long a write waits for other connections.
	busyTimeout = 5 * time.Second

	// A write that finds another connection in its way tries again every quickTry for
	// quickTime: a host that writes one transaction after the other leaves little time
	// in between. Later it does so every slowTry.
	quickTry  = 50 * time.Microsecond
	quickTime = 20 * time.Millisecond
	slowTry   = time.Millisecond
)

// whileBusy repeats try while another connection is in its way, for busyTimeout at most
// since a time. SQLite could wait by itself, but does not see that a context has ended.
func whileBusy(ctx context.Context, since time.Time, try func() error) error {
	for began := time.Now(); ; {
		err := try()
		if !isBusy(err) || time.Since(since) > busyTimeout {
			return err
		}
		pause := slowTry
		if time.Since(began) < quickTime {
			pause = quickTry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// isBusy reports whether another connection was in the way.
func isBusy(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.Code == sqlite3.ErrBusy
}
