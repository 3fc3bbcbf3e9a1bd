package dispatch_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ringback-dev/ringback/webhook"
)

// At which turns each kind of callback fires: every action, with a condition that
// did and did not hold before, and does and does not hold after.
func TestWhen(t *testing.T) {
	for _, test := range []struct {
		change string
		event  webhook.Event
		fires  string
	}{
		{"created, holds", change(webhook.ActionCreate, nil, 20), "changes enters matches"},
		{"created, does not hold", change(webhook.ActionCreate, nil, 10), ""},
		{"comes to hold", change(webhook.ActionUpdate, 10, 20), "changes enters matches"},
		{"goes on to hold", change(webhook.ActionUpdate, 19, 20), "matches"},
		{"ceases to hold", change(webhook.ActionUpdate, 20, 10), "changes leaves"},
		{"goes on not to hold", change(webhook.ActionUpdate, 9, 10), ""},
		{"holds, before unknown", change(webhook.ActionUpdate, nil, 20), "changes enters matches"},
		{"does not hold, before unknown", change(webhook.ActionUpdate, nil, 10), ""},
		{"deleted, held", change(webhook.ActionDelete, nil, 20), "changes leaves matches"},
		{"deleted, did not hold", change(webhook.ActionDelete, nil, 10), ""},
		{"fails after", change(webhook.ActionUpdate, 20, "boom"), ""},
		{"fails before", change(webhook.ActionUpdate, "boom", 20), "matches"},
	} {
		t.Run(test.change, func(t *testing.T) {
			inBubble(t, nil, func(b *bench) {
				failing := make(map[webhook.When]webhook.Callback)
				for _, when := range []webhook.When{
					webhook.WhenMatches, webhook.WhenEnters, webhook.WhenLeaves, webhook.WhenChanges,
				} {
					failing[when] = b.Callback(string(when), webhook.Callback{
						When: when, Expression: "age == 'boom' ? age.no.way : age >= 18",
					})
				}
				b.Start()
				if err := b.Engine.Dispatch(b.Context(), test.event); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				fired := make(map[string]bool)
				for _, p := range b.Network.Posts() {
					fired[strings.TrimPrefix(p.URL, "https://example.com/")] = true
				}
				if got := strings.Join(slices.Sorted(maps.Keys(fired)), " "); got != test.fires {
					t.Errorf("fired: %q, want %q", got, test.fires)
				}
				for when, c := range failing {
					c, err := b.Store.Callback(t.Context(), c.ID)
					if err != nil {
						t.Fatal(err)
					}
					want := int64(0)
					if strings.HasPrefix(test.change, "fails") && !fired[string(when)] {
						want = 1
					}
					if c.ExpressionFailures != want {
						t.Errorf("%s: %d failures, want %d", when, c.ExpressionFailures, want)
					}
				}
			})
		})
	}
}

// change returns an event about a record whose age was before, and is now.
func change(action webhook.Action, before, now any) webhook.Event {
	e := webhook.Event{
		ID: "e", Action: action, Database: "788",
		Profile: webhook.Record{ID: "1", Fields: map[string]any{"age": now}},
	}
	if before != nil {
		e.Previous = &webhook.Record{ID: "1", Fields: map[string]any{"age": before}}
	}
	return e
}

// An empty condition always holds: it enters with the record and leaves with it.
func TestWhenWithoutCondition(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.Callback("enters", webhook.Callback{When: webhook.WhenEnters})
		b.Callback("leaves", webhook.Callback{When: webhook.WhenLeaves})
		b.Start()
		for i, e := range []webhook.Event{
			change(webhook.ActionCreate, nil, 1), change(webhook.ActionUpdate, 1, 2), change(webhook.ActionDelete, nil, 2),
		} {
			e.ID = fmt.Sprint(i)
			if err := b.Engine.Dispatch(b.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		got := make(map[string]string)
		for _, p := range b.Network.Posts() {
			got[p.URL] += p.Header.Get("webhook-id") + " "
		}
		want := map[string]string{"https://example.com/enters": "0_1 ", "https://example.com/leaves": "2_2 "}
		if !maps.Equal(got, want) {
			t.Errorf("posts: %v, want %v", got, want)
		}
	})
}

// A condition that fails does not fire; the callback shows how often, and the last
// time.
func TestExpressionFailures(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		c := b.Callback("hook", webhook.Callback{Expression: "name.first.length > 1"})
		object := b.Callback("object", webhook.Callback{Expression: "profile"})
		broken := b.Callback("broken", webhook.Callback{Expression: "("})
		b.Start()
		b.Dispatch("1", 30, 31)
		synctest.Wait()
		if n := len(b.Network.Posts()); n != 0 {
			t.Errorf("%d posts, want none", n)
		}
		for _, c := range []webhook.Callback{c, object, broken} {
			c, err := b.Store.Callback(t.Context(), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if c.ExpressionFailures != 2 || c.ExpressionError.Event != "1-31" || c.ExpressionError.Message == "" {
				t.Errorf("%q: %d failures, %+v", c.Expression, c.ExpressionFailures, c.ExpressionError)
			}
		}
	})
}
