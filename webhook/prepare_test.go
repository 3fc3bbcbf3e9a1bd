package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

var uuid7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestPrepareFillsIn checks the ID against RFC 9562: section 4 for the form, 5.7
// for the bits.
func TestPrepareFillsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(123456789) // of the bubble's clock
		now := time.Now()
		seen := make(map[string]bool)
		for range 1000 {
			e, encoded, err := webhook.Prepare(event(func(e *webhook.Event) { e.ID, e.Time = "", time.Time{} }))
			if err != nil {
				t.Fatal(err)
			}
			if !uuid7.MatchString(e.ID) || seen[e.ID] {
				t.Fatalf("ID %q is no UUIDv7, or given twice", e.ID)
			}
			seen[e.ID] = true
			ms, err := strconv.ParseInt(e.ID[:8]+e.ID[9:13], 16, 64)
			if err != nil || ms != now.UnixMilli() {
				t.Errorf("ID %q is of %d ms, want %d", e.ID, ms, now.UnixMilli())
			}
			if !e.Time.Equal(now.Truncate(time.Millisecond)) || e.Time.Location() != time.UTC {
				t.Errorf("time is %v, want %v to the millisecond in UTC", e.Time, now)
			}
			stored, err := webhook.DecodeEvent(encoded)
			if err != nil || stored.ID != e.ID || !stored.Time.Equal(e.Time) {
				t.Errorf("stored as %s of %v, %v; want %s of %v", stored.ID, stored.Time, err, e.ID, e.Time)
			}
		}
	})
}

func TestPrepareKeeps(t *testing.T) {
	given := event(func(e *webhook.Event) { e.Time = e.Time.Add(456).In(time.FixedZone("CET", 3600)) })
	e, _, err := webhook.Prepare(given)
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != given.ID || !e.Time.Equal(given.Time) || e.Time.Location() != time.UTC {
		t.Errorf("ID %q and time %v became %q and %v", given.ID, given.Time, e.ID, e.Time)
	}
	if e.Previous != given.Previous {
		t.Error("the previous state of an update is gone")
	}

	given.Action = webhook.ActionDelete
	e, encoded, err := webhook.Prepare(given)
	if err != nil {
		t.Fatal(err)
	}
	if e.Previous != nil || bytes.Contains(encoded, []byte("Microsoft")) {
		t.Errorf("the previous state of a delete is kept: %s", encoded)
	}
	if given.Previous == nil {
		t.Error("Prepare has changed the caller's event")
	}
}

// checkComplete checks that Complete says of an event what Prepare says. Each fills in an
// ID of its own.
func checkComplete(t *testing.T, e webhook.Event) {
	t.Helper()
	want, encoded, wantErr := webhook.Prepare(e)
	nameless := e.ID == ""
	size, err := e.Complete()
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("the error is %v, and that of Prepare %v", err, wantErr)
	}
	if err != nil {
		return
	}
	if nameless && len(e.ID) == len(want.ID) && e.ID != want.ID {
		want.ID = e.ID
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v, and of Prepare %+v", e, want)
	}
	if size < len(encoded) || size > len(encoded) && size > 16<<10 {
		t.Errorf("it is said to take %d bytes, and takes %d as %s", size, len(encoded), encoded)
	}
}

func TestComplete(t *testing.T) {
	for _, change := range []func(*webhook.Event){
		func(e *webhook.Event) { *e = event(ofSubprofile) },
		func(e *webhook.Event) { e.Action, e.Previous = webhook.ActionCreate, nil },
		func(e *webhook.Event) { e.Action = webhook.ActionDelete },
		func(e *webhook.Event) { e.Time = e.Time.Add(456).In(time.FixedZone("CET", 3600)) },
		func(e *webhook.Event) { e.Profile.ID = "" },
		func(e *webhook.Event) { e.Collection = "orders" },
		func(e *webhook.Event) { e.ID = "" },
	} {
		checkComplete(t, event(change))
	}
	at := time.Date(2026, 11, 23, 10, 33, 0, 123456789, time.UTC)
	short := webhook.Record{ID: "1", Created: at, Modified: at}
	checkComplete(t, webhook.Event{
		ID: "e", Action: webhook.ActionUpdate, Database: "d", Collection: "c", Trigger: "t", Time: at,
		Cause: &webhook.Cause{Event: "e", Hops: 1 << 30}, Profile: short, Subprofile: &short, Previous: &short,
	})
	for _, value := range []any{
		nil, false, math.MinInt64, uint64(math.MaxUint64), -math.MaxFloat64, -1.2345678901234567e-6, -math.MaxFloat32, float32(-1.2345678e-5),
		json.Number("-1.000000000000000000000000000000000000000000000000000000"),
		time.Date(2026, 11, 23, 11, 33, 0, 123456789, time.FixedZone("CET", 3600)),
		"", strings.Repeat("\x00", 1000), strings.Repeat("\u2028", 100),
	} {
		few := short
		few.Fields = map[string]any{"few": []any{value, value}}
		checkComplete(t, webhook.Event{
			ID: "e", Action: webhook.ActionUpdate, Database: "d", Time: at, Profile: few, Previous: &short,
		})
		var list []any
		object := make(map[string]any)
		for i := range 200 {
			list = append(list, value, []any{}, map[string]any{})
			object[strings.Repeat("\x01", i+1)] = list
		}
		e := event(ofSubprofile)
		e.Cause = &webhook.Cause{Event: "e-0", Hops: 1 << 30}
		e.Previous = &webhook.Record{ID: e.Subprofile.ID, Fields: map[string]any{"list": list}, Interests: []string{"\n"}}
		for _, r := range []*webhook.Record{&e.Profile, e.Subprofile, e.Previous} {
			r.Created, r.Modified = e.Time.Add(1), e.Time.Add(1)
		}
		checkComplete(t, e)
		e.Subprofile.Fields, e.Subprofile.Interests = object, []string{"", "\x00"}
		checkComplete(t, e)
	}
}

// TestCompleteTakesNoMemory: most events are never encoded.
func TestCompleteTakesNoMemory(t *testing.T) {
	e := usual()
	if n := testing.AllocsPerRun(100, func() { e.Complete() }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPrepareRefuses(t *testing.T) {
	e, encoded, err := webhook.Prepare(event(func(e *webhook.Event) { e.Profile.ID = "" }))
	checkInvalid(t, err, "profile.ID")
	if encoded != nil || !reflect.DeepEqual(e, webhook.Event{}) {
		t.Errorf("got %+v and %s beside the error", e, encoded)
	}
}

// TestPrepareLimit: the limit is that of the message, which has the fields of a
// create twice and those of a delete once.
func TestPrepareLimit(t *testing.T) {
	const slack = 1024 // more than everything else in these messages
	tests := []struct {
		name   string
		most   int // bytes of the field
		change func(*webhook.Event)
	}{
		{"delete", webhook.MaxMessage, func(e *webhook.Event) { e.Action, e.Previous = webhook.ActionDelete, nil }},
		{"create", webhook.MaxMessage / 2, func(e *webhook.Event) { e.Action, e.Previous = webhook.ActionCreate, nil }},
		{"update", webhook.MaxMessage / 2, func(e *webhook.Event) { e.Previous = &webhook.Record{} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := event(test.change)
			for size, fits := range map[int]bool{test.most - slack: true, test.most: false, 2 * webhook.MaxMessage: false} {
				e.Profile.Fields = map[string]any{"f": strings.Repeat("f", size)}
				checkComplete(t, e)
				_, _, err := webhook.Prepare(e)
				var invalid *webhook.InvalidError
				switch {
				case fits && err != nil:
					t.Errorf("%d bytes: %v", size, err)
				case !fits && (!errors.As(err, &invalid) || invalid.Field != ""):
					t.Errorf("%d bytes: got %v, want an InvalidError without a field", size, err)
				}
			}
		})
	}
}
