package load_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/dispatch"
	"github.com/ringback-dev/ringback/store/sqlite"
)

const (
	busyWriters  = 8
	busyProfiles = 64
)

// TestBusy has eight writers of the host's on one file, that change a record and tell of
// it. Beside them is an engine that delivers, or a ninth writer: of the engine they
// notice no more.
func TestBusy(t *testing.T) {
	rounds, transactions, pause := sized(3, 5), sized(12, 300), 20*time.Millisecond
	// Among few transactions the slowest says little, and little of that is the engine's.
	limit, least := sized(50.0, 1.25), sized(100*time.Millisecond, 0)
	var ratios []float64
	for round := range rounds {
		var engine, writer time.Duration
		beside := []func(){
			func() { engine = besideEngine(t, transactions, pause, touch) },
			func() { writer = besideWriter(t, transactions, pause) },
		}
		if round%2 == 1 {
			slices.Reverse(beside)
		}
		for _, measure := range beside {
			measure()
		}
		ratios = append(ratios, float64(engine)/float64(max(writer, least)))
	}
	slices.Sort(ratios)
	median := ratios[len(ratios)/2]
	t.Logf("ratios of the p99 %.2f, median %.2f", ratios, median)
	if median > limit {
		t.Errorf("beside an engine the p99 of a transaction is %.2f times that beside a ninth writer, want %.2f at most",
			median, limit)
	}
}

// TestSaturated has them write without a pause: whoever has the file then keeps it from
// the others, unless they take turns, so that only what is delivered can be compared.
func TestSaturated(t *testing.T) {
	t.Run("as they come", func(t *testing.T) { besideEngine(t, sized(12, 300), 0, touch) })
	t.Run("in turn", func(t *testing.T) { besideEngine(t, sized(12, 300), 0, touchInTurn) })
}

// besideEngine returns the writers' p99 beside an engine, which is to deliver everything.
func besideEngine(t *testing.T, transactions int, pause time.Duration, touch toucher) time.Duration {
	t.Helper()
	db, store := newHost(t, filepath.Join(t.TempDir(), "host.db"), busyProfiles)
	r := newReceiver(t)
	subscribe(t, store, "d", r.URL)
	stop := run(t, store, dispatch.Options{}, nil)
	took := write(t, db, store, touch, transactions, pause)
	delivered := r.events()
	waitFor(t, "everything to be delivered", func() bool { return r.events() >= len(took) })
	stop()
	if got := r.events(); got != len(took) {
		t.Errorf("%d events have come, %d were committed", got, len(took))
	}
	t.Logf("engine: %s; %d of %d delivered when the writers ended, %d twice",
		spread(took), delivered, len(took), r.repeated())
	return quantile(took, 0.99)
}

// besideWriter returns the writers' p99 beside a ninth.
func besideWriter(t *testing.T, transactions int, pause time.Duration) time.Duration {
	t.Helper()
	db, store := newHost(t, filepath.Join(t.TempDir(), "host.db"), busyProfiles)
	subscribe(t, store, "d", "http://127.0.0.1:9/")
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				ended <- nil
				return
			case <-time.After(anyPause(pause)):
			}
			if err := touch(db, store, fmt.Sprint("ninth-", i), "d", anyProfile()); err != nil {
				ended <- err
				return
			}
		}
	}()
	took := write(t, db, store, touch, transactions, pause)
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Logf("writer: %s", spread(took))
	return quantile(took, 0.99)
}

// spread describes how long transactions took.
func spread(took []time.Duration) string {
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, p99.9 %v",
		quantile(took, 0.5), quantile(took, 0.9), quantile(took, 0.99), quantile(took, 0.999))
}

// A toucher is touch or touchInTurn.
type toucher func(db *sql.DB, store *sqlite.Store, event, database, record string) error

// touchInTurn is a touch under the store's write lock.
func touchInTurn(db *sql.DB, store *sqlite.Store, event, database, record string) error {
	lock := store.WriteLock()
	lock.Lock()
	defer lock.Unlock()
	return touch(db, store, event, database, record)
}

// write makes so many transactions with each of the writers, and returns how long they
// took.
func write(
	t *testing.T, db *sql.DB, store *sqlite.Store, touch toucher, transactions int, pause time.Duration,
) []time.Duration {
	t.Helper()
	var writers sync.WaitGroup
	took := make([]time.Duration, busyWriters*transactions)
	for w := range busyWriters {
		writers.Go(func() {
			for i := range transactions {
				<-time.After(anyPause(pause))
				began := time.Now()
				if err := touch(db, store, fmt.Sprintf("%d-%d", w, i), "d", anyProfile()); err != nil {
					t.Error(err)
					return
				}
				took[w*transactions+i] = time.Since(began)
			}
		})
	}
	writers.Wait()
	return took
}

// anyPause returns a pause that is as long in the mean.
func anyPause(mean time.Duration) time.Duration {
	return time.Duration(2 * rand.Float64() * float64(mean))
}

func anyProfile() string { return fmt.Sprint("r", rand.IntN(busyProfiles)) }
