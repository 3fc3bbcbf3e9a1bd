package sqlite

import (
	"context"

	"github.com/ringback-dev/ringback/webhook"
)

// What there is to know before events are appended: the next number, the registry's
// revision, whether an event is pending, and whether a worker is registered.
const selectStand = selectNext + `, (SELECT revision FROM ringback_registry),
	(SELECT min(sequence) FROM ringback_outbox) IS NOT NULL,
	EXISTS (SELECT 1 FROM ringback_workers WHERE id = ?)`

// AppendAndClaim implements [webhook.AppendClaimer]. What can't be read it leaves for Claim,
// which tells of it.
func (s *Store) AppendAndClaim(
	ctx context.Context, events []webhook.ExpandedEvent, revision int64, r webhook.ClaimRequest,
) (claimed []webhook.Claimed, pending bool, err error) {
	if err := ctx.Err(); err != nil || len(events) == 0 {
		return nil, false, err
	}
	if err := s.admit(ctx); err != nil {
		return nil, false, err
	}
	a := appending{events: events, r: r, revision: revision, asked: make(map[string]int)}
	a.prepared = make([]preparedEvent, len(events))
	for i := range events {
		e := &events[i].Event
		a.prepared[i] = preparedEvent{event: e, encoded: events[i].Encoded, lane: lane(e)}
	}
	if err := s.write(ctx, "append", 2*len(events), a.run); err != nil {
		return nil, false, err
	}
	if a.pending || a.left {
		s.bell.ring()
	}
	return a.claimed, a.pending, nil
}

// An appending is an AppendAndClaim under way.
type appending struct {
	events   []webhook.ExpandedEvent
	prepared []preparedEvent
	r        webhook.ClaimRequest
	revision int64
	asked    map[string]int // what Room has said

	// What it came to.
	claimed []webhook.Claimed
	pending bool
	left    bool // a delivery is ready, and not claimed
}

func (a *appending) run(tx tx) error {
	a.claimed, a.pending, a.left = nil, false, false
	var next, revision int64
	var registered bool
	err := tx.row(selectStand, int64(a.r.Worker)).Scan(&next, &revision, &a.pending, &registered)
	if err != nil {
		return err
	}
	if !registered {
		return webhook.ErrFenced
	}
	if a.pending = a.pending || revision != a.revision; a.pending {
		return tx.append(a.prepared, next)
	}
	return a.fanOut(tx, next)
}

// fanOut appends events that are fanned out, under numbers that begin with the next one,
// with their deliveries.
func (a *appending) fanOut(tx tx, next int64) error {
	f := newFanOut(tx, len(a.events))
	f.birth = &birth{r: a.r, asked: a.asked, claimed: make([]webhook.Claimed, 0, min(max(a.r.Limit, 0), len(a.events)))}
	events := make([]fanned, len(a.events))
	for i := range a.prepared {
		p := &a.prepared[i]
		sequence := next + int64(i)
		events[i] = fanned{
			Expansion: a.events[i].Expand(sequence), lane: p.lane,
			argument: sequence, place: p.lane, appended: f.argument,
			id: p.event.ID, database: p.event.Database, collection: p.event.Collection,
			record: p.event.Record().ID, parent: parentID(p.event), action: p.event.Action,
		}
		events[i].Sequence = sequence
	}
	if err := tx.run(noteSequence, next+int64(len(events))-1); err != nil {
		return err
	}
	err := f.write(events)
	a.claimed, a.left = f.birth.claimed, f.left
	if err != nil || len(a.claimed) == 0 {
		return err
	}
	return tx.beat(a.r.Worker)
}
