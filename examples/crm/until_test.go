package main_test

import (
	"strconv"
	"testing"
	"time"
)

// until waits until something holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("%s: it does not come about", what)
		}
	}
}

// total returns how many items a list has.
func (p *process) total(path string) int {
	p.t.Helper()
	n, err := strconv.Atoi(marshal(p.t, p.must(200, "GET", path, "")["total"]))
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// items returns what a list shows.
func (p *process) items(path string) []map[string]any {
	p.t.Helper()
	var items []map[string]any
	for _, item := range p.must(200, "GET", path, "")["data"].([]any) {
		items = append(items, item.(map[string]any))
	}
	return items
}

// untilTotal waits until a list has so many items.
func (p *process) untilTotal(path string, want int) {
	p.t.Helper()
	until(p.t, path, func() bool { return p.total(path) == want })
}

// untilShown waits until a property of a callback or a delivery has a value.
func (p *process) untilShown(path, property string, want any) {
	p.t.Helper()
	until(p.t, path+": "+property, func() bool { return shown(p.t, p, path)[property] == want })
}
