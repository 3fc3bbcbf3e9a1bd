package sqlite_test

import (
	"fmt"
	"testing"
	"time"
)

// TestRescheduleMany mends more retries than are looked at in a step.
func TestRescheduleMany(t *testing.T) {
	db, store := newHost(t)
	create(t, store)
	fill(t, db, many, 1)
	now := time.Now().Truncate(time.Millisecond)
	// Every second attempt was made while the clock was wrong, a year ahead.
	_, err := db.Exec(`UPDATE ringback_deliveries SET state = 1, attempts = 1,
		began = ?1 + event_sequence % 2 * ?2, due = ?1 + event_sequence % 2 * ?2 + (1 + event_sequence % 7) * 3600000`,
		now.UnixMilli(), 365*24*time.Hour.Milliseconds())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to mend
		if err := store.Reschedule(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		for hours := range 7 {
			due := now.Add(time.Duration(1+hours) * time.Hour).UnixMilli()
			got := count(t, db, fmt.Sprint("SELECT count(*) FROM ringback_deliveries WHERE due = ", due))
			if got < many/7-1 || got > many/7+1 {
				t.Errorf("%d are due in %d hours", got, 1+hours)
			}
		}
	}
}
