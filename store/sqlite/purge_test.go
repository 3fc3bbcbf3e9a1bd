package sqlite_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// Values by which the records of TestPurgeBytes are found.
const (
	purgedMark = "Purged#Record#Mark"
	keptMark   = "Kept#Record#Mark"
)

// holds reports how often a file holds a value. One that is absent holds none.
func holds(t *testing.T, file, value string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte(value))
}

// TestPurgeBytes shows that nothing about a record is left in the files once it was
// purged: neither of what Purge removes, nor of what was overwritten or pruned before.
func TestPurgeBytes(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			file := filepath.Join(t.TempDir(), "host.db")
			db := openHost(t, file, hostSettings)
			store, err := sqlite.New(t.Context(), db, nil)
			if err != nil {
				t.Fatal(err)
			}
			closeLater(t, store)
			first, second := create(t, store), create(t, store)
			w := join(t, store)
			purged, number := 0, 0
			for round := range 12 {
				var list []webhook.Event
				for range 25 {
					number++
					e := markedEvent(random, fmt.Sprint("e", number))
					if e.Profile.ID == purgedMark && round > 0 {
						purged++
					}
					list = append(list, e)
				}
				if round%2 == 0 {
					err = store.Dispatch(t.Context(), list...)
				} else {
					err = inHostTx(t, db, store, list)
				}
				if err != nil {
					t.Fatal(err)
				}
				if round == 11 {
					break // these stay pending
				}
				if err := fanOutMarked(t, store, first, second); err != nil {
					t.Fatal(err)
				}
				claimed := claim(t, store, w, 20)
				if round == 0 {
					claimed = append(claimed, claim(t, store, w, 1000)...)
				}
				answers := outcomes(claimed, "thanks for "+purgedMark)
				for i := range answers {
					if claimed[i].Record != purgedMark {
						answers[i].Attempt.Answer = strings.Repeat("a", random.IntN(2000))
					}
				}
				if _, err := store.Settle(t.Context(), w, answers); err != nil {
					t.Fatal(err)
				}
				if round == 0 { // all of it, but for what waits behind
					pruneEnded(t, store, &purged)
				}
			}
			if holds(t, file, purgedMark)+holds(t, file+"-wal", purgedMark) == 0 {
				t.Fatal("the files never held the value")
			}
			got, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, purgedMark)
			if err != nil || got < purged {
				t.Fatalf("purged %d events, %v, want at least %d", got, err, purged)
			}
			for _, name := range []string{file, file + "-wal"} {
				if n := holds(t, name, purgedMark); n > 0 {
					t.Errorf("%s holds the record's value %d times", filepath.Base(name), n)
				}
			}
			if holds(t, file, keptMark) == 0 {
				t.Error("the file does not hold the other records' values")
			}
			storetest.CheckInvariants(t, store)
			if got, err := store.Purge(t.Context(), webhook.Scope{Database: "d"}, purgedMark); err != nil || got != 0 {
				t.Errorf("purged again: %d, %v", got, err)
			}
		})
	}
}

// markedEvent returns an event about one of a few records, of any size, half of them
// about subprofiles.
func markedEvent(random *rand.Rand, id string) webhook.Event {
	mark := keptMark
	if random.IntN(3) == 0 {
		mark = purgedMark
	}
	e := event(id)
	e.Profile.ID = mark
	if mark == keptMark {
		e.Profile.ID += fmt.Sprint(random.IntN(5))
	}
	sizes := []int{0, 100, 1000, 3000, 9000, 40_000}
	e.Profile.Fields["text"] = strings.Repeat(mark+" ", 1+random.IntN(1+sizes[random.IntN(len(sizes))])/len(mark))
	if random.IntN(2) == 0 {
		e.Collection, e.Subprofile = "c", &webhook.Record{ID: fmt.Sprint(mark, "-sub", random.IntN(3))}
	}
	return e
}

func inHostTx(t *testing.T, db *sql.DB, store *sqlite.Store, list []webhook.Event) error {
	tx := begin(t, db)
	defer tx.Rollback()
	if err := store.InTx(tx).Dispatch(t.Context(), list...); err != nil {
		return err
	}
	return tx.Commit()
}

// fanOutMarked fans out what is pending, in both formats, with messages that hold what
// the record does.
func fanOutMarked(t *testing.T, store webhook.Store, callbacks ...webhook.Callback) error {
	t.Helper()
	p, err := store.Pending(t.Context(), webhook.PendingRequest{Limit: 1000, LimitBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Events {
		message := []byte(fmt.Sprint(e.Profile.ID, e.Profile.Fields["text"]))
		x := webhook.Expansion{Sequence: e.Sequence, Messages: webhook.Messages{
			JSON: message, XML: append([]byte("<"), message...),
		}}
		for i, c := range callbacks {
			x.Targets = append(x.Targets, webhook.Target{
				Callback: c.ID, Method: []webhook.Method{webhook.MethodJSON, webhook.MethodXML}[i],
			})
		}
		if err := store.FanOut(t.Context(), []webhook.Expansion{x}); err != nil {
			return err
		}
	}
	return nil
}

// pruneEnded prunes all that has ended, and adds to purged how much of the record's is
// left.
func pruneEnded(t *testing.T, store webhook.Store, purged *int) {
	t.Helper()
	future := time.Now().Add(time.Hour)
	result, err := store.Prune(t.Context(), webhook.PruneRequest{Limit: 1000, Delivered: future, Dead: future})
	if err != nil || result.Events == 0 {
		t.Fatalf("pruned %+v, %v", result, err)
	}
	page, err := store.Deliveries(t.Context(), webhook.DeliveryQuery{Limit: 1000, Record: purgedMark})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int64]bool)
	for _, d := range page.Deliveries {
		seen[d.Sequence] = true
	}
	*purged += len(seen)
}
