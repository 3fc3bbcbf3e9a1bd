package storetest

import (
	"context"
	"strings"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// join registers a worker.
func (h *harness) join() webhook.Worker {
	h.t.Helper()
	w, err := h.store.Join(h.ctx())
	h.must(err)
	return w
}

// claimAll returns a request for all that is due to a worker.
func claimAll(w webhook.Worker) webhook.ClaimRequest {
	return webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 100_000, LimitBytes: 1 << 30}
}

// claim claims what is asked for.
func (h *harness) claim(r webhook.ClaimRequest) []webhook.Claimed {
	h.t.Helper()
	claimed, err := h.store.Claim(h.ctx(), r)
	h.must(err)
	return claimed
}

// settle records the same outcome, made by an attempt, for deliveries.
func (h *harness) settle(w webhook.Worker, state webhook.DeliveryState, claimed ...webhook.Claimed) {
	h.t.Helper()
	var outcomes []webhook.Outcome
	for _, c := range claimed {
		outcomes = append(outcomes, outcome(c, state))
	}
	h.must(h.trySettle(h.ctx(), w, outcomes))
}

// record records outcomes and returns the callbacks that this has disabled.
func (h *harness) record(w webhook.Worker, outcomes ...webhook.Outcome) []webhook.Callback {
	h.t.Helper()
	disabled, err := h.store.Settle(h.ctx(), w, outcomes)
	h.must(err)
	return disabled
}

// trySettle settles and returns the error alone.
func (h *harness) trySettle(ctx context.Context, w webhook.Worker, outcomes []webhook.Outcome) error {
	_, err := h.store.Settle(ctx, w, outcomes)
	return err
}

// outcome returns the outcome of the next attempt. A retry is due in an hour.
func outcome(c webhook.Claimed, state webhook.DeliveryState) webhook.Outcome {
	o := webhook.Outcome{
		Sequence: c.Sequence, Callback: c.Callback, State: state,
		Attempt: &webhook.Attempt{Number: c.Attempts + 1, Time: time.Now(), Duration: time.Second, Status: 200},
	}
	switch state {
	case webhook.DeliveryDead:
		o.Reason = "given up"
	case webhook.DeliveryReady:
		o.Due = time.Now().Add(time.Hour)
	}
	return o
}

// givenBack returns the outcome of a delivery that was not attempted.
func givenBack(c webhook.Claimed) webhook.Outcome {
	return webhook.Outcome{Sequence: c.Sequence, Callback: c.Callback, State: webhook.DeliveryReady}
}

// delivery returns the delivery of an event to a callback.
func (h *harness) delivery(eventID string, c webhook.Callback) webhook.Delivery {
	h.t.Helper()
	d, err := h.store.Delivery(h.ctx(), webhook.DeliveryID(eventID, c.ID))
	h.must(err)
	return d
}

// deliveries returns what a query selects.
func (h *harness) deliveries(q webhook.DeliveryQuery) []webhook.Delivery {
	h.t.Helper()
	if q.Limit == 0 {
		q.Limit = 100_000
	}
	page, err := h.store.Deliveries(h.ctx(), q)
	h.must(err)
	return page.Deliveries
}

// states returns the states of the deliveries of events to a callback, in one line.
func (h *harness) states(c webhook.Callback, eventIDs ...string) string {
	h.t.Helper()
	var states []string
	for _, id := range eventIDs {
		states = append(states, string(h.delivery(id, c).State))
	}
	return strings.Join(states, " ")
}

// eventIDs returns the IDs of the events of claimed deliveries, in one line.
func eventIDs(claimed []webhook.Claimed) string {
	var ids []string
	for _, c := range claimed {
		ids = append(ids, c.EventID)
	}
	return strings.Join(ids, " ")
}

// continueReplays replays all that is asked for, some at a time.
func (h *harness) continueReplays(limit int) {
	h.t.Helper()
	for range 100_000 {
		more, err := h.store.ContinueReplays(h.ctx(), limit)
		h.must(err)
		if !more {
			return
		}
	}
	h.t.Fatal("the replays have no end")
}

// replay replays the delivery of an event to a callback.
func (h *harness) replay(eventID string, c webhook.Callback) webhook.Delivery {
	h.t.Helper()
	d, err := h.store.Replay(h.ctx(), webhook.DeliveryID(eventID, c.ID))
	h.must(err)
	return d
}
