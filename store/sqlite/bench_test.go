package sqlite_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

func BenchmarkDispatch(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			store := open(b, filepath.Join(b.TempDir(), "store.db"))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := store.Dispatch(b.Context(), events(fmt.Sprint(i, "-"), batch)...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDispatchBeside appends from 64 goroutines at once.
func BenchmarkDispatchBeside(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "store.db"))
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	var n atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := store.Dispatch(b.Context(), event(fmt.Sprint("e", n.Add(1)))); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkInTx appends in a transaction of the host's, which is not measured itself.
func BenchmarkInTx(b *testing.B) {
	for _, batch := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			db, store := newHost(b)
			tx := begin(b, db)
			defer tx.Rollback()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				list := events(fmt.Sprint(i, "-"), batch)
				b.StartTimer()
				if err := store.InTx(tx).Dispatch(b.Context(), list...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHostCommit appends an event in each transaction of a host's, beside many that are
// kept, and fans out what 20 of them have appended.
func BenchmarkHostCommit(b *testing.B) {
	db, store := newHost(b)
	fill(b, db, 20_000, 1)
	create(b, store)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tx := begin(b, db)
		if _, err := tx.Exec("INSERT INTO ledger VALUES (?)", i); err != nil {
			b.Fatal(err)
		}
		e := event(fmt.Sprint(i))
		e.ID = ""
		if err := store.InTx(tx).Dispatch(b.Context(), e); err != nil {
			b.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		if i%20 == 19 {
			if err := fanOut(b, store, make([]byte, 500), webhook.Callback{ID: "1"}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkFanOut replaces 100 pending events by their deliveries, which it claims or does
// not.
func BenchmarkFanOut(b *testing.B) {
	for _, claims := range []bool{false, true} {
		b.Run(fmt.Sprintf("claims=%t", claims), func(b *testing.B) {
			store := open(b, filepath.Join(b.TempDir(), "store.db"))
			create(b, store)
			w := join(b, store)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				if err := store.Dispatch(b.Context(), events(fmt.Sprint(i, "-"), 100)...); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				p, err := store.Pending(b.Context(), webhook.PendingRequest{Limit: 100, LimitBytes: 1 << 20})
				if err != nil || len(p.Events) != 100 {
					b.Fatal(len(p.Events), err)
				}
				x := expansions(p.Events, make([]byte, 500), webhook.Callback{ID: "1"})
				if !claims {
					err = store.FanOut(b.Context(), x)
				} else {
					_, err = store.FanOutAndClaim(b.Context(), x, webhook.ClaimRequest{
						Worker: w, Now: time.Now(), Limit: 100, LimitBytes: 1 << 20,
					})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAppendAndClaim appends events in batches, with one delivery each, and settles
// what it has claimed.
func BenchmarkAppendAndClaim(b *testing.B) {
	for _, batch := range []int{32, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			store := open(b, filepath.Join(b.TempDir(), "store.db"))
			c := create(b, store)
			w := join(b, store)
			message := strings.Repeat("x", 500)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				list := expanded(b, events(fmt.Sprint(i, "-"), batch), message, c)
				b.StartTimer()
				claimed := appendAndClaim(b, store, w, 1, list)
				if _, err := store.Settle(b.Context(), w, outcomes(claimed, "ok")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkClaim claims, and gives back, 100 deliveries out of a backlog.
func BenchmarkClaim(b *testing.B) {
	for _, backlog := range []int{100, 10_000} {
		b.Run(fmt.Sprint(backlog), func(b *testing.B) {
			store, w := backlogged(b, backlog)
			for b.Loop() {
				claimed := claim(b, store, w, 100)
				b.StopTimer()
				list := outcomes(claimed, "")
				for i := range list {
					list[i].State, list[i].Attempt = webhook.DeliveryReady, nil
				}
				if _, err := store.Settle(b.Context(), w, list); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkSettle settles 100 deliveries at once.
func BenchmarkSettle(b *testing.B) {
	store, w := backlogged(b, 100)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		claimed := claim(b, store, w, 100)
		b.StartTimer()
		if _, err := store.Settle(b.Context(), w, outcomes(claimed, "ok")); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		refill(b, store, fmt.Sprint("again", i, "-"), 100)
		b.StartTimer()
	}
}

// backlogged returns a store with as many ready deliveries, and a worker.
func backlogged(b *testing.B, n int) (webhook.Store, webhook.Worker) {
	store := open(b, filepath.Join(b.TempDir(), "store.db"))
	create(b, store)
	refill(b, store, "e", n)
	return store, join(b, store)
}

func refill(b *testing.B, store webhook.Store, prefix string, n int) {
	if err := store.Dispatch(b.Context(), events(prefix, n)...); err != nil {
		b.Fatal(err)
	}
	if err := fanOut(b, store, make([]byte, 500), webhook.Callback{ID: "1"}); err != nil {
		b.Fatal(err)
	}
}
