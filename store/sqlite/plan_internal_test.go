package sqlite

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// scansTable matches the steps of a plan that go through a whole table or index. What
// is left of "SCAN" are the rows that a statement has made itself, the index of dead
// deliveries read in its order, the workers, who are few, the outbox where Purge looks for
// what repeats an event, and the callbacks where all their backlogs are.
var scansTable = regexp.MustCompile(`^SCAN ringback_`)

// parameter matches a parameter, which may have a number.
var parameter = regexp.MustCompile(`\?([0-9]*)`)

const (
	readsDead     = "SCAN ringback_deliveries USING INDEX ringback_deliveries_dead"
	countsDead    = "SCAN ringback_deliveries USING COVERING INDEX ringback_deliveries_dead"
	readsWorkers  = "SCAN ringback_holders"
	readsRegistry = "SCAN ringback_registry"                                                  // one row
	readsPending  = "SCAN ringback_pending"                                                   // by Purge alone
	readsHeld     = "SCAN ringback_held"                                                      // a few rows
	findsOpen     = "SCAN ringback_deliveries USING COVERING INDEX ringback_deliveries_order" // whether there is one
	readsEnding   = "INDEX ringback_callbacks_ending"                                         // as a rule it is empty
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
	if err := store.writer.outside(t.Context(), func(tx tx) error { return tx.run("ANALYZE") }); err != nil {
		t.Fatal(err)
	}
	t.Run("analyzed", func(t *testing.T) { checkPlans(t, store) })
}

func checkPlans(t *testing.T, store *Store) {
	deliveries := func(q webhook.DeliveryQuery, ending bool) string {
		source, _ := deliverySource(q, ending)
		return "SELECT " + deliveryColumns + source + deliveryPage
	}
	total := func(q webhook.DeliveryQuery) string {
		source, _ := deliverySource(q, false)
		return "SELECT count(*)" + source
	}
	narrow := webhook.DeliveryQuery{Callback: "1", Record: "r", Since: time.Now(), Until: time.Now()}
	dead := webhook.DeliveryQuery{State: webhook.DeliveryDead}
	deadOfOne := webhook.DeliveryQuery{Callback: "1", State: webhook.DeliveryDead}
	for name, statement := range map[string]string{
		"insertPending":         insertPending.single(),
		"insertEvents":          insertEvents.single(),
		"leaveMark":             leaveMark,
		"fillEmpty":             fillEmpty,
		"selectAppended":        selectAppended,
		"dispatchEvents":        dispatchEvents + dispatchValues,
		"selectNumbers":         selectNumbers,
		"selectStand":           selectStand,
		"selectLast":            selectLast,
		"selectPending":         selectPending,
		"selectDescription":     selectDescription,
		"listenersOfDatabase":   selectCallbacks + listenersOfDatabase,
		"listenersOfCollection": selectCallbacks + listenersOfCollection,
		"selectGiven":           selectGiven.statements[0],
		"selectTaken":           selectTaken.statements[0],
		"takeOff":               takeOff,
		"selectPendingCount":    selectPendingCount,
		"selectOpen":            selectOpen.statements[0],
		"insertDeliveries":      insertDeliveries.single(),
		"noteFailure":           noteFailure,
		"selectWorker":          selectWorker,
		"selectWorkers":         selectWorkers,
		"beatWorker":            beatWorker,
		"retireClaims":          retireClaims,
		"leaveClaims":           leaveClaims,
		"selectBusy":            selectBusy,
		"selectBusyLater":       selectBusyLater,
		"selectReady":           selectReady,
		"selectDue":             selectDue,
		"selectMessages":        selectMessages.statements[0],
		"claimDeliveries":       claimDeliveries.statements[0],
		"selectUnusual":         selectUnusual.statements[0],
		"settleDelivered":       settleDelivered.statements[0],
		"settleDelivery":        settleDelivery,
		"insertAttempts":        insertAttempts.single(),
		"readySuccessor":        readySuccessor,
		"selectCallback":        selectCallback,
		"selectEventNumber":     selectEventNumber,
		"selectEvent":           selectEvent,
		"selectDelivery":        selectDelivery,
		"selectAttempts":        selectAttempts,
		"deliveries of one":     deliveries(webhook.DeliveryQuery{Callback: "1"}, false),
		"few deliveries of one": deliveries(narrow, false),
		"dead ones":             deliveries(dead, false),
		"dead ones of one":      deliveries(deadOfOne, false),
		"dead ones, ending":     deliveries(deadOfOne, true),
		"total of one":          total(webhook.DeliveryQuery{Callback: "1"}),
		"total of a few":        total(narrow),
		"total of dead ones":    total(dead),
		"selectReasons":         selectReasons,
		"forgetAttempts":        forgetAttempts,
		"forgetFirst":           forgetFirst,
		"passDelivery":          passDelivery,
		"selectStanding":        selectStanding,
		"addHealth":             addHealth,
		"resetHealth":           resetHealth,
		"endClaims":             endClaims,
		"endOpen":               endOpen,
		"selectEnding":          selectEnding,
		"selectFull":            selectFull,
		"replayDelivery":        replayDelivery,
		"replaySource":          "SELECT count(*)" + replaySource,
		"selectReplayed":        selectReplayed,
		"moveReplay":            moveReplay,
		"selectScheduled":       selectScheduled,
		"rescheduleDelivery":    rescheduleDelivery,
		"selectPurgedPending":   selectPurgedPending,
		"selectPurged":          selectPurged,
		"selectSame":            selectSame,
		"selectRepeating":       selectRepeating,
		"purgeDeliveries":       purgeDeliveries,
		"purgeEvent":            purgeEvent,
		"selectOutboxSize":      selectOutboxSize,
		"selectOutbox":          selectOutbox,
		"selectWindow":          selectWindow,
		"selectReach":           selectReach,
		"deleteEnded":           deleteEnded,
		"selectRepeated":        selectRepeated,
		"deleteEvent":           deleteEvent,
		"selectGone":            selectGone,
		"deleteSwept":           deleteSwept,
		"selectHeld":            selectHeld,
		"spoilHeld":             spoilHeld,
		"selectHeldDeliveries":  selectHeldDeliveries,
		"selectHeldDelivery":    selectHeldDelivery,
		"insertHeld":            insertHeld,
		"deleteHeld":            deleteHeld,
		"writeOutHeld":          writeOutHeld,
		"forgetHeld":            forgetHeld,
		"damagedHeld":           damagedHeld,
		"insertEnded":           insertEnded.single(),
		"anyOpen":               anyOpen,
	} {
		var plan []string
		parameters := 0
		for _, found := range parameter.FindAllStringSubmatch(statement, -1) {
			if number, err := strconv.Atoi(found[1]); err == nil {
				parameters = max(parameters, number)
			} else {
				parameters++
			}
		}
		err := store.writer.outside(t.Context(), func(tx tx) error {
			return tx.rows(func(row scanner) error {
				var id, parent, unused int
				var step string
				err := row.Scan(&id, &parent, &unused, &step)
				plan = append(plan, step)
				return err
			}, "EXPLAIN QUERY PLAN "+statement, make([]any, parameters)...)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, step := range plan {
			if scansTable.MatchString(step) && step != readsDead && step != countsDead && step != readsWorkers && step != readsRegistry &&
				!(step == readsPending && (name == "selectSame" || name == "selectRepeating")) && step != readsHeld &&
				!(step == findsOpen && name == "anyOpen") && !strings.HasSuffix(step, readsEnding) {
				t.Errorf("%s scans a table:\n%s", name, strings.Join(plan, "\n"))
			}
		}
	}
}
