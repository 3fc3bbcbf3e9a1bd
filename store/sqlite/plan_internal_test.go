package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

// scansTable matches the steps of a plan that go through a whole table or index. What
// is left of "SCAN" are the rows that a statement has made itself, the index of dead
// deliveries read in its order, and the workers, who are few.
var scansTable = regexp.MustCompile(`^SCAN ringback_`)

const (
	readsDead    = "SCAN ringback_deliveries USING INDEX ringback_deliveries_dead"
	readsWorkers = "SCAN ringback_workers"
)

// TestPlans shows that what runs for every event, delivery or claim looks up what it
// needs, however much there is.
func TestPlans(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	t.Run("new", func(t *testing.T) { checkPlans(t, store) })

	// A host may run ANALYZE, at a moment when there is hardly anything to see.
	if _, err := store.CreateCallback(t.Context(), webhook.Callback{Database: "d", URL: "https://example.com/"}, 0); err != nil {
		t.Fatal(err)
	}
	err = store.Dispatch(t.Context(), webhook.Event{
		Action: webhook.ActionCreate, Database: "d", Profile: webhook.Record{ID: "r"},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = store.FanOut(t.Context(), []webhook.Expansion{{Sequence: 1, Targets: []webhook.Target{{Callback: "1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.writer.conn.ExecContext(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	t.Run("analyzed", func(t *testing.T) { checkPlans(t, store) })
}

func checkPlans(t *testing.T, store *Store) {
	deliveries := func(q webhook.DeliveryQuery) string {
		statement, _ := selectDeliveries(q)
		return statement
	}
	callbacks := "SELECT " + callbackColumns + " FROM ringback_callbacks WHERE "
	for name, statement := range map[string]string{
		"insertEvents":          insertEvents + eventValues + passOver,
		"selectPending":         selectPending,
		"listenersOfDatabase":   callbacks + listenersOfDatabase,
		"listenersOfCollection": callbacks + listenersOfCollection,
		"takeOff":               takeOff,
		"insertDelivery":        insertDelivery,
		"noteFailure":           noteFailure,
		"selectWorker":          selectWorker,
		"selectWorkers":         selectWorkers,
		"beatWorker":            beatWorker,
		"retireClaims":          retireClaims,
		"leaveClaims":           leaveClaims,
		"selectBusy":            selectBusy,
		"selectDue":             selectDue,
		"selectMessage":         selectMessage,
		"claimDelivery":         claimDelivery,
		"settleDelivery":        settleDelivery,
		"insertAttempt":         insertAttempt,
		"readySuccessor":        readySuccessor,
		"selectCallback":        selectCallback,
		"selectEventNumber":     selectEventNumber,
		"selectEvent":           selectEvent,
		"selectDelivery":        selectDelivery,
		"selectAttempts":        selectAttempts,
		"deliveries of one":     deliveries(webhook.DeliveryQuery{Callback: "1"}),
		"dead ones":             deliveries(webhook.DeliveryQuery{State: webhook.DeliveryDead}),
		"dead ones of one":      deliveries(webhook.DeliveryQuery{Callback: "1", State: webhook.DeliveryDead}),
		"selectWindow":          selectWindow,
		"selectReach":           selectReach,
		"deleteGone":            deleteGone,
		"deleteEnded":           deleteEnded,
		"deleteEvent":           deleteEvent,
		"selectGone":            selectGone,
		"deleteSwept":           deleteSwept,
	} {
		var plan []string
		parameters := 0
		for i := range 10 {
			if strings.Contains(statement, fmt.Sprint("?", i)) {
				parameters = i
			}
		}
		if parameters == 0 {
			parameters = strings.Count(statement, "?")
		}
		err := scanRows(context.Background(), store.writer.conn, func(row scanner) error {
			var id, parent, unused int
			var step string
			err := row.Scan(&id, &parent, &unused, &step)
			plan = append(plan, step)
			return err
		}, "EXPLAIN QUERY PLAN "+statement, make([]any, parameters)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, step := range plan {
			if scansTable.MatchString(step) && step != readsDead && step != readsWorkers {
				t.Errorf("%s scans a table:\n%s", name, strings.Join(plan, "\n"))
			}
		}
	}
}
