package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSyncWithoutFiles writes for the first time where the process has as many files open as
// it may: all that it takes was opened with the store.
func TestSyncWithoutFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	if err := open(t, file).Close(); err != nil { // so that the next one has nothing to write
		t.Fatal(err)
	}
	store := open(t, file)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 1
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, refused := os.Open(file)
	err := store.Dispatch(t.Context(), event("e"))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(refused, syscall.EMFILE) {
		t.Fatalf("one more file: %v, want too many", refused)
	}
	if err != nil {
		t.Error(err)
	}
}
