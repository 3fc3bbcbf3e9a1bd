package sqlite

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A connection runs the statement that it is given, and keeps a limited number prepared.
func TestStatements(t *testing.T) {
	c, err := connect("file:" + filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	tx := tx{context.Background(), c}
	for i := range 3 * maxPrepared {
		n := 100 + i // of three digits
		for _, text := range []string{strconv.Itoa(n), strconv.Itoa(n) + strings.Repeat(" ", i)} {
			var got int
			if err := tx.row("SELECT " + text).Scan(&got); err != nil || got != n {
				t.Fatalf("SELECT %s returned %d, %v", text, got, err)
			}
		}
		kept := 0
		for _, list := range c.statements {
			kept += len(list)
		}
		if kept > maxPrepared || kept != c.prepared {
			t.Fatalf("%d statements are prepared, %d are counted", kept, c.prepared)
		}
	}
	before := c.prepared
	for range 10 {
		if err := tx.run("SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
	if c.prepared != before+1 {
		t.Errorf("a statement that is run again and again was prepared %d times", c.prepared-before)
	}
}
