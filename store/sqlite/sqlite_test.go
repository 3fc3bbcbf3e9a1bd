package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/ringback-dev/ringback/store/storetest"
	"github.com/ringback-dev/ringback/webhook"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) webhook.Store { return open(t, filepath.Join(t.TempDir(), "store.db")) })
}

func TestStoreTransactions(t *testing.T) {
	storetest.RunTransactions(t, func(t *testing.T) (webhook.Store, storetest.DispatchInTx) {
		db, store := newHost(t)
		return store, func(commit bool, events ...webhook.Event) error {
			tx := begin(t, db)
			defer tx.Rollback()
			if err := store.InTx(tx).Dispatch(t.Context(), events...); err != nil || !commit {
				return err
			}
			return tx.Commit()
		}
	})
}

func TestStoreDurable(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T) func(*testing.T) webhook.Store {
		file := filepath.Join(t.TempDir(), "store.db")
		return func(t *testing.T) webhook.Store { return open(t, file) }
	})
}
