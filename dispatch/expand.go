package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
	"github.com/ringback-dev/ringback/webhook/message"
)

// expand decides what an event fans out to. A mistake of ours that shows with one event
// does not stop the others: its deliveries are dead. The only error is that of ctx.
func (r *run) expand(ctx context.Context, e *pendingEvent) (x webhook.Expansion, err error) {
	if e.event == nil {
		r.log.Error("dispatch: an event is damaged, its deliveries are dead", "event", e.id, "sequence", e.sequence)
		return e.dead(reasonDamaged), nil
	}
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("dispatch: an event made the engine panic, its deliveries are dead",
				"event", e.id, "sequence", e.sequence, "panic", p, "stack", string(debug.Stack()))
			x, err = e.dead(reasonPanic), nil
		}
	}()
	m, err := r.match(ctx, e.event, e.listeners)
	if err != nil {
		return webhook.Expansion{}, err
	}
	x = m.encode(e.event)
	x.Event = e.event
	return x, nil
}

// match decides which listeners hear of an event.
func (r *run) match(ctx context.Context, event *webhook.Event, listeners []listener) (match, error) {
	m := matcher{run: r, event: event}
	scope := r.engine.evaluator.Begin(event)
	defer scope.End()
	// What took too long the last time comes last, and may have to wait for another
	// event: the time that the conditions of an event take holds up those behind it.
	var slow []slowListener
	for i := range listeners {
		l := &listeners[i]
		if ctx.Err() != nil {
			return match{}, ctx.Err()
		}
		if !l.hears(event.Sequence, event.Action) {
			continue
		}
		if n := r.slow.struck(&l.Callback); n > 0 {
			slow = append(slow, slowListener{l, n})
			continue
		}
		m.offer(scope, l, false)
	}
	slices.SortStableFunc(slow, func(a, b slowListener) int { return cmp.Compare(a.strikes, b.strikes) })
	for _, l := range slow {
		if ctx.Err() != nil {
			return match{}, ctx.Err()
		}
		if m.spent > slowTime || r.slow.suspended(&l.Callback, time.Now()) {
			m.fail(l.listener, "was not evaluated: on the events before it took longer than it may")
			continue
		}
		m.offer(scope, l.listener, true)
	}
	return m.match, nil
}

// A slowListener is one whose condition ran into its deadline the last times.
type slowListener struct {
	*listener
	strikes int
}

// A match is what the conditions say about an event.
type match struct {
	targets  []webhook.Target // of those that hear of it, none of them dead
	failures []webhook.ExpressionFailure
	spent    time.Duration // on conditions
}

// A matcher is a match in the making.
type matcher struct {
	run   *run
	event *webhook.Event
	match
}

// offer lets the listener hear of the event if its condition takes the turn that it waits
// for. slow tells that it took too long the last time.
func (m *matcher) offer(scope *condition.Scope, l *listener, slow bool) {
	now := time.Now()
	turn := l.turn(m.event, scope)
	m.spent += time.Since(now)
	if slow || turn.tooLong {
		m.run.slow.note(&l.Callback, turn.tooLong, now)
	}
	switch {
	case turn.failure != "":
		m.fail(l, turn.failure)
	case turn.fires:
		m.targets = append(m.targets, webhook.Target{Callback: l.ID, Method: l.Method, Encoding: l.Encoding})
	}
}

func (m *matcher) fail(l *listener, failure string) {
	// The callback's owner is shown it; of interest to the host only when asked for.
	m.run.log.Debug("dispatch: condition failed", "callback", l.ID, "event", m.event.ID, "error", failure)
	m.failures = append(m.failures, webhook.ExpressionFailure{Callback: l.ID, Version: l.Version, Message: failure})
}

// encode returns the expansion, with the event encoded once per format. A delivery is dead
// where there is no message to send, or the event is one of a loop. The expansion has the
// match's own targets: it is good until the next one is made.
func (m *match) encode(event *webhook.Event) webhook.Expansion {
	x := webhook.Expansion{Sequence: event.Sequence, Targets: m.targets, Failures: m.failures}
	var refused map[webhook.Method]string // why there is no message
	for i := range x.Targets {
		t := &x.Targets[i]
		if x.Messages.In(t.Method) == nil && refused[t.Method] == "" {
			body, err := message.Encode(t.Method, event)
			if err == nil {
				x.Messages.Set(t.Method, body)
			} else {
				if refused == nil {
					refused = make(map[webhook.Method]string)
				}
				refused[t.Method] = err.Error()
			}
		}
		t.Dead = refused[t.Method]
		if t.Dead == "" && event.Hops() > webhook.MaxHops {
			t.Dead = fmt.Sprintf("the change was made %d hops away from its first cause, at most %d are allowed: "+
				"callbacks may be going round in a loop. It was caused by event %s",
				event.Hops(), webhook.MaxHops, event.Cause.Event)
		}
	}
	return x
}
