package memory

import (
	"context"
	"slices"

	"github.com/ringback-dev/ringback/webhook"
)

// Delivery implements [webhook.History].
func (s *Store) Delivery(ctx context.Context, id string) (webhook.Delivery, error) {
	if err := ctx.Err(); err != nil {
		return webhook.Delivery{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.lookUp(id)
	if err != nil {
		return webhook.Delivery{}, err
	}
	return d.view(), nil
}

// Attempts implements [webhook.History].
func (s *Store) Attempts(ctx context.Context, id string) ([]webhook.Attempt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.lookUp(id)
	if err != nil {
		return nil, err
	}
	return slices.Clone(d.attempts), nil
}

// lookUp returns the delivery of an ID, or ErrNotFound.
func (s *Store) lookUp(id string) (*delivery, error) {
	eventID, callbackID, _ := webhook.SplitDeliveryID(id)
	e, c := s.byID[eventID], s.registered[callbackID]
	if e == nil || c == nil || e.to(c) == nil {
		return nil, webhook.ErrNotFound
	}
	return e.to(c), nil
}

// view returns the delivery as its callers see it.
func (d *delivery) view() webhook.Delivery {
	e := d.event
	return webhook.Delivery{
		ID:         webhook.DeliveryID(e.id, d.callback.ID),
		EventID:    e.id,
		Sequence:   e.sequence,
		Callback:   d.callback.ID,
		Database:   e.record.scope.Database,
		Collection: e.record.scope.Collection,
		Record:     e.record.id,
		Action:     e.action,
		Method:     d.method,
		Encoding:   d.encoding,
		State:      d.state,
		Reason:     d.reason,
		Passed:     d.passed,
		Replayed:   d.replayed,
		Attempts:   d.tried,
		Earlier:    d.earlier,
		Due:        d.due.time(),
		Created:    d.created.time(),
		Ended:      d.ended.time(),
	}
}

// Deliveries implements [webhook.History].
func (s *Store) Deliveries(ctx context.Context, q webhook.DeliveryQuery) (page webhook.DeliveryPage, err error) {
	if err := ctx.Err(); err != nil {
		return page, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	selected := 0
	for _, e := range slices.Backward(s.events) {
		for _, d := range slices.Backward(e.deliveries) { // those of the latest callback first
			if !d.selectedBy(q) {
				continue
			}
			selected++
			if selected <= q.Start {
				continue
			}
			if len(page.Deliveries) < q.Limit {
				page.Deliveries = append(page.Deliveries, d.view())
			} else if !q.WithTotal {
				return page, nil
			}
		}
	}
	if q.WithTotal {
		page.Total = selected
	}
	return page, nil
}

func (d *delivery) selectedBy(q webhook.DeliveryQuery) bool {
	return (q.Callback == "" || d.callback.ID == q.Callback) &&
		(q.State == "" || d.state == q.State) &&
		(q.Record == "" || d.event.record.id == q.Record) &&
		(q.Since.IsZero() || d.created >= at(q.Since)) &&
		(q.Until.IsZero() || d.created < at(q.Until))
}

// Prune implements [webhook.History].
func (s *Store) Prune(ctx context.Context, r webhook.PruneRequest) (webhook.PruneResult, error) {
	if err := ctx.Err(); err != nil {
		return webhook.PruneResult{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.after(r.After)
	last := min(first+max(r.Limit, 1), len(s.events))
	var result webhook.PruneResult
	if last < len(s.events) {
		result.Next = s.events[last-1].sequence
	}
	kept := s.events[first:first]
	young, now := 0, now()
	for _, e := range s.events[first:last] {
		// One of the future was appended while the clock was wrong: those behind it
		// may be older.
		if e.appended >= at(r.Delivered) && e.appended >= at(r.Dead) && e.appended <= now {
			young++
		}
		result.Deliveries += e.prune(r)
		if e.content == nil && len(e.deliveries) == 0 && e.appended < at(r.Delivered) {
			delete(s.byID, e.id)
			result.Events++
			continue
		}
		kept = append(kept, e)
	}
	if young == last-first {
		result.Next = 0
	}
	s.events = slices.Delete(s.events, first+len(kept), last)
	return result, nil
}

// prune removes those deliveries of an event that have been kept long enough.
func (e *event) prune(r webhook.PruneRequest) (removed int) {
	before := len(e.deliveries)
	e.deliveries = slices.DeleteFunc(e.deliveries, func(d *delivery) bool {
		old := d.state == webhook.DeliveryDelivered && d.ended < at(r.Delivered) ||
			d.state == webhook.DeliveryDead && d.ended < at(r.Dead)
		if old {
			d.forget()
		}
		return old
	})
	return before - len(e.deliveries)
}
