package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ringback-dev/ringback/webhook"
)

func BenchmarkDispatch(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			store := open(b, filepath.Join(b.TempDir(), "store.db"))
			for i := 0; b.Loop(); i++ {
				if err := store.Dispatch(b.Context(), events(fmt.Sprint(i, "-"), batch)...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkInTx(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			db, store := newHost(b)
			for i := 0; b.Loop(); i++ {
				tx := begin(b, db)
				if err := store.InTx(tx).Dispatch(b.Context(), events(fmt.Sprint(i, "-"), batch)...); err != nil {
					b.Fatal(err)
				}
				if err := tx.Commit(); err != nil {
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
