package storetest

import (
	"context"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func contextTests() []test {
	return []test{{"ended", testContextEnded}}
}

// testContextEnded checks that a caller who has given up changes nothing and is told
// why.
func testContextEnded(h *harness) {
	c := h.create("d", "")
	h.deliver(profile("e1", "r"))
	w := h.join()
	claimed := h.claim(claimAll(w))
	h.dispatch(profile("e2", "r"))
	beats := h.beats()[w]

	ctx, cancel := context.WithCancel(h.ctx())
	cancel()
	s := h.store
	change := c
	change.URL = "https://example.com/changed"
	id := webhook.DeliveryID("e1", c.ID)
	for name, call := range map[string]func() error{
		"CreateCallback": func() error { _, err := s.CreateCallback(ctx, bound("d", ""), 0); return err },
		"Callback":       func() error { _, err := s.Callback(ctx, c.ID); return err },
		"Callbacks":      func() error { _, err := s.Callbacks(ctx, webhook.CallbackQuery{Limit: 1}); return err },
		"UpdateCallback": func() error { _, err := s.UpdateCallback(ctx, change); return err },
		"DeleteCallback": func() error { return s.DeleteCallback(ctx, c.ID) },
		"Dispatch":       func() error { return s.Dispatch(ctx, profile("e3", "r")) },
		"Pending": func() error {
			_, err := s.Pending(ctx, webhook.PendingRequest{Limit: 1, LimitBytes: 1 << 30})
			return err
		},
		"Listeners": func() error { _, err := s.Listeners(ctx, webhook.Scope{Database: "d"}); return err },
		"FanOut":    func() error { return s.FanOut(ctx, []webhook.Expansion{expand(h.pending()[0], c)}) },
		"Join":      func() error { _, err := s.Join(ctx); return err },
		"Beat":      func() error { return s.Beat(ctx, w) },
		"Workers":   func() error { _, err := s.Workers(ctx); return err },
		"Retire":    func() error { _, err := s.Retire(ctx, webhook.WorkerBeat{Worker: w, Beat: beats}); return err },
		"Leave":     func() error { return s.Leave(ctx, w) },
		"Claim":     func() error { _, err := s.Claim(ctx, claimAll(w)); return err },
		"Settle": func() error {
			_, err := s.Settle(ctx, w, []webhook.Outcome{outcome(claimed[0], webhook.DeliveryDelivered)})
			return err
		},
		"Delivery":   func() error { _, err := s.Delivery(ctx, id); return err },
		"Deliveries": func() error { _, err := s.Deliveries(ctx, webhook.DeliveryQuery{Limit: 1}); return err },
		"Attempts":   func() error { _, err := s.Attempts(ctx, id); return err },
		"Replay":     func() error { _, err := s.Replay(ctx, id); return err },
		"StartReplay": func() error {
			_, err := s.StartReplay(ctx, webhook.ReplayRequest{Callback: c.ID})
			return err
		},
		"ContinueReplays": func() error { _, err := s.ContinueReplays(ctx, 1); return err },
		"Reschedule":      func() error { return s.Reschedule(ctx, time.Now()) },
		"Purge":           func() error { _, err := s.Purge(ctx, webhook.Scope{Database: "d"}, "r"); return err },
		"Prune":           func() error { _, err := s.Prune(ctx, webhook.PruneRequest{Limit: 1}); return err },
	} {
		h.wantErr(name, call(), context.Canceled)
	}
	page, err := s.Callbacks(h.ctx(), webhook.CallbackQuery{Limit: 10})
	h.must(err)
	equalList(h, "callbacks", page.Callbacks, []webhook.Callback{c})
	equalList(h, "pending", h.pendingIDs(), []string{"e2"})
	equal(h, "state", h.states(c, "e1"), "claimed")
	equal(h, "counter", h.beats()[w], beats)
	equal(h, "workers", len(h.beats()), 1)
}
