package sqlite

import (
	"github.com/mattn/go-sqlite3"
)

// connect opens a connection of the store's own by its data source.
func connect(source string) (*conn, error) {
	driver := sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		// On macOS SQLite waits for the disk only then; it changes nothing elsewhere.
		// The data source has no setting for it.
		_, err := c.Exec("PRAGMA fullfsync = 1", nil)
		return err
	}}
	opened, err := driver.Open(source)
	if err != nil {
		return nil, err
	}
	return &conn{driver: opened.(*sqlite3.SQLiteConn)}, nil
}
