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
	return r.match(ctx, e.event, e.listeners)
}

// match decides which listeners hear of an event, and encodes it for them.
func (r *run) match(ctx context.Context, event *webhook.Event, listeners []listener) (webhook.Expansion, error) {
	e := expander{
		run:   r,
		event: event,
		scope: r.engine.evaluator.Begin(event),
		made:  webhook.Expansion{Sequence: event.Sequence, Messages: make(map[webhook.Method][]byte, 1)},
	}
	defer e.scope.End()
	// What took too long the last time comes last, and may have to wait for another
	// event: the time that the conditions of an event take holds up those behind it.
	var slow []slowListener
	for i := range listeners {
		l := &listeners[i]
		if ctx.Err() != nil {
			return webhook.Expansion{}, ctx.Err()
		}
		if !l.hears(event.Sequence, event.Action) {
			continue
		}
		if n := r.slow.struck(&l.Callback); n > 0 {
			slow = append(slow, slowListener{l, n})
			continue
		}
		e.offer(l, false)
	}
	slices.SortStableFunc(slow, func(a, b slowListener) int { return cmp.Compare(a.strikes, b.strikes) })
	for _, l := range slow {
		if ctx.Err() != nil {
			return webhook.Expansion{}, ctx.Err()
		}
		if e.spent > slowTime || r.slow.suspended(&l.Callback, time.Now()) {
			e.fail(l.listener, "was not evaluated: on the events before it took longer than it may")
			continue
		}
		e.offer(l.listener, true)
	}
	return e.made, nil
}

// A slowListener is one whose condition ran into its deadline the last times.
type slowListener struct {
	*listener
	strikes int
}

// An expander makes the expansion of one event.
type expander struct {
	run     *run
	event   *webhook.Event
	scope   *condition.Scope
	made    webhook.Expansion
	refused map[webhook.Method]string // why there is no message
	spent   time.Duration             // on conditions
}

// offer makes the listener a target if its condition takes the turn that it waits for.
// slow tells that it took too long the last time.
func (e *expander) offer(l *listener, slow bool) {
	now := time.Now()
	turn := l.turn(e.event, e.scope)
	e.spent += time.Since(now)
	if slow || turn.tooLong {
		e.run.slow.note(&l.Callback, turn.tooLong, now)
	}
	switch {
	case turn.failure != "":
		e.fail(l, turn.failure)
	case turn.fires:
		e.target(l)
	}
}

func (e *expander) fail(l *listener, failure string) {
	// The callback's owner is shown it; of interest to the host only when asked for.
	e.run.log.Debug("dispatch: condition failed", "callback", l.ID, "event", e.event.ID, "error", failure)
	e.made.Failures = append(e.made.Failures, webhook.ExpressionFailure{Callback: l.ID, Version: l.Version, Message: failure})
}

// target adds a delivery to the listener, with the event encoded once per format. It is
// dead where there is no message to send, or the event is one of a loop.
func (e *expander) target(l *listener) {
	if e.made.Messages[l.Method] == nil && e.refused[l.Method] == "" {
		body, err := message.Encode(l.Method, e.event)
		if err != nil {
			if e.refused == nil {
				e.refused = make(map[webhook.Method]string)
			}
			e.refused[l.Method] = err.Error()
		} else {
			e.made.Messages[l.Method] = body
		}
	}
	dead := e.refused[l.Method]
	if dead == "" && e.event.Hops() > webhook.MaxHops {
		dead = fmt.Sprintf("the change was made %d hops away from its first cause, at most %d are allowed: "+
			"callbacks may be going round in a loop. It was caused by event %s",
			e.event.Hops(), webhook.MaxHops, e.event.Cause.Event)
	}
	e.made.Targets = append(e.made.Targets, webhook.Target{
		Callback: l.ID, Method: l.Method, Encoding: l.Encoding, Dead: dead,
	})
}
