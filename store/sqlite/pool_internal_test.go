package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringback-dev/ringback/webhook"
)

// TestLongReads shows that what an engine and a host do goes on while as many look at the
// history as may.
func TestLongReads(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), &Options{MaxBacklog: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ended := make(chan error)
	release, reading := make(chan struct{}), make(chan struct{})
	for range maxReaders {
		go func() {
			ended <- store.readers.read(context.Background(), "test", func(tx) error {
				reading <- struct{}{}
				<-release
				return nil
			})
		}()
	}
	for range maxReaders {
		<-reading
	}
	defer func() {
		close(release)
		for range maxReaders {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	worker, err := store.Join(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"Dispatch": func() error {
			return store.Dispatch(ctx, webhook.Event{
				Action: webhook.ActionCreate, Database: "d", Profile: webhook.Record{ID: "1"},
			})
		},
		"Pending": func() error {
			_, err := store.Pending(ctx, webhook.PendingRequest{Limit: 1, LimitBytes: 1})
			return err
		},
		"Listeners": func() error {
			_, err := store.Listeners(ctx, webhook.Scope{Database: "d"})
			return err
		},
		"Claim": func() error {
			_, err := store.Claim(ctx, webhook.ClaimRequest{Worker: worker, Now: time.Now(), Limit: 1, LimitBytes: 1})
			return err
		},
		"Workers": func() error {
			_, err := store.Workers(ctx)
			return err
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
