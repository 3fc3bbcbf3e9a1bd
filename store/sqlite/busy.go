package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/mattn/go-sqlite3"
)

// busyTimeout is how long a write waits for other connections.
const busyTimeout = 5 * time.Second

// whileBusy repeats try while another connection is in its way, for busyTimeout at most
// since a time. SQLite could wait by itself, but does not see that a context has ended.
func whileBusy(ctx context.Context, since time.Time, try func() error) error {
	for {
		err := try()
		if !isBusy(err) || time.Since(since) > busyTimeout {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// isBusy reports whether another connection was in the way.
func isBusy(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && failure.Code == sqlite3.ErrBusy
}
