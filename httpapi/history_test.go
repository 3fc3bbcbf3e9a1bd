package httpapi_test

import (
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/memory"
	"github.com/ringback-dev/ringback/webhook"
)

// A history is a store in which deliveries are made as an engine makes them.
type history struct {
	*memory.Store
	t      testing.TB
	worker webhook.Worker
}

func newHistory(t testing.TB) *history {
	t.Helper()
	h := &history{Store: memory.New(), t: t}
	var err error
	h.worker, err = h.Join(t.Context())
	h.must(err)
	return h
}

func (h *history) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// tell has an update of a record of database 788 come to every callback on that
// database.
func (h *history) tell(event, record string) {
	h.t.Helper()
	ctx := h.t.Context()
	h.must(h.Dispatch(ctx, webhook.Event{
		ID: event, Action: webhook.ActionUpdate, Database: "788", Profile: webhook.Record{ID: record},
	}))
	pending, err := h.Pending(ctx, webhook.PendingRequest{Limit: 1, LimitBytes: 1})
	h.must(err)
	listeners, err := h.Listeners(ctx, webhook.Scope{Database: "788"})
	h.must(err)
	x := webhook.Expansion{Sequence: pending.Events[0].Sequence, Messages: webhook.Messages{JSON: []byte(`{}`)}}
	for _, c := range listeners.Callbacks {
		x.Targets = append(x.Targets, webhook.Target{Callback: c.ID, Method: webhook.MethodJSON, Encoding: webhook.EncodingBody})
	}
	h.must(h.FanOut(ctx, []webhook.Expansion{x}))
}

// attempt claims all that is due and settles it: each attempt has the status and makes
// of its delivery the state.
func (h *history) attempt(state webhook.DeliveryState, status int) {
	h.t.Helper()
	ctx := h.t.Context()
	claimed, err := h.Claim(ctx, webhook.ClaimRequest{Worker: h.worker, Now: time.Now(), Limit: 1000, LimitBytes: 1 << 20})
	h.must(err)
	var outcomes []webhook.Outcome
	for _, c := range claimed {
		o := webhook.Outcome{
			Sequence: c.Sequence, Callback: c.Callback, State: state,
			Attempt: &webhook.Attempt{Number: c.Attempts + 1, Time: time.Now(), Duration: 7 * time.Millisecond, Status: status, Answer: "answer"},
		}
		if status != 200 {
			o.Attempt.Error = "answered something else"
		}
		if state == webhook.DeliveryDead {
			o.Reason = "given up"
		}
		outcomes = append(outcomes, o)
	}
	_, err = h.Settle(ctx, h.worker, outcomes)
	h.must(err)
}
