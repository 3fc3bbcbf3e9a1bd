package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/internal/leaktest"
	"github.com/ringback-dev/ringback/store/sqlite"
	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

// childVariable names the file that a child process of TestKill works on.
const childVariable = "RINGBACK_TEST_CHILD"

func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		fmt.Fprintln(os.Stderr, work(file)) // until it is killed
		os.Exit(1)
	}
	os.Exit(leaktest.Run(m))
}

// TestKill kills a host with SIGKILL at random moments, while it dispatches, fans out,
// claims and settles, and looks whether what it had acknowledged is there, and nothing
// else.
func TestKill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "host.db")
	var acknowledged []string
	for range 12 {
		acknowledged = append(acknowledged, runUntilKilled(t, file, 10+rand.IntN(150))...)
		checkKilled(t, file, acknowledged)
	}
	storetest.CheckDrains(t, open(t, file))
}

// runUntilKilled starts a child and kills it after so many acknowledgements. It
// returns them, and those that were on their way.
func runUntilKilled(t *testing.T, file string, lines int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+file)
	var failed strings.Builder
	child.Stderr = &failed
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		acknowledged = append(acknowledged, scanner.Text())
		if len(acknowledged) == lines {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || failed.Len() > 0 {
		t.Fatalf("the child ended by itself: %v, %s", err, failed.String())
	}
	return acknowledged
}

// checkKilled compares the database with the acknowledgements.
func checkKilled(t *testing.T, file string, acknowledged []string) {
	t.Helper()
	db := openHost(t, file, hostSettings)
	var sound string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Fatalf("the database is damaged: %s, %v", sound, err)
	}
	for what, query := range map[string]string{
		"rows that refer to nothing": "SELECT count(*) FROM pragma_foreign_key_check",
		"changes without their event": `SELECT count(*) FROM ledger
			WHERE 'host-' || id NOT IN (SELECT id FROM ringback_events UNION SELECT id FROM ringback_pending)`,
		"events without their change": `SELECT count(*) FROM (
			SELECT id FROM ringback_events UNION ALL SELECT id FROM ringback_pending)
			WHERE id LIKE 'host-%' AND substr(id, 6) NOT IN (SELECT id FROM ledger)`,
		"events that were fanned out, but not whole": `SELECT count(*) FROM ringback_events
			WHERE (SELECT count(*) FROM (
				SELECT callback_id FROM ringback_deliveries WHERE event_sequence = sequence
				UNION SELECT value ->> 1 FROM ringback_held CROSS JOIN json_each(deliveries) WHERE value ->> 0 = sequence)) <> 2`,
		"events that were, and are pending": `SELECT count(*) FROM ringback_pending
			WHERE id <> '' AND sequence IN (SELECT sequence FROM ringback_events)`,
		"deliveries whose attempts are miscounted": `SELECT count(*) FROM ringback_deliveries d WHERE attempts <> (first_status IS NOT NULL) + (
			SELECT count(*) FROM ringback_attempts a
			WHERE a.event_sequence = d.event_sequence AND a.callback_id = d.callback_id)`,
	} {
		if n := count(t, db, query); n > 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	store, err := sqlite.New(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	storetest.CheckInvariants(t, store)
	for _, line := range acknowledged {
		what, id, _ := strings.Cut(line, " ")
		switch what {
		case "dispatched":
			var n int
			if err := db.QueryRow(`SELECT (SELECT count(*) FROM ringback_events WHERE id = ?1) +
				(SELECT count(*) FROM ringback_pending WHERE id = ?1)`, id).Scan(&n); err != nil || n != 1 {
				t.Errorf("event %s was dispatched and is there %d times, %v", id, n, err)
			}
		case "delivered":
			if d, err := store.Delivery(t.Context(), id); err != nil || d.State != webhook.DeliveryDelivered {
				t.Errorf("delivery %s was settled and is %q, %v", id, d.State, err)
			}
		default:
			t.Errorf("the child says %q", line)
		}
	}
}

// work is what the child does for ever. Each line on standard output acknowledges
// something that must not be lost.
func work(file string) error {
	ctx := context.Background()
	db, err := sql.Open("sqlite3", "file:"+file+"?"+hostSettings)
	if err != nil {
		return err
	}
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS ledger (id TEXT PRIMARY KEY)"); err != nil {
		return err
	}
	store, err := sqlite.New(ctx, db, nil)
	if err != nil {
		return err
	}
	page, err := store.Callbacks(ctx, webhook.CallbackQuery{Limit: 2})
	if err != nil {
		return err
	}
	for len(page.Callbacks) < 2 {
		c, err := store.CreateCallback(ctx, webhook.Callback{Database: "d", URL: "https://example.com/"}, 0)
		if err != nil {
			return err
		}
		page.Callbacks = append(page.Callbacks, c)
	}
	failed := make(chan error)
	loop := func(step func(i int) error) {
		for i := 0; ; i++ {
			if err := step(i); err != nil {
				failed <- err
				return
			}
		}
	}
	process := time.Now().UnixNano() // tells this child's events from the others'
	go loop(func(i int) error { return dispatchOwn(ctx, store, fmt.Sprintf("own-%d-%d", process, i)) })
	go loop(func(i int) error { return dispatchHost(ctx, db, store, fmt.Sprintf("%d-%d", process, i)) })
	worker, err := store.Join(ctx)
	if err != nil {
		return err
	}
	given := make(chan []webhook.Claimed, 100)
	go loop(func(int) error { return fanOutSome(ctx, store, page.Callbacks, worker, given) })
	go loop(func(i int) error { return deliverSome(ctx, store, worker, given, i) })
	return <-failed
}

// about returns an event about one of three records, so that there is an order to keep.
func about(id string) webhook.Event {
	e := event(id)
	e.Profile.ID = "r" + string(id[len(id)-1]%3+'0')
	return e
}

func dispatchOwn(ctx context.Context, store *sqlite.Store, id string) error {
	if err := store.Dispatch(ctx, about(id)); err != nil {
		return err
	}
	fmt.Println("dispatched", id)
	return nil
}

// dispatchHost writes a row of the host's with each event; every third is rolled back.
func dispatchHost(ctx context.Context, db *sql.DB, store *sqlite.Store, id string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec("INSERT INTO ledger VALUES (?)", id); err != nil {
		return err
	}
	if err := store.InTx(tx).Dispatch(ctx, about("host-"+id)); err != nil || id[len(id)-1]%3 == 0 {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	fmt.Println("dispatched", "host-"+id)
	return nil
}

// someOf is what a worker claims at once.
func someOf(w webhook.Worker) webhook.ClaimRequest {
	return webhook.ClaimRequest{Worker: w, Now: time.Now(), Limit: 4, LimitBytes: 1 << 20}
}

// fanOutSome gives some of the deliveries away at once, while few are given away.
func fanOutSome(
	ctx context.Context, store *sqlite.Store, callbacks []webhook.Callback, w webhook.Worker, given chan<- []webhook.Claimed,
) error {
	pending, err := store.Pending(ctx, webhook.PendingRequest{Limit: 5, LimitBytes: 1 << 20})
	if err != nil {
		return err
	}
	var expansions []webhook.Expansion
	for _, e := range pending.Events {
		x := webhook.Expansion{Sequence: e.Sequence, Messages: webhook.Messages{JSON: []byte(e.ID)}}
		for _, c := range callbacks {
			x.Targets = append(x.Targets, webhook.Target{Callback: c.ID})
		}
		expansions = append(expansions, x)
	}
	if len(given) == cap(given) {
		return store.FanOut(ctx, expansions)
	}
	claimed, err := store.FanOutAndClaim(ctx, expansions, someOf(w))
	if len(claimed) > 0 {
		given <- claimed
	}
	return err
}

// deliverSome settles what it is given and what it claims: as delivered, but for some that are
// to be tried again.
func deliverSome(ctx context.Context, store *sqlite.Store, w webhook.Worker, given <-chan []webhook.Claimed, round int) error {
	claimed, err := store.Claim(ctx, someOf(w))
	if err != nil {
		return err
	}
	select {
	case more := <-given:
		claimed = append(claimed, more...)
	default:
	}
	list := outcomes(claimed, "")
	for i := range list {
		if (round+i)%5 == 0 {
			list[i].State = webhook.DeliveryReady
		}
	}
	if _, err := store.Settle(ctx, w, list); err != nil {
		return err
	}
	for i, o := range list {
		if o.State == webhook.DeliveryDelivered {
			fmt.Println("delivered", claimed[i].ID)
		}
	}
	return nil
}
