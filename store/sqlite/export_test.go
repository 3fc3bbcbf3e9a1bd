package sqlite

import "fmt"

// LimitPages keeps the database from growing by more than so many pages: the disk is
// full then, as far as the store can tell.
func (s *Store) LimitPages(more int) error {
	return s.writer.limitPages(more)
}

func (w *writer) limitPages(more int) error {
	<-w.turn
	defer func() { w.turn <- struct{}{} }()
	tx := tx{w.conn}
	var pages int
	if err := tx.row("PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	return tx.row(fmt.Sprintf("PRAGMA max_page_count = %d", pages+more)).Scan(&pages)
}
