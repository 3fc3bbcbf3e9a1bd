package dispatch_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// A change too many hops away from its first cause fires nothing: what would have fired
// is dead, says why, and can be replayed.
func TestLoopIsCut(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		fires := b.Callback("fires", webhook.Callback{Expression: "age > 0", Method: webhook.MethodXML})
		silent := b.Callback("silent", webhook.Callback{Expression: "age < 0"})
		b.Start()
		for hops := range 8 {
			e := update("1", hops+1)
			if hops > 0 {
				e.Cause = &webhook.Cause{Event: "the-cause", Hops: hops - 1}
			}
			if err := b.Engine.Dispatch(b.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := len(b.Network.Posts()); n != webhook.MaxHops+1 {
			t.Errorf("%d posts, want %d: hops 0 to %d", n, webhook.MaxHops+1, webhook.MaxHops)
		}
		dead := b.Dead(fires)
		if len(dead) != 2 || len(b.Dead(silent)) != 0 {
			t.Fatalf("%d and %d dead deliveries, want 2 and none", len(dead), len(b.Dead(silent)))
		}
		if !strings.Contains(dead[1].Reason, "6 hops") || !strings.Contains(dead[1].Reason, "the-cause") {
			t.Errorf("the reason is %q", dead[1].Reason)
		}
		if _, err := b.Store.Replay(t.Context(), dead[1].ID); err != nil {
			t.Fatal(err)
		}
		advance(2 * time.Second)
		synctest.Wait()
		if d := b.Delivery("1", 7, fires); d.State != webhook.DeliveryDelivered {
			t.Errorf("after the replay the delivery is %s", d.State)
		}
	})
}
