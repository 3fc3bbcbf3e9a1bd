package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// driver is the name under which go-sqlite3 registers itself, for hosts.
const driver = "sqlite3"

var errInMemory = errors.New("sqlite: a database in memory, or a temporary one, cannot hold a store: " +
	"the store has connections of its own, which would not see it. Use a file, in tests one in t.TempDir()")

// absolute returns a file's absolute name, which stays right when the process changes
// its directory.
func absolute(file string) (string, error) {
	switch {
	case file == "" || strings.HasPrefix(file, ":memory:"):
		return "", errInMemory
	case strings.HasPrefix(file, "file:"):
		return "", fmt.Errorf("sqlite: Open takes the name of a file, not a URI: %s", file)
	case strings.Contains(file, "\x00"):
		return "", errors.New("sqlite: the file's name holds a zero byte")
	}
	return filepath.Abs(file)
}

// uri returns a file as a URI (https://www.sqlite.org/uri.html), in which a name may
// hold whatever it likes: ?, # and % are escaped.
func uri(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// dataSource returns the driver's name for a connection of the store's own.
func dataSource(path, mode string, settings ...string) string {
	// A connection is used by one goroutine at a time: SQLite need not see to that. NORMAL:
	// it is the syncer that waits for the disk after a commit.
	source := uri(path) + "?mode=" + mode + "&_synchronous=NORMAL&_foreign_keys=on&_mutex=no"
	if mode == "rwc" {
		source += "&_journal_mode=WAL"
	}
	return source + "&" + strings.Join(settings, "&")
}

// hostSource returns the name under which a host should open a database.
func hostSource(path string) string {
	return uri(path) + "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_txlock=immediate&_stmt_cache_size=16"
}
