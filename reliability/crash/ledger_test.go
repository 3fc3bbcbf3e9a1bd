//go:build unix

package crash_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// everything is a Limit that limits nothing.
const everything = math.MaxInt32

// An entry is one update of a record.
type entry struct {
	record string
	n      int
}

// A ledger compares what was committed with what was received.
type ledger struct {
	t             *testing.T
	file          string
	subscriptions []subscription

	acknowledged []string         // event IDs, of host transactions and of Dispatch
	announced    map[string]entry // by event ID: Dispatch was called, and may have succeeded
	claims       map[string]int   // by delivery ID, how many deaths left it claimed
}

func newLedger(t *testing.T, file string, subscriptions []subscription) *ledger {
	return &ledger{
		t: t, file: file, subscriptions: subscriptions,
		announced: make(map[string]entry), claims: make(map[string]int),
	}
}

// open opens the store until it is closed, or the test ends.
func (l *ledger) open() *sqlite.Store {
	l.t.Helper()
	store, err := sqlite.Open(l.t.Context(), l.file, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { store.Close() })
	return store
}

// enter takes over what a process has said, when it has ended.
func (l *ledger) enter(p *process) {
	l.t.Helper()
	for _, line := range p.Heard("committed") {
		l.acknowledged = append(l.acknowledged, strings.Fields(line)...)
	}
	l.acknowledged = append(l.acknowledged, p.Heard("dispatched")...)
	for _, line := range p.Heard("announced") {
		var event string
		var e entry
		if _, err := fmt.Sscan(line, &event, &e.record, &e.n); err != nil {
			l.t.Errorf("the child says %q: %v", line, err)
		}
		l.announced[event] = e
	}
}

// bury ends the workers of processes that are dead, without the wait after which an
// engine would do so, and counts what they held.
func (l *ledger) bury() {
	l.t.Helper()
	store := l.open()
	defer store.Close()
	l.count(store)
	workers, err := store.Workers(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, w := range workers {
		if retired, err := store.Retire(l.t.Context(), w); err != nil || !retired {
			l.t.Fatalf("worker %d: %v, %v", w.Worker, retired, err)
		}
	}
}

// count counts what dead workers hold.
func (l *ledger) count(store *sqlite.Store) {
	l.t.Helper()
	for _, d := range l.deliveries(store, webhook.DeliveryQuery{State: webhook.DeliveryClaimed}) {
		l.claims[d.ID]++
	}
}

func (l *ledger) deliveries(store *sqlite.Store, q webhook.DeliveryQuery) []webhook.Delivery {
	l.t.Helper()
	q.Limit = everything
	page, err := store.Deliveries(l.t.Context(), q)
	if err != nil {
		l.t.Fatal(err)
	}
	return page.Deliveries
}

// committed returns every update that was committed, by event ID.
func (l *ledger) committed(store *sqlite.Store) map[string]entry {
	l.t.Helper()
	db, err := openHost(l.file)
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	var sound string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		l.t.Fatalf("the database is damaged: %s, %v", sound, err)
	}
	committed := make(map[string]entry)
	rows, err := db.Query("SELECT event, record, n FROM ledger")
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var event string
		var e entry
		if err := rows.Scan(&event, &e.record, &e.n); err != nil {
			l.t.Fatal(err)
		}
		committed[event] = e
	}
	if err := rows.Err(); err != nil {
		l.t.Fatal(err)
	}
	for event, e := range l.announced {
		// The first subscription hears of everything.
		_, err := store.Delivery(l.t.Context(), webhook.DeliveryID(event, l.subscriptions[0].ID))
		if err == nil {
			committed[event] = e
		}
	}
	for _, event := range l.acknowledged {
		if _, ok := committed[event]; !ok {
			l.t.Errorf("lost: event %s was acknowledged and is not there", event)
		}
	}
	return committed
}

// check compares, when everything is drained and the receiver is closed.
func (l *ledger) check(r *receiver) {
	l.t.Helper()
	store := l.open()
	defer store.Close()
	committed := l.committed(store)
	got := readReceived(r, committed, l.subscriptions)
	deliveries := make(map[string]webhook.Delivery)
	for _, d := range l.deliveries(store, webhook.DeliveryQuery{}) {
		deliveries[d.ID] = d
	}
	expected, dead, posts, repeated, claimed := 0, 0, 0, 0, 0
	for event, e := range committed {
		for _, s := range l.subscriptions {
			if !s.hears(e.n) {
				continue
			}
			expected++
			d, ok := deliveries[webhook.DeliveryID(event, s.ID)]
			if !ok {
				l.t.Errorf("lost: %s of record %s has no delivery to %s", event, e.record, s.path)
				continue
			}
			m := got[d.ID]
			switch {
			case d.State == webhook.DeliveryDelivered && m.taken > 0 && !s.dies(e):
			// One that was taken as its sender died may have failed ever after.
			case d.State == webhook.DeliveryDead && (m.taken == 0 || l.claims[d.ID] > 0) &&
				d.Attempts == len(pauses)+1 && s.path == "/failing":
				dead++
			default:
				l.t.Errorf("%s to %s is %s (%s) after %d attempts; received %d times, taken %d times",
					d.ID, s.path, d.State, d.Reason, d.Attempts, m.times, m.taken)
			}
			// Each request is an attempt that was recorded, or one whose sender died
			// before it could do so.
			if m.times < d.Attempts || m.times > d.Attempts+l.claims[d.ID] {
				l.t.Errorf("%s to %s was received %d times, with %d attempts recorded and %d deaths amid one",
					d.ID, s.path, m.times, d.Attempts, l.claims[d.ID])
			}
			posts += m.times
			repeated += m.times - d.Attempts
		}
	}
	if len(deliveries) != expected {
		l.t.Errorf("invented: the store has %d deliveries, want %d", len(deliveries), expected)
	}
	for _, n := range l.claims {
		claimed += n
	}
	storetest.CheckInvariants(l.t, store)
	l.t.Logf("%d events, %d deliveries of which %d are dead, %d requests; "+
		"%d of them were repetitions after a death, at most %d could be", len(committed), expected, dead, posts, repeated, claimed)
}
