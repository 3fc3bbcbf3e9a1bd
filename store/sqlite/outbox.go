package sqlite

import (
	"context"
	"errors"
	"math"

	"github.com/ringback-dev/ringback/webhook"
)

// Dispatch implements [webhook.Dispatcher]. An event whose ID is that of one that is fanned
// out is passed over at once, one whose ID is that of one that is pending when it would be
// fanned out.
func (s *Store) Dispatch(ctx context.Context, events ...webhook.Event) error {
	prepared, err := prepareEvents(events)
	if err != nil {
		return err
	}
	if len(prepared) == 0 {
		return ctx.Err()
	}
	if err := s.admit(ctx); err != nil {
		return err
	}
	kept := keep(prepared)
	err = s.writeBesideHeld(ctx, "dispatch", len(prepared), func(tx tx) error {
		var appended, fanned int64
		if err := tx.row(selectNumbers).Scan(&appended, &fanned); err != nil {
			return err
		}
		next, err := tx.next(appended, fanned)
		if err != nil {
			return err
		}
		return tx.append(prepared, next)
	})
	if err != nil {
		return err
	}
	for i := range prepared {
		kept[i].Sequence = prepared[i].sequence
	}
	s.recent.add(kept)
	s.bell.ring()
	return nil
}

const (
	// The data is left out where it is known as a rule: between ?3 and ?4.
	selectPending = `SELECT sequence, id, CASE WHEN sequence BETWEEN ?3 AND ?4 THEN NULL ELSE data END
	FROM ringback_pending WHERE sequence > ?1 AND id <> '' ORDER BY sequence LIMIT ` + int2

	selectDescription = `SELECT id, database_id, collection_id, action FROM ringback_pending WHERE sequence = ?`
)

// Pending implements [webhook.Outbox].
func (s *Store) Pending(ctx context.Context, r webhook.PendingRequest) (webhook.PendingEvents, error) {
	var pending webhook.PendingEvents
	var appended, fanned int64
	err := s.urgent.read(ctx, "pending", func(tx tx) (err error) {
		if err := tx.row(selectNumbers).Scan(&appended, &fanned); err != nil || appended < fanned {
			return err
		}
		if pending.Revision, err = tx.revision(); err != nil {
			return err
		}
		page := pendingPage{PendingRequest: r, recent: &s.recent}
		if err := page.read(tx); err != nil {
			return err
		}
		pending.More = page.more
		return page.decode(tx, &pending)
	})
	if err != nil {
		return webhook.PendingEvents{}, err
	}
	if appended < fanned {
		if err := s.renumber(ctx); err != nil {
			return webhook.PendingEvents{}, err
		}
		return s.Pending(ctx, r)
	}
	return pending, nil
}

// A pendingPage is a page of the outbox being read.
type pendingPage struct {
	webhook.PendingRequest
	recent *recent
	next   pendingRow // the one that is being read
	into   [3]any     // the same, to be read
	rows   []pendingRow
	size   int // of the events' encoded forms
	more   bool
}

// A pendingRow is an event of the outbox: as it is stored, or as it is kept.
type pendingRow struct {
	sequence int64
	id       string
	data     []byte
	kept     *recentEvent
}

// What ends the reading of rows early.
var (
	errFull    = errors.New("the page is full")
	errNotKept = errors.New("the event is not kept")
)

// read reads the rows of the page.
func (p *pendingPage) read(tx tx) error {
	low, high := p.recent.span()
	p.into = [...]any{&p.next.sequence, &p.next.id, &p.next.data}
	for after := p.After; ; {
		err := tx.rows(p.scan, selectPending, after, p.Limit+1-len(p.rows), low, high)
		switch {
		case errors.Is(err, errNotKept):
			// Hosts have appended in between: the rest is read as it is stored.
			low, high = 1, 0
			if n := len(p.rows); n > 0 {
				after = p.rows[n-1].sequence
			}
			continue
		case errors.Is(err, errFull):
			p.more = true
		case err != nil:
			return err
		}
		if p.After == 0 {
			p.dropBefore()
		}
		return nil
	}
}

// dropBefore forgets what comes before the first event of the outbox.
func (p *pendingPage) dropBefore() {
	first := int64(math.MaxInt64)
	if len(p.rows) > 0 {
		first = p.rows[0].sequence
	}
	p.recent.dropBefore(first)
}

// scan reads a row, unless the page is full.
func (p *pendingPage) scan(row scanner) error {
	if len(p.rows) == p.Limit {
		return errFull
	}
	p.next = pendingRow{}
	if err := row.Scan(p.into[:]...); err != nil {
		return err
	}
	r := p.next
	size := len(r.data)
	if r.data == nil {
		if r.kept = p.recent.take(r.sequence, r.id); r.kept == nil {
			return errNotKept
		}
		size = r.kept.size
	}
	if len(p.rows) > 0 && p.size+size > p.LimitBytes {
		if r.kept != nil {
			p.recent.putBack(r.kept)
		}
		return errFull
	}
	p.size += size
	p.rows = append(p.rows, r)
	return nil
}

// decode decodes the events, and tells of those of which that can't be done, or gives
// another event than the row says: FanOut would not find it.
func (p *pendingPage) decode(tx tx, pending *webhook.PendingEvents) error {
	if len(p.rows) > 0 {
		pending.Events = make([]webhook.Event, 0, len(p.rows))
	}
	for i := range p.rows {
		r := &p.rows[i]
		if r.kept != nil {
			pending.Events = append(pending.Events, r.kept.Event)
			continue
		}
		e, err := webhook.DecodeEvent(r.data)
		if err == nil && e.ID == r.id {
			e.Sequence = r.sequence
			pending.Events = append(pending.Events, e)
			continue
		}
		d := webhook.DamagedEvent{Sequence: r.sequence}
		err = tx.row(selectDescription, r.sequence).Scan(&d.ID, &d.Scope.Database, &d.Scope.Collection, &d.Action)
		if err != nil {
			return err
		}
		pending.Damaged = append(pending.Damaged, d)
	}
	return nil
}

// revision returns the registry's revision.
func (t tx) revision() (revision int64, err error) {
	err = t.row("SELECT revision FROM ringback_registry").Scan(&revision)
	return revision, err
}

const (
	// Of one whose state can't be read it is told.
	listenersOfDatabase   = "database_id = ? AND collection_id = '' AND state <> 'disabled' ORDER BY id"
	listenersOfCollection = "collection_id = ? AND database_id IN ('', ?) AND state <> 'disabled' ORDER BY id"
)

// Listeners implements [webhook.Outbox].
func (s *Store) Listeners(ctx context.Context, scope webhook.Scope) (webhook.Listeners, error) {
	var listeners webhook.Listeners
	var unread damage
	err := s.urgent.read(ctx, "listeners", func(tx tx) (err error) {
		if listeners.Revision, err = tx.revision(); err != nil {
			return err
		}
		if scope.Collection == "" {
			listeners.Callbacks, err = tx.callbacks(&unread, listenersOfDatabase, scope.Database)
		} else {
			listeners.Callbacks, err = tx.callbacks(&unread, listenersOfCollection, scope.Collection, scope.Database)
		}
		return err
	})
	if err != nil {
		return webhook.Listeners{}, err
	}
	return listeners, unread.found("listeners")
}
