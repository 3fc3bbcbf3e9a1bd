package sqlite

const (
	selectOutboxSize = `SELECT count(*), coalesce(sum(length(data)), 0)
	FROM (SELECT data FROM ringback_pending WHERE sequence > 0 AND id <> '' ORDER BY sequence LIMIT ` + int1 + `)`

	selectOutbox = `SELECT sequence, id, database_id, collection_id, record_id, parent_id, action, appended, data
	FROM ringback_pending WHERE sequence > 0 AND id <> '' ORDER BY sequence`
)

// renewBytes is how much data of pending events is written anew at once.
const renewBytes = 16 << 20

// renewOutbox writes what is pending anew, on pages that were cleared: SQLite leaves copies
// of rows where it moves them from page to page, and a host's connection does not overwrite
// what it frees. Where very much is pending it does nothing: the pages are cleared
// when all of it has been fanned out.
func (t tx) renewOutbox() error {
	var events, bytes int
	if err := t.row(selectOutboxSize, stepSize+1).Scan(&events, &bytes); err != nil {
		return err
	}
	if events > stepSize || bytes > renewBytes {
		return nil
	}
	var last int64
	if err := t.row("SELECT " + lastAppended).Scan(&last); err != nil {
		return err
	}
	kept := make([][]any, 0, events)
	err := t.rows(func(row scanner) error {
		var sequence, appended int64
		var id, database, collection, record, parent, action string
		var data []byte
		err := row.Scan(&sequence, &id, &database, &collection, &record, &parent, &action, &appended, &data)
		kept = append(kept, []any{sequence, id, database, collection, record, parent, action, appended, data})
		return err
	}, selectOutbox)
	if err == nil {
		err = t.emptyOutbox(0)
	}
	rows := t.bulk(insertPending)
	for _, values := range kept {
		if err == nil {
			err = rows.add(len(values[len(values)-1].([]byte)), values...)
		}
	}
	if err == nil {
		err = rows.flush()
	}
	if err != nil {
		return err
	}
	return t.run(leaveMark, last)
}
