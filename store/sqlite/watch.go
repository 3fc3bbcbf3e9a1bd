package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How often Watch looks whether another connection has committed. Each look costs
// some microseconds, and waking up for it several times that.
const (
	quickPoll = time.Millisecond      // when a commit is at hand, then twice as long each time,
	poll      = 25 * time.Millisecond // up to this
	atHand    = time.Second           // for so long
	idlePoll  = time.Second           // otherwise, where the system tells of writes
)

// Watch implements [webhook.Outbox].
func (s *Store) Watch(ctx context.Context, wake func()) error {
	listener := s.bell.listen()
	defer s.bell.leave(listener)
	last, err := s.dataVersion(ctx)
	if err != nil {
		return stopped(ctx, err)
	}
	idle := idlePoll
	stop, err := notify(s.writer.log, func() { signal(listener.hinted) })
	if err != nil {
		idle = poll
	}
	defer stop()
	wake()
	pause := idle
	timer := time.NewTimer(pause)
	defer timer.Stop()
	var hinted time.Time
	for {
		rung := false
		select {
		case <-ctx.Done():
			return nil
		case <-s.closed:
			return errors.New("sqlite: watch: the store is closed")
		case <-listener.rung:
			// To look as well keeps the store's own commit from being taken for
			// another's, which would wake up in vain.
			rung = true
		case <-listener.hinted:
			hinted, pause = time.Now(), quickPoll
		case <-timer.C:
			pause = min(2*pause, poll)
		}
		version, err := s.dataVersion(ctx)
		if err != nil {
			return stopped(ctx, err)
		}
		if rung || version != last {
			last = version
			wake()
			hinted = time.Time{}
		}
		if time.Since(hinted) > atHand {
			pause = idle
		}
		timer.Reset(pause)
	}
}

// dataVersion returns a number that changes when another connection has committed:
// https://www.sqlite.org/pragma.html#pragma_data_version
func (s *Store) dataVersion(ctx context.Context) (version int64, err error) {
	err = s.watcher.borrow(ctx, func(c *conn) error {
		// It takes no time, so it is not interrupted.
		return tx{context.Background(), c}.row("PRAGMA data_version").Scan(&version)
	})
	return version, err
}

// stopped returns the error that a Watch ends with: none when it was to end.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("sqlite: watch: %w", err)
}
