package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func watchTests() []test {
	return []test{
		{"ends", testWatchEnds},
		{"append", testWatchAppend},
		{"ready", testWatchReady},
		{"callback", testWatchCallback},
		{"several", testWatchSeveral},
	}
}

// A watch is a running Watch.
type watch struct {
	t     *testing.T
	woken chan struct{}
}

// watch runs Watch until the test ends, and waits for it to begin.
func (h *harness) watch() *watch {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.ctx())
	w := &watch{h.t, make(chan struct{}, 1)}
	ended := make(chan error)
	go func() {
		ended <- h.store.Watch(ctx, func() {
			select {
			case w.woken <- struct{}{}:
			default:
			}
		})
	}()
	h.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Errorf("Watch returned %v", err)
		}
	})
	w.until("it began", func() bool { return true })
	return w
}

// until waits for a wake after which something holds. A store may wake in vain, and
// before what it wakes for can be seen.
func (w *watch) until(what string, holds func() bool) {
	w.t.Helper()
	patience := time.After(10 * time.Second)
	for {
		select {
		case <-w.woken:
			if holds() {
				return
			}
		case <-patience:
			w.t.Fatalf("not woken after %s", what)
		}
	}
}

func testWatchEnds(h *harness) {
	ctx, cancel := context.WithCancel(h.ctx())
	cancel()
	h.must(h.store.Watch(ctx, func() {}))

	ctx, cancel = context.WithCancel(h.ctx())
	h.must(h.store.Watch(ctx, cancel)) // ends when it is woken
}

func testWatchAppend(h *harness) {
	w := h.watch()
	for i, id := range numbered("e", 3) {
		h.dispatch(profile(id, "r"))
		w.until("an append", func() bool { return len(h.pending()) == i+1 })
	}
}

func testWatchReady(h *harness) {
	h.create("d", "")
	h.dispatch(profile("e1", "r"), profile("e2", "r"), profile("e3", "r"))
	watch := h.watch()
	w := h.join()
	var claimed []webhook.Claimed
	ready := func() bool {
		claimed = h.claim(claimAll(w))
		return len(claimed) == 1
	}
	h.fanOut()
	watch.until("the fan-out", ready)
	h.settle(w, webhook.DeliveryDelivered, claimed...)
	watch.until("the end of the one before", ready)
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{{
		Sequence: claimed[0].Sequence, Callback: claimed[0].Callback, State: webhook.DeliveryReady,
	}}))
	watch.until("one was given back", ready)
	gone := w
	w = h.join()
	h.must(h.store.Leave(h.ctx(), gone))
	watch.until("a worker left", ready)
	gone = w
	w = h.join()
	h.retire(gone)
	watch.until("a worker was retired", ready)
}

func testWatchCallback(h *harness) {
	edited, gone, refusing := h.create("other", ""), h.create("other", ""), h.create("d", "")
	w := h.join()
	h.dispatch(profile("e", "r"))
	h.fanOut()
	claimed := h.claim(claimAll(w))
	equal(h, "claimed", len(claimed), 1)
	watch := h.watch()
	edited.URL = "https://example.com/elsewhere"
	_, err := h.store.UpdateCallback(h.ctx(), edited)
	h.must(err)
	watch.until("an edit", func() bool { return h.callback(edited.ID).URL == edited.URL })
	h.must(h.store.DeleteCallback(h.ctx(), gone.ID))
	watch.until("a deletion", func() bool {
		_, err := h.store.Callback(h.ctx(), gone.ID)
		return errors.Is(err, webhook.ErrNotFound)
	})
	h.must(h.trySettle(h.ctx(), w, []webhook.Outcome{{
		Sequence: claimed[0].Sequence, Callback: claimed[0].Callback, State: webhook.DeliveryDead, Reason: "gone",
		Disable: &webhook.Disabling{Reason: "gone", Version: claimed[0].To.Version},
	}}))
	watch.until("it was disabled", func() bool { return h.callback(refusing.ID).State == webhook.StateDisabled })
}

func testWatchSeveral(h *harness) {
	first, second := h.watch(), h.watch()
	h.dispatch(profile("e", "r"))
	appended := func() bool { return len(h.pending()) == 1 }
	first.until("an append", appended)
	second.until("an append", appended)
}
