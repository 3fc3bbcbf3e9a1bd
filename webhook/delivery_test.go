package webhook_test

import (
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

func TestDeliveryID(t *testing.T) {
	seen := make(map[string]bool)
	for _, event := range []string{"e", "e_1", "_", "e_", "a:b-c", "01938f6e-2a2b-7c3d-8e4f-5a6b7c8d9e0f"} {
		for _, callback := range []string{"1", "21", "a1"} {
			id := webhook.DeliveryID(event, callback)
			if seen[id] {
				t.Errorf("%q is given twice", id)
			}
			seen[id] = true
			gotEvent, gotCallback, ok := webhook.SplitDeliveryID(id)
			if !ok || gotEvent != event || gotCallback != callback {
				t.Errorf("%q splits into %q, %q, %v", id, gotEvent, gotCallback, ok)
			}
		}
	}
	for _, id := range []string{"", "e", "a-b:c", "_", "_1", "e_"} {
		if event, callback, ok := webhook.SplitDeliveryID(id); ok || event != "" || callback != "" {
			t.Errorf("%q splits into %q, %q, %v", id, event, callback, ok)
		}
	}
}

func TestEnded(t *testing.T) {
	for state, want := range map[webhook.DeliveryState]bool{
		webhook.DeliveryWaiting: false, webhook.DeliveryReady: false, webhook.DeliveryClaimed: false,
		webhook.DeliveryDelivered: true, webhook.DeliveryDead: true,
	} {
		if got := state.Ended(); got != want {
			t.Errorf("%s: ended is %v", state, got)
		}
	}
}
