package main_test

import (
	"fmt"
	"strconv"
	"testing"
)

// A ledger holds what receivers got about records whose field n counts their
// updates.
type ledger struct {
	bodies map[string]string // by webhook-id
	order  map[string][]int  // the n of each message, by record, without repetitions
	times  int               // messages, repetitions included
}

func newLedger() *ledger {
	return &ledger{bodies: map[string]string{}, order: map[string][]int{}}
}

// add enters a message. One that was there before must have come with the same
// bytes.
func (l *ledger) add(t *testing.T, m message) {
	t.Helper()
	l.times++
	if before, ok := l.bodies[m.id()]; ok {
		if string(m.body) != before {
			t.Errorf("%s came with other bytes:\n%s\n%s", m.id(), before, m.body)
		}
		return
	}
	l.bodies[m.id()] = string(m.body)
	profile := decode(t, m.body)["profile"].(map[string]any)
	n, err := strconv.Atoi(fmt.Sprint(profile["fields"].(map[string]any)["n"]))
	if err != nil {
		t.Fatal(err)
	}
	id := profile["ID"].(string)
	l.order[id] = append(l.order[id], n)
}

// last returns the latest n of a record that has arrived, -1 if none has.
func (l *ledger) last(id string) int {
	if order := l.order[id]; len(order) > 0 {
		return order[len(order)-1]
	}
	return -1
}

// check checks that every n of a record, from 0 to last, has arrived, and in this
// order.
func (l *ledger) check(t *testing.T, id string, last int) {
	t.Helper()
	if len(l.order[id]) != last+1 {
		t.Errorf("profile %s: %d messages, want %d", id, len(l.order[id]), last+1)
	}
	for i, n := range l.order[id] {
		if n != i {
			t.Errorf("profile %s: order %v", id, l.order[id])
			return
		}
	}
}
