package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"

	"github.com/mattn/go-sqlite3"
)

// openOwn returns a pool of the store's own connections.
func openOwn(source string) *sql.DB { return sql.OpenDB(connector(source)) }

// A connector opens the store's own connections by their data source.
type connector string

// Connect implements [sqldriver.Connector].
func (c connector) Connect(context.Context) (sqldriver.Conn, error) {
	return c.sqlite().Open(string(c))
}

// Driver implements [sqldriver.Connector].
func (c connector) Driver() sqldriver.Driver { return c.sqlite() }

func (c connector) sqlite() *sqlite3.SQLiteDriver {
	return &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error {
		// On macOS a commit waits for the disk only then; it changes nothing
		// elsewhere. The data source has no setting for it.
		_, err := conn.Exec("PRAGMA fullfsync = 1", nil)
		return err
	}}
}
