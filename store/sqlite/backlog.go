package sqlite

import (
	"context"
	"sync"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

const (
	// No more events are pending than there are numbers, which takes no counting.
	pendingNumbers = "coalesce(" + lastAppended + ` + 1 - (
		SELECT sequence FROM ringback_pending WHERE sequence > 0 AND id <> '' ORDER BY sequence LIMIT 1), 0)`

	// selectFull reports whether as much waits as may. It looks at no more than that. What
	// belongs to a callback that is gone, or is disabled, waits for nothing.
	selectFull = `WITH waiting (deliveries) AS MATERIALIZED (
		SELECT count(*) FROM (
			SELECT 1 FROM ringback_callbacks AS c
			CROSS JOIN ringback_deliveries AS d INDEXED BY ringback_deliveries_order
			WHERE c.ending = 0 AND d.callback_id = c.id AND d.ended = 0
			UNION ALL SELECT 1` + fromHeld + ` WHERE ` + onlyHeld + `
				AND (SELECT c.ending FROM ringback_callbacks AS c WHERE c.id = value ->> 1) = 0
			LIMIT ?1))
	SELECT CASE WHEN deliveries + ` + pendingNumbers + ` < ?1 THEN 0
		ELSE deliveries + (` + countPending + `) >= ?1 END FROM waiting`
)

// measuring is how often the backlog is looked at, at most.
const measuring = time.Second

// A backlog is what is known of how much waits.
type backlog struct {
	most int // 0 for no limit

	mu       sync.Mutex
	measured time.Time
	full     bool
	running  *measurement // nil while nobody looks
	group    sync.WaitGroup
	closed   bool
}

// A measurement is a look at the backlog.
type measurement struct {
	done chan struct{}
	err  error
}

// admit returns [webhook.ErrBacklogFull] while too much waits. The look takes time where
// much waits, so nobody waits for it who is not to be refused otherwise.
func (s *Store) admit(ctx context.Context) error {
	b := &s.backlog
	if b.most <= 0 {
		return nil
	}
	b.mu.Lock()
	unknown := b.measured.IsZero()
	if b.running == nil && !b.closed && (unknown || time.Since(b.measured) >= measuring) {
		running := &measurement{done: make(chan struct{})}
		b.running = running
		b.group.Go(func() { s.measure(running) })
	}
	running, wait := b.running, b.full || unknown
	b.mu.Unlock()
	if wait && running != nil {
		select {
		case <-running.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if running.err != nil {
			return running.err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		return webhook.ErrBacklogFull
	}
	return nil
}

// measure looks at the backlog, from a connection of the store's own, which waits for
// no transaction.
func (s *Store) measure(m *measurement) {
	b := &s.backlog
	var full bool
	m.err = s.urgent.read(context.Background(), "backlog", func(tx tx) error {
		return tx.row(selectFull, b.most).Scan(&full)
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = nil
	if m.err == nil {
		b.full, b.measured = full, time.Now()
	}
	close(m.done)
}

// close waits for the look under way.
func (b *backlog) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.group.Wait()
}
