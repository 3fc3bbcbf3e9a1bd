package condition_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
	"github.com/ringback-dev/ringback/webhook/condition"
)

// heavy is a condition that takes far longer than a millisecond on an event that
// has a large text u.
var heavy = strings.Repeat("u.toUpperCase().length > 5 && ", 60) + "true"

func heavyEvent() *webhook.Event {
	return update(map[string]any{"u": strings.Repeat("€", 200_000), "n": 17}, nil)
}

func TestDeadline(t *testing.T) {
	ev, err := condition.New(&condition.Options{Deadline: time.Millisecond, MaxMemory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	goroutines := runtime.NumGoroutine()
	c, err := ev.Compile(heavy)
	if err != nil {
		t.Fatal(err)
	}
	s := ev.Begin(heavyEvent())
	for range 5 {
		if got := s.Evaluate(c); got.Verdict != fail || got.Class != condition.ClassDeadline {
			t.Errorf("%+v, want failed by the deadline", got)
		}
	}
	s.End()
	for start := time.Now(); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d goroutines are left, there were %d", runtime.NumGoroutine(), goroutines)
		}
	}
}

// TestManySlowConditionsHoldUpLittle checks that the deadline is short for what is left
// of an event's conditions once they have taken long enough together, that quick ones
// do not mind, and that the next event begins anew.
func TestManySlowConditionsHoldUpLittle(t *testing.T) {
	ev, err := condition.New(&condition.Options{Deadline: 32 * time.Millisecond, MaxMemory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	slow, err := ev.Compile(heavy)
	if err != nil {
		t.Fatal(err)
	}
	quick, err := ev.Compile("[n][0] == 17") // by the interpreter
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := ev.Begin(heavyEvent())
		if got := s.Evaluate(slow); got.Message != "took longer than 32ms" {
			t.Errorf("the first: %+v, want a deadline of 32ms", got)
		}
		for range 8 {
			s.Evaluate(slow)
		}
		if got := s.Evaluate(slow); got.Message != "took longer than 4ms" {
			t.Errorf("the tenth: %+v, want a deadline of 4ms", got)
		}
		if got := s.Evaluate(quick); got.Verdict != yes {
			t.Errorf("a quick one after slow ones: %+v, want matched", got)
		}
		s.End()
	}
}

// TestInterruptsHitNobodyElse runs conditions that end at about the deadline before
// others that take no time. A late interrupt would make one of those fail early.
func TestInterruptsHitNobodyElse(t *testing.T) {
	const deadline = 2 * time.Millisecond
	// The least that an evaluation is given, once the event's slow ones have used up
	// the time for all of them. Who fails sooner was hit by an interrupt for another.
	const least = deadline / 8
	ev, err := condition.New(&condition.Options{Deadline: deadline, MaxMemory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	quick, err := ev.Compile("[company][0] == 'Apple'") // by the interpreter
	if err != nil {
		t.Fatal(err)
	}
	small, large := update(map[string]any{"company": "Apple"}, nil), heavyEvent()
	var interrupted int
	for i := range 60 {
		slow, err := ev.Compile(strings.Repeat("u.indexOf('x') > 0 || ", 1+i%20) + "true")
		if err != nil {
			t.Fatal(err)
		}
		s := ev.Begin(large)
		if s.Evaluate(slow).Class == condition.ClassDeadline {
			interrupted++
		}
		for range 20 {
			start := time.Now()
			if got := s.Evaluate(quick); got.Verdict == fail && time.Since(start) < least {
				t.Fatalf("in the same scope: %+v after %v", got, time.Since(start))
			}
		}
		s.End()
		s = ev.Begin(small)
		for range 20 {
			start := time.Now()
			if got := s.Evaluate(quick); got.Verdict != yes && time.Since(start) < least {
				t.Fatalf("in the next scope: %+v after %v", got, time.Since(start))
			}
		}
		s.End()
	}
	if interrupted == 0 {
		t.Error("nothing was interrupted: the test tests nothing")
	}
}
