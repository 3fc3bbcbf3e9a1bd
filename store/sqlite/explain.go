package sqlite

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// advice says what to do about a file that can't be opened.
var advice = map[sqlite3.ErrNo]string{
	sqlite3.ErrNotADB: "the file is no SQLite database, or is encrypted: " +
		"give the name of another file, or restore it from a backup",
	sqlite3.ErrCorrupt: "the file is damaged or cut off: restore it from a backup; " +
		"the shell's .recover command may save what can still be read",
	sqlite3.ErrReadonly: "the file is read-only: a store writes to it, " +
		"and to files beside it whose names end in -wal and -shm",
	sqlite3.ErrCantOpen: "the directory must exist, and the process must be allowed to write to it",
	sqlite3.ErrPerm:     "the process must be allowed to read and write the file",
}

// explain names the file that can't be opened and says what to do about it.
func explain(path string, err error) error {
	if failure, ok := errors.AsType[sqlite3.Error](err); ok && advice[failure.Code] != "" {
		return fmt.Errorf("sqlite: open %s: %w: %s", path, err, advice[failure.Code])
	}
	return fmt.Errorf("sqlite: open %s: %w", path, err)
}
